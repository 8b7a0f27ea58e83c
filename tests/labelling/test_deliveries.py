"""A chunk has one task for ever."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.labelling.deliveries import after_push, delivered, plan, refused, waiting
from climate_assets.labelling.records import LabellingTask

PROJECT = 4


def row(name: str = "a", state: str = "pending", task_id: int | None = None, project_id: int | None = None) -> LabellingTask:
    return LabellingTask(
        chunk_id=name,
        country="borealie",
        day=date(2026, 11, 20),
        channel="canal-un",
        bucket="b",
        object_key="k",
        sha256="0" * 64,
        sampling="score",
        probability=1.0,
        priority=0.5,
        model="m",
        prompt="p",
        guideline="g",
        project_id=project_id,
        task_id=task_id,
        state=state,
        reason="",
    )


def part_of(task: LabellingTask, existing: dict[str, int], vetoed: set[str] = frozenset()) -> str:  # type: ignore[assignment]
    made = plan([task], existing, PROJECT, vetoed)
    (name,) = [name for name in ("to_push", "already_there", "settled", "gone", "withheld") if getattr(made, name)]
    return name


@pytest.mark.parametrize(
    ("task", "existing", "vetoed", "expected"),
    [
        (row(), {}, set(), "to_push"),
        (row(), {"a": 9}, set(), "already_there"),
        (row(), {"a": 9}, {"a"}, "already_there"),
        (row(), {}, {"a"}, "withheld"),
        (row(state="dead"), {}, set(), "withheld"),
        (row(state="dead"), {"a": 9}, set(), "already_there"),
        (row(state="ok", task_id=9, project_id=PROJECT), {"a": 9}, set(), "settled"),
        (row(state="ok", task_id=9, project_id=PROJECT), {"a": 9}, {"a"}, "settled"),
        (row(state="ok", task_id=8, project_id=PROJECT), {"a": 9}, set(), "already_there"),
        (row(state="ok", task_id=9, project_id=PROJECT), {}, set(), "gone"),
        (row(state="ok", task_id=9, project_id=3), {}, set(), "to_push"),
    ],
)
def test_what_becomes_of_a_row(task: LabellingTask, existing: dict[str, int], vetoed: set[str], expected: str) -> None:
    assert part_of(task, existing, vetoed) == expected


rows = st.lists(
    st.builds(
        lambda number, state, priority: replace(
            row(str(number), state, number if state == "ok" else None, PROJECT if state == "ok" else None), priority=priority
        ),
        st.integers(0, 30),
        st.sampled_from(["pending", "ok", "dead"]),
        st.floats(0, 1),
    ),
    unique_by=lambda task: task.chunk_id,
)


@given(rows, st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30).map(str)))
def test_every_row_is_in_one_part_and_nothing_there_is_sent(
    tasks: list[LabellingTask], there: set[int], vetoed: set[str]
) -> None:
    existing = {str(number): number for number in there}
    made = plan(tasks, existing, PROJECT, vetoed)
    parts = [*made.to_push, *made.already_there, *made.settled, *made.gone, *made.withheld]
    assert sorted(task.chunk_id for task in parts) == sorted(task.chunk_id for task in tasks)
    assert not {task.chunk_id for task in made.to_push} & (set(existing) | vetoed)
    assert [task.priority for task in made.to_push] == sorted((task.priority for task in made.to_push), reverse=True)


@given(rows)
def test_after_a_delivery_nothing_is_left_to_send(tasks: list[LabellingTask]) -> None:
    made = plan(tasks, {}, PROJECT)
    arrived = {task.chunk_id: 100 + number for number, task in enumerate(made.to_push)}
    now = [*after_push(made.to_push, PROJECT, arrived, {}), *made.withheld]
    again = plan(now, arrived, PROJECT)
    assert not again.to_push
    assert not again.already_there


def test_rows_after_a_push() -> None:
    pushed = [row("a"), row("b"), row("c")]
    now = {task.chunk_id: task for task in after_push(pushed, PROJECT, {"a": 7}, {"b": "no text"})}
    assert (now["a"].state, now["a"].task_id, now["a"].project_id, now["a"].reason) == ("ok", 7, PROJECT, "")
    assert (now["b"].state, now["b"].task_id, now["b"].reason) == ("dead", None, "no text")
    assert (now["c"].state, now["c"].task_id) == ("pending", None)
    assert now["c"].reason


def test_rows_keep_all_but_what_a_delivery_decides() -> None:
    decided = {"project_id", "task_id", "state", "reason"}
    for after in (delivered(row(), PROJECT, 1), refused(row(), "why"), waiting(row(), "down")):
        changed = {name for name in LabellingTask.__slots__ if getattr(after, name) != getattr(row(), name)}
        assert changed <= decided
