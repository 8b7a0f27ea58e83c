"""A near-duplicate across the split is found whatever its group id says, and unrelated texts are not."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.learning.leakage import ALIKE, LEAST_RUNS, LONGEST, RUN, leaks, likeness, runs_of
from tests.learning.texts import heard_again, said

SIDES = ("train", "dev", "test")


@pytest.fixture
def world() -> tuple[dict[str, str], dict[str, str]]:
    chance = random.Random(7)
    texts = {f"i{n:03d}": said(chance, 200) for n in range(120)}
    return texts, {name: SIDES[n % 3] for n, name in enumerate(texts)}


def test_unrelated_texts_do_not_leak(world: tuple[dict[str, str], dict[str, str]]) -> None:
    assert leaks(*world) == []


@pytest.mark.parametrize(
    "planted",
    [
        lambda chance, text: text,
        lambda chance, text: text.upper().replace("É", "E"),
        lambda chance, text: heard_again(chance, text, 0.12),
        lambda chance, text: " ".join(text.split()[60:]) + " " + said(chance, 60),
        lambda chance, text: " ".join(text.split()[80:120]),
        lambda chance, text: said(chance, 400) + " " + text,
    ],
    ids=["copy", "spelling", "misheard", "shifted", "excerpt", "inside a longer one"],
)
def test_a_planted_near_duplicate_is_found(planted, world: tuple[dict[str, str], dict[str, str]]) -> None:  # type: ignore[no-untyped-def]
    texts, sides = world
    texts["planted"], sides["planted"] = planted(random.Random(1), texts["i003"]), "test"
    assert sides["i003"] == "train"
    [leak] = leaks(texts, sides)
    assert {leak.one, leak.other} == {"i003", "planted"}
    assert {leak.one_side, leak.other_side} == {"train", "test"}
    assert leak.why == "text"
    assert ALIKE <= leak.alike <= 1
    sides["planted"] = "train"
    assert leaks(texts, sides) == []


def test_one_group_on_two_sides_leaks_without_a_word_in_common(world: tuple[dict[str, str], dict[str, str]]) -> None:
    texts, sides = world
    found = leaks(texts, sides, {"i000": "g", "i001": "g", "i003": "g", "i004": "h"})
    assert [(leak.one, leak.other, leak.alike, leak.why) for leak in found] == [("i000", "i001", 1.0, "group")]


def test_a_large_family_of_copies_is_named_without_every_pair() -> None:
    chance = random.Random(2)
    text = said(chance, 100)
    texts = {f"c{n:03d}": heard_again(chance, text, 0.05) for n in range(300)}
    sides = {name: SIDES[n % 3] for n, name in enumerate(texts)}
    found = leaks(texts, sides)
    assert {name for leak in found for name in (leak.one, leak.other)} == set(texts)
    assert len(found) < 300 * 299 / 4


def compared_pairwise(texts: dict[str, str], sides: dict[str, str]) -> set[tuple[str, str]]:
    names = sorted(texts)
    return {
        (a, b)
        for i, a in enumerate(names)
        for b in names[i + 1 :]
        if sides[a] != sides[b] and likeness(runs_of(texts[a]), runs_of(texts[b])) >= ALIKE
    }


def composed(chance: random.Random, number: int) -> tuple[dict[str, str], dict[str, str]]:
    """Texts of one to four paragraphs, many of them stock."""
    stock = [said(chance, 25) for _ in range(5)]
    texts = {
        f"i{n:03d}": " ".join(chance.choice([*stock, said(chance, 25)]) for _ in range(chance.randrange(1, 5)))
        for n in range(number)
    }
    return texts, {name: chance.choice(SIDES) for name in texts}


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**9))
def test_it_finds_what_comparing_all_pairs_finds(seed: int) -> None:
    texts, sides = composed(random.Random(seed), 14)
    assert {(leak.one, leak.other) for leak in leaks(texts, sides)} == compared_pairwise(texts, sides)


@pytest.mark.parametrize("seed", range(8))
def test_among_many_alike_each_leaking_item_is_named(seed: int) -> None:
    texts, sides = composed(random.Random(seed), 120)
    pairs, found = compared_pairwise(texts, sides), {(leak.one, leak.other) for leak in leaks(texts, sides)}
    assert found <= pairs
    assert {name for pair in found for name in pair} == {name for pair in pairs for name in pair}


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ("", "", 0.0),
        ("", "il fait beau", 0.0),
        ("Il fait beau !", "il fait, béau", 1.0),
        ("il fait", "il fait beau demain matin", 0.0),
        ("un deux trois quatre cinq", "un deux trois quatre", 0.5),
        ("в этом году очень тепло", "в этом году очень холодно", 1 / 3),
    ],
)
def test_likeness_of_short_texts(one: str, other: str, share: float) -> None:
    assert likeness(runs_of(one), runs_of(other)) == pytest.approx(share)


def test_a_long_text_holds_a_short_one_whole() -> None:
    words = said(random.Random(3), 60).split()
    short = runs_of(" ".join(words[:20]))
    assert len(short) == 20 - RUN + 1 >= LEAST_RUNS
    assert likeness(short, runs_of(" ".join(words))) == 1.0


def test_what_cannot_be_compared_is_not_passed_over() -> None:
    with pytest.raises(Permanent, match="1 items have a side and no text, such as b"):
        leaks({"a": "x"}, {"a": "train", "b": "test"})
    with pytest.raises(Permanent, match=re.escape(f"more than {LONGEST}")):
        leaks({"a": "x " * LONGEST}, {"a": "train"})
    assert leaks({}, {}) == []
    assert leaks({"a": "un deux trois", "b": "un deux trois"}, {"a": "train", "b": "train"}) == []
    assert leaks({"a": "", "b": ""}, {"a": "train", "b": "test"}) == []
