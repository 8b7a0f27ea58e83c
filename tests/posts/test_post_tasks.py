"""A task says whose post it is and marks what the model found, to the character, whatever the letters."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given

from climate_assets.failures import Permanent
from climate_assets.labelling.answer_screens import NER
from climate_assets.labelling.answers import Reading, answers_of_export, answers_of_task
from climate_assets.labelling.records import Annotation
from climate_assets.posts.post_tasks import Prediction, post_key, post_task, prefix_of, shown_post
from climate_assets.posts.spans import Span
from climate_assets.posts.vocabulary import Label
from tests.posts.cases import SPANS, TEXT, entity, post
from tests.posts.test_spans import marked


def test_the_contract() -> None:
    of = post()
    task = post_task(of, Prediction("ner-2", 0.83, [entity(of, s) for s in reversed(SPANS)]), "g1", 0.25)
    assert set(task) == {"data", "annotations", "predictions"}
    item = task["data"]["item"]
    assert (item["id"], item["plaintext"], item["lang"], item["channel"]) == ("ecume/p1", TEXT, "fr", "ecume")
    assert (item["start"], item["guideline"], item["task_kind"]) == ("2026-11-20T18:04:00Z", "g1", "ner")
    assert (item["text_sha256"], item["country"], item["pipeline_version"]) == (of.content_sha256, "borealie", "ner-2")
    assert (task["data"]["channel"], task["data"]["aired"], task["data"]["priority"]) == ("ecume", "2026-11-20 18:04", 0.25)
    (prediction,) = task["predictions"]
    assert (prediction["model_version"], prediction["score"]) == ("ner-2", 0.83)
    first = prediction["result"][0]
    assert first["value"] == {"start": 2, "end": 14, "text": "Maud Kerviel", "labels": ["person"]}
    assert (first["from_name"], first["to_name"], first["type"]) == ("label", "text", "labels")
    assert len({r["id"] for r in prediction["result"]}) == 4


def test_the_same_post_gives_the_same_bytes() -> None:
    of = post()
    made = [
        json.dumps(post_task(of, Prediction("ner-2", 0.5, [entity(of, s) for s in order]), "g"))
        for order in (SPANS, SPANS[::-1])
    ]
    assert made[0] == made[1]


def test_a_blind_task_has_no_prediction_and_an_empty_one_is_an_answer() -> None:
    blind = post_task(post(), None, "g")
    assert (blind["predictions"], blind["data"]["item"]["pipeline_version"]) == ([], "")
    assert post_task(post(), Prediction("ner-2", 0.9, []), "g")["predictions"][0]["result"] == []


def test_a_text_has_one_key_under_a_prefix_of_the_posts() -> None:
    assert post_key(post()) == post_key(post(post_id="ecume/p2")) != post_key(post("autre texte"))
    assert post_key(post()).startswith(prefix_of("borealie"))
    assert not prefix_of("borealie").startswith("country=")


def test_who_wrote_it_and_where_is_not_told() -> None:
    said = json.dumps(post_task(post(author="abcdef" * 5), None, "g"))
    assert "abcdef" not in said
    assert "://" not in said


def test_an_address_keeps_its_length_and_is_not_resolved() -> None:
    text = "lire s3://coffre/clef et https://x.example 🌊 Brest"
    assert len(shown_post(text)) == len(text)
    assert "://" not in shown_post(text)
    of = post(text)
    made = post_task(of, Prediction("m", 1, [entity(of, Span(45, 50, Label.PLACE), "m")]), "g")
    value = made["predictions"][0]["result"][0]["value"]
    assert (value["text"], made["data"]["item"]["plaintext"][45:50]) == ("Brest", "Brest")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"post_id": "ecume/p2"}, "another text"),
        ({"text_sha256": "0" * 64}, "another text"),
        ({"model_version": "ner-1"}, "under ner-2"),
        ({"text": "Maud"}, "where the post says 'Maud Kerviel'"),
        ({"label": "PER"}, "none of person"),
        ({"end": 99}, "does not lie"),
    ],
)
def test_an_entity_that_does_not_belong_is_refused(changes: dict[str, object], why: str) -> None:
    of = post()
    wrong = dataclasses.replace(entity(of, SPANS[0]), **changes)  # type: ignore[arg-type]
    with pytest.raises(Permanent, match=why):
        post_task(of, Prediction("ner-2", 0.5, [wrong]), "g")


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan")])
def test_a_score_is_a_confidence(score: float) -> None:
    with pytest.raises(Permanent, match="no confidence"):
        post_task(post(), Prediction("ner-2", score, []), "g")


def test_a_span_has_its_score_where_the_model_gives_one() -> None:
    of = post()
    made = post_task(of, Prediction("ner-2", None, [entity(of, SPANS[0], score=0.75), entity(of, SPANS[1])]), "g")
    assert [r.get("score") for r in made["predictions"][0]["result"]] == [0.75, None]
    assert "score" not in made["predictions"][0]


def answered(task: dict[str, Any], result: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """One answer in both shapes: a task with its answers, and an answer with its task inside."""
    when = {"created_at": "2026-11-21T09:00:00Z", "updated_at": "2026-11-21T09:30:00Z"}
    answer = {"id": 9, "completed_by": 2, "was_cancelled": False, "result": result, **when}
    return {**task, "id": 4, "annotations": [answer]}, {**answer, "task": {**task, "id": 4}}


READING = Reading(7, "borealie", "file", NER)


@given(marked())
def test_every_region_is_its_slice_and_comes_back_in_both_shapes(case: tuple[str, list[Span]]) -> None:
    text, spans = case
    of = post(text)
    task = post_task(of, Prediction("ner-2", 0.5, [entity(of, span) for span in spans]), "g")
    shown = task["data"]["item"]["plaintext"]
    result = task["predictions"][0]["result"]
    for region in result:
        value = region["value"]
        assert shown[value["start"] : value["end"]] == value["text"]
    full, stored = answered(task, result)
    [one], [other] = answers_of_task(full, READING), answers_of_export(stored, READING)
    assert one == other
    assert isinstance(one, Annotation), one
    told = json.loads(one.spans)
    assert all(shown[span["start"] : span["end"]] == span["text"] for span in told)
    assert {(s["start"], s["end"], s["label"]) for s in told} == {(s.start, s.end, s.label.value) for s in spans}
    assert (one.item_id, one.task_kind, one.guideline) == ("ecume/p1", "ner", "g")
