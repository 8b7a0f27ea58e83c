"""Delivering tasks to Label Studio: our push, look-up and count included, against bare SDK imports of the same batches.

Real server, real tasks of about 300 words with their predictions, over three days, into projects that already hold the day
before. Each ratio is of two deliveries that follow one another; the order is turned round from one round to the next.
"""

from statistics import median
from time import perf_counter
from typing import Any

from climate_assets.labelling.labelling_config import guideline, labelling_config
from resources.label_studio import BATCH, LabelStudio
from tests.label_studio_server import Running, serving
from tests.labelling.cases import TEXT, task

TASKS = 2_000
BEFORE = 500
ROUNDS = 6
TARGET = 1.15


def measure() -> list[dict[str, Any]]:
    """The line of this benchmark: seconds of our push over seconds of the SDK's imports."""
    # Two minutes a chunk: the tasks that are there already lie on the days before.
    before = [task(" ".join([TEXT] * 3), minute=-2 * (1 + number)) for number in range(BEFORE)]
    tasks = [task(" ".join([TEXT] * 3), minute=2 * number) for number in range(TASKS)]
    with serving() as server:
        rounds = [_round(server, number, before, tasks) for number in range(ROUNDS)]
    ratio = median(ours / theirs for ours, theirs in rounds)
    bare = median(theirs for _, theirs in rounds)
    return [
        {
            "name": "labelling.push_vs_sdk",
            "value": round(ratio, 3),
            "unit": "x",
            "baseline": f"bare import_tasks of {TASKS} tasks with predictions, {BATCH} a call: {bare:.2f} s",
            "target": f"<= {TARGET}",
            "ok": ratio <= TARGET,
        }
    ]


def _round(server: Running, number: int, before: list[dict[str, Any]], tasks: list[dict[str, Any]]) -> tuple[float, float]:
    label_studio = LabelStudio(url=server.url, api_key=server.token)
    projects = []
    for side in ("ours", "theirs"):
        made = label_studio.ensure_project(f"Round {number}, {side}", labelling_config(), "Benchmark", guideline())
        label_studio.push(made.project_id, before)
        projects.append(made.project_id)
    sides = [lambda: _ours(label_studio, projects[0], tasks), lambda: _theirs(server, projects[1], tasks)]
    if number % 2:
        return sides[0](), sides[1]()
    theirs = sides[1]()
    return sides[0](), theirs


def _ours(label_studio: LabelStudio, project_id: int, tasks: list[dict[str, Any]]) -> float:
    began = perf_counter()
    pushed = label_studio.push(project_id, tasks)
    seconds = perf_counter() - began
    if len(pushed.arrived) != len(tasks):
        raise RuntimeError(f"{len(pushed.arrived)} of {len(tasks)} tasks arrived; the measure would compare unlike things")
    return seconds


def _theirs(server: Running, project_id: int, tasks: list[dict[str, Any]]) -> float:
    from label_studio_sdk import LabelStudio as Client

    client: Any = Client(base_url=server.url, api_key=server.token)  # type: ignore[no-untyped-call]
    client.versions.get()
    began = perf_counter()
    for start in range(0, len(tasks), BATCH):
        client.projects.import_tasks(id=project_id, request=tasks[start : start + BATCH])
    return perf_counter() - began


if __name__ == "__main__":
    for line in measure():
        print(line)
