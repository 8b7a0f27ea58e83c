"""One person's answer as Label Studio tells it, in each of the shapes it comes in, as a row or as what is set aside.

Which shapes there are and what stands in them is here; what the `result` says is `answer_fields.py`, the closed lists are
`answer_screens.py`, and which version of an answer stands is `answer_versions.py`. Nothing raises for what came: an answer
that cannot be read is set aside with its reason, and the ones beside it are read.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from climate_assets.labelling.answer_fields import (
    Fields,
    Unreadable,
    canonical,
    fields_of,
    safe,
    seconds,
    whole_number,
)
from climate_assets.labelling.answer_screens import ASSESSMENT, MISINFO, Screen, modern
from climate_assets.labelling.labelling_config import CATEGORY, SPANS
from climate_assets.labelling.records import Annotation, Answered, RefusedAnnotation

# A task is answered by a handful of people; a delivery of several answers is one action of a lead.
ANSWERS: Final = 1_000
KEPT_BYTES: Final = 1024 * 1024
TOO_LARGE: Final = "too_large"
"""Field of a task whose answers were not read, as they are more than the bytes it names."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff<>]{0,300}")
# Who a person is stays in Label Studio, and how long ago something was changes from one reading to the next.
_LEFT_OUT: Final = ("created_username", "created_ago", "task")


@dataclass(frozen=True, slots=True)
class Reading:
    """Whose answers are read, and how they came."""

    project_id: int
    country: str
    source: str
    """`api` or `file`."""
    screen: Screen = MISINFO


@dataclass(frozen=True, slots=True)
class SetAside:
    """An answer that cannot be read, and what came of it."""

    row: RefusedAnnotation
    content: bytes
    """Its JSON, up to `KEPT_BYTES`, to be kept under the row's `sha256` (which is of the whole); without names of people."""


def answers_of_task(task: Any, reading: Reading) -> Iterator[Annotation | SetAside]:
    """Every answer to one task: of the API with its annotations, or one object of the full JSON export."""
    answers = task.get("annotations", []) if isinstance(task, dict) else None
    if isinstance(task, dict) and task.get(TOO_LARGE):
        limit = safe(str(task[TOO_LARGE]))
        yield _set_aside({TOO_LARGE: limit}, task, f"the task and its answers are more than {limit} bytes", reading)
    elif not isinstance(answers, list):
        yield _set_aside(task, task, "no task with a list of annotations", reading)
    else:
        for raw in answers[:ANSWERS]:
            yield annotation_of(raw, task, reading)
        if len(answers) > ANSWERS:
            why = f"the task has {len(answers)} annotations; {ANSWERS} are read at most"
            yield _set_aside([_number(raw) for raw in answers[ANSWERS:]], task, why, reading)


def answers_of_export(raw: Any, reading: Reading) -> Iterator[Annotation | SetAside]:
    """The answer in one object of the storage export: an annotation with its task inside."""
    yield annotation_of(raw, raw.get("task") if isinstance(raw, dict) else None, reading)


def annotation_of(raw: Any, task: Any, reading: Reading) -> Annotation | SetAside:
    """One answer and the task it belongs to as a row, or set aside with what is wrong with it and where."""
    try:
        return _annotation(raw, task, reading)
    except Unreadable as error:
        return _set_aside(raw, task, str(error), reading)


def _annotation(raw: Any, task: Any, reading: Reading) -> Annotation:
    if not isinstance(raw, dict):
        raise Unreadable("the annotation is no object")
    annotation_id = whole_number(raw.get("id"), "id of the annotation", 1)
    updated_at, created_at = _instant(raw, "updated_at"), _instant(raw, "created_at")
    if not isinstance(task, dict):
        raise Unreadable("the annotation comes without its task")
    task_id = whole_number(task.get("id"), "id of the task", 1)
    _require_same(raw, task, task_id, reading)
    item = _item(task)
    item_id = _named(item, "id")
    if not item_id:
        raise Unreadable("the task has an empty data.item.id")
    country = _named(item, "country")
    if country and country != reading.country and reading.screen.dialect is None:
        raise Unreadable(f"the task is of country {safe(country)}, and its project of {safe(reading.country)}")
    cancelled = raw.get("was_cancelled", False)
    if not isinstance(cancelled, bool):
        raise Unreadable("was_cancelled is neither true nor false")
    fields = fields_of(raw.get("result"), item, reading.screen)
    spans, said = _said(Fields() if cancelled else fields, reading.screen)
    return Annotation(
        project_id=reading.project_id,
        annotation_id=annotation_id,
        updated_at=updated_at,
        task_id=task_id,
        item_id=item_id,
        country=reading.country,
        task_kind=reading.screen.task_kind,
        annotator=_person(raw),
        state=Answered.SKIPPED.value if cancelled else Answered.SUBMITTED.value,
        assessment=next(iter(said.pop(ASSESSMENT, [])), None),
        categories=sorted(said.pop(CATEGORY, [])),
        spans=canonical(spans),
        texts=canonical({name: values for name, values in said.items() if values}),
        guideline=_named(item, "guideline"),
        suggested_by=_suggested_by(raw, task, item),
        lead_seconds=seconds(raw.get("lead_time"), "lead_time"),
        created_at=created_at,
        source=reading.source,
        result=fields.result,
    )


def _said(fields: Fields, screen: Screen) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """Spans, and every other field in today's words."""
    said = (
        {**fields.choices, **fields.texts} if screen.dialect is None else modern(fields.choices, fields.texts, screen.dialect)
    )
    spans = []
    for span in fields.spans:
        name = span["field"]
        if screen.dialect is not None and name == "cards":
            said[CATEGORY] = sorted({*said.get(CATEGORY, []), span["label"]})
        else:
            own = SPANS if screen.dialect is not None else name
            spans.append({key: value for key, value in {**span, "field": own}.items() if key != "field"})
    return spans, said


def _require_same(raw: Mapping[str, Any], task: Mapping[str, Any], task_id: int, reading: Reading) -> None:
    """The numbers that annotation and task carry agree with each other and with what is read."""
    named = raw.get("task")
    inner = named.get("id") if isinstance(named, dict) else named
    if inner is not None and inner != task_id:
        raise Unreadable(f"the annotation names task {safe(str(inner))}, and comes with task {task_id}")
    # A file of another server has that server's numbers; the caller says which project it is.
    if reading.source != "file":
        for what, of in (("annotation", raw), ("task", task)):
            if (number := of.get("project")) is not None and number != reading.project_id:
                raise Unreadable(f"the {what} is of project {safe(str(number))}, not {reading.project_id}")


def _item(task: Mapping[str, Any]) -> Mapping[str, Any]:
    data = task.get("data")
    item = data.get("item") if isinstance(data, dict) else None
    if not isinstance(item, dict):
        raise Unreadable("the task has no data.item")
    return item


def _person(raw: Mapping[str, Any]) -> int:
    who = raw.get("completed_by")
    return whole_number(who.get("id") if isinstance(who, dict) else who, "completed_by", 1)


def _instant(raw: Mapping[str, Any], name: str) -> datetime:
    """A time that names its zone, as UTC."""
    told = raw.get(name)
    try:
        instant = datetime.fromisoformat(told) if isinstance(told, str) and len(told) <= 40 else None
        found = instant.astimezone(UTC) if instant and instant.utcoffset() is not None else None
    except (ValueError, OverflowError):
        found = None
    if found is None or not 2000 <= found.year < 2200:
        raise Unreadable(f"{name} is {safe(told)}, not a time with its zone")
    return found


def _named(of: Mapping[str, Any], name: str) -> str:
    """A short text of the task; empty if it has none."""
    value = of.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise Unreadable(f"data.item.{name} is {safe(value)}, not a short text of one line")
    return value


def _suggested_by(raw: Mapping[str, Any], task: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    """Model version of the prediction that the answer began from; empty if it began from nothing.

    Only the API's tasks bring their predictions; elsewhere it is the version that the task was made with.
    """
    parent = raw.get("parent_prediction")
    regions = [region for region in raw["result"] if isinstance(region, dict)]
    if parent is None and not any(str(region.get("origin")).startswith("prediction") for region in regions):
        return ""
    predictions = task.get("predictions")
    for prediction in predictions if isinstance(predictions, list) else []:
        if isinstance(prediction, dict) and prediction.get("id") == parent and prediction.get("model_version"):
            return _named(prediction, "model_version")
    return _named(item, "pipeline_version") or "unknown"


def _set_aside(raw: Any, task: Any, reason: str, reading: Reading) -> SetAside:
    content = _content(raw)
    try:
        updated_at = _instant(raw, "updated_at") if isinstance(raw, dict) else EPOCH
    except Unreadable:
        updated_at = EPOCH
    row = RefusedAnnotation(
        project_id=reading.project_id,
        annotation_id=_number(raw),
        updated_at=updated_at,
        task_id=_number(task) or _task_number(raw),
        country=reading.country,
        reason=reason,
        sha256=hashlib.sha256(content).hexdigest(),
    )
    return SetAside(row, content[:KEPT_BYTES])


def _content(raw: Any) -> bytes:
    """JSON of what came, the same at each reading and without names of people; something readable for what is no JSON."""
    kept = raw
    if isinstance(raw, dict):
        kept = {name: value for name, value in raw.items() if name not in _LEFT_OUT}
        kept["task"] = _task_number(raw)
        if isinstance(kept.get("completed_by"), dict):
            kept["completed_by"] = kept["completed_by"].get("id")
    try:
        return json.dumps(kept, sort_keys=True, separators=(",", ":")).encode()
    except (RecursionError, ValueError, TypeError):
        return f"annotation {_number(raw)} is no JSON that can be written again".encode()


def _number(value: Any) -> int:
    """The `id` of an object that names a sound one, else 0."""
    number = value.get("id") if isinstance(value, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) and 0 < number < 2**63 else 0


def _task_number(raw: Any) -> int:
    task = raw.get("task") if isinstance(raw, dict) else None
    return _number(task if isinstance(task, dict) else {"id": task})
