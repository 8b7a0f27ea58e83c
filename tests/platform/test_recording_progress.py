"""How far a recording is, read off a real instance that ran, failed, retried and lost runs of it."""

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType, EngineEventData
from dagster_shared.error import SerializableErrorInfo

from climate_assets.partitions import RECORDING
from climate_assets.recording_progress import VERSION_TAG, first_line, runs_seen, states_seen
from climate_assets.speech.progress import (
    RECORDING_ASSETS,
    Progress,
    RunSeen,
    RunStatus,
    StateSeen,
    Status,
    StepStatus,
    status_of,
)
from climate_assets.speech.records import RECORDINGS
from climate_assets.states import StageState, State
from resources.postgres import Barometre
from tests.platform.recording_line import line, made

KEY = "ab" * 32
CLIPS, HEARD, TURNS, NAMES, JOINED = RECORDING_ASSETS


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    folder = str(tmp_path_factory.mktemp("dagster"))
    with dg.DagsterInstance.local_temp(folder, {"telemetry": {"enabled": False}}) as made:
        yield made


@pytest.fixture
def instance(home: dg.DagsterInstance) -> dg.DagsterInstance:
    """One instance for the module, emptied for each test: making one takes longer than most tests."""
    home.wipe()
    for key in home.get_dynamic_partitions(RECORDING):
        home.delete_dynamic_partition(RECORDING, key)
    return home


@pytest.fixture
def fates(tmp_path: Path) -> Path:
    return tmp_path / "fates.json"


def runs(instance: dg.DagsterInstance) -> list[RunSeen]:
    return runs_seen(instance, [KEY])[KEY]


def told(instance: dg.DagsterInstance) -> Progress:
    return status_of(runs(instance), [], time.time())


def begun(fates: Path, instance: dg.DagsterInstance) -> dg.DagsterRun:
    """A run that exists and has not been started."""
    fates.write_text("{}")
    instance.add_dynamic_partitions("recording", [KEY])
    job = dg.define_asset_job("heard", selection=dg.AssetSelection.all())
    defs = dg.Definitions.merge(line(fates), dg.Definitions(jobs=[job]))
    tags = {"dagster/partition": KEY}
    return instance.create_run_for_job(defs.resolve_job_def("heard"), tags=tags, status=dg.DagsterRunStatus.NOT_STARTED)


def test_nothing_is_seen_of_a_recording_without_runs(instance: dg.DagsterInstance) -> None:
    assert runs(instance) == []
    assert told(instance).status is Status.PENDING


def test_all_made(instance: dg.DagsterInstance, fates: Path) -> None:
    made(fates, instance, KEY, {}, **{VERSION_TAG: "v1"})
    made(fates, instance, "cd" * 32, {CLIPS: "fail"})  # another recording is no concern of this one
    [seen] = runs(instance)
    assert (seen.status, seen.version, [s.stage for s in seen.steps]) == (RunStatus.SUCCEEDED, "v1", list(RECORDING_ASSETS))
    progress = told(instance)
    assert (progress.status, progress.share, progress.message) == (Status.COMPLETED, 1.0, "")
    assert progress.seconds >= 0


def test_a_step_failed(instance: dg.DagsterInstance, fates: Path) -> None:
    made(fates, instance, KEY, {TURNS: "fail"})
    progress = told(instance)
    assert (progress.status, progress.stage, progress.done) == (Status.ERROR, TURNS, (CLIPS, HEARD))
    assert progress.message == f"{TURNS} cannot be made; mend it"


def test_a_step_was_tried_again(instance: dg.DagsterInstance, fates: Path) -> None:
    made(fates, instance, KEY, {HEARD: "once"})
    [seen] = runs(instance)
    assert {s.stage: s.attempts for s in seen.steps}[HEARD] == 2
    assert told(instance).status is Status.COMPLETED


def test_failed_then_made(instance: dg.DagsterInstance, fates: Path) -> None:
    made(fates, instance, KEY, {HEARD: "fail"})
    made(fates, instance, KEY, {})
    assert [r.status for r in runs(instance)] == [RunStatus.SUCCEEDED, RunStatus.FAILED]
    assert told(instance).status is Status.COMPLETED


def test_one_stage_made_anew(instance: dg.DagsterInstance, fates: Path) -> None:
    made(fates, instance, KEY, {})
    made(fates, instance, KEY, {NAMES: "fail"}, only=NAMES)
    assert (told(instance).status, told(instance).stage) == (Status.ERROR, NAMES)
    made(fates, instance, KEY, {}, only=NAMES)
    assert told(instance).status is Status.COMPLETED


def test_made_by_a_backfill_of_many_after_a_failure(instance: dg.DagsterInstance, fates: Path) -> None:
    made(fates, instance, KEY, {HEARD: "fail"})
    done = made(fates, instance, KEY, {}, to="cd" * 32)
    assert next(r.run_id for r in runs(instance)) == done.run_id
    assert told(instance).status is Status.COMPLETED
    assert status_of(runs_seen(instance, ["cd" * 32])["cd" * 32], [], time.time()).status is Status.COMPLETED


def test_states_carry_the_names_of_the_assets_of_recordings(barometre: Barometre) -> None:
    rows = [
        StageState("speaker_turns", KEY, RECORDINGS, date(2026, 11, 20), State.SKIPPED, "no extra", 0),
        StageState("recording_clips", KEY, RECORDINGS, date(2026, 11, 20), State.OK, "", 0),
    ]
    barometre.upsert(rows, StageState)
    found = states_seen(barometre, [KEY, "cd" * 32])
    assert found == {KEY: [StateSeen(CLIPS, "ok", ""), StateSeen(TURNS, "skipped", "no extra")], "cd" * 32: []}


def test_queued_started_cancelled(instance: dg.DagsterInstance, fates: Path) -> None:
    run = begun(fates, instance)
    assert (told(instance).status, told(instance).stage) == (Status.PENDING, CLIPS)
    instance.handle_new_event(event(run, DagsterEventType.RUN_START))
    instance.handle_new_event(event(run, DagsterEventType.STEP_START, CLIPS))
    instance.handle_new_event(event(run, DagsterEventType.STEP_SUCCESS, CLIPS))
    instance.handle_new_event(event(run, DagsterEventType.STEP_START, HEARD))
    progress = told(instance)
    assert (progress.status, progress.stage, progress.done) == (Status.PROCESSING, HEARD, (CLIPS,))
    instance.handle_new_event(event(run, DagsterEventType.STEP_UP_FOR_RETRY, HEARD))
    assert runs(instance)[0].steps[-1].status is StepStatus.RETRYING
    assert told(instance).message == "waits for try 2, after: the store is out of order"
    instance.handle_new_event(event(run, DagsterEventType.STEP_RESTARTED, HEARD))
    assert told(instance).message == "try 2, after: the store is out of order"
    instance.report_run_canceled(run)
    assert (told(instance).status, told(instance).stage) == (Status.ERROR, HEARD)


def test_killed_without_an_end_and_then_noticed(instance: dg.DagsterInstance, fates: Path) -> None:
    run = begun(fates, instance)
    for kind, step in ((DagsterEventType.RUN_START, None), (DagsterEventType.STEP_START, CLIPS)):
        instance.handle_new_event(event(run, kind, step))
    assert told(instance).status is Status.PROCESSING
    assert status_of(runs(instance), [], time.time() + 100_000).status is Status.ERROR, "nobody works for a day"
    instance.report_run_failed(run, "the run worker is gone")
    progress = told(instance)
    assert (progress.status, progress.stage) == (Status.ERROR, CLIPS)
    assert progress.message == "the run worker is gone"
    instance.add_run_tags(run.run_id, {"dagster/will_retry": "true"})
    assert told(instance).status is Status.PENDING


def test_what_is_read_of_a_recording_has_an_end(instance: dg.DagsterInstance, fates: Path) -> None:
    for _ in range(11):
        made(fates, instance, KEY, {}, only=CLIPS)
    seen = runs(instance)
    assert len(seen) == 10
    assert sum(bool(r.steps) for r in seen) == 4


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("climate_assets.failures.Permanent: no dictionary\n  stack", "no dictionary"),
        ("no class here", "no class here"),
        ("s3://bucket/key: the store: refuses", "s3://bucket/key: the store: refuses"),
        ("Permanent: \n", "Permanent:"),
        ("x.Y: a\x1b[31m\u202eb", "a [31mb"),
        ("", ""),
    ],
)
def test_a_message_speaks_to_a_person(message: str, line: str) -> None:
    inner = SerializableErrorInfo(message, [], "Permanent")
    assert first_line(SerializableErrorInfo("Error occurred while executing op", [], "Wrapper", inner)) == line


def event(run: dg.DagsterRun, kind: DagsterEventType, step: str | None = None) -> dg.EventLogEntry:
    """What a run worker would report, without one."""
    from dagster._core.events import StepRetryData, StepSuccessData

    error = SerializableErrorInfo("climate_assets.failures.Transient: the store is out of order", [], "Transient")
    data = {
        DagsterEventType.STEP_UP_FOR_RETRY: StepRetryData(error=error),
        DagsterEventType.STEP_SUCCESS: StepSuccessData(duration_ms=1.0),
        DagsterEventType.STEP_RESTARTED: EngineEventData(),
    }.get(kind)
    return dg.EventLogEntry(
        error_info=None,
        level=10,
        user_message="",
        run_id=run.run_id,
        timestamp=time.time(),
        step_key=step,
        job_name=run.job_name,
        dagster_event=DagsterEvent(kind.value, run.job_name, step_key=step, event_specific_data=data),
    )
