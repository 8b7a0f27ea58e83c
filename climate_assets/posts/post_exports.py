"""What people answered about posts, read from files in either of Label Studio's export shapes.

Full export: a list of tasks with `annotations` and `predictions`. Storage export: one object an annotation, with its task
inside. An answer that cannot be read whole is set aside with its reason; nothing of it counts. Does not belong here: which
answer stands.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from climate_assets.failures import Permanent
from climate_assets.posts.post_screen import LABEL, NOTHING, TEXT
from climate_assets.posts.spans import MOST_SPANS, Span, exact

MOST_BYTES: Final = 256 * 1024 * 1024
MOST_RECORDS: Final = 200_000
MOST_ANSWERS: Final = 200
LONGEST_TEXT: Final = 20_000
LONGEST_ID: Final = 300
_LARGEST_ID: Final = 2**63 - 1

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PostAnnotation:
    """One person's answer about one post, and what models had said of it."""

    task_id: int
    source_id: str
    content_hash: str
    annotation_id: int
    annotator: int
    completed_at: str
    was_cancelled: bool
    lead_seconds: float | None
    text: str
    spans: frozenset[Span]
    model_spans: dict[str, frozenset[Span]]


@dataclass(frozen=True, slots=True)
class RefusedAnswer:
    """A task, an answer or a prediction that cannot be read: where it stands and what is wrong with it."""

    where: str
    reason: str


@dataclass(slots=True)
class Export:
    """What an export holds, in its order."""

    annotations: list[PostAnnotation] = field(default_factory=list)
    refused: list[RefusedAnswer] = field(default_factory=list)


def read_export(content: bytes) -> Export:
    """The answers of an export, either shape, a list or a single object.

    Raises `Permanent` if the whole cannot be read; what is wrong with one task, answer or prediction is in `refused`.
    """
    if len(content) > MOST_BYTES:
        raise Permanent(f"export of {len(content)} bytes; {MOST_BYTES} are read: export fewer tasks at a time")
    try:
        records = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise Permanent(f"export is no JSON ({error}); export it again") from error
    records = records if isinstance(records, list) else [records]
    if len(records) > MOST_RECORDS:
        raise Permanent(f"export of {len(records)} records; {MOST_RECORDS} are read: export fewer tasks at a time")
    export = Export()
    for number, record in enumerate(records):
        _read_record(record, f"record {number}", export)
    return export


def _read_record(record: object, where: str, export: Export) -> None:
    try:
        task, answers = _task_and_answers(_object(record, "a record"))
        text, source_id, content_hash = _asked(task)
        # A storage export may carry the predictions beside the answer instead of in its task.
        said = _objects(task.get("predictions") or _object(record, "a record").get("predictions"), "predictions")
    except Permanent as error:
        export.refused.append(RefusedAnswer(where, str(error)))
        return
    model_spans = dict(_model_spans(said, text, where, export))
    for number, answer in enumerate(answers):
        try:
            export.annotations.append(_annotation(task, answer, text, source_id, content_hash, model_spans))
        except Permanent as error:
            export.refused.append(RefusedAnswer(f"{where}, annotation {answer.get('id', number)!r:.40}", str(error)))


def _task_and_answers(record: Json) -> tuple[Json, list[Json]]:
    if "annotations" in record:
        return record, _objects(record["annotations"], "annotations")
    if "task" in record and "result" in record:
        return _object(record["task"], "`task`"), [record]
    raise Permanent("neither a task with `annotations` nor an annotation with `task` and `result`")


def _asked(task: Json) -> tuple[str, str, str]:
    data = _object(task.get("data"), "`data`")
    text, source_id = data.get(TEXT), data.get("source_id")
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST_TEXT:
        raise Permanent(f"`data.{TEXT}` is no text of 1 to {LONGEST_TEXT} characters")
    if not isinstance(source_id, str) or not 0 < len(source_id) <= LONGEST_ID:
        raise Permanent(f"`data.source_id` is no text of 1 to {LONGEST_ID} characters: the answer belongs to no post")
    meta = task.get("meta")
    content_hash = meta.get("content_hash", "") if isinstance(meta, dict) else ""
    return text, source_id, content_hash if isinstance(content_hash, str) else ""


def _annotation(
    task: Json, answer: Json, text: str, source_id: str, content_hash: str, model_spans: dict[str, frozenset[Span]]
) -> PostAnnotation:
    cancelled = answer.get("was_cancelled") or False
    lead = answer.get("lead_time")
    by = answer.get("completed_by")
    when = answer.get("updated_at") or answer.get("created_at") or ""
    if not isinstance(cancelled, bool) or not isinstance(when, str) or len(when) > 40:
        raise Permanent("`was_cancelled` is no truth value, or `updated_at` no date")
    return PostAnnotation(
        task_id=_id(task.get("id"), "task"),
        source_id=source_id,
        content_hash=content_hash,
        annotation_id=_id(answer.get("id"), "annotation"),
        annotator=_id(by.get("id") if isinstance(by, dict) else by, "annotator"),
        completed_at=when,
        was_cancelled=cancelled,
        lead_seconds=float(lead) if isinstance(lead, int | float) and not isinstance(lead, bool) else None,
        text=text,
        spans=_spans(answer.get("result"), text),
        model_spans=model_spans,
    )


def _model_spans(said: list[Json], text: str, where: str, export: Export) -> Iterator[tuple[str, frozenset[Span]]]:
    for number, prediction in enumerate(said):
        version = prediction.get("model_version")
        try:
            if not isinstance(version, str) or not 0 < len(version) <= LONGEST_ID:
                raise Permanent("`model_version` is no text: the prediction belongs to no model")
            yield version, _spans(prediction.get("result"), text)
        except Permanent as error:
            export.refused.append(RefusedAnswer(f"{where}, prediction {number}", str(error)))


def _spans(result: object, text: str) -> frozenset[Span]:
    regions = _objects(result, "`result`")
    if len(regions) > MOST_SPANS:
        raise Permanent(f"`result` has {len(regions)} regions; {MOST_SPANS} are read")
    return frozenset(_span(region, text) for region in regions if not _is_nothing(region, regions))


def _is_nothing(region: Json, regions: list[Json]) -> bool:
    if region.get("from_name") != NOTHING:
        return False
    if any(other.get("from_name") == LABEL for other in regions):
        raise Permanent("the answer says that nothing is to be marked, and marks something: ask again")
    return True


def _span(region: Json, text: str) -> Span:
    if (region.get("from_name"), region.get("to_name"), region.get("type")) != (LABEL, TEXT, "labels"):
        raise Permanent(f"a region of field {region.get('from_name')!r:.40} is none of this screen")
    value = _object(region.get("value"), "`value`")
    labels = value.get("labels")
    if not isinstance(labels, list) or len(labels) != 1:
        raise Permanent("a region needs one label: one stretch names one thing")
    return exact(text, value, labels[0])


def _id(value: object, what: str) -> int:
    if type(value) is not int or not 0 < value <= _LARGEST_ID:
        raise Permanent(f"the id of the {what} is {value!r:.40}, no positive whole number")
    return value


def _object(value: object, what: str) -> Json:
    if not isinstance(value, dict):
        raise Permanent(f"{what} is a {type(value).__name__}, not an object")
    return value


def _objects(value: object, what: str) -> list[Json]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > max(MOST_ANSWERS, MOST_SPANS):
        raise Permanent(f"{what} is no list of at most {max(MOST_ANSWERS, MOST_SPANS)}")
    return [_object(one, f"one of {what}") for one in value]
