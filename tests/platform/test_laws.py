"""The laws of the design page, each as something that can fail; where a law has a file of its own, it is named here.

Law 3 (a replay changes nothing) is `test_line.py`, law 7 (nothing happens at import) `test_rings.py`, law 8 (a secret
stays in its field) `test_secrets.py`.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from climate_assets import schema
from climate_assets.broadcast import dumps
from climate_assets.broadcast.records import Airtime, Chunk, CleanChunk, Completeness, Dump, KeywordHit
from climate_assets.claims.records import LlmCall, Verdict
from climate_assets.labelling.records import LabellingTask
from climate_assets.states import StageState, State
from resources.mediatree import Mediatree
from resources.postgres import Barometre
from resources.s3 import DUMPS, Lake
from tests.line import UNTIL_VERDICTS, Line, line
from tests.llm_server import KEY, LlmServer
from tests.platform.test_line import DAY, Morning

UNREADABLE = datetime(2026, 11, 16, 5, 20, tzinfo=UTC)
CHUNK_STAGES = ["mediatree_dumps", "keyword_chunks", "ad_intervals", "clean_chunks", "airtime"]


@pytest.fixture(scope="module")
def morning() -> Morning:
    return Morning()


@pytest.fixture
def made(morning: Morning, barometre: Barometre, lake: Lake, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Line]:
    bucket = "law-" + hashlib.sha256(request.node.name.encode()).hexdigest()[:10]
    with line(morning, barometre, lake, tmp_path, bucket=bucket, code=bucket) as ready:
        yield ready


def test_law_1_raw_is_raw(made: Line, barometre: Barometre) -> None:
    made.make(DAY, ["mediatree_dumps"])
    for dump in barometre.read(Dump):
        answers = dumps.from_parquet(made.lake.get(DUMPS, dump.object_key))
        assert len(answers) == dump.answers
        for answer in answers:
            assert hashlib.sha256(answer.payload).hexdigest() == answer.sha256
            assert answer.fetched_at.tzinfo is not None
            assert b'"cts_in_ms"' in answer.payload or b'"data":[]' in answer.payload.replace(b" ", b"")
        assert dumps.dump_version(answers) == dump.version


def test_law_2_an_outage_is_not_an_empty_day(made: Line, barometre: Barometre) -> None:
    made.resources["mediatree"] = Mediatree(url="http://127.0.0.1:9", user="u", password="p", max_attempts=1)
    assert not made.make(DAY, ["mediatree_dumps"], raise_on_error=False).success
    assert barometre.read(Completeness) == []
    assert barometre.read(Airtime) == []


def test_law_2_a_chunk_that_cannot_be_read_is_dead_with_its_reason(
    barometre: Barometre, lake: Lake, tmp_path: Path, morning: Morning
) -> None:
    class Nonsense(Morning):
        def items(self, channel, start, end):  # type: ignore[no-untyped-def]
            items = super().items(channel, start, end)
            for item in (i for i in items if i["start"] == UNREADABLE.timestamp()):
                item["srt"] = [{"text": "mot", "cts_in_ms": (item["start"] + 140) * 1000, "duration_ms": 10}]
                item["plaintext"] = "mot"
            return items

    with line(Nonsense(), barometre, lake, tmp_path, bucket="law-nonsense", code="law-nonsense") as ready:
        ready.make(DAY, ["mediatree_dumps"], raise_on_error=False)
        dead = barometre.read(StageState, stage="mediatree_dumps")
        assert {s.state for s in dead} == {State.DEAD}
        assert all(s.reason for s in dead)
        complete = barometre.read(Completeness)
        assert sum(c.unreadable for c in complete) == len(dead) > 0
        assert len(barometre.read(Chunk)) == 60 - len(dead)


def test_law_4_what_was_paid_is_a_row_before_the_answer_is_there(
    morning: Morning, barometre: Barometre, lake: Lake, tmp_path: Path
) -> None:
    with LlmServer(always="error_500") as server:
        llm = {"base_url": server.url, "api_key": KEY, "model": "gpt-4o-mini", "max_attempts": 1, "backoff_seconds": 0.01}
        with line(morning, barometre, lake, tmp_path, bucket="law-four", code="law-four", llm=llm) as ready:
            file = tmp_path / "countries.yaml"
            file.write_text(file.read_text().replace("audit_share: 0.2", "audit_share: 1.0"))
            ready.make(DAY, [*CHUNK_STAGES, "classified_chunks"], raise_on_error=False)
            calls = barometre.read(LlmCall)
            assert calls
            assert all(c.outcome != "reserved" and c.reserved_cost > 0 for c in calls)
            assert len(barometre.read(StageState, stage="classified_chunks")) == len(
                [c for c in barometre.read(CleanChunk) if c.climate_hits]
            )


def test_law_5_every_row_says_what_made_it(made: Line, barometre: Barometre) -> None:
    made.make(DAY, UNTIL_VERDICTS)
    versions = {d.version for d in barometre.read(Dump)}
    assert all(c.dump_version in versions for c in barometre.read(Chunk))
    [dictionary] = {h.dictionary for h in barometre.read(KeywordHit)}
    assert {c.dictionary for c in barometre.read(CleanChunk)} == {dictionary}
    assert {a.dictionary for a in barometre.read(Airtime)} == {dictionary}
    texts = {c.text_sha256 for c in barometre.read(CleanChunk)}
    for verdict in barometre.read(Verdict):
        assert verdict.model.startswith("student-")
        assert verdict.prompt
        assert verdict.text_sha256 in texts


def test_law_6_a_figure_carries_its_denominator(made: Line, barometre: Barometre) -> None:
    """Every channel of the day has a row for every theme, hits or none, with captured beside monitored seconds."""
    made.make(DAY, CHUNK_STAGES)
    rows = barometre.read(Airtime)
    assert len(rows) == 2 * 14
    assert all(r.captured_seconds > 0 and r.monitored_seconds == 3600 for r in rows)
    assert any(r.seconds == 0 for r in rows)


def test_law_9_what_is_refused_is_kept_aside_and_can_be_replayed(made: Line, barometre: Barometre) -> None:
    """The dump of a day keeps every item; chunks are decoded again from it after the table is lost."""
    made.make(DAY, ["mediatree_dumps"])
    before = barometre.read(Chunk)
    barometre.execute("DELETE FROM chunks")
    made.make(DAY, ["mediatree_dumps"])
    assert barometre.read(Chunk) == before


def test_law_10_a_newer_machine_output_stands_beside_what_people_were_asked(made: Line, barometre: Barometre) -> None:
    """A task that was written is never rewritten, whatever a later model says of the chunk."""
    made.make(DAY)  # nobody answers at the labelling server: tasks are written and wait
    tasks = barometre.read(LabellingTask)
    assert tasks
    contents = {t.object_key: made.lake.get(t.bucket, t.object_key) for t in tasks}
    newer = [replace(v, model="student-newer", score=10 - v.score) for v in barometre.read(Verdict)]
    barometre.upsert(newer, Verdict)
    made.make(DAY, ["labelstudio_tasks"])
    after = {t.chunk_id: t for t in barometre.read(LabellingTask)}
    for task in tasks:
        assert (after[task.chunk_id].model, after[task.chunk_id].sha256) == (task.model, task.sha256)
        assert made.lake.get(task.bucket, task.object_key) == contents[task.object_key]


def test_every_table_has_a_key_and_says_what_its_columns_are() -> None:
    for table in schema.metadata.sorted_tables:
        assert list(table.primary_key.columns), table.name
        assert table.comment, table.name
        assert all(c.comment for c in table.columns), table.name
