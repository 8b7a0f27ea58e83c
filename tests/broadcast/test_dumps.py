import hashlib
import io
import json
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.broadcast.dumps import drift, dump_version, from_parquet, object_key, to_parquet
from climate_assets.broadcast.records import Answer
from climate_assets.failures import Permanent
from tests.broadcast.air import Air

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROWS = Air().items("canal-un", NOON, NOON + timedelta(hours=1))


def answer(rows: list[Any], at: datetime = NOON, **more: Any) -> Answer:
    payload = json.dumps({"total_results": len(rows), "number_pages": 1, "data": rows, **more}).encode()
    return Answer(json.dumps({"start_gte": len(rows)}), at, hashlib.sha256(payload).hexdigest(), payload)


@given(st.integers(0, 2**32))
def test_the_version_knows_no_order_slicing_or_repetition(seed: int) -> None:
    rng = random.Random(seed)
    rows = ROWS + rng.sample(ROWS, 5)
    rng.shuffle(rows)
    cut = rng.randint(0, len(rows))
    parts = [answer(rows[:cut], took_ms=seed), answer(rows[cut:], NOON + timedelta(seconds=seed))]
    assert dump_version(parts) == dump_version([answer(ROWS)])


@pytest.mark.parametrize(
    "change", [{"plaintext": "autre"}, {"start": 1}, {"srt": []}, {"srt": "\ud800"}, {"channel": {"name": "radio-deux"}}]
)
def test_the_version_changes_with_what_is_said(change: dict[str, Any]) -> None:
    assert dump_version([answer([{**ROWS[0], **change}, *ROWS[1:]])]) != dump_version([answer(ROWS)])


def test_an_unknown_field_makes_no_new_version_and_stays_in_the_payload() -> None:
    scored = answer([{**row, "score": 0.5} for row in ROWS])
    assert dump_version([scored]) == dump_version([answer(ROWS)])
    assert b'"score": 0.5' in from_parquet(to_parquet([scored]))[0].payload


def test_a_file_gives_back_the_very_bytes() -> None:
    stored = (
        answer(ROWS),
        replace(answer(ROWS[:3]), payload=b"\xff\x00<html>", sha256=hashlib.sha256(b"\xff\x00<html>").hexdigest()),
    )
    content = to_parquet(stored)
    assert set(from_parquet(content)) == set(stored)
    assert to_parquet(reversed(stored)) == content
    assert pq.read_metadata(io.BytesIO(content)).row_group(0).column(3).compression == "ZSTD"
    assert from_parquet(to_parquet([])) == ()


def test_a_payload_that_does_not_fit_its_hash_is_refused() -> None:
    forged = replace(answer(ROWS), sha256="0" * 64)
    with pytest.raises(Permanent, match="has hash"):
        from_parquet(to_parquet([forged]))


def test_a_file_of_another_layout_is_refused() -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"request": ["x"]}), sink)
    with pytest.raises(Permanent, match="layout"):
        from_parquet(sink.getvalue())
    with pytest.raises(Permanent, match="not a Parquet file"):
        from_parquet(b"PAR1 no")


def test_keys_sort_by_date() -> None:
    key = object_key("france", date(2026, 3, 5), "canal-un", "ab" * 32)
    assert key == "country=france/day=2026-03-05/channel=canal-un/abababababababab.parquet"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (ROWS, ROWS[::-1] + ROWS[:2], ""),
        (ROWS[:-2], ROWS, "2 chunks added"),
        (ROWS, ROWS[1:], "1 chunk gone"),
        (ROWS, [{**ROWS[0], "plaintext": "autre"}, *ROWS[1:]], "1 chunk with changed text"),
        (ROWS, [{**ROWS[0], "srt": []}, *ROWS[1:]], "1 chunk with changed word times or labels only"),
        (ROWS[1:], [{**ROWS[1], "plaintext": "autre"}, *ROWS[2:], ROWS[0]], "1 chunk added, 1 chunk with changed text"),
    ],
)
def test_drift_is_one_sentence(old: list[Any], new: list[Any], said: str) -> None:
    assert drift(old, new) == said
