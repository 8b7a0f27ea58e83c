"""The loop of the demo: weeks go on the air, simulated people answer in Label Studio, and the platform does the rest by itself.

Nothing of the loop is called here: days are asked of Dagster as an operator would, answers are given through Label Studio's
API, and what follows is done by sensors. Belongs here: which days, who answers, waiting until nothing moves, and what is told
at the end.
"""

import time
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

import httpx
from rich.progress import Progress

from climate_assets import policies
from climate_assets.claims.student import student_from_bytes
from climate_assets.failures import Transient
from climate_assets.learning.leakage import leaks
from climate_assets.learning.metrics import at_equal_recall
from demo import tour
from demo.annotators import Newsroom, truth_of
from demo.post_annotators import PostNewsroom
from demo.posts.delivery import deliver_posts
from demo.world import World
from embedded.platform import Platform
from resources.postgres import Barometre

WEEKS: Final = 3
"""Spans of days that are put on the air one after the other, until a challenger has won."""
DAYS: Final = 8
_PATIENCE_SECONDS: Final = 3600
_QUIET_SECONDS: Final = 100
"""Longer than every sensor of the loop, and the automation, wait between two looks."""
_ACTIVE: Final = """
query { runsOrError(filter: {statuses: [QUEUED, NOT_STARTED, STARTING, STARTED, CANCELING]}) {
  ... on Runs { results { runId } } } }"""
_STANDS: Final = """SELECT (SELECT count(*) FROM annotations) AS answers,
  (SELECT count(*) FROM gold_labels WHERE value IS NOT NULL) AS labels,
  (SELECT count(*) FROM labelling_tasks WHERE state = 'ok') AS tasks,
  (SELECT coalesce(sum(people_told), 0) FROM assignments) AS wanted, (SELECT count(*) FROM rounds) AS rounds,
  (SELECT count(*) FROM model_versions) AS models, (SELECT count(*) FROM promotions) AS decisions"""
_PROJECTS: Final = """SELECT DISTINCT country, task_kind, project_id FROM labelling_tasks
  WHERE project_id IS NOT NULL AND state = 'ok' ORDER BY 1, 2, 3"""


def spans() -> list[list[date]]:
    """Days before those of the tour, in the order in which they go on the air."""
    first = tour.FIRST_DAY - timedelta(days=WEEKS * DAYS)
    return [[first + timedelta(days=DAYS * week + n) for n in range(DAYS)] for week in range(WEEKS)]


def turn(here: Platform, known: dict[str, Any], progress: Progress) -> None:
    """Put days on the air and have them answered, until the loop has promoted a challenger or there are no more days."""
    barometre: Barometre = known["barometre"]
    for code in ("france",):
        deliver_posts(known["lake"], code, tour.days())
    world = World()
    for number, days in enumerate(spans(), 1):
        if number > 1 and _promoted(barometre):
            break
        tour.materialise(here, days, progress)
        _until_quiet(here, known, world, progress, f"span {number} of {WEEKS}")


def _promoted(barometre: Barometre) -> bool:
    """Whether a challenger of verdicts has won."""
    rows = barometre.rows("SELECT 1 FROM promotions WHERE task_kind = 'misinfo' AND outcome = 'promoted' AND measure <> ''")
    return bool(rows)


def _until_quiet(here: Platform, known: dict[str, Any], world: World, progress: Progress, what: str) -> None:
    """Answer whatever is asked, and wait, until for a while nobody is asked anything, no run goes on and no table changes."""
    url = f"http://127.0.0.1:{here.ports()['dagster']}/graphql"
    barometre: Barometre = known["barometre"]
    task = progress.add_task("the loop", total=None, said=what)
    stood, since, begun = None, time.monotonic(), time.monotonic()
    answered, asked = 0, (-1, -1)
    while time.monotonic() - since < _QUIET_SECONDS:
        if time.monotonic() - begun > _PATIENCE_SECONDS:
            raise Transient(f"the loop still moves after {_PATIENCE_SECONDS} s; look at {url.removesuffix('/graphql')}")
        stands = barometre.rows(_STANDS)[0]
        # Asking Label Studio for all its tasks is dear: it is done when there are others, or some are for more people.
        waiting = (stands["tasks"], stands["wanted"])
        given = _answer(known, barometre, world) if waiting != asked else 0
        answered, asked = answered + given, waiting
        running = len(_ask(url)["runsOrError"].get("results", []))
        if given or running or stands != stood:
            stood, since = stands, time.monotonic()
        told = f"{stands['tasks']} tasks, {stands['answers']} answers, {stands['rounds']} rounds, {stands['models']} models"
        progress.update(task, said=f"{what}: {told}; {running} runs" if running else f"{what}: {told}")
        time.sleep(3)
    progress.update(task, total=1, completed=1, said=f"{what}: {answered} answers given now; nothing moves any more")


def _answer(known: dict[str, Any], barometre: Barometre, world: World) -> int:
    """Answer what is open in every project; how many answers that was."""
    given = 0
    for row in barometre.rows(_PROJECTS):
        if row["task_kind"] == "ner":
            given += sum(1 for _ in PostNewsroom(known["label_studio"], row["project_id"]).answer_all())
        else:
            given += sum(1 for _ in Newsroom(known["label_studio"], row["project_id"], world).answer_all())
    return given


def _ask(url: str) -> dict[str, Any]:
    try:
        answer = httpx.post(url, json={"query": _ACTIVE}, timeout=60)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise Transient(f"Dagster does not answer at {url} ({type(error).__name__}); look at `climate status`") from error
    data: dict[str, Any] = answer.json()["data"]
    return data


def told(known: dict[str, Any]) -> dict[str, Any]:
    """What the loop came to: its rounds and decisions, who ran them, and what people would read with either model."""
    barometre: Barometre = known["barometre"]
    return {
        "rounds": barometre.rows(
            "SELECT round, champion_id, measure, value, low, high, gold, new_gold, move, why FROM rounds ORDER BY line, number"
        ),
        "decisions": barometre.rows("SELECT task_kind, outcome, why FROM promotions ORDER BY decided_at"),
        "people": barometre.rows(
            "SELECT task_kind, count(DISTINCT annotator) AS people, count(DISTINCT item_id) AS items, count(*) AS answers"
            " FROM annotations WHERE state = 'submitted' GROUP BY 1 ORDER BY 1"
        ),
        "queue": _queue(known, barometre),
    }


def _queue(known: dict[str, Any], barometre: Barometre) -> dict[str, Any] | None:
    """What people read to find nine of ten cases, with the first student and with the champion.

    Of chunks from which neither has learnt, nor from nearly the same words. What is true is the world's, which the platform
    never sees.
    """
    registry = known["registry"]
    models = registry.models("misinfo", "french")
    champion = registry.champion("misinfo", "french")
    if champion is None or champion.model_id == models[0].model_id:
        return None
    rows = barometre.rows(
        "SELECT DISTINCT c.chunk_id, c.text, coalesce(s.split = 'train', false) AS learnt"
        " FROM clean_chunks c JOIN verdicts v USING (chunk_id) LEFT JOIN sides s ON s.item_id = c.chunk_id ORDER BY 1"
    )
    near = leaks({row["chunk_id"]: row["text"] for row in rows}, {row["chunk_id"]: str(row["learnt"]) for row in rows})
    seen = {name for leak in near for name in (leak.one, leak.other)}
    chunks = [row for row in rows if not row["learnt"] and row["chunk_id"] not in seen]
    world = World()
    truth = [truth_of(chunk["chunk_id"], world).assessment == "unchallenged" for chunk in chunks]
    first, now = (
        student_from_bytes(registry.artefact(model)).probabilities(chunk["text"] for chunk in chunks)
        for model in (models[0], champion)
    )
    before, after = at_equal_recall(truth, first, now, policies.RECALL)
    return {
        "chunks": len(chunks),
        "cases": sum(truth),
        "recall": policies.RECALL,
        "precision_before": before.precision,
        "precision_now": after.precision,
        "queue_before": before.queue,
        "queue_now": after.queue,
    }


def lines_of(found: dict[str, Any]) -> Sequence[str]:
    """The same for a person."""
    said = [
        f"{row['people']} people gave {row['answers']} answers on {row['items']} items ({row['task_kind']})"
        for row in found["people"]
    ]
    said += [f"{row['round']}: {row['why']}" for row in found["rounds"]]
    said += [f"{row['task_kind']}: {row['why']}" for row in found["decisions"]]
    queue = found["queue"]
    if queue:
        said.append(
            f"To find {queue['recall']:.0%} of the {queue['cases']} cases among {queue['chunks']} chunks that no model has "
            f"learnt from, people read {queue['queue_now']:.0f} instead of {queue['queue_before']:.0f}: precision of the queue "
            f"goes from {queue['precision_before']:.2f} to {queue['precision_now']:.2f}"
        )
    return said
