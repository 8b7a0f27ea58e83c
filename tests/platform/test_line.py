"""The whole line on real servers: replay, kill, faults and outages change nothing they should not."""

import hashlib
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from datetime import time as clock
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from climate_assets import definitions
from climate_assets.broadcast.records import Chunk, Completeness
from climate_assets.claims.records import LlmCall, Verdict
from climate_assets.labelling.records import LabellingTask
from climate_assets.learning import checks as learning_checks
from climate_assets.states import StageState, State
from demo.faults import KINDS
from demo.fixed_items import FixedItems
from demo.world import World
from resources.label_studio import LabelStudio
from resources.postgres import Barometre
from resources.s3 import Lake
from tests.conftest import SHARED_DATA
from tests.label_studio_server import Running
from tests.line import SPEECH, STAGES, UNTIL_VERDICTS, Line, line
from tests.llm_server import KEY, LlmServer

DAY = date(2026, 11, 16)
# What is sliced by country and day; a round of the loop is checked where it is made.
CHECKS = [
    c
    for module in definitions.CHECKS
    for c in vars(module).values()
    if isinstance(c, dg.AssetChecksDefinition) and module is not learning_checks
]
CHUNKS = 60  # two channels, one hour


class Morning:
    """The demo world between 05:40 and 07:20 in Paris; nothing is on the air outside of it."""

    def __init__(self) -> None:
        self._world = World()

    def items(self, channel: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """Items of the world within the morning of each day."""
        first = datetime.combine(DAY, clock(4, 40), tzinfo=UTC)
        last = datetime.combine(DAY, clock(6, 20), tzinfo=UTC)
        return self._world.items(channel, max(start, first), min(end, last)) if start < last and end > first else []


@pytest.fixture(scope="module")
def morning() -> Morning:
    return Morning()


@pytest.fixture
def bucket(request: pytest.FixtureRequest) -> str:
    digest = hashlib.sha256(request.node.name.encode()).hexdigest()[:10]
    return f"line-{digest}"


@pytest.fixture
def made(
    morning: Morning, barometre: Barometre, lake: Lake, tmp_path: Path, bucket: str, label_studio_server: Running
) -> Iterator[Line]:
    # A country code of its own keeps the objects of tests apart in the bucket of dumps.
    where = (label_studio_server.url, label_studio_server.token)
    with line(morning, barometre, lake, tmp_path, bucket=bucket, code=bucket, label_studio=where) as ready:
        yield ready


def test_a_day_goes_from_the_broadcaster_to_the_labelling_queue(made: Line) -> None:
    assert made.make(DAY).success
    complete = made.barometre.read(Completeness)
    assert [(c.expected, c.received) for c in complete] == [(30, 30), (30, 30)]
    assert len(made.barometre.read(Chunk)) == CHUNKS
    states = made.barometre.read(StageState, stage="classified_chunks")
    assert states
    assert {s.state for s in states} == {State.OK}
    assert len(made.barometre.read(Verdict)) == len(states)
    tasks = made.barometre.read(LabellingTask)
    assert tasks
    assert {t.state for t in tasks} == {State.OK}
    studio = made.resources["label_studio"]
    assert studio.count(tasks[0].project_id) == len(tasks)
    for task in tasks:
        assert json.loads(made.lake.get(task.bucket, task.object_key))["data"]["item"]["id"] == task.chunk_id


def test_a_day_on_which_nobody_speaks_of_the_climate_is_a_day(
    barometre: Barometre, lake: Lake, tmp_path: Path, bucket: str
) -> None:
    said = {"channel_name": "canal-un", "start": "2026-11-16T06:00:00+01:00", "plaintext": "bonsoir et bienvenue au jeu"}
    with line(FixedItems([said]), barometre, lake, tmp_path, bucket=bucket, code=bucket) as ready:
        assert ready.make(DAY).success
        assert len(barometre.read(Chunk)) == 1
        assert barometre.read(Verdict) == barometre.read(LabellingTask) == []
        held = ready.checks(DAY, CHECKS)
        assert len(held) > 10
        assert {name for name, passed in held.items() if not passed} == {"days_are_complete"}


def test_law_3_a_replay_changes_nothing(made: Line) -> None:
    made.make(DAY)
    rows, objects = made.rows(volatile=True), made.objects()
    tasks = made.barometre.read(LabellingTask)
    studio = made.resources["label_studio"]
    before = studio.count(tasks[0].project_id)
    assert made.make(DAY).success
    assert made.rows(volatile=True) == rows
    assert made.objects() == objects
    assert studio.count(tasks[0].project_id) == before


def _run_stage(ready: Line, stage: str, day: date, begun: Any) -> None:
    os.setpgrp()
    begun.set()
    ready.make(day, [stage])
    os._exit(0)


def killed(ready: Line, stage: str, after: float, day: date) -> bool:
    """Run a stage in a process of its own and kill it `after` seconds; whether it was still running then."""
    context = multiprocessing.get_context("fork")
    begun = context.Event()
    process = context.Process(target=_run_stage, args=(ready, stage, day, begun))
    process.start()
    begun.wait(30)
    process.join(after)
    alive = process.is_alive()
    if alive and process.pid:
        os.kill(process.pid, signal.SIGKILL)
    process.join(30)
    return alive


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage not in SPEECH])
def test_law_3_a_run_killed_inside_a_stage_leaves_nothing_behind(stage: str, made: Line, barometre: Barometre) -> None:
    before = list(STAGES)[: list(STAGES).index(stage)]
    if before:
        made.make(DAY, before)
    # Two undisturbed runs: the first warms caches, the second tells how long the stage takes.
    made.make(DAY, [stage])
    undisturbed = made.rows()
    studio = made.resources["label_studio"]
    table = STAGES[stage].specs_by_key[STAGES[stage].key].metadata["dagster/table_name"].rsplit(".", 1)[1]  # type: ignore[index]
    _forget(barometre, stage, table)
    begun = time.monotonic()
    made.make(DAY, [stage])
    took = time.monotonic() - begun
    struck = 0
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        _forget(barometre, stage, table)
        struck += killed(made, stage, took * share, DAY)
        assert made.make(DAY, [stage]).success
        assert made.rows() == undisturbed, f"killed after {share:.0%} of {stage}"
    assert struck >= 2, "the stage was over before it could be killed"
    if stage == "labelstudio_tasks":
        tasks = barometre.read(LabellingTask)
        assert studio.count(tasks[0].project_id) == len(tasks)


def _forget(barometre: Barometre, stage: str, table: str) -> None:
    """Remove what a stage wrote to the database; objects and tasks stay, as after a lost database."""
    barometre.execute("DELETE FROM stage_states WHERE stage = %(stage)s", {"stage": stage})
    names = [table, "dumps", "channel_days"] if stage == "mediatree_dumps" else [table]
    for name in names:
        barometre.execute(f"DELETE FROM {name}")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_day_survives_a_broadcaster_that_fails_a_third_of_its_answers(
    seed: int, morning: Morning, barometre: Barometre, lake: Lake, tmp_path: Path, bucket: str
) -> None:
    with line(morning, barometre, lake, tmp_path, bucket=bucket, code=bucket, mediatree={"answer_timeout": 5.0}) as ready:
        ready.broadcaster.faults.dial({kind: 0.3 / len(KINDS) for kind in KINDS}, seed, retry_after=0, slow_seconds=0.1)
        for _ in range(4):
            ready.make(DAY, ["mediatree_dumps"], raise_on_error=False)
            rows = barometre.read(Completeness)
            if rows and all(c.received == c.expected for c in rows):
                break
            # What is not here is named: a gap, and the call that failed.
            assert all(c.missing for c in rows if c.received < c.expected)
        ready.broadcaster.faults.dial({}, seed)
        assert ready.make(DAY, ["mediatree_dumps"]).success
        chunks = barometre.read(Chunk)
        assert len(chunks) == len({c.chunk_id for c in chunks}) == CHUNKS
        assert all(c.received == c.expected and not c.missing for c in barometre.read(Completeness))


def test_real_text_runs_the_whole_line(
    barometre: Barometre, lake: Lake, tmp_path: Path, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Must show 2: sixty real chunks as a day; at least 57 get a climate hit."""
    file = SHARED_DATA / "broadcast" / "fr_chunks.json"
    if not file.exists():
        pytest.skip(f"{file.name} is private and not here")
    rows = json.loads(file.read_text())
    first = datetime(2026, 11, 16, 5, 0, tzinfo=UTC)
    # Their days and channels differ; here they are sixty chunks of two fictional channels in one morning.
    served = [
        {
            "channel_name": ("canal-un", "radio-littoral")[n % 2],
            "start": datetime.fromtimestamp(first.timestamp() + 120 * (n // 2), UTC).isoformat(),
            "plaintext": row["plaintext"],
        }
        for n, row in enumerate(rows)
    ]
    with line(FixedItems(served), barometre, lake, tmp_path, bucket=bucket, code=bucket) as ready:
        assert ready.make(DAY, UNTIL_VERDICTS).success
        hits = barometre.rows(
            "SELECT count(DISTINCT chunk_id) AS any, count(DISTINCT chunk_id) FILTER (WHERE counts) AS counting"
            " FROM keyword_hits WHERE subject = 'climat'"
        )[0]
        with capsys.disabled():
            print(f"\nreal text: {hits['any']} of 60 chunks have a climate hit, {hits['counting']} one that counts")
        assert hits["any"] >= 57
        states = barometre.read(StageState, stage="classified_chunks")
        assert {s.state for s in states} == {State.OK}


def test_an_outage_of_the_model_is_never_a_clean_day(
    morning: Morning, barometre: Barometre, lake: Lake, tmp_path: Path, bucket: str
) -> None:
    """Must show 4: down, then rubbish, then well: only what is missing is judged, and nothing counted as clean."""
    quick: dict[str, Any] = {"max_attempts": 2, "backoff_seconds": 0.01, "timeout_seconds": 1.5, "max_pause_seconds": 0.1}
    with LlmServer() as server:
        llm = {"base_url": server.url, "api_key": KEY, "model": "gpt-4o-mini", **quick}
        with line(morning, barometre, lake, tmp_path, bucket=bucket, code=bucket, llm=llm) as ready:
            ready.make(DAY, ["mediatree_dumps", "keyword_chunks", "ad_intervals", "clean_chunks"])
            # Every chunk goes to the endpoint: the student is passed over by asking for an audit of all.
            yaml = tmp_path / "countries.yaml"
            yaml.write_text(yaml.read_text().replace("audit_share: 0.2", "audit_share: 1.0"))
            for trouble in ("hang_up", "error_500", "limited", "slow", "rubbish"):
                server.always = trouble
                ready.make(DAY, ["classified_chunks"], raise_on_error=False)
                assert barometre.read(Verdict) == []
                states = {s.state for s in barometre.read(StageState, stage="classified_chunks")}
                assert states <= {State.PENDING, State.FAILED}
            server.always = None
            assert ready.make(DAY, ["classified_chunks"]).success
            judged = len(barometre.read(Verdict))
            assert judged == len(barometre.read(StageState, stage="classified_chunks", state="ok")) > 0
            calls = len(barometre.read(LlmCall))
            assert ready.make(DAY, ["classified_chunks"]).success
            assert len(barometre.read(LlmCall)) == calls


def test_storage_sync_is_the_other_mode_of_delivery(made: Line, tmp_path: Path) -> None:
    yaml = tmp_path / "countries.yaml"
    yaml.write_text(yaml.read_text().replace("threshold: 6", "threshold: 6\n    delivery: storage"))
    assert made.make(DAY).success
    tasks = made.barometre.read(LabellingTask)
    assert tasks
    assert {(t.state, t.reason) for t in tasks} == {(State.OK, "")}
    assert made.make(DAY, ["labelstudio_tasks"]).success
    assert made.resources["label_studio"].count(tasks[0].project_id) == len(tasks)


def test_a_labelling_server_that_is_down_leaves_tasks_waiting_and_the_next_tick_delivers(made: Line) -> None:
    well = made.resources["label_studio"]
    made.resources["label_studio"] = LabelStudio(url="http://127.0.0.1:9", api_key="none")
    assert made.make(DAY).success
    assert {t.state for t in made.barometre.read(LabellingTask)} == {State.PENDING}
    made.resources["label_studio"] = well
    assert made.make(DAY, ["labelstudio_tasks"]).success
    tasks = made.barometre.read(LabellingTask)
    assert {t.state for t in tasks} == {State.OK}
    assert well.count(tasks[0].project_id) == len(tasks)
