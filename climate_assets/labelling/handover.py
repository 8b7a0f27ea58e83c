"""Handing one country's day over to fact-checkers: tasks are written to the bucket first, then delivered.

A task that is written is never rewritten: what a person is asked stands. The one exception is a name that was forgotten
(`forgetting.py`). A chunk whose sound may still come waits for it. Which chunks are asked about is `queue.py`, what a task says
is `tasks.py`, what is still to be sent is `deliveries.py`; sending is `resources/label_studio.py`.
"""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from climate_assets.broadcast.legacy_keywords import legacy_id
from climate_assets.broadcast.records import Chunk, CleanChunk, ProgrammeLabel
from climate_assets.claims.records import Verdict
from climate_assets.claims.standing import standing
from climate_assets.countries import Country
from climate_assets.failures import Transient
from climate_assets.labelling import deliveries
from climate_assets.labelling.forgetting import rewritten, shown_again
from climate_assets.labelling.heard import with_player
from climate_assets.labelling.labelling_config import guideline, guideline_version, labelling_config
from climate_assets.labelling.listening import speech_of
from climate_assets.labelling.projects import project_of
from climate_assets.labelling.queue import Picked, queue
from climate_assets.labelling.records import LabellingTask
from climate_assets.labelling.tasks import canonical_bytes, object_key, task_json
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
        _deliver(country, day, barometre, lake, label_studio, done)
        done.change += shown_again(nameless, _tasks(barometre, country, day), country.delivery, barometre, label_studio)
    except Transient as error:
        # Label Studio is down or slow: the tasks are safe in the bucket, pending, and the next tick delivers them.
        done.trouble = str(error)
        waiting = [deliveries.waiting(t, str(error)) for t in _tasks(barometre, country, day) if t.state == State.PENDING]
        done.change += barometre.upsert(waiting, LabellingTask)
    tasks = _tasks(barometre, country, day)
    done.states.update(t.state for t in tasks)
    done.sampling.update(t.sampling for t in tasks)
    return done


def _write(country: Country, day: date, barometre: Barometre, lake: Lake, done: Handover) -> None:
    scope: dict[str, Any] = {"country": country.code, "day": day}
    clean = {c.chunk_id: c for c in barometre.read(CleanChunk, **scope)}
    verdicts = {v.chunk_id: v for v in standing(barometre.read(Verdict, **scope), clean)}
    asked = {t.chunk_id for t in _tasks(barometre, country, day)}
    new = [p for p in queue(verdicts.values(), country.threshold, country.audit_share) if p.chunk_id not in asked]
    if not new:
        return
    ids = [p.chunk_id for p in new]
    speech, awaited = speech_of(ids, barometre)
    done.waiting_for_sound = len(awaited)
    chunks = {c.chunk_id: c for c in barometre.read(Chunk, chunk_id=ids)}
    labels = {p.chunk_id: p for p in barometre.read(ProgrammeLabel, chunk_id=ids)}
    version = guideline_version(labelling_config(), guideline())
    rows = []
    for pick in new:
        if pick.chunk_id in awaited:
            continue
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
        rows.append(_row(pick, verdict, country, version, canonical_bytes(task), lake, done))
    done.change += barometre.upsert(rows, LabellingTask)


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
    )


def _deliver(country: Country, day: date, barometre: Barometre, lake: Lake, label_studio: LabelStudio, done: Handover) -> None:
    tasks = _tasks(barometre, country, day)
    if not tasks:
        return
    # One writer a project: a list-difference is only true while nobody else adds tasks.
    with barometre.lock(f"label_studio/{country.project}"):
        number = project_of(country, barometre, label_studio).project_id
        if country.delivery == "storage":
            prefix = f"country={country.code}/"
            label_studio.sync_storage(number, country.bucket, prefix, lake.endpoint_url, lake.access_key, lake.secret_key)
        clips = barometre.read(Clip, clip_id=[t.chunk_id for t in tasks])
        for bucket, folder in sorted({(c.bucket, c.object_key.split("/")[0]) for c in clips}):
            label_studio.ensure_sound(number, bucket, f"{folder}/", lake.endpoint_url, lake.access_key, lake.secret_key)
        existing = label_studio.existing(number, [t.chunk_id for t in tasks])
        plan = deliveries.plan(tasks, existing, number)
        done.change += barometre.upsert(list(plan.already_there), LabellingTask)
        if plan.to_push and country.delivery == "push":
            bodies = [with_player(json.loads(lake.get(t.bucket, t.object_key)), number) for t in plan.to_push]
            pushed = label_studio.push(number, bodies)
            arrived = {**pushed.already_there, **pushed.arrived}
            rows = deliveries.after_push(plan.to_push, number, arrived, pushed.refused)
            done.change += barometre.upsert(rows, LabellingTask)


def _tasks(barometre: Barometre, country: Country, day: date) -> list[LabellingTask]:
    return barometre.read(LabellingTask, country=country.code, day=day)
