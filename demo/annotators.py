"""Simulated fact-checkers: people who err at known rates answer the demo's tasks through Label Studio's own API.

Belongs here: who they are, what each answers to what is true, and sending it. What is true is the world's (`world.py`); nothing
here is read by the platform, which sees their answers as it sees anybody's. An answer follows from person and chunk alone, so
that a second turn finds everything answered and adds nothing.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Annotated, Any, Final, Protocol, TypeVar

from climate_assets.broadcast.records import CHUNK_SECONDS
from climate_assets.claims.records import Category
from climate_assets.labelling.labelling_config import CATEGORY, SOURCE_TEXT, SPANS
from demo.world import World

if TYPE_CHECKING:
    from resources.label_studio import LabelStudio

NONE: Final = "none"


class _Works(Protocol):
    @property
    def alone(self) -> bool: ...


Anybody = TypeVar("Anybody", bound=_Works)
# A statement of which less than this lies in a chunk cannot be judged from it.
_LEAST: Final = timedelta(seconds=4)
_CLAIMS: Final = tuple(category.value for category in Category if category is not Category.NONE)


@dataclass(frozen=True, slots=True)
class Person:
    """One simulated fact-checker."""

    name: str
    overlooks: Annotated[float, "Share of cases that are called none."]
    suspects: Annotated[float, "Share of clean chunks that are called a case."]
    confuses: Annotated[float, "Share of cases whose category, or whether they are challenged, is another."]
    skips: Annotated[float, "Share of tasks that are skipped."]
    seconds: Annotated[float, "Median time of an answer."]
    alone: Annotated[bool, "Is given tasks that nobody else answers; a newcomer is not."] = True


PEOPLE: Final = (
    Person("ines", overlooks=0.03, suspects=0.01, confuses=0.05, skips=0.01, seconds=55),
    Person("baptiste", overlooks=0.08, suspects=0.02, confuses=0.10, skips=0.03, seconds=40),
    Person("oriane", overlooks=0.05, suspects=0.05, confuses=0.08, skips=0.02, seconds=48),
    # Clicks through: wrong about every third time, and too fast to have read.
    Person("gaspard", overlooks=0.35, suspects=0.30, confuses=0.45, skips=0.0, seconds=5, alone=False),
)


@dataclass(frozen=True, slots=True)
class Truth:
    """What a careful person who knows everything would answer."""

    assessment: Annotated[str, "`unchallenged`, `challenged` or `none`."]
    category: Annotated[str, "What is claimed; empty for `none`."] = ""
    said: Annotated[str, "The words that claim it, as scripted; empty for `none`."] = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A task as Label Studio has it: its number, and what it asks about."""

    number: int
    chunk_id: str
    text: str
    people: Annotated[int, "People for whom it is open, those who answered it included."] = 1


@dataclass(frozen=True, slots=True)
class Reply:
    """What one person sends for one task."""

    task: int
    result: list[dict[str, Any]]
    skipped: bool
    seconds: float


def truth_of(chunk_id: str, world: World) -> Truth:
    """What is true of a chunk: the longest statement planted in it."""
    _, channel, begun = chunk_id.split("/")
    start = datetime.fromisoformat(begun)
    end = start + timedelta(seconds=CHUNK_SECONDS)
    planted = [
        (min(p.end, end) - max(p.start, start), p.kind, p.label, p.text)
        for p in world.truth(channel, start, end)
        if p.kind in ("misinformation", "rebutted")
    ]
    if not planted or max(planted)[0] < _LEAST:
        return Truth(NONE)
    # What nobody contradicts weighs more than what somebody does, wherever both are in one chunk.
    kinds = {kind for length, kind, *_ in planted if length >= _LEAST}
    assessment = "unchallenged" if "misinformation" in kinds else "challenged"
    wanted = "misinformation" if assessment == "unchallenged" else "rebutted"
    _, _, category, said = max(entry for entry in planted if entry[1] == wanted)
    return Truth(assessment, category, said)


def reply_of(person: Person, task: Task, truth: Truth) -> Reply:
    """What the person sends: the truth, but for their errors, which the chunk decides and no clock."""
    chance = Random(hashlib.sha256(f"{person.name}|{task.chunk_id}".encode()).digest())
    skipped = chance.random() < person.skips
    seconds = round(person.seconds * chance.lognormvariate(0.0, 0.4), 1)
    assessment, category = truth.assessment, truth.category
    errs, confuses, other = chance.random(), chance.random(), chance.choice(_CLAIMS)
    if assessment == NONE and errs < person.suspects:
        assessment, category = "unchallenged", other
    elif assessment != NONE and errs < person.overlooks:
        assessment, category = NONE, ""
    elif assessment != NONE and confuses < person.confuses / 2:
        category = other
    elif assessment != NONE and confuses < person.confuses:
        assessment = "challenged" if assessment == "unchallenged" else "unchallenged"
    return Reply(task.number, list(_result(assessment, category, truth.said, task)), skipped, seconds)


def _result(assessment: str, category: str, said: str, task: Task) -> Iterator[dict[str, Any]]:
    to = {"to_name": SOURCE_TEXT, "origin": "manual"}
    yield {"id": "assessment", "from_name": "assessment", "type": "choices", "value": {"choices": [assessment]}, **to}
    if category:
        yield {"id": "category", "from_name": CATEGORY, "type": "choices", "value": {"choices": [category]}, **to}
        start, end = _where(said, task.text)
        value = {"start": start, "end": end, "text": task.text[start:end], "labels": ["misinformation"]}
        yield {"id": "span", "from_name": SPANS, "type": "labels", "value": value, **to}


def _where(said: str, text: str) -> tuple[int, int]:
    """Where a person marks a claim: the words that are most like the scripted ones, whole; who errs marks the first words."""
    from rapidfuzz.fuzz import partial_ratio_alignment

    found = partial_ratio_alignment(said.lower(), text.lower()) if said else None
    start, end = (found.dest_start, found.dest_end) if found and found.dest_end > found.dest_start else (0, min(40, len(text)))
    first, last = text.rfind(" ", 0, start + 1) + 1, text.find(" ", end)
    return first, last if last >= 0 else len(text)


def shifts(tasks: Sequence[Task], people: Sequence[Anybody]) -> Iterator[tuple[Anybody, Task]]:
    """Who is given which task, all people at most; newcomers work beside others.

    A task that is opened for more people later is given to the same ones and to further ones.
    """
    for task in sorted(tasks, key=lambda task: task.chunk_id):
        given = list(people)
        Random(hashlib.sha256(f"shift|{task.chunk_id}".encode()).digest()).shuffle(given)
        first = next(person for person in given if person.alone)
        given = [first, *(person for person in given if person is not first)]
        for person in given[: task.people]:
            yield person, task


class Accounts:
    """Accounts of simulated people in Label Studio, made if they have none, and what they send."""

    def __init__(self, label_studio: "LabelStudio", names: Iterable[str]) -> None:
        self._label_studio = label_studio
        self.numbers: dict[str, int] = {}
        with label_studio.asking("accounts of the simulated people") as client:
            known = {user.email: user.id for user in client.users.list()}
            for name in names:
                address = f"{name}@newsroom.example"
                made = known.get(address) or client.users.create(email=address, username=name).id
                self.numbers[name] = int(made or 0)

    def send(self, reply: Reply, name: str) -> None:
        """Send what somebody says of a task."""
        with self._label_studio.asking(f"task {reply.task}") as client:
            client.annotations.create(
                id=reply.task,
                result=reply.result,
                was_cancelled=reply.skipped,
                lead_time=reply.seconds,
                completed_by=self.numbers[name],
                request_options={"max_retries": 0},
            )


class Newsroom:
    """The people, at work in one project of Label Studio."""

    def __init__(self, label_studio: "LabelStudio", project_id: int, world: World) -> None:
        """`world`: what is true of the chunks that the project asks about."""
        self._label_studio, self._project, self._world = label_studio, project_id, world

    def answer_all(self, people: Sequence[Person] = PEOPLE) -> Iterator[Reply]:
        """Answer whatever is open and each person has not answered yet; each reply once it is sent."""
        from resources.label_studio_annotations import all_tasks

        accounts = Accounts(self._label_studio, [person.name for person in people])
        answered: set[tuple[int, int]] = set()
        tasks: list[Task] = []
        for task in all_tasks(self._label_studio, self._project):
            item = task["data"]["item"]
            tasks.append(Task(task["id"], item["id"], item["plaintext"], task["overlap"]))
            answered |= {(task["id"], answer["completed_by"]) for answer in task["annotations"]}
        for person, wanted in shifts(tasks, people):
            if (wanted.number, accounts.numbers[person.name]) not in answered:
                reply = reply_of(person, wanted, truth_of(wanted.chunk_id, self._world))
                accounts.send(reply, person.name)
                yield reply
