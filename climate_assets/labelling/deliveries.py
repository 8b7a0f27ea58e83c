"""What is still to be sent to Label Studio, and what a delivery changes in the rows of `labelling_tasks`.

A chunk or post has one task for ever: what Label Studio has is never sent again, and what a person deleted there stays away.
Talking to Label Studio is `resources/label_studio.py`; holding the project's lock while doing so is the asset's part.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from climate_assets.labelling.records import LabellingTask
from climate_assets.states import State


@dataclass(frozen=True, slots=True)
class Plan:
    """What one delivery does with the tasks of a project; every task is in exactly one part."""

    to_push: tuple[LabellingTask, ...]
    """Not in Label Studio yet, most useful first."""
    already_there: tuple[LabellingTask, ...]
    """In Label Studio, though the row did not say so, or said another id; the rows as they should be."""
    settled: tuple[LabellingTask, ...]
    """Delivered, and still there."""
    gone: tuple[LabellingTask, ...]
    """Delivered once, deleted there by a person; left alone and reported."""
    withheld: tuple[LabellingTask, ...]
    """Vetoed by a person, refused for good, or never to be asked; not sent."""


def plan(
    tasks: Iterable[LabellingTask], existing: Mapping[str, int], project_id: int, vetoed: Collection[str] = frozenset()
) -> Plan:
    """What to do with `tasks`, when Label Studio has `existing` (chunk id -> task id)."""
    parts: dict[str, list[LabellingTask]] = {"to_push": [], "already_there": [], "settled": [], "gone": [], "withheld": []}
    for task in sorted(tasks, key=lambda t: (-t.priority, t.chunk_id)):
        parts[_part(task, existing, project_id, vetoed)].append(task)
    there = [delivered(task, project_id, existing[task.chunk_id]) for task in parts.pop("already_there")]
    return Plan(already_there=tuple(there), **{name: tuple(members) for name, members in parts.items()})


def _part(task: LabellingTask, existing: Mapping[str, int], project_id: int, vetoed: Collection[str]) -> str:
    if task.chunk_id in existing:
        known = (task.state, task.project_id, task.task_id)
        return "settled" if known == (State.OK, project_id, existing[task.chunk_id]) else "already_there"
    if task.state == State.OK and task.project_id == project_id:
        return "gone"
    return "withheld" if task.state in (State.DEAD, State.SKIPPED) or task.chunk_id in vetoed else "to_push"


def delivered(task: LabellingTask, project_id: int, task_id: int) -> LabellingTask:
    """The row of a task that Label Studio has."""
    return replace(task, project_id=project_id, task_id=task_id, state=State.OK.value, reason="")


def refused(task: LabellingTask, reason: str) -> LabellingTask:
    """The row of a task that Label Studio refuses for what it is: a person has to look at it."""
    return replace(task, project_id=None, task_id=None, state=State.DEAD.value, reason=reason)


def waiting(task: LabellingTask, reason: str) -> LabellingTask:
    """The row of a task that could not be sent now; the next tick tries again."""
    return replace(task, project_id=None, task_id=None, state=State.PENDING.value, reason=reason)


def after_push(
    pushed: Iterable[LabellingTask], project_id: int, arrived: Mapping[str, int], refusals: Mapping[str, str]
) -> list[LabellingTask]:
    """The rows of the tasks of one push, by what became of each."""
    rows = []
    for task in pushed:
        if task.chunk_id in arrived:
            rows.append(delivered(task, project_id, arrived[task.chunk_id]))
        elif task.chunk_id in refusals:
            rows.append(refused(task, refusals[task.chunk_id]))
        else:
            rows.append(waiting(task, "Label Studio did not say whether it has the task; the next delivery asks"))
    return rows
