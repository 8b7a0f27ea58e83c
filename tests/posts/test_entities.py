"""What a model says becomes rows that are their text, in our labels, each once."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.posts.entities import entities_of
from climate_assets.posts.spans import MOST_SPANS
from climate_assets.posts.vocabulary import ENGLISH, FRENCH
from tests.posts.cases import TEXT, post
from tests.posts.test_spans import texts


@dataclass(frozen=True)
class Hit:
    start: int
    end: int
    label: str
    score: float | None = None


def test_labels_are_ours_and_names_without_counterpart_are_left_out() -> None:
    found = [Hit(45, 50, "LOC", 0.5), Hit(2, 14, "PER", 0.75), Hit(20, 26, "MISC"), Hit(29, 42, "energy_source")]
    made = entities_of(post(), "m-1", found, FRENCH)
    assert [(e.start, e.end, e.label, e.text, e.score) for e in made] == [
        (2, 14, "person", "Maud Kerviel", 0.75),
        (29, 42, "energy_source", "éolien en mer", None),
        (45, 50, "place", "Brest", 0.5),
    ]
    assert {(e.post_id, e.model_version, e.text_sha256) for e in made} == {("ecume/p1", "m-1", post().content_sha256)}


def test_white_space_is_no_part_of_a_name_and_one_place_is_one_entity() -> None:
    made = entities_of(post(), "m-1", [Hit(1, 15, "PER"), Hit(2, 14, "PER"), Hit(1, 2, "PER"), Hit(2, 14, "person")], FRENCH)
    assert [(e.start, e.end) for e in made] == [(2, 14)]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ([Hit(2, 14, "GADGET")], "label 'GADGET' is not in the vocabulary"),
        ([Hit(2, 14, "GPE")], "label 'GPE' is not in the vocabulary"),
        ([Hit(2, len(TEXT) + 1, "PER")], "does not lie in its text"),
        ([Hit(-1, 3, "PER")], "does not lie in its text"),
        ([Hit(5, 5, "PER")], "does not lie in its text"),
    ],
)
def test_what_a_model_cannot_mean_is_refused(found: list[Hit], why: str) -> None:
    with pytest.raises(Permanent, match=why):
        entities_of(post(), "m-1", found, FRENCH)


def test_more_entities_than_a_post_has_are_refused() -> None:
    long = post("a" * (MOST_SPANS + 1))
    hits = [Hit(n, n + 1, "PER") for n in range(MOST_SPANS + 1)]
    assert len(entities_of(long, "m-1", hits[:-1], FRENCH)) == MOST_SPANS
    with pytest.raises(Permanent, match="501 entities in ecume/p1, beyond 500"):
        entities_of(long, "m-1", hits, FRENCH)


@given(texts, st.lists(st.tuples(st.integers(0, 45), st.integers(0, 45), st.sampled_from([*ENGLISH, "study_or_source"]))))
def test_an_entity_is_its_text_whatever_the_letters(text: str, hits: list[tuple[int, int, str]]) -> None:
    of = post(text)
    found = [Hit(a, b, name) for a, b, name in hits if a < b <= len(text)]
    made = entities_of(of, "m-1", found, ENGLISH)
    assert all(of.text[e.start : e.end] == e.text == e.text.strip() != "" for e in made)
    assert len({(e.start, e.end, e.label) for e in made}) == len(made)
    assert made == entities_of(of, "m-1", found[::-1], ENGLISH)
