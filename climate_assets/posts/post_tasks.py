"""The JSON of one labelling task about a post: its text, where it comes from, and a model's spans as the prediction.

Its shape is that of a task about a chunk (`labelling/tasks.py`), so that one delivery and one reader serve both. Belongs here:
what is sent. Does not belong here: what comes back (`labelling/answers.py`), how it looks (`post_screen.py`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from climate_assets.failures import Permanent
from climate_assets.labelling.entity_labels import LABEL, TEXT
from climate_assets.labelling.records import TaskKind
from climate_assets.posts.records import Post, PostEntity
from climate_assets.posts.spans import Span, checked
from climate_assets.posts.vocabulary import own_label

TASK_KIND: Final = TaskKind.NER.value
_FRACTION_SLASH: Final = "\u2044"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one model version says of one post; no entity is an answer, and `score` its confidence, 0..1, if it gives one."""

    model_version: str
    score: float | None
    entities: Sequence[PostEntity]


def post_task(post: Post, prediction: Prediction | None, guideline: str, priority: float = 0.0) -> dict[str, Any]:
    """One task, as Label Studio imports it; `data.item.id` is the post id. Without a prediction the task is blind.

    Raises `Permanent` for an entity of another post or text, or one that is not what the text says at its place.
    """
    item = {
        "id": post.post_id,
        "plaintext": shown_post(post.text),
        "lang": post.lang,
        "channel": post.source,
        "start": post.published_at.isoformat().replace("+00:00", "Z"),
        "country": post.country,
        "about": f"{post.source}, {post.day.isoformat()}, {post.lang}",
        "task_kind": TASK_KIND,
        "text_sha256": post.content_sha256,
        "pipeline_version": prediction.model_version if prediction else "",
        "guideline": guideline,
    }
    # Beside `item`, what the data manager's columns show and sort by.
    aired = post.published_at.strftime("%Y-%m-%d %H:%M")
    data = {"item": item, "channel": post.source, "aired": aired, "priority": round(priority, 4)}
    return {"data": data, "annotations": [], "predictions": [_prediction(post, prediction)] if prediction else []}


def post_key(post: Post) -> str:
    """Key of a task's JSON in the country's bucket: named by the post's text, as one text is asked about once."""
    return f"{prefix_of(post.country)}text_sha256={post.content_sha256}.json"


def prefix_of(country: str) -> str:
    """Where the tasks about a country's posts lie, and nothing else."""
    return f"task_kind={TASK_KIND}/country={country}/"


def shown_post(text: str) -> str:
    """A post's text as Label Studio may have it: of the same length, so that offsets hold.

    Label Studio resolves the addresses of objects in the storages it knows, wherever `://` stands in a task; the first of
    the two slashes becomes a fraction slash, which looks the same.
    """
    return text.replace("://", f":{_FRACTION_SLASH}/")


def _prediction(post: Post, prediction: Prediction) -> dict[str, Any]:
    regions = [_region(post, prediction.model_version, entity) for entity in _in_order(prediction.entities)]
    said = {"model_version": prediction.model_version, "result": regions}
    if prediction.score is None:
        return said
    if not 0 <= prediction.score <= 1:
        raise Permanent(f"score {prediction.score} of {prediction.model_version} is no confidence between 0 and 1")
    return {**said, "score": prediction.score}


def _in_order(entities: Sequence[PostEntity]) -> list[PostEntity]:
    return sorted(entities, key=lambda e: (e.start, e.end, e.label))


def _region(post: Post, model_version: str, entity: PostEntity) -> dict[str, Any]:
    again = f"make the entities of {post.post_id} again"
    if (entity.post_id, entity.text_sha256, entity.model_version) != (post.post_id, post.content_sha256, model_version):
        of = f"{entity.post_id} by {entity.model_version}"
        raise Permanent(f"an entity of {of} came with another text, or under {model_version}; {again}")
    span = Span(entity.start, entity.end, own_label(entity.label))
    checked(post.text, [span])
    found = post.text[span.start : span.end]
    if found != entity.text:
        raise Permanent(f"entity {span.start}..{span.end} says {entity.text!r:.80} where the post says {found!r:.80}; {again}")
    identity = f"{post.post_id}|{model_version}|{span.start}|{span.end}|{span.label}"
    region: dict[str, Any] = {
        "id": hashlib.sha256(identity.encode()).hexdigest()[:10],
        "from_name": LABEL,
        "to_name": TEXT,
        "type": "labels",
        "value": {
            "start": span.start,
            "end": span.end,
            "text": shown_post(post.text)[span.start : span.end],
            "labels": [span.label.value],
        },
    }
    return region if entity.score is None else {**region, "score": entity.score}
