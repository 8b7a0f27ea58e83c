"""A task without the names of people who were forgotten: the one reason for which a written task is written again.

Names that came from a voice go; what was said stays, a spoken name included, and so does everything a person answered.
Which tasks are concerned is read in `forgetting.py`.
"""

from collections.abc import Collection
from typing import Any

from climate_assets.labelling.heard import named_labels, unnamed


def without_person(task: dict[str, Any], person_ids: Collection[str]) -> dict[str, Any]:
    """The task with a speaker's label in place of each name that belongs to `person_ids`; the same task if it has none."""
    item = task["data"]["item"]
    dialogue = item.get("dialogue", [])
    if not any(phrase["person_id"] in person_ids for phrase in dialogue):
        return task
    phrases = [
        {**phrase, "speaker": unnamed(phrase["label"]), "person_id": None} if phrase["person_id"] in person_ids else phrase
        for phrase in dialogue
    ]
    nameless = {**item, "dialogue": phrases}
    return {**task, "data": {**task["data"], "item": {**nameless, **named_labels(nameless)}}}
