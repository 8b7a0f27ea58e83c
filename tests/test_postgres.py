"""The database resource: a load changes only what differs."""

from datetime import UTC, date, datetime

import psycopg
import pytest

from climate_assets.broadcast.records import Chunk, KeywordHit
from climate_assets.states import StageState, State
from resources.postgres import Barometre, Change


def chunk(number: int, text: str = "il fait chaud") -> Chunk:
    start = datetime(2026, 11, 20, 6, 2 * number, tzinfo=UTC)
    return Chunk(
        f"france/canal-un/{start:%Y-%m-%dT%H:%M:%SZ}", "france", date(2026, 11, 20), "canal-un", start,
        text, [0, 40, 80], "asr", 0.0, 120.0, "v1",
    )  # fmt: skip


def test_rows_come_back_as_they_went(barometre: Barometre) -> None:
    rows = [chunk(1), chunk(2, "l' eau \\ \t monte {1,2} \"')")]
    assert barometre.replace(rows, Chunk, country="france", day=date(2026, 11, 20)) == Change(inserted=2)
    assert barometre.read(Chunk, country="france") == rows


def test_a_replay_changes_nothing(barometre: Barometre) -> None:
    rows = [chunk(n) for n in range(20)]
    barometre.replace(rows, Chunk, country="france")
    assert barometre.replace(rows, Chunk, country="france") == Change(unchanged=20)


def test_only_what_differs_is_touched(barometre: Barometre) -> None:
    barometre.replace([chunk(1), chunk(2), chunk(3)], Chunk, country="france")
    change = barometre.replace([chunk(1), chunk(2, "il fait froid"), chunk(4)], Chunk, country="france")
    assert change == Change(inserted=1, updated=1, deleted=1, unchanged=1)


def test_a_scope_does_not_reach_its_neighbours(barometre: Barometre) -> None:
    barometre.upsert([chunk(1), chunk(2)], Chunk)
    assert barometre.replace([], Chunk, country="belgium") == Change()
    assert len(barometre.read(Chunk)) == 2


def test_an_upsert_deletes_nothing(barometre: Barometre) -> None:
    state = StageState("classified_chunks", "c1", "france", date(2026, 11, 20), State.FAILED, "no answer", 1)
    barometre.upsert([state], StageState)
    other = StageState("classified_chunks", "c2", "france", date(2026, 11, 20), State.OK, "", 0)
    assert barometre.upsert([other], StageState) == Change(inserted=1)
    assert len(barometre.read(StageState, state=["failed", "ok"])) == 2


def test_records_with_nothing_read_as_nothing(barometre: Barometre) -> None:
    assert barometre.read(KeywordHit, country="nowhere") == []


def test_rows_that_are_there_outside_the_scope_are_merged(barometre: Barometre) -> None:
    barometre.upsert([chunk(1), chunk(2)], Chunk)
    change = barometre.replace([chunk(1), chunk(2, "il fait froid"), chunk(3)], Chunk, country="belgium")
    assert change == Change(inserted=1, updated=1, unchanged=1)
    assert barometre.replace([chunk(1)], Chunk, country="france") == Change(deleted=2, unchanged=1)


def test_a_key_that_comes_twice_is_one_row(barometre: Barometre) -> None:
    assert barometre.replace([chunk(1), chunk(2), chunk(1)], Chunk, country="france").inserted == 2
    assert barometre.read(Chunk) == [chunk(1), chunk(2)]


def test_a_first_load_that_breaks_leaves_nothing(barometre: Barometre) -> None:
    with pytest.raises(psycopg.DataError):
        barometre.replace([chunk(1), chunk(2, "il fait\x00chaud")], Chunk, country="france")
    assert barometre.read(Chunk) == []
