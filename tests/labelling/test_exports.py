"""Both shapes of an export are told apart, and what is no export is refused with what to do."""

import json
from typing import Any

import pytest

from climate_assets.failures import Permanent
from climate_assets.labelling.answers import Reading, SetAside
from climate_assets.labelling.exports import answers_in, exported_objects
from climate_assets.labelling.records import Annotation
from tests.labelling import cases

READING = Reading(6, "borealie", "file")
ANSWER: dict[str, Any] = {
    "id": 12,
    "completed_by": 3,
    "result": [
        {"id": "a", "from_name": "assessment", "to_name": "source_text", "type": "choices", "value": {"choices": ["none"]}}
    ],
    "was_cancelled": False,
    "created_at": "2026-11-20T10:00:00Z",
    "updated_at": "2026-11-20T10:00:00Z",
    "lead_time": 4.0,
}
TASK = {"id": 4, "data": cases.task()["data"]}


@pytest.mark.parametrize(
    "exported", [[{**TASK, "annotations": [ANSWER]}], [{**ANSWER, "task": TASK}], {**ANSWER, "task": TASK}]
)
def test_both_shapes_hold_the_same_answer(exported: Any) -> None:
    found = [answer for one in exported_objects(json.dumps(exported).encode()) for answer in answers_in(one, READING)]
    [answer] = found
    assert isinstance(answer, Annotation)
    assert (answer.annotation_id, answer.task_id, answer.assessment, answer.source) == (12, 4, "none", "file")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no JSON"),
        (b"id,text\n1,a", "no JSON"),
        (b"[1, 2]", "neither"),
        (b'[{"id": 1, "text": "json-min", "choice": "none"}]', "neither"),
        (b"[" * 100_000, "no JSON"),
        (b'"text"', "neither"),
        (b"\xff\xfe[]", "no JSON"),
    ],
)
def test_what_is_no_export_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(Permanent, match=said):
        exported_objects(content)


def test_a_file_beyond_the_limit_is_refused() -> None:
    with pytest.raises(Permanent, match="in parts"):
        exported_objects(b"[" + b" " * 20 + b"]", most_bytes=10)


@pytest.mark.parametrize(
    "exported",
    [{"annotations": "none"}, {"annotations": [1, None]}, {"result": 5}, {"result": [], "task": 3}, {"annotations": []}],
)
def test_what_cannot_be_read_inside_is_set_aside(exported: dict[str, Any]) -> None:
    found = list(answers_in(exported, READING))
    assert all(isinstance(one, SetAside) for one in found)
    assert found or exported["annotations"] == []
