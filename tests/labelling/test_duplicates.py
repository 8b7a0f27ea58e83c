"""Groups of nearly equal texts: none missed, none joined by chance, the same for any order."""

import random
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.labelling.duplicates import Airing, group_of, near_duplicates

BEGIN = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
WORDS = [
    a + b for a in ("ka", "lo", "mi", "re", "su", "ti", "vo", "zé") for b in ("bar", "don", "fil", "gan", "pel", "ron", "tas")
]


def speech(seed: int, words: int = 120) -> str:
    dice = random.Random(seed)
    return " ".join(dice.choice(WORDS) for _ in range(words))


def changed(text: str, share: float, seed: int) -> str:
    dice = random.Random(seed)
    return " ".join(dice.choice(WORDS) if dice.random() < share else word for word in text.split(" "))


def airing(n: int, text: str) -> Airing:
    return Airing(f"borealie/canal-un/{n:04}", BEGIN + timedelta(minutes=2 * n), text)


def jaccard(one: str, other: str) -> float:
    a, b = ({tuple(words[i : i + 3]) for i in range(len(words) - 2)} for words in (one.split(" "), other.split(" ")))
    return len(a & b) / len(a | b)


def test_a_rerun_with_a_few_other_words_is_in_the_group_of_the_first() -> None:
    text = speech(1)
    rows = [airing(0, speech(2)), airing(1, text), airing(2, changed(text, 0.02, 5)), airing(3, speech(3))]
    assert group_of(near_duplicates(rows)) == {
        rows[0].item_id: rows[0].item_id,
        rows[1].item_id: rows[1].item_id,
        rows[2].item_id: rows[1].item_id,
        rows[3].item_id: rows[3].item_id,
    }


def test_case_accents_and_marks_make_no_difference() -> None:
    text = speech(1)
    rows = [airing(0, text), airing(1, text.upper().replace("É", "E").replace(" KA", ", KA"))]
    first, second = near_duplicates(rows)
    assert second.group_id == first.item_id
    assert second.similarity == 1.0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 5), st.randoms())
def test_groups_are_those_of_all_pairs_compared(seed: int, topics: int, dice) -> None:  # type: ignore[no-untyped-def]
    draw = random.Random(seed)
    sources = [speech(seed + t, 60) for t in range(topics)]
    rows = [airing(n, changed(draw.choice(sources), draw.choice([0, 0.02, 0.04, 0.08]), seed + n)) for n in range(18)]
    expected = {row.item_id: row.item_id for row in rows}
    for one, other in combinations(rows, 2):
        if jaccard(one.text, other.text) >= 0.8:
            low, high = sorted((expected[one.item_id], expected[other.item_id]))
            expected = {item: low if group == high else group for item, group in expected.items()}
    mixed = list(rows)
    dice.shuffle(mixed)
    assert group_of(near_duplicates(mixed)) == expected
    assert near_duplicates(mixed) == near_duplicates(rows)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_similarity_is_told_to_the_first_of_the_group(seed: int) -> None:
    text = speech(seed)
    rows = [airing(n, changed(text, 0.015, seed + n)) for n in range(5)]
    texts = {row.item_id: row.text for row in rows}
    for one in near_duplicates(rows):
        assert one.similarity == pytest.approx(jaccard(texts[one.item_id], texts[one.group_id]))


def test_a_chain_of_similar_texts_is_one_group() -> None:
    stream = speech(7, 130).split(" ")
    texts = [" ".join(stream[8 * k : 8 * k + 100]) for k in range(3)]
    assert jaccard(texts[0], texts[1]) >= 0.8 <= jaccard(texts[1], texts[2])
    assert jaccard(texts[0], texts[2]) < 0.8
    rows = near_duplicates([airing(n, text) for n, text in enumerate(texts)])
    assert {row.group_id for row in rows} == {"borealie/canal-un/0000"}
    assert rows[2].similarity < 0.8


def test_the_first_is_the_earliest_and_then_the_smallest_id() -> None:
    text = speech(1)
    rows = [Airing("b", BEGIN, text), Airing("a", BEGIN + timedelta(days=7), text), Airing("c", BEGIN, text)]
    assert set(group_of(near_duplicates(rows)).values()) == {"b"}


@pytest.mark.parametrize("text", ["", "merci", "merci " * 200, "sous titrage par une société", "… ! ?"])
def test_what_says_too_little_belongs_to_nobody(text: str) -> None:
    rows = near_duplicates([airing(n, text) for n in range(3)])
    assert [row.group_id for row in rows] == [row.item_id for row in rows]


def test_none_and_one_are_groups_too() -> None:
    assert near_duplicates([]) == []
    assert near_duplicates([airing(0, speech(1))])[0].group_id == "borealie/canal-un/0000"


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(Permanent, match="one item id"):
        near_duplicates([airing(0, "a"), airing(0, "b")])
    with pytest.raises(Permanent, match="20001 words"):
        near_duplicates([airing(0, "mot " * 20_001)])
    with pytest.raises(Permanent, match="not from"):
        near_duplicates([], similar=0.1)


def test_two_thousand_variants_of_one_text_are_one_group_beside_two_thousand_others() -> None:
    text = speech(1, 100)
    rows = [airing(n, changed(text, 0.01, n)) for n in range(2000)]
    rows += [airing(n, speech(n, 100)) for n in range(2000, 4000)]
    groups = group_of(near_duplicates(rows))
    assert sum(group == "borealie/canal-un/0000" for group in groups.values()) > 1950
    assert len(set(groups.values())) >= 2001
