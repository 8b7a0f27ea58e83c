"""Simulated people who mark posts: each errs at known rates, and answers the demo's tasks through Label Studio's own API.

Belongs here: who they are, and what each marks in a post whose spans are known (`demo/posts`). Accounts and sending are those
of the people who judge chunks (`annotators.py`). An answer follows from person and post alone: a second turn adds nothing.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Annotated, Any, Final

from climate_assets.labelling.entity_labels import LABEL, NOTHING, TEXT, Label
from climate_assets.posts.spans import Span, without_overlaps
from demo.annotators import Accounts, Reply, Task, shifts
from demo.posts.written import WrittenPost, written_posts

if TYPE_CHECKING:
    from resources.label_studio import LabelStudio

_LABELS: Final = tuple(Label)


@dataclass(frozen=True, slots=True)
class Marker:
    """One simulated person who marks posts."""

    name: str
    overlooks: Annotated[float, "Share of spans that are not marked."]
    misplaces: Annotated[float, "Share of spans that are marked one character short."]
    confuses: Annotated[float, "Share of spans that are given another label."]
    seconds: Annotated[float, "Median time of an answer."]
    alone: Annotated[bool, "Is given tasks that nobody else answers."] = True


PEOPLE: Final = (
    Marker("solene", overlooks=0.01, misplaces=0.005, confuses=0.005, seconds=35),
    Marker("corentin", overlooks=0.015, misplaces=0.005, confuses=0.01, seconds=28),
    Marker("maelle", overlooks=0.02, misplaces=0.01, confuses=0.01, seconds=31),
)


def marked_by(person: Marker, post_id: str, spans: Sequence[Span]) -> list[Span]:
    """What the person marks of the spans that stand in a post; which ones go wrong the post decides, and no clock."""
    chance = Random(hashlib.sha256(f"{person.name}|{post_id}".encode()).digest())
    marked = []
    for span in spans:
        point, other = chance.random(), chance.choice([label for label in _LABELS if label is not span.label])
        if point < person.overlooks:
            continue
        if point < person.overlooks + person.misplaces and len(span) > 1:
            marked.append(Span(span.start, span.end - 1, span.label))
        elif point < person.overlooks + person.misplaces + person.confuses:
            marked.append(Span(span.start, span.end, other))
        else:
            marked.append(span)
    return marked


def reply_of(person: Marker, task: Task, spans: Sequence[Span]) -> Reply:
    """What the person sends for a task: marks, or the box that says that there is nothing to mark."""
    marked = marked_by(person, task.chunk_id, spans)
    time = Random(hashlib.sha256(f"time|{person.name}|{task.chunk_id}".encode()).digest())
    return Reply(task.number, list(_result(marked, task)), False, round(person.seconds * time.lognormvariate(0.0, 0.4), 1))


def _result(marked: Sequence[Span], task: Task) -> Iterator[dict[str, Any]]:
    to = {"to_name": TEXT, "origin": "manual"}
    for number, span in enumerate(marked):
        said = task.text[span.start : span.end]
        value = {"start": span.start, "end": span.end, "text": said, "labels": [span.label.value]}
        yield {"id": f"span{number}", "from_name": LABEL, "type": "labels", "value": value, **to}
    if not marked:
        yield {"id": NOTHING, "from_name": NOTHING, "type": "choices", "value": {"choices": [NOTHING]}, **to}


class PostNewsroom:
    """The people, at work in one project of Label Studio that asks about the written posts."""

    def __init__(self, label_studio: "LabelStudio", project_id: int, posts: Sequence[WrittenPost] = ()) -> None:
        """`posts`: those whose spans the people know; the shipped ones without."""
        self._label_studio, self._project = label_studio, project_id
        self._spans = {post.post_id: without_overlaps(post.spans) for post in posts or written_posts()}

    def answer_all(self, people: Sequence[Marker] = PEOPLE) -> Iterator[Reply]:
        """Answer whatever is open and each has not answered yet; each reply once it is sent."""
        from resources.label_studio_annotations import all_tasks

        accounts = Accounts(self._label_studio, [person.name for person in people])
        answered: set[tuple[int, int]] = set()
        tasks: list[Task] = []
        for task in all_tasks(self._label_studio, self._project):
            item = task["data"]["item"]
            if item["id"] in self._spans:
                tasks.append(Task(task["id"], item["id"], item["plaintext"], task["overlap"]))
                answered |= {(task["id"], answer["completed_by"]) for answer in task["annotations"]}
        for person, wanted in shifts(tasks, people):
            if (wanted.number, accounts.numbers[person.name]) not in answered:
                reply = reply_of(person, wanted, self._spans[wanted.chunk_id])
                accounts.send(reply, person.name)
                yield reply
