"""Posts as rows of a training set: what is written is what is learnt, and a post without a span teaches too."""

import pytest

from climate_assets.failures import Permanent
from climate_assets.learning.labelled_posts import LabelledPost, example_of, lessons_of, rehearsed
from climate_assets.learning.records import Split
from climate_assets.posts.records import GoldPost
from climate_assets.posts.vocabulary import FRENCH
from tests.posts import cases


def labelled() -> LabelledPost:
    post = cases.post()
    gold = GoldPost(post.post_id, post.lang, post.text, frozenset(cases.SPANS), "ecume/p0")
    return LabelledPost(gold, post.day, "all", 1.0)


def test_a_row_says_what_stands_and_a_lesson_says_it_in_the_models_names() -> None:
    row = example_of(labelled(), Split.TRAIN)
    assert (row.item_id, row.group_id, row.week, row.source, row.split) == ("ecume/p1", "ecume/p0", "2026-W47", "gold", "train")
    [lesson] = lessons_of([row], "fr", FRENCH)
    assert [(cases.TEXT[start:end], name) for start, end, name in lesson.entities] == [
        ("Maud Kerviel", "PER"),
        ("2,5 GW", "figure"),
        ("éolien en mer", "energy_source"),
        ("Brest", "LOC"),
    ]


def test_nothing_found_is_learnt_and_what_is_held_out_is_not() -> None:
    plain = rehearsed(cases.post("Il pleut."), [], "ecume/p1")
    held = example_of(labelled(), Split.TEST)
    assert (plain.label, plain.source) == ("[]", "rehearsed")
    assert [(lesson.text, lesson.entities) for lesson in lessons_of([plain, held], "fr", FRENCH)] == [("Il pleut.", ())]


@pytest.mark.parametrize("label", ["", "{}", '[{"start":0,"end":4,"label":"person","text":"Maud"}]', '[{"start":0}]'])
def test_a_row_whose_spans_are_not_its_texts_is_refused(label: str) -> None:
    row = example_of(labelled(), Split.TRAIN)
    broken = type(row)(**{**{name: getattr(row, name) for name in row.__dataclass_fields__}, "label": label})
    with pytest.raises(Permanent):
        lessons_of([broken], "fr", FRENCH)
