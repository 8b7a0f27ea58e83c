"""How far a recording is, from what Dagster has seen of it, and whether to ask for it again.

The runs and steps of one recording come as small records; reading them from an instance is `recording_progress.py`.
Nothing here is stored: a status that is kept beside its cause gets stuck when one of them is lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from climate_assets.speech.records import Recording
from climate_assets.states import State

# What a recording goes through, in order; also the names of Dagster's steps.
RECORDING_ASSETS: Final = (
    "recording_clips",
    "recording_transcripts",
    "recording_turns",
    "recording_speakers",
    "attributed_recordings",
)
# Seconds to let pass after a run that failed before the next is asked for; when they are used up, a person decides.
WAITS: Final = (600.0, 3600.0)
# Longest a run may take, seconds: four hours of sound on a processor alone. Past it and some grace nobody is at work.
MAX_RUN_SECONDS: Final = 12 * 3600
_GRACE: Final = 900.0
_MAX_MESSAGE: Final = 500


class Status(StrEnum):
    """Where a recording stands, for a person."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"


class RunStatus(StrEnum):
    """What matters of the state of a run."""

    QUEUED = "queued"
    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class StepStatus(StrEnum):
    """What matters of the state of a step."""

    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class StepSeen:
    """One step of a run; times are Unix seconds."""

    stage: str
    status: StepStatus
    start: float | None = None
    end: float | None = None
    attempts: int = 1
    message: str = ""
    """What went wrong last."""


@dataclass(frozen=True, slots=True)
class RunSeen:
    """One run of a recording; times are Unix seconds."""

    run_id: str
    status: RunStatus
    created: float
    start: float | None = None
    end: float | None = None
    steps: tuple[StepSeen, ...] = ()
    message: str = ""
    """What Dagster said of its end."""
    version: str = ""
    """Version of the recording's row that it was asked for; empty if a person started it."""
    returns: bool = False
    """Dagster starts it again by itself."""


@dataclass(frozen=True, slots=True)
class StateSeen:
    """What a stage said of the recording as an item (a row of `stage_states`)."""

    stage: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """What a person is told of a recording."""

    status: Status
    stage: str = ""
    """Stage at work, or the one that failed, or the next."""
    message: str = ""
    seconds: float = 0.0
    """Work done so far: the last outcome of each stage, and what is under way."""
    done: tuple[str, ...] = ()
    """Stages that are made."""

    @property
    def share(self) -> float:
        """Part of the stages that is made, 0..1."""
        return len(self.done) / len(RECORDING_ASSETS)


@dataclass(frozen=True, slots=True)
class Ask:
    """A run to ask for: `number` counts those that were asked for the same row of the recording."""

    number: int
    why: str


def status_of(runs: Sequence[RunSeen], states: Sequence[StateSeen], now: float, finished: bool = False) -> Progress:
    """The status of a recording by its runs, newest first, and its states at the stages; `now` in Unix seconds.

    `finished`: its last table has its row, which is all there is to go by once Dagster's events are purged.
    """
    outcomes = _last_outcomes(runs)
    done = tuple(stage for stage in RECORDING_ASSETS if _is_made(outcomes.get(stage)))
    following = next((stage for stage in RECORDING_ASSETS if stage not in done), "")
    seconds = sum(_seconds(step, run, now) for step, run in outcomes.values())
    if runs:
        status, stage, message = _by_newest(runs[0], following, now) or _by_tables(outcomes, states, following)
    elif finished:
        done, (status, stage, message) = RECORDING_ASSETS, _by_tables({}, states, "")
    else:
        status, stage, message = Status.PENDING, following, "its run is not asked for yet"
    return Progress(status, stage, message[:_MAX_MESSAGE], round(seconds, 1), done)


def next_ask(runs: Sequence[RunSeen], states: Sequence[StateSeen], version: str, now: float, finished: bool) -> Ask | None:
    """The run to ask for now, or none: it is made, at work, stopped by a person, to wait, or asked for often enough."""
    if not runs:
        return None if finished else Ask(0, "new recording")
    newest = runs[0]
    if newest.status in (RunStatus.QUEUED, RunStatus.STARTED) and not _is_silent(newest, now):
        return None
    of_this_row = [run for run in runs if run.version in (version, "")]
    asked = sum(run.version == version for run in runs)
    if not of_this_row:
        return Ask(0, "described anew")
    # A person stopped it, or has to mend what no rerun cures.
    if newest.status is RunStatus.CANCELLED or any(state.state == State.DEAD for state in states):
        return None
    outcomes = _last_outcomes(of_this_row)
    made = newest.status is RunStatus.SUCCEEDED and all(_is_made(outcomes.get(stage)) for stage in RECORDING_ASSETS)
    if made and not any(state.state in (State.FAILED, State.PENDING) for state in states):
        return None
    if asked > len(WAITS):
        return None
    # A run that breaks off is started again by Dagster; the wait lets it.
    if asked and now - (newest.end or newest.created) < WAITS[asked - 1]:
        return None
    return Ask(asked, "tried again" if asked else "new recording")


def version_of(recording: Recording) -> str:
    """Version of what a person says of a recording: another title, language or day is made anew."""
    return sha256(f"{recording.title}\n{recording.language}\n{recording.day}".encode()).hexdigest()[:12]


def _by_newest(run: RunSeen, following: str, now: float) -> tuple[Status, str, str] | None:
    """What the newest run says by itself; none if it ended well."""
    match run.status:
        case RunStatus.SUCCEEDED:
            return None
        case RunStatus.QUEUED:
            return Status.PENDING, following, "its run waits for its turn"
        case RunStatus.STARTED if not _is_silent(run, now):
            return Status.PROCESSING, _at_work(run, following), _trouble_so_far(run)
        case RunStatus.CANCELLED:
            message = f"run {run.run_id} was cancelled; make it again in Dagster when it is wanted"
            return Status.ERROR, _at_work(run, following), message
        # A promise that is not kept in time is none.
        case RunStatus.FAILED if run.returns and now - (run.end or run.created) < WAITS[0]:
            return Status.PENDING, _at_work(run, following), "its run broke off; Dagster starts it again by itself"
    failed = next((step for step in run.steps if step.status is StepStatus.FAILED), None)
    if failed:
        return Status.ERROR, failed.stage, failed.message or run.message or f"see run {run.run_id} in Dagster"
    silence = f"run {run.run_id} broke off without a word: its process or machine went away; it is asked for again, a few times"
    return Status.ERROR, _at_work(run, following), run.message or silence


def _by_tables(
    outcomes: Mapping[str, tuple[StepSeen, RunSeen]], states: Sequence[StateSeen], following: str
) -> tuple[Status, str, str]:
    """What stands when the newest run ended well: it may have made a part, and an item may be refused in a sound run."""
    for stage, (step, _) in outcomes.items():
        if step.status is StepStatus.FAILED:
            return Status.ERROR, stage, step.message
    for state in states:
        if state.state in (State.DEAD, State.FAILED):
            return Status.ERROR, state.stage, state.reason
    if outcomes and following:
        return Status.PENDING, following, "its run is not asked for yet"
    skipped = [f"{state.stage} is left out: {state.reason}" for state in states if state.state == State.SKIPPED]
    skipped += [f"{stage} was left out" for stage, (step, _) in outcomes.items() if step.status is StepStatus.SKIPPED]
    return Status.COMPLETED, "", "; ".join(skipped)


def _last_outcomes(runs: Sequence[RunSeen]) -> dict[str, tuple[StepSeen, RunSeen]]:
    """What last became of each stage, in order, and in which run."""
    last: dict[str, tuple[StepSeen, RunSeen]] = {}
    for run in runs:
        for step in run.steps:
            last.setdefault(step.stage, (step, run))
    return {stage: last[stage] for stage in RECORDING_ASSETS if stage in last}


def _is_made(outcome: tuple[StepSeen, RunSeen] | None) -> bool:
    return outcome is not None and outcome[0].status in (StepStatus.SUCCEEDED, StepStatus.SKIPPED)


def _is_silent(run: RunSeen, now: float) -> bool:
    """Whether a run that has not ended cannot be at work any more; Dagster's own monitoring ends most of these sooner."""
    return run.status is RunStatus.STARTED and now - (run.start or run.created) > MAX_RUN_SECONDS + _GRACE


def _at_work(run: RunSeen, following: str) -> str:
    """The stage a run is at, or was at when it ended."""
    at = next((s.stage for s in run.steps if s.status in (StepStatus.RUNNING, StepStatus.RETRYING)), "")
    begun = {step.stage for step in run.steps}
    return at or following or next((stage for stage in RECORDING_ASSETS if stage not in begun), RECORDING_ASSETS[-1])


def _trouble_so_far(run: RunSeen) -> str:
    for step in run.steps:
        if step.status is StepStatus.RETRYING:
            return f"waits for try {step.attempts + 1}, after: {step.message}"
        if step.status is StepStatus.RUNNING and step.attempts > 1:
            return f"try {step.attempts}, after: {step.message}"
    return ""


def _seconds(step: StepSeen, run: RunSeen, now: float) -> float:
    if step.start is None:
        return 0.0
    # A step without an end ended with its run; one whose run has gone silent has no length to tell.
    end = step.end or run.end or (now if run.status is RunStatus.STARTED and not _is_silent(run, now) else step.start)
    return max(0.0, end - step.start)
