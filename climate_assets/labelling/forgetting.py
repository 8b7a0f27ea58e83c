"""Joins what was forgotten with the tasks that name it: in the bucket first, then in Label Studio, then in the rows.

A row gets the new hash last: a run that is cut anywhere finds the difference again. What a task without a name is, is
`erasure.py`.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from climate_assets.labelling.erasure import without_person
from climate_assets.labelling.heard import with_player
from climate_assets.labelling.records import Adjudication, LabellingTask
from climate_assets.labelling.tasks import canonical_bytes
from climate_assets.speech.records import VoiceErasure
from resources.label_studio import LabelStudio
from resources.postgres import Barometre, Change
from resources.s3 import Lake


@dataclass
class Nameless:
    """Tasks, by chunk, that are not what their rows say since somebody was forgotten."""

    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    objects: int = 0
    """Objects that were written again now."""


def rewritten(rows: Sequence[LabellingTask | Adjudication], barometre: Barometre, lake: Lake) -> Nameless:
    """Take the names of people who were forgotten out of the objects of tasks."""
    done = Nameless()
    erasures = barometre.read(VoiceErasure)
    people, clips = {e.person_id for e in erasures}, {clip for e in erasures for clip in e.clips}
    for row in rows:
        if _item(row) in clips:
            task = without_person(json.loads(lake.get(row.bucket, row.object_key)), people)
            done.objects += lake.put(row.bucket, row.object_key, canonical_bytes(task))
            if _sha256(task) != row.sha256:
                done.tasks[_item(row)] = task
    return done


def shown_again(
    nameless: Nameless,
    rows: Sequence[LabellingTask | Adjudication],
    delivery: str,
    barometre: Barometre,
    label_studio: LabelStudio,
) -> Change:
    """Show Label Studio's tasks as their objects are; what people answered there is not touched."""
    change = Change()
    for row in rows:
        task = nameless.tasks.get(_item(row))
        if task is None:
            continue
        if row.task_id is not None and row.project_id is not None:
            sent = with_player(task, row.project_id) if delivery == "push" else task
            label_studio.update_data(row.task_id, sent["data"])
        change += barometre.upsert([replace(row, sha256=_sha256(task))], type(row))
    return change


def _item(row: LabellingTask | Adjudication) -> str:
    return row.item_id if isinstance(row, Adjudication) else row.chunk_id


def _sha256(task: dict[str, Any]) -> str:
    return hashlib.sha256(canonical_bytes(task)).hexdigest()
