"""Airtime rows: every theme and subject always, adverts masked, no second twice."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.broadcast.airtime import advert_spans, airtime_rows, in_advert, merged, overlap, seconds_of, window_seconds
from climate_assets.broadcast.records import AdInterval, Airtime, Chunk, KeywordHit, Subject, Theme
from climate_assets.failures import Permanent
from tests.broadcast.spoken import DAY, START, chunk, completeness, hit, interval

SECOND = timedelta(seconds=1)
SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def rows(chunks: list[Chunk], hits: list[KeywordHit], intervals: list[AdInterval]) -> dict[tuple[str, str], Airtime]:
    made = airtime_rows("france", DAY, "canal-un", chunks, hits, intervals, completeness(), "d1", "m1")
    return {(row.subject, row.theme): row for row in made}


def test_all_fourteen_rows_with_zeros_and_denominators() -> None:
    made = rows([chunk("rien")], [], [])
    assert set(made) == {(s.value, "*") for s in Subject} | {(t.subject.value, t.value) for t in Theme}
    assert all((row.seconds, row.seconds_with_adverts, row.advert_seconds) == (0, 0, 0) for row in made.values())
    assert all((row.captured_seconds, row.monitored_seconds) == (3600, 61_200) for row in made.values())
    assert all((row.dictionary, row.method) == ("d1", "m1") for row in made.values())


def test_windows_count_once_for_a_subject_and_once_for_each_theme() -> None:
    one = chunk("a")
    hits = [hit(one, 3), hit(one, 7), hit(one, 9, Theme.CLIMATE_CAUSES), hit(one, 30), hit(one, 50, counts=False)]
    made = rows([one], hits, [])
    assert made["climat", "*"].seconds == 40
    assert made["climat", Theme.CLIMATE_STATEMENT].seconds == 40
    assert made["climat", Theme.CLIMATE_CAUSES].seconds == 20


def test_a_hit_in_an_advert_is_masked_and_counted_both_ways() -> None:
    one = chunk("a")
    made = rows([one], [hit(one, 3), hit(one, 30), hit(one, 31)], [interval(25, 30.5)])["climat", "*"]
    assert (made.seconds, made.seconds_with_adverts, made.advert_seconds) == (40, 40, 5.5)
    made = rows([one], [hit(one, 3), hit(one, 30), hit(one, 31)], [interval(25, 32)])["climat", "*"]
    assert (made.seconds, made.seconds_with_adverts) == (20, 40)


@pytest.mark.parametrize(
    "harmless",
    [
        interval(0, 60, vetoed=True),
        interval(0, 60, kind="rerun"),
        interval(0, 60, kind="jingle"),
        interval(0, 60, channel="canal-deux"),
    ],
)
def test_only_unvetoed_adverts_of_the_channel_mask(harmless: AdInterval) -> None:
    one = chunk("a")
    row = rows([one], [hit(one, 3)], [harmless])["climat", "*"]
    assert (row.seconds, row.advert_seconds) == (20, 0)


def test_adverts_are_clipped_to_what_was_captured_and_merged() -> None:
    chunks = [chunk("a"), chunk("b", start=START + timedelta(minutes=4))]
    row = rows(chunks, [], [interval(-30, 10), interval(5, 20), interval(110, 250)])["climat", "*"]
    assert row.advert_seconds == 20 + 10 + 10


def test_overlapping_chunks_count_no_second_twice() -> None:
    one, two = chunk("a"), chunk("b", start=START + timedelta(seconds=30))
    assert rows([one, two], [hit(one, 45), hit(two, 15)], [])["climat", "*"].seconds == 30


def test_hits_of_other_channels_are_left_out_and_unknown_chunks_named() -> None:
    one, other = chunk("a"), chunk("a", channel="canal-deux")
    assert rows([one, other], [hit(other, 3)], [])["climat", "*"].seconds == 0
    with pytest.raises(Permanent, match=r"hit of 'climat' in france/canal-un/.*pass the chunks"):
        rows([], [hit(one, 3)], [])


def test_completeness_of_another_channel_is_refused() -> None:
    with pytest.raises(Permanent, match=r"completeness of france/canal-deux/2026-11-20 was given for france/canal-un"):
        airtime_rows("france", DAY, "canal-un", [], [], [], completeness(channel="canal-deux"), "d1", "m1")


@settings(deadline=None)
@given(SPANS, SPANS)
def test_spans_against_seconds_one_by_one(left: list[tuple[int, int]], right: list[tuple[int, int]]) -> None:
    covered = [{s for a, b in spans for s in range(a, b)} for spans in (left, right)]
    spans = [merged((START + a * SECOND, START + b * SECOND) for a, b in given_spans) for given_spans in (left, right)]
    assert seconds_of(spans[0]) == len(covered[0])
    assert seconds_of(overlap(*spans)) == len(covered[0] & covered[1])
    assert all(in_advert(START + s * SECOND, spans[0]) == (s in covered[0]) for s in range(-1, 62))


@settings(deadline=None)
@given(st.lists(st.floats(0, 119.9), max_size=10), SPANS)
def test_seconds_never_exceed_those_with_adverts_nor_what_was_captured(
    times: list[float], adverts: list[tuple[int, int]]
) -> None:
    one = chunk("a")
    for row in rows([one], [hit(one, t) for t in times], [interval(a, b) for a, b in adverts]).values():
        assert row.seconds <= row.seconds_with_adverts <= 120
        assert row.advert_seconds <= 120


def test_window_seconds_and_advert_spans() -> None:
    assert window_seconds([START, START, START + 20 * SECOND, START + 60 * SECOND]) == 60
    assert advert_spans([interval(0, 5), interval(5, 9)]) == [(START, START + 9 * SECOND)]
