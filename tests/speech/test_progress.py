"""The status of a recording, case by case, and when it is asked for again."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.speech.progress import (
    MAX_RUN_SECONDS,
    RECORDING_ASSETS,
    WAITS,
    RunSeen,
    RunStatus,
    StateSeen,
    Status,
    StepSeen,
    StepStatus,
    next_ask,
    status_of,
    version_of,
)
from climate_assets.speech.records import Recording

CLIPS, HEARD, TURNS, NAMES, JOINED = RECORDING_ASSETS
NOW = 100_000.0
Q, S, OK, F, X = RunStatus.QUEUED, RunStatus.STARTED, RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED


def step(stage: str, status: StepStatus = StepStatus.SUCCEEDED, **more: object) -> StepSeen:
    ended = None if status in (StepStatus.RUNNING, StepStatus.RETRYING) else NOW - 900
    return replace(StepSeen(stage, status, NOW - 910, ended), **more)  # type: ignore[arg-type]


def run(status: RunStatus, *steps: StepSeen, **more: object) -> RunSeen:
    ended = None if status in (Q, S) else NOW - 100
    return replace(RunSeen("r1", status, NOW - 1000, NOW - 950, ended, steps, version="v1"), **more)  # type: ignore[arg-type]


def all_made(but: str = "", status: StepStatus = StepStatus.SUCCEEDED) -> list[StepSeen]:
    return [step(s, status if s == but else StepStatus.SUCCEEDED) for s in RECORDING_ASSETS]


HEARD_RUNNING = step(HEARD, StepStatus.RUNNING)
HEARD_FAILED = step(HEARD, StepStatus.FAILED, message="no model of that name")
CASES: list[tuple[str, list[RunSeen], list[StateSeen], Status, str, str]] = [
    ("nothing yet", [], [], Status.PENDING, CLIPS, "not asked for yet"),
    ("queued", [run(Q)], [], Status.PENDING, CLIPS, "waits for its turn"),
    ("started, no step yet", [run(S)], [], Status.PROCESSING, CLIPS, ""),
    ("first step", [run(S, step(CLIPS, StepStatus.RUNNING))], [], Status.PROCESSING, CLIPS, ""),
    ("second step", [run(S, step(CLIPS), HEARD_RUNNING)], [], Status.PROCESSING, HEARD, ""),
    ("between steps", [run(S, step(CLIPS))], [], Status.PROCESSING, HEARD, ""),
    (
        "a step waits for another try",
        [run(S, step(CLIPS), step(HEARD, StepStatus.RETRYING, message="the store is out of order"))],
        [], Status.PROCESSING, HEARD, "waits for try 2, after: the store is out of order",
    ),
    (
        "a step is at its second try",
        [run(S, step(CLIPS), step(HEARD, StepStatus.RUNNING, attempts=2, message="out of order"))],
        [], Status.PROCESSING, HEARD, "try 2, after: out of order",
    ),
    ("a step failed", [run(F, step(CLIPS), HEARD_FAILED)], [], Status.ERROR, HEARD, "no model of that name"),
    ("a step failed without a word", [run(F, step(HEARD, StepStatus.FAILED))], [], Status.ERROR, HEARD, "see run r1"),
    (
        "a check failed",
        [run(F, *all_made(), step("words_lie_inside_clip", StepStatus.FAILED, message="2 contradictions"))],
        [], Status.ERROR, "words_lie_inside_clip", "2 contradictions",
    ),
    ("failed, then made", [run(OK, *all_made()), run(F, HEARD_FAILED)], [], Status.COMPLETED, "", ""),
    ("failed, now at it again", [run(S, step(CLIPS), HEARD_RUNNING), run(F, HEARD_FAILED)], [], Status.PROCESSING, HEARD, ""),
    ("failed, queued again", [run(Q), run(F, step(CLIPS), HEARD_FAILED)], [], Status.PENDING, HEARD, "waits for its turn"),
    ("cancelled", [run(X, step(CLIPS), HEARD_RUNNING)], [], Status.ERROR, HEARD, "was cancelled"),
    ("killed, and Dagster noticed", [run(F, step(CLIPS), HEARD_RUNNING, message="exited")], [], Status.ERROR, HEARD, "exited"),
    ("killed, and nobody said why", [run(F, step(CLIPS), HEARD_RUNNING)], [], Status.ERROR, HEARD, "broke off without a word"),
    (
        "killed, and Dagster starts it again",
        [run(F, step(CLIPS), HEARD_RUNNING, returns=True)], [], Status.PENDING, HEARD, "starts it again",
    ),
    (
        "killed, and Dagster did not keep its word",
        [run(F, HEARD_RUNNING, returns=True, end=NOW - WAITS[0] - 1)], [], Status.ERROR, HEARD, "without a word",
    ),
    (
        "killed without an end event",
        [run(S, step(CLIPS), HEARD_RUNNING, start=NOW - MAX_RUN_SECONDS - 1000)], [], Status.ERROR, HEARD, "without a word",
    ),
    ("long, and within its time", [run(S, HEARD_RUNNING, start=NOW - MAX_RUN_SECONDS + 60)], [], Status.PROCESSING, HEARD, ""),
    ("all made", [run(OK, *all_made())], [], Status.COMPLETED, "", ""),
    (
        "the extra for speakers is absent",
        [run(OK, *all_made())], [StateSeen(TURNS, "skipped", "extra speakers is not installed")],
        Status.COMPLETED, "", f"{TURNS} is left out: extra speakers is not installed",
    ),
    ("a step was skipped", [run(OK, *all_made(TURNS, StepStatus.SKIPPED))], [], Status.COMPLETED, "", f"{TURNS} was left out"),
    (
        "the audio is refused in a sound run",
        [run(OK, *all_made())], [StateSeen(CLIPS, "dead", "this is a ZIP archive, not sound")],
        Status.ERROR, CLIPS, "this is a ZIP archive, not sound",
    ),
    ("an item failed in a sound run", [run(OK, *all_made())], [StateSeen(CLIPS, "failed", "x")], Status.ERROR, CLIPS, "x"),
    ("states that are well say nothing", [run(OK, *all_made())], [StateSeen(CLIPS, "ok", "")], Status.COMPLETED, "", ""),
    ("only a part was made", [run(OK, step(CLIPS))], [], Status.PENDING, HEARD, "not asked for yet"),
    (
        "a part was made anew over a failure that stands",
        [run(OK, step(CLIPS)), run(F, step(CLIPS), HEARD_FAILED)], [], Status.ERROR, HEARD, "no model of that name",
    ),
    (
        "the part that failed was made by hand",
        [run(OK, *all_made()[1:]), run(F, step(CLIPS), HEARD_FAILED)], [], Status.COMPLETED, "", "",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("runs", "states", "status", "stage", "message"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_the_status(runs: list[RunSeen], states: list[StateSeen], status: Status, stage: str, message: str) -> None:
    found = status_of(runs, states, NOW)
    assert (found.status, found.stage) == (status, stage)
    assert message in found.message
    assert bool(found.message) == bool(message)


def test_a_recording_whose_events_are_purged_is_completed_by_its_rows() -> None:
    assert status_of([], [], NOW, finished=True).status is Status.COMPLETED
    assert status_of([], [], NOW, finished=True).share == 1.0
    dead = [StateSeen(CLIPS, "dead", "not sound")]
    assert status_of([], dead, NOW, finished=True).status is Status.ERROR


def test_seconds_are_of_the_last_outcome_of_each_stage() -> None:
    first = run(F, step(CLIPS), step(HEARD, StepStatus.FAILED, start=NOW - 500, end=NOW - 470))
    assert status_of([first], [], NOW).seconds == 40.0
    again = run(S, step(HEARD, StepStatus.RUNNING, start=NOW - 7), run_id="r2")
    told = status_of([again, first], [], NOW)
    assert (told.seconds, told.done, told.share) == (17.0, (CLIPS,), 0.2)
    killed = run(F, step(CLIPS), step(HEARD, StepStatus.RUNNING, start=NOW - 130))
    assert status_of([killed], [], NOW).seconds == 40.0
    silent = replace(killed, status=S, end=None, start=NOW - MAX_RUN_SECONDS * 2)
    assert status_of([silent], [], NOW).seconds == 10.0


def test_a_message_has_an_end() -> None:
    assert len(status_of([run(F, replace(HEARD_FAILED, message="x" * 9000))], [], NOW).message) == 500


MADE = run(OK, *all_made())
FAILED = run(F, HEARD_FAILED)
ASKS: list[tuple[str, list[RunSeen], list[StateSeen], bool, int | None]] = [
    ("a new recording", [], [], False, 0),
    ("made, its events purged", [], [], True, None),
    ("queued", [run(Q)], [], False, None),
    ("at work", [run(S, HEARD_RUNNING)], [], False, None),
    ("at work, started by a person", [run(S, HEARD_RUNNING, version="")], [], False, None),
    ("made", [MADE], [], True, None),
    ("made by a person", [replace(MADE, version="")], [], True, None),
    ("refused in a sound run", [MADE], [StateSeen(CLIPS, "dead", "not sound")], False, None),
    ("refused in a failed run", [replace(FAILED, end=0.0)], [StateSeen(CLIPS, "dead", "not sound")], False, None),
    ("refused, and described anew", [run(F, version="v0")], [StateSeen(CLIPS, "dead", "not sound")], False, 0),
    ("put back by a person", [replace(FAILED, end=0.0)], [StateSeen(CLIPS, "pending", "put back")], False, 1),
    ("cancelled by a person", [run(X)], [], False, None),
    ("just failed", [FAILED], [], False, None),
    ("failed a while ago", [replace(FAILED, end=NOW - WAITS[0])], [], False, 1),
    ("failed twice, lately", [replace(FAILED, end=NOW - WAITS[0])] * 2, [], False, None),
    ("failed twice, an hour ago", [replace(FAILED, end=NOW - WAITS[1])] * 2, [], False, 2),
    ("failed often enough", [replace(FAILED, end=0.0)] * 3, [], False, None),
    ("an item failed in a sound run", [replace(MADE, end=NOW - WAITS[0])], [StateSeen(CLIPS, "failed", "")], True, 1),
    ("an item fails again and again", [replace(MADE, end=0.0)] * 3, [StateSeen(CLIPS, "failed", "")], True, None),
    ("a run of a person failed", [replace(FAILED, version="")], [], False, 0),
    ("a person made a part of it", [run(OK, step(CLIPS), version="")], [], False, 0),
    ("made a part anew by hand", [run(OK, step(TURNS), version=""), MADE], [], True, None),
    ("described anew since", [replace(MADE, version="v0")], [], True, 0),
    ("described anew while at work", [run(S, version="v0")], [], True, None),
    ("described anew after a cancellation", [run(X, version="v0")], [], False, 0),
    ("went silent", [run(S, HEARD_RUNNING, start=NOW - MAX_RUN_SECONDS * 2, created=0.0)], [], False, 1),
]


@pytest.mark.parametrize(("runs", "states", "finished", "number"), [c[1:] for c in ASKS], ids=[c[0] for c in ASKS])
def test_what_is_asked_for(runs: list[RunSeen], states: list[StateSeen], finished: bool, number: int | None) -> None:
    ask = next_ask(runs, states, "v1", NOW, finished)
    assert (ask.number if ask else None) == number
    assert ask is None or ask.why


SEEN = st.builds(
    lambda status, steps, end, version: run(status, *steps, end=end, version=version),
    st.sampled_from(RunStatus),
    st.lists(st.builds(step, st.sampled_from(RECORDING_ASSETS), st.sampled_from(StepStatus)), max_size=5),
    st.floats(0, NOW),
    st.sampled_from(["", "v0", "v1"]),
)


@given(st.lists(SEEN, max_size=6), st.booleans())
def test_runs_that_are_asked_for_are_bounded_and_never_beside_another(runs: list[RunSeen], finished: bool) -> None:
    told = status_of(runs, [], NOW, finished)
    assert 0 <= told.share <= 1
    assert told.seconds >= 0
    ask = next_ask(runs, [], "v1", NOW, finished)
    if ask:
        assert ask.number == sum(r.version == "v1" for r in runs) <= len(WAITS)
        assert not runs or runs[0].status not in (Q, S)
        assert told.status is not Status.PROCESSING


def test_the_version_is_of_what_a_person_says() -> None:
    row = Recording("a", "a.mp3", "A", "", date(2026, 11, 20), "b", "k", 5, datetime(2026, 11, 20, tzinfo=UTC))
    assert version_of(row) == version_of(replace(row, filename="b.mp3", added_at=datetime(2026, 11, 21, tzinfo=UTC)))
    changed = [replace(row, title="B"), replace(row, language="french"), replace(row, day=date(2026, 11, 19))]
    assert len({version_of(r) for r in [row, *changed]}) == 4
