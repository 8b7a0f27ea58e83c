"""The quote found again in what was heard: the same words, or the stretch most alike, or not at all, with the reason."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.speech.fusion import SpokenWord
from climate_assets.speech.relocation import ALIKE_FAR, ALIKE_NEAR, relocated

SAID = (
    "bonjour et bienvenue dans notre journal nous parlons ce matin du prix de l'essence et des vacances à la neige "
    "notre invité affirme que le climat a toujours changé et que l'homme n'y est pour rien "
    "il ajoute que les modèles se trompent depuis trente ans sans que personne ne le dise "
    "la maire de la ville répond que la rivière déborde chaque hiver et que les digues coûtent cher "
    "on écoute maintenant la météo avec du vent sur les côtes et un ciel couvert dans le nord du pays "
    "les agriculteurs demandent une aide pour acheter des machines neuves et réparer les clôtures du village"
)
TALK = SAID.split()
QUOTE = "le climat a toujours changé et que l'homme n'y est pour rien"


def spoken(words: list[str], step: float = 0.5, speaker: str = "SPEAKER_00") -> list[SpokenWord]:
    return [SpokenWord(n * step, (n + 1) * step, word, 0, speaker) for n, word in enumerate(words)]


def corrupted(words: list[str], rate: float, seed: int) -> list[str]:
    """Words as a poor recogniser hears them: replaced, left out, doubled or split at the given rate."""
    chance = random.Random(seed)
    heard: list[str] = []
    for word in words:
        if chance.random() >= rate:
            heard.append(word)
            continue
        kind = chance.choice(["replace", "replace", "drop", "letters", "add"])
        if kind == "replace":
            heard.append(chance.choice(TALK))
        elif kind == "letters":
            heard.append("".join(c for c in word if chance.random() > 0.3) or "a")
        elif kind == "add":
            heard += [word, chance.choice(TALK)]
    return heard


AT = TALK.index("climat") - 1


@pytest.mark.parametrize(
    "quote",
    [
        QUOTE,
        QUOTE.upper(),
        "Le climat a toujours changé, et que l’homme n’y est pour rien !",
        "« le climat a toujours change »",
    ],
)
def test_the_same_words_are_found_whatever_their_case_accents_and_marks(quote: str) -> None:
    found = relocated(quote, None, spoken(TALK))
    assert (found.start, found.likeness, found.reason) == (AT / 2, 1.0, "")
    assert found.heard.startswith("le climat a toujours")


def test_numbers_and_cut_words_are_the_same_words() -> None:
    words = spoken(["il", "faut", "2", "000", "ans", "et", "20", "pour", "cent", "de", "l'eau", "peut", "être"])
    found = relocated("2000 ans et 20 % de l' eau peut-être", None, words)
    assert (found.start, found.end, found.likeness) == (1.0, 6.5, 1.0)


def test_of_several_places_the_nearest_to_the_expected_second_is_taken() -> None:
    words = spoken(TALK + TALK + TALK)
    length = len(TALK) / 2
    for expected, place in ((None, 0), (0.0, 0), (length + 5, 1), (3 * length, 2)):
        assert relocated(QUOTE, expected, words).start == AT / 2 + place * length


def test_who_says_most_of_it_is_its_speaker() -> None:
    words = spoken(TALK)
    words = [SpokenWord(w.start, w.end, w.text, 0, "SPEAKER_01" if n < AT + 4 else "SPEAKER_02") for n, w in enumerate(words)]
    assert relocated(QUOTE, None, words).speaker == "SPEAKER_02"


@pytest.mark.parametrize("seed", range(25))
def test_a_quote_heard_with_a_third_of_its_words_wrong_is_found_within_two_words(seed: int) -> None:
    length = len(QUOTE.split())
    before = corrupted(TALK[:AT], 0.3, seed)
    heard = corrupted(TALK[AT : AT + length], 0.3, seed + 1000)
    words = spoken([*before, *heard, *corrupted(TALK[AT + length :], 0.3, seed + 2000)])
    found = relocated(QUOTE, len(before) / 2 + 4.0, words)
    assert found.start is not None
    assert found.end is not None
    assert abs(found.start - len(before) / 2) <= 1.5
    assert abs(found.end - (len(before) + len(heard)) / 2) <= 1.5
    assert found.likeness >= ALIKE_NEAR


@pytest.mark.parametrize("seed", range(25))
def test_a_quote_that_was_not_heard_is_not_found(seed: int) -> None:
    rest = TALK[:AT] + TALK[AT + len(QUOTE.split()) :]
    random.Random(seed).shuffle(rest)
    found = relocated(QUOTE, 10.0, spoken(rest))
    assert (found.start, found.end, found.heard, found.speaker) == (None, None, "", "")
    assert "alike by" in found.reason
    assert found.likeness < ALIKE_NEAR - 0.05


def test_far_from_the_expected_second_more_likeness_is_asked() -> None:
    like = "le climat a bougé souvent que l'on n'y est tout bien"
    words = spoken([*TALK[:AT], *like.split(" "), *TALK[AT + 12 :]])
    near = relocated(QUOTE, AT / 2, words)
    assert near.start is not None
    assert ALIKE_NEAR <= near.likeness < ALIKE_FAR
    for expected in (None, AT / 2 + 40):
        far = relocated(QUOTE, expected, words)
        assert far.start is None
        assert f"{ALIKE_FAR:.0%}" in far.reason


@pytest.mark.parametrize(
    ("quote", "expected", "words", "reason"),
    [
        ("", 1.0, TALK, "no quote"),
        ("  ", 1.0, TALK, "no quote"),
        ("... !", 1.0, TALK, "holds no words"),
        (QUOTE, 1.0, [], "nothing that is believed"),
        (QUOTE, 1.0, ["...", "♪"], "nothing that is believed"),
        ("le prix", None, TALK, "only taken word by word"),
        ("le prix", 200.0, TALK, "only taken word by word"),
        ("mot " * 1_001, 1.0, TALK, "are not looked for"),
    ],
)
def test_why_it_is_not_found(quote: str, expected: float | None, words: list[str], reason: str) -> None:
    found = relocated(quote, expected, spoken(words))
    assert found.start is None
    assert reason in found.reason


def test_a_short_quote_is_found_near_its_second() -> None:
    assert relocated("du prix", 6.0, spoken(TALK)).start == TALK.index("du") / 2


def test_a_long_quote_in_ten_thousand_words() -> None:
    words = spoken((TALK * 110)[:10_000])
    found = relocated(" ".join(corrupted(TALK, 0.1, 3)), 2_500.0, words)
    assert found.start is not None
    assert abs(found.start - 2_500) <= len(TALK) / 2


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(TALK), min_size=3, max_size=40), st.data())
def test_any_stretch_of_what_was_heard_is_found_as_it_is(words: list[str], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(words) - 3))
    last = data.draw(st.integers(first + 3, len(words)))
    heard = spoken(words)
    found = relocated(" ".join(words[first:last]), heard[first].start, heard)
    assert (found.start, found.end, found.likeness) == (heard[first].start, heard[last - 1].end, 1.0)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80), st.one_of(st.none(), st.floats(-10, 100)), st.lists(st.text(min_size=1, max_size=8), max_size=25))
def test_any_quote_and_words_give_a_place_or_a_reason(quote: str, expected: float | None, words: list[str]) -> None:
    found = relocated(quote, expected, spoken(words))
    assert (found.start is None) == (found.end is None) == bool(found.reason)
    assert found.start is None or (found.end is not None and 0 <= found.start <= found.end and found.heard)
