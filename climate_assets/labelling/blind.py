"""A task and a screen without the model's verdict, for people who are to answer without knowing what the model says.

Taken out is whatever the verdict is behind: score, claim, quote, the second at which the player starts, why the task was
picked and how useful it is. Fields stay and are empty, as Label Studio refuses a screen whose fields a task lacks; who switches
a country over keeps both kinds of tasks in one project. The order in which tasks come still goes by usefulness.
"""

import re
from typing import Any, Final
from xml.etree import ElementTree as ET

from climate_assets.failures import Permanent

_EMPTY: Final[dict[str, Any]] = {
    **dict.fromkeys(("model_reason", "quote", "category", "category_label", "challenged_label", "engine", "sampling"), ""),
    **dict.fromkeys(("quote_heard", "quote_speaker", "quote_speaker_label", "challenged_hint_label"), ""),
    **dict.fromkeys(("answered_by", "challenge_cue"), ""),
    **dict.fromkeys(("model_result", "challenged", "challenged_hint", "probability", "priority", "quote_seconds"), None),
}
_POSITION: Final = re.compile(r"(start_cts=)(\d+)(.*position_cts=)\d+", re.ASCII)
_VERDICT_FIELDS: Final = ("$item.model_", "$item.category_label", "$item.challenged_", "$item.quote_speaker_label")


def blind_task(task: dict[str, Any]) -> dict[str, Any]:
    """The task without its prediction and without any field that tells of the verdict; the words and their sound stay."""
    item = dict(task["data"]["item"])
    item |= {name: value for name, value in _EMPTY.items() if name in item}
    item["blind"] = True
    if "url_mediatree" in item:
        item["url_mediatree"] = _POSITION.sub(r"\1\2\g<3>\2", str(item["url_mediatree"]))
    if item.get("sounds"):
        item["sounds"] = [0.0]
        item["sound_note"] = "The player starts where the passage starts."
    # Sorted by in the data manager: it would tell how severe the model thinks a task is.
    return {**task, "data": {**task["data"], "item": item, "priority": 0.0}, "predictions": []}


def blind_screen(config: str) -> str:
    """The XML of the screen without what tells of the verdict; the questions and their names are the same."""
    root = ET.fromstring(config)  # noqa: S314 - the XML is our own
    removed = 0
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == "Header" and any(field in child.get("value", "") for field in _VERDICT_FIELDS):
                parent.remove(child)
                removed += 1
    for parent in list(root.iter()):
        for child in list(parent):
            # A panel of which nothing is left.
            if child.tag == "Collapse" and not any(grand is not child and grand.tag in _LEAVES for grand in child.iter()):
                parent.remove(child)
    if not removed:
        raise Permanent("the screen shows nothing of a verdict; pass `labelling_config()`")
    ET.indent(root)
    return ET.tostring(root, encoding="unicode")


_LEAVES: Final = {"Header", "Text", "Choices", "TextArea", "Paragraphs", "Labels", "Markdown"}
