"""The simulated newsroom: errors at the rates that are said, the same at each turn, and answers that the platform reads."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from climate_assets.claims.records import Category
from climate_assets.labelling.answers import Reading, answers_of_task
from climate_assets.labelling.labelling_config import labelling_config
from climate_assets.labelling.records import Annotation
from demo.annotators import PEOPLE, Newsroom, Person, Reply, Task, Truth, reply_of, shifts, truth_of
from demo.world import World
from resources.label_studio import LabelStudio
from resources.label_studio_annotations import all_tasks
from resources.label_studio_people import tell_people
from tests.label_studio_server import Running
from tests.labelling import cases

NOT_US = Category.NOT_US.value
CASE, CLEAN = Truth("unchallenged", NOT_US), Truth("none")
TASKS = [Task(n, f"france/canal-un/2026-11-16T06:{n % 60:02}:00Z#{n}", "mot " * 80) for n in range(3000)]


def said(reply: Reply) -> tuple[str, str]:
    fields = {one["from_name"]: one["value"] for one in reply.result}
    return fields["assessment"]["choices"][0], fields.get("category", {"choices": [""]})["choices"][0]


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_a_person_errs_as_often_as_is_said(person: Person) -> None:
    overlooked = Counter(said(reply_of(person, task, CASE))[0] for task in TASKS)["none"] / len(TASKS)
    suspected = 1 - Counter(said(reply_of(person, task, CLEAN))[0] for task in TASKS)["none"] / len(TASKS)
    skipped = sum(reply_of(person, task, CLEAN).skipped for task in TASKS) / len(TASKS)
    # Four standard errors of 3,000 draws at a half.
    for found, told in ((overlooked, person.overlooks), (suspected, person.suspects), (skipped, person.skips)):
        assert found == pytest.approx(told, abs=0.037)
    seconds = sorted(reply_of(person, task, CLEAN).seconds for task in TASKS)[len(TASKS) // 2]
    assert seconds == pytest.approx(person.seconds, rel=0.1)


def test_one_of_them_is_careless_and_the_others_are_not() -> None:
    careless = [person for person in PEOPLE if person.overlooks > 0.2]
    assert [person.name for person in careless] == ["gaspard"]
    assert len(PEOPLE) - len(careless) >= 3


def test_an_answer_is_the_same_at_each_turn_and_in_the_screens_own_words() -> None:
    for task in TASKS[:200]:
        first = reply_of(PEOPLE[0], task, CASE)
        assert first == reply_of(PEOPLE[0], task, CASE)
        raw = {"id": 1, "result": first.result, "completed_by": 2, "was_cancelled": first.skipped}
        raw |= {"created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:00:00Z", "task": task.number + 1}
        data = {"item": {"id": task.chunk_id, "plaintext": task.text, "country": "france"}}
        whole = {"id": task.number + 1, "project": 3, "data": data, "annotations": [raw]}
        [read] = answers_of_task(whole, Reading(3, "france", "api"))
        assert isinstance(read, Annotation), read
        assert first.skipped or (read.assessment, ",".join(read.categories)) == said(first)


def test_a_task_is_given_to_as_many_as_it_is_open_for_and_later_to_further_ones() -> None:
    before: list[tuple[Person, int]] = []
    for people in (1, 2, 3, 4, 5):
        tasks = [replace(task, people=people) for task in TASKS]
        given = [(person, task.number) for person, task in shifts(tasks, PEOPLE)]
        assert set(Counter(number for _, number in given).values()) == {min(people, len(PEOPLE))}
        assert len(set(given)) == len(given)
        assert set(before) <= set(given)
        assert given == [(person, task.number) for person, task in shifts(list(reversed(tasks)), PEOPLE)]
        before = given
    shares = Counter(person.name for person, _ in shifts(TASKS, PEOPLE))
    assert set(shares) == {person.name for person in PEOPLE if person.alone}, "a newcomer works beside others"
    assert min(shares.values()) / len(TASKS) == pytest.approx(1 / 3, abs=0.037)


def test_the_truth_of_a_chunk_is_what_was_planted_in_it() -> None:
    world = World()
    day = datetime(2026, 11, 16, 5, tzinfo=UTC)
    truths = Counter()
    for n in range(0, 24 * 30):
        start = day + timedelta(minutes=2 * n)
        truth = truth_of(f"france/canal-un/{start:%Y-%m-%dT%H:%M:%SZ}", world)
        truths[truth.assessment] += 1
        planted = {p.kind for p in world.truth("canal-un", start, start + timedelta(minutes=2))}
        assert (
            truth.assessment == "none"
            or {"unchallenged": "misinformation", "challenged": "rebutted"}[truth.assessment] in planted
        )
        assert bool(truth.category) == (truth.assessment != "none")
    assert truths["unchallenged"] >= 5
    assert truths["challenged"] >= 3
    assert truths["none"] > 600


def test_the_newsroom_answers_everything_once(label_studio_server: Running) -> None:
    label_studio = LabelStudio(url=label_studio_server.url, api_key=label_studio_server.token)
    project = label_studio.ensure_project("Boréalie, newsroom", labelling_config(), "demo").project_id
    label_studio.push(project, [cases.task(minute=2 * n) for n in range(12)])
    newsroom = Newsroom(label_studio, project, World())
    sent = list(newsroom.answer_all())
    assert len(sent) == 12
    assert list(newsroom.answer_all()) == []
    first = next(all_tasks(label_studio, project))
    assert tell_people(label_studio, first["id"], 3)
    assert [reply.task for reply in newsroom.answer_all()] == [first["id"]] * 2
    reading = Reading(project, "borealie", "api")
    read = [answer for task in all_tasks(label_studio, project) for answer in answers_of_task(task, reading)]
    assert all(isinstance(answer, Annotation) for answer in read)
    assert len({answer.annotator for answer in read if isinstance(answer, Annotation)}) >= 3
