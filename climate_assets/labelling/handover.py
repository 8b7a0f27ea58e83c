"""Handing one country's day over to fact-checkers: tasks are written to the bucket first, then delivered.

A task that is written is never rewritten: what a person is asked stands. The one exception is a name that was forgotten
(`forgetting.py`). A chunk whose sound may still come waits for it. Which chunks are asked about is `queue.py`, what a task says
is `tasks.py`; delivering it, as tasks of any kind, is `delivering.py`.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from climate_assets.broadcast.legacy_keywords import legacy_id
from climate_assets.broadcast.records import Chunk, CleanChunk, ProgrammeLabel
from climate_assets.claims.in_use import in_use
from climate_assets.claims.records import Verdict
from climate_assets.countries import Country
from climate_assets.failures import Transient
from climate_assets.labelling.assigning import assigned, due_today, handed_over
from climate_assets.labelling.blind import blind_screen, blind_task
from climate_assets.labelling.delivering import Recipient, deliver, kept_waiting
from climate_assets.labelling.forgetting import rewritten, shown_again
from climate_assets.labelling.heard import with_player
from climate_assets.labelling.labelling_config import guideline, guideline_version, labelling_config
from climate_assets.labelling.listening import speech_of
from climate_assets.labelling.overlap import people_for
from climate_assets.labelling.projects import project_of
from climate_assets.labelling.queue import Picked, queue
from climate_assets.labelling.records import Assignment, LabellingTask
from climate_assets.labelling.tasks import canonical_bytes, object_key, task_json
from climate_assets.labelling.votes import TASK_KIND
from climate_assets.labelling.workload import NOT_DRAWN, thinned
from climate_assets.speech.records import Clip
from climate_assets.states import State
from resources.label_studio import LabelStudio
from resources.postgres import Barometre, Change
from resources.s3 import Lake


@dataclass
class Handover:
    """What handing a day over came to."""

    change: Change = field(default_factory=Change)
    objects: int = 0
    states: Counter[str] = field(default_factory=Counter)
    sampling: Counter[str] = field(default_factory=Counter)
    waiting_for_sound: int = 0
    """Chunks that are to be asked about, of which the speech stage has still to hear something."""
    trouble: str = ""


def hand_over(country: Country, day: date, barometre: Barometre, lake: Lake, label_studio: LabelStudio) -> Handover:
    """Write the tasks that a day still lacks, then deliver all that are pending."""
    done = Handover()
    _write(country, day, barometre, lake, done)
    nameless = rewritten(_tasks(barometre, country, day), barometre, lake)
    done.objects += nameless.objects
    try:
        to = _recipient(country, barometre, lake, label_studio)
        _deliver(country, day, to, barometre, lake, label_studio, done)
        done.change += shown_again(nameless, _tasks(barometre, country, day), country.delivery, barometre, label_studio)
    except Transient as error:
        done.trouble = str(error)
        done.change += kept_waiting(_tasks(barometre, country, day), error, barometre)
    tasks = _tasks(barometre, country, day)
    done.states.update(t.state for t in tasks)
    done.sampling.update(t.sampling for t in tasks)
    return done


def _deliver(
    country: Country, day: date, to: Recipient, barometre: Barometre, lake: Lake, label_studio: LabelStudio, done: Handover
) -> None:
    today = datetime.now(country.tz).date()
    # Two days that are handed over at once would both take what is left of people's time.
    with barometre.lock(f"workload of {country.code}"):
        due, change = due_today(country, _tasks(barometre, country, day), barometre, today)
        done.change += change + deliver(due, to, barometre, lake, label_studio)
        told = handed_over(country, due, barometre, label_studio, today)
    done.change += told.change
    done.trouble = "; ".join(told.troubles)


def _write(country: Country, day: date, barometre: Barometre, lake: Lake, done: Handover) -> None:
    scope: dict[str, Any] = {"country": country.code, "day": day}
    clean = {c.chunk_id: c for c in barometre.read(CleanChunk, **scope)}
    models = in_use(barometre)
    verdicts = {v.chunk_id: v for v in models.standing(barometre.read(Verdict, **scope), clean)}
    asked = {t.chunk_id for t in _tasks(barometre, country, day)}
    picks = queue(verdicts.values(), country.threshold, country.audit_share, own=models.thresholds)
    new = [p for p in picks if p.chunk_id not in asked]
    if not new:
        return
    ids = [p.chunk_id for p in new]
    speech, awaited = speech_of(ids, barometre)
    done.waiting_for_sound = len(awaited)
    chunks = {c.chunk_id: c for c in barometre.read(Chunk, chunk_id=ids)}
    labels = {p.chunk_id: p for p in barometre.read(ProgrammeLabel, chunk_id=ids)}
    screen = blind_screen(labelling_config()) if country.blind else labelling_config()
    version = guideline_version(screen, guideline())
    drawn, left_out = _drawn([pick for pick in new if pick.chunk_id not in awaited], country)
    rows = []
    for pick in [*drawn, *left_out]:
        chunk, verdict = chunks[pick.chunk_id], verdicts[pick.chunk_id]
        task = task_json(
            verdict,
            chunk,
            clean[pick.chunk_id],
            labels.get(pick.chunk_id),
            country,
            country.channel(chunk.channel),
            pick,
            legacy_id(chunk.start, country.zone, chunk.channel),
            version,
            speech[pick.chunk_id],
        )
        content = canonical_bytes(blind_task(task) if country.blind else task)
        rows.append(_row(pick, verdict, country, version, content, lake, done))
    # The people first: a task without a row of them would go out for one.
    done.change += barometre.upsert(assigned([pick.chunk_id for pick in drawn], country), Assignment)
    never = {pick.chunk_id for pick in left_out}
    done.change += barometre.upsert([_left_out(row) if row.chunk_id in never else row for row in rows], LabellingTask)


def _drawn(picks: list[Picked], country: Country) -> tuple[list[Picked], list[Picked]]:
    """Picks that are asked about, and those of the random slice for which people have no time."""
    if country.workload is None:
        return picks, []
    costs = {pick.chunk_id: people_for(pick.chunk_id, country.overlap) for pick in picks}
    return thinned(picks, costs, country.workload.answers_a_day)


def _left_out(row: LabellingTask) -> LabellingTask:
    return replace(row, state=State.SKIPPED.value, reason=NOT_DRAWN)


def _row(
    pick: Picked, verdict: Verdict, country: Country, version: str, content: bytes, lake: Lake, done: Handover
) -> LabellingTask:
    key = object_key(country.code, verdict.day, verdict.channel, verdict.chunk_id)
    done.objects += lake.put(country.bucket, key, content)
    return LabellingTask(
        chunk_id=pick.chunk_id,
        country=country.code,
        day=verdict.day,
        channel=verdict.channel,
        bucket=country.bucket,
        object_key=key,
        sha256=hashlib.sha256(content).hexdigest(),
        sampling=pick.sampling,
        probability=pick.probability,
        priority=pick.priority,
        model=verdict.model,
        prompt=verdict.prompt,
        guideline=version,
        project_id=None,
        task_id=None,
        state=State.PENDING.value,
        reason="not delivered yet",
        task_kind=TASK_KIND,
    )


def _recipient(country: Country, barometre: Barometre, lake: Lake, label_studio: LabelStudio) -> Recipient:
    def sound(number: int, tasks: Sequence[LabellingTask]) -> None:
        clips = barometre.read(Clip, clip_id=[t.chunk_id for t in tasks])
        for bucket, folder in sorted({(c.bucket, c.object_key.split("/")[0]) for c in clips}):
            label_studio.ensure_sound(number, bucket, f"{folder}/", lake.endpoint_url, lake.access_key, lake.secret_key)

    return Recipient(
        title=country.project,
        delivery=country.delivery,
        bucket=country.bucket,
        prefix=f"country={country.code}/",
        number=lambda: project_of(country, barometre, label_studio).project_id,
        before=sound,
        sent=with_player,
    )


def _tasks(barometre: Barometre, country: Country, day: date) -> list[LabellingTask]:
    return barometre.read(LabellingTask, country=country.code, day=day, task_kind=TASK_KIND)
