"""Answers reconciled with a real Label Studio, against bare paging of the same API: the same requests, and nothing done with
them.

Fills a project by imports of whole tasks with their answers in them, which the server stores as it stores what people submit.
Bare paging is cut in two halves, one before our reading and one after it, so that a machine that slows down slows both sides.
Belongs here: filling, both sides, their seconds. What is made of them is `learning.py`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Final

import httpx

from benchmarks.servers import database, object_store
from climate_assets.labelling.collecting import collect
from climate_assets.labelling.labelling_config import labelling_config
from climate_assets.labelling.records import LabellingTask
from resources import label_studio_annotations as reading
from resources.label_studio import LabelStudio
from resources.s3 import LAKE, Lake
from tests.label_studio_people import one, span
from tests.label_studio_server import Running, serving
from tests.labelling.cases import COUNTRY, DAY, TEXT, task

PEOPLE: Final = 3
"""Answers a task."""
_IMPORTED: Final = 500
_SECONDS: Final = 300
_FIELDS: Final = {"spans": ("labels", span("misleading")), "assessment": ("choices", one("unchallenged"))}


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What one project took."""

    answers: int
    filling: float
    """Seconds of the imports."""
    paging: float
    """Seconds of bare paging."""
    ours: float
    """Seconds of `collect` into an empty database."""


@contextmanager
def servers() -> Iterator[tuple[Running, Lake]]:
    """A Label Studio and an object store of the benchmark's own."""
    with serving() as label_studio, object_store() as (parts, _):
        lake = Lake(**parts)
        lake.ensure_bucket(LAKE)
        yield label_studio, lake


def reconciled(server: Running, lake: Lake, answers: int) -> Reconciled:
    """One project with so many answers, reconciled into a database of its own."""
    label_studio = LabelStudio(url=server.url, api_key=server.token)
    project = label_studio.ensure_project(f"Boréalie, {answers} answers", labelling_config(), "Benchmark").project_id
    began = perf_counter()
    numbers = list(_filled(server, project, answers))
    filling = perf_counter() - began
    half = numbers[len(numbers) // 2 - 1]
    with database() as (barometre, _):
        barometre.upsert([_asked(project, number) for number in numbers], LabellingTask)
        before = _paged(server, project, 0, half)
        began = perf_counter()
        done = collect(COUNTRY.code, barometre, lake, label_studio, datetime.now(UTC))
        ours = perf_counter() - began
        after = _paged(server, project, half, numbers[-1])
    met = before[0] + after[0], done.answers
    if met != (answers, answers) or done.refused or done.troubles:
        raise RuntimeError(f"{met} of {answers} answers were read ({done}); the measure would compare unlike things")
    return Reconciled(answers, filling, before[1] + after[1], ours)


def _filled(server: Running, project: int, answers: int) -> Iterator[int]:
    """Numbers of the new tasks; each has `PEOPLE` answers, the last one fewer if they do not go up."""
    from label_studio_sdk import LabelStudio as Client

    client: Any = Client(base_url=server.url, api_key=server.token, timeout=_SECONDS)  # type: ignore[no-untyped-call]
    for first in range(0, -(-answers // PEOPLE), _IMPORTED):
        tasks = []
        for number in range(first, min(first + _IMPORTED, -(-answers // PEOPLE))):
            few = min(PEOPLE, answers - PEOPLE * number)
            result = [
                {"id": f"{name}{number}", "from_name": name, "to_name": "source_text", "type": kind, "value": value}
                for name, (kind, value) in _FIELDS.items()
            ]
            given = [{"result": result, "lead_time": 30.5} for _ in range(few)]
            tasks.append({**task(" ".join([TEXT] * 3), minute=2 * number), "annotations": given})
        yield from client.projects.import_tasks(id=project, request=tasks, return_task_ids=True).task_ids


def _asked(project: int, number: int) -> LabellingTask:
    name = f"{COUNTRY.code}/{number}"
    known = (name, COUNTRY.code, DAY, "canal-un", "b", name, "s", "score", 1.0, 0.5, "m", "p", "g")
    return LabellingTask(*known, project, number, "ok", "")


def _paged(server: Running, project: int, after: int, last: int) -> tuple[int, float]:
    """Answers in the tasks behind a number up to another, and the seconds of asking for them."""
    answers, began = 0, perf_counter()
    with httpx.Client(headers={"Authorization": f"Token {server.token}"}, timeout=_SECONDS) as client:
        while after < last:
            behind = {"filter": "filter:tasks:id", "operator": "greater", "type": "Number", "value": after}
            query = {"ordering": ["tasks:id"], "filters": {"conjunction": "and", "items": [behind]}}
            asked: dict[str, Any] = {"project": project, "fields": "all", "include": reading._FIELDS, "resolve_uri": "false"}
            asked |= {"page_size": reading.PAGE, "query": json.dumps(query)}
            # Where the next page begins stands in this one.
            tasks = [t for t in client.get(f"{server.url}/api/tasks/", params=asked).json()["tasks"] if t["id"] <= last]
            answers += sum(len(t["annotations"]) for t in tasks)
            after = tasks[-1]["id"]
    return answers, perf_counter() - began
