"""The screen of posts: the vocabulary, all of it and nothing else, every hotkey once, texts bound to a tag that shows text."""

from xml.etree import ElementTree as ET

from climate_assets.labelling.answer_screens import NER
from climate_assets.labelling.entity_labels import LABEL, NOTHING, TEXT
from climate_assets.posts.post_screen import GUIDELINE, post_labelling_config
from climate_assets.posts.post_tasks import Prediction, post_task
from climate_assets.posts.vocabulary import Label
from tests.posts.cases import SPANS, entity, post

ROOT = ET.fromstring(post_labelling_config())


def test_the_labels_are_the_vocabulary() -> None:
    assert [tag.get("alias") for tag in ROOT.iter("Label")] == [label.value for label in Label]


def test_every_hotkey_and_every_title_is_used_once() -> None:
    tags = [*ROOT.iter("Label"), *ROOT.iter("Choice")]
    for name in ("hotkey", "value", "alias"):
        assert len({tag.get(name) for tag in tags}) == len(tags)


def test_what_the_screen_shows_is_in_the_task() -> None:
    item = post_task(post(), None, "g1")["data"]["item"]
    bound = {tag.get("value", "")[1:] for tag in ROOT.iter() if tag.get("value", "").startswith("$")}
    assert bound <= {f"item.{name}" for name in item}
    assert "item.plaintext" in bound


def test_answers_are_read_by_the_fields_and_labels_of_the_screen() -> None:
    labels, choices = next(ROOT.iter("Labels")), next(ROOT.iter("Choices"))
    assert {labels.get("name"): {tag.get("alias") for tag in labels}} == {name: set(of) for name, of in NER.spans.items()}
    assert {choices.get("name"): {tag.get("alias") for tag in choices}} == {n: set(of) for n, of in NER.choices.items()}
    assert NER.unmarked in NER.choices


def test_regions_name_tags_of_the_screen() -> None:
    of = post()
    result = post_task(of, Prediction("ner-2", 0.5, [entity(of, span) for span in SPANS]), "g1")["predictions"][0]["result"]
    labels = next(ROOT.iter("Labels"))
    assert {(r["from_name"], r["to_name"], r["type"]) for r in result} == {(labels.get("name"), labels.get("toName"), "labels")}
    assert {tag.get("name") for tag in ROOT.iter() if tag.get("name")} == {LABEL, NOTHING, TEXT}


def test_nothing_but_text_is_rendered() -> None:
    assert {tag.tag for tag in ROOT.iter()} == {"View", "Header", "Labels", "Label", "Text", "Choices", "Choice"}
    assert next(ROOT.iter("Text")).get("valueType") == "text"
    assert "<" not in GUIDELINE
