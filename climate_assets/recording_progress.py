"""What Dagster has seen of recordings: runs and steps of their partitions as small records, a bounded number of each.

Reads an instance and the states; what follows from it is decided by `climate_assets/speech/progress.py`.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import dagster as dg
from dagster._core.execution.stats import RunStepKeyStatsSnapshot, StepEventStatus
from dagster._core.storage.dagster_run import RunRecord
from dagster._core.storage.tags import PARTITION_NAME_TAG, WILL_RETRY_TAG
from dagster_shared.error import SerializableErrorInfo

from climate_assets.speech.progress import RECORDING_ASSETS, RunSeen, RunStatus, StateSeen, StepSeen, StepStatus
from climate_assets.speech.recordings import plain
from resources.postgres import Barometre

# Version of a recording's row that a run was asked for.
VERSION_TAG: Final = "climate/recording_version"
# Newest runs of a recording that are looked at: more than are ever asked for by themselves.
_RUNS: Final = 10
# Of these, the newest whose steps are read: enough to tell what last became of each stage.
_WITH_STEPS: Final = 4
_EVENTS: Final = 200

_STATES: Final = "SELECT item_id, stage, state, reason FROM stage_states WHERE item_id = ANY(%(ids)s) ORDER BY stage"
_RUN_STATUS: Final = {
    dg.DagsterRunStatus.STARTED: RunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING: RunStatus.STARTED,
    dg.DagsterRunStatus.SUCCESS: RunStatus.SUCCEEDED,
    dg.DagsterRunStatus.FAILURE: RunStatus.FAILED,
    dg.DagsterRunStatus.CANCELED: RunStatus.CANCELLED,
}
_STEP_STATUS: Final = {
    StepEventStatus.SUCCESS: StepStatus.SUCCEEDED,
    StepEventStatus.FAILURE: StepStatus.FAILED,
    StepEventStatus.SKIPPED: StepStatus.SKIPPED,
}
_BADLY_ENDED: Final = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
# States are kept under the name of the stage of broadcast clips, whose joins the recordings share.
_STAGES: Final = dict(
    zip(
        ("audio_clips", "whisper_transcripts", "speaker_turns", "named_speakers", "attributed_transcripts"),
        RECORDING_ASSETS,
        strict=True,
    )
)
_TROUBLE: Final = (dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.STEP_UP_FOR_RETRY)
_ENDS: Final = (dg.DagsterEventType.RUN_FAILURE,)


def runs_seen(instance: dg.DagsterInstance, recording_ids: Iterable[str]) -> dict[str, list[RunSeen]]:
    """Runs of each recording, newest first."""
    return {one: _runs_of(instance, one) for one in recording_ids}


def states_seen(barometre: Barometre, recording_ids: Iterable[str]) -> dict[str, list[StateSeen]]:
    """What the stages said of each recording as an item."""
    found: dict[str, list[StateSeen]] = {one: [] for one in recording_ids}
    for row in barometre.rows(_STATES, {"ids": list(found)}):
        stage = _STAGES.get(row["stage"], row["stage"])
        found[row["item_id"]].append(StateSeen(stage, row["state"], row["reason"]))
    return found


def _runs_of(instance: dg.DagsterInstance, recording_id: str) -> list[RunSeen]:
    records = list(instance.get_run_records(dg.RunsFilter(tags={PARTITION_NAME_TAG: recording_id}), limit=_RUNS))
    if not records or records[0].dagster_run.status in _BADLY_ENDED:
        records = sorted([*records, *_of_backfills(instance, recording_id, records)], key=_age, reverse=True)[:_RUNS]
    return [_run(instance, record, number < _WITH_STEPS) for number, record in enumerate(records)]


def _of_backfills(instance: dg.DagsterInstance, recording_id: str, known: Sequence[RunRecord]) -> Sequence[RunRecord]:
    """Runs that made a recording beside others: such a run has no tag of each partition, only what it made has."""
    made = {
        found.run_id
        for asset in RECORDING_ASSETS
        for found in instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[recording_id]), limit=1
        ).records
    }
    others = sorted(made - {record.dagster_run.run_id for record in known})
    return instance.get_run_records(dg.RunsFilter(run_ids=others)) if others else []


def _age(record: RunRecord) -> float:
    return record.create_timestamp.timestamp()


def _run(instance: dg.DagsterInstance, record: RunRecord, with_steps: bool) -> RunSeen:
    run = record.dagster_run
    status = _RUN_STATUS.get(run.status, RunStatus.QUEUED)
    begun = with_steps and status is not RunStatus.QUEUED
    return RunSeen(
        run_id=run.run_id,
        status=status,
        created=record.create_timestamp.timestamp(),
        start=record.start_time,
        end=record.end_time,
        steps=_steps(instance, run.run_id) if begun else (),
        message=_end_of(instance, run.run_id) if with_steps and status is RunStatus.FAILED else "",
        version=run.tags.get(VERSION_TAG, ""),
        # Dagster says so of a run that broke off.
        returns=run.tags.get(WILL_RETRY_TAG, "").lower() == "true",
    )


def _steps(instance: dg.DagsterInstance, run_id: str) -> tuple[StepSeen, ...]:
    """Steps of a run in the order they began."""
    stats = instance.get_run_step_stats(run_id)
    troubled = any((s.attempts or 1) > 1 or s.status is not StepEventStatus.SUCCESS for s in stats)
    messages = _troubles(instance, run_id) if troubled else {}
    ordered = sorted(stats, key=lambda s: s.start_time or s.end_time or 0.0)
    return tuple(_step(one, messages.get(one.step_key, "")) for one in ordered)


def _step(seen: RunStepKeyStatsSnapshot, message: str) -> StepSeen:
    # A step that waits for its next try has closed its attempt and opened no other.
    waits = seen.partial_attempt_start is None
    status = _STEP_STATUS.get(seen.status) if seen.status else None
    return StepSeen(
        stage=seen.step_key,
        status=status or (StepStatus.RETRYING if waits else StepStatus.RUNNING),
        start=seen.start_time,
        end=seen.end_time,
        attempts=seen.attempts or 1,
        message=message,
    )


def _troubles(instance: dg.DagsterInstance, run_id: str) -> dict[str, str]:
    """Why each step failed, or has to be tried again: its last word."""
    found: dict[str, str] = {}
    for kind in _TROUBLE:
        for entry in reversed(_last_events(instance, run_id, kind)):
            event = entry.dagster_event
            if event is None or event.step_key is None:
                continue
            data = event.step_failure_data if kind is dg.DagsterEventType.STEP_FAILURE else event.step_retry_data
            if data.error:
                found.setdefault(event.step_key, first_line(data.error))
    return found


def _end_of(instance: dg.DagsterInstance, run_id: str) -> str:
    """What was said of a run that failed as a whole; empty where its steps say why."""
    for kind in _ENDS:
        for entry in _last_events(instance, run_id, kind):
            event = entry.dagster_event
            if event and event.message and "Steps failed" not in event.message:
                return _line(event.message)
    return ""


def _last_events(instance: dg.DagsterInstance, run_id: str, kind: dg.DagsterEventType) -> Sequence[dg.EventLogEntry]:
    """The last events of a kind, oldest first."""
    found = instance.get_records_for_run(run_id, of_type=kind, limit=_EVENTS, ascending=False).records
    return [record.event_log_entry for record in reversed(found)]


def first_line(error: SerializableErrorInfo) -> str:
    """What went wrong first, in one line: Dagster's own wrapper only says in which step."""
    while error.cause:
        error = error.cause
    name, _, said = error.message.partition(": ")
    # The class of a failure is for programmers; its message speaks to the operator.
    return _line(said if said.strip() and name.replace(".", "").replace("_", "").isalnum() else error.message)


def _line(text: str) -> str:
    return plain(next(iter(text.strip().splitlines()), ""))[:500]
