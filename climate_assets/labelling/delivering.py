"""Delivering written tasks to a project of Label Studio, for every kind of task: what it lacks is sent, and nothing twice.

The rows say what is still to be sent (`deliveries.py`), the objects in the bucket what it says. What becomes a task, and what
a project needs beforehand, is the part of whoever calls: `handover.py` for chunks, `posts/asking.py` for posts.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from climate_assets.failures import Transient
from climate_assets.labelling import deliveries
from climate_assets.labelling.records import LabellingTask
from climate_assets.states import State
from resources.label_studio import LabelStudio
from resources.postgres import Barometre, Change
from resources.s3 import Lake

Task = dict[str, Any]


def as_written(task: Task, number: int) -> Task:
    """The task as it lies in the bucket."""
    return task


def nothing_first(number: int, tasks: Sequence[LabellingTask]) -> None:
    """A project that needs nothing before its tasks."""


@dataclass(frozen=True)
class Recipient:
    """The project that tasks go to."""

    title: str
    delivery: Annotated[str, "`push`, or `storage`: Label Studio reads the bucket itself."]
    bucket: str
    prefix: Annotated[str, "Where all tasks of the project lie, and none of another."]
    number: Annotated[Callable[[], int], "Makes the project if it is missing; its number."]
    before: Annotated[Callable[[int, Sequence[LabellingTask]], None], "What the project needs before the tasks."] = (
        nothing_first
    )
    sent: Annotated[Callable[[Task, int], Task], "A task as the project of that number is to have it."] = as_written


def deliver(
    tasks: Sequence[LabellingTask], to: Recipient, barometre: Barometre, lake: Lake, label_studio: LabelStudio
) -> Change:
    """Send what the project lacks of some tasks; raises `Transient` while Label Studio is out of order."""
    change = Change()
    if not tasks:
        return change
    # One writer a project: a list-difference is only true while nobody else adds tasks.
    with barometre.lock(f"label_studio/{to.title}"):
        number = to.number()
        if to.delivery == "storage":
            label_studio.sync_storage(number, to.bucket, to.prefix, lake.endpoint_url, lake.access_key, lake.secret_key)
        to.before(number, tasks)
        plan = deliveries.plan(tasks, label_studio.existing(number, [t.chunk_id for t in tasks]), number)
        change += barometre.upsert(list(plan.already_there), LabellingTask)
        if plan.to_push and to.delivery == "push":
            bodies = [to.sent(json.loads(lake.get(t.bucket, t.object_key)), number) for t in plan.to_push]
            pushed = label_studio.push(number, bodies)
            arrived = {**pushed.already_there, **pushed.arrived}
            change += barometre.upsert(deliveries.after_push(plan.to_push, number, arrived, pushed.refused), LabellingTask)
    return change


def kept_waiting(tasks: Sequence[LabellingTask], trouble: Transient, barometre: Barometre) -> Change:
    """Say in the rows of pending tasks why they wait: they are safe in the bucket, and the next tick delivers them."""
    waiting = [deliveries.waiting(t, str(trouble)) for t in tasks if t.state == State.PENDING]
    return barometre.upsert(waiting, LabellingTask)
