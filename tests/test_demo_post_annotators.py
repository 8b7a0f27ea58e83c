"""Simulated people who mark posts: errors at the rates that are said, the same at each turn, and answers that are read."""

from collections import Counter

import pytest

from climate_assets.labelling.answer_screens import NER
from climate_assets.labelling.answers import Reading, answers_of_task
from climate_assets.labelling.records import Annotation
from climate_assets.labelling.span_gold import marks_of
from climate_assets.posts.spans import Span
from climate_assets.posts.vocabulary import Label
from demo.annotators import Task
from demo.post_annotators import PEOPLE, Marker, marked_by, reply_of
from demo.posts.written import written_posts

SPANS = [Span(10 * n, 10 * n + 5, Label.FIGURE) for n in range(20)]


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_a_person_errs_as_often_as_is_said(person: Marker) -> None:
    counted = Counter[str]()
    for post in range(500):
        marked = marked_by(person, f"ecume/{post}", SPANS)
        counted["short"] += sum(len(span) == 4 for span in marked)
        counted["other"] += sum(span.label is not Label.FIGURE for span in marked)
        counted["gone"] += len(SPANS) - len(marked)
    for name, rate in (("short", person.misplaces), ("other", person.confuses), ("gone", person.overlooks)):
        # Four standard errors of 10,000 draws at 1.5 %.
        assert counted[name] / 10_000 == pytest.approx(rate, abs=0.005)


def test_an_answer_is_the_same_at_each_turn_and_the_platform_reads_it() -> None:
    person = PEOPLE[0]
    for number, post in enumerate(written_posts()):
        task = Task(number + 1, post.post_id, post.text)
        reply = reply_of(person, task, sorted(post.spans))
        assert reply == reply_of(person, task, sorted(post.spans))
        raw = {"id": 1, "result": reply.result, "completed_by": 2, "was_cancelled": reply.skipped, "task": task.number}
        raw |= {"created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:00:00Z"}
        item = {"id": post.post_id, "plaintext": post.text, "country": "france", "task_kind": "ner"}
        whole = {"id": task.number, "project": 3, "data": {"item": item}, "annotations": [raw]}
        [read] = answers_of_task(whole, Reading(3, "france", "api", NER))
        assert isinstance(read, Annotation), read
        marks = marks_of(read)
        assert marks is not None, "nothing to mark is said, not left open"
        assert {(mark.start, mark.end, mark.label) for mark in marks} == {
            (span.start, span.end, span.label) for span in marked_by(person, post.post_id, sorted(post.spans))
        }
