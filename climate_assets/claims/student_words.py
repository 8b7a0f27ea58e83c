"""What the student sees of a text: folded words in stretches between barriers, and the n-grams of each word.

Belongs here: how a text becomes words and a word becomes features. Does not belong here: what a feature weighs
(`student_heads.py`). Any change of what comes out needs a new `RULES` in `student_training.py`.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from climate_assets.broadcast.cleaning import BARRIER
from climate_assets.broadcast.folding import folded

LONGEST_WORD: Final = 30
"""Letters of a word that are looked at; recognisers write no longer ones, hostile texts do."""
_CHARACTERS: Final = (3, 4, 5)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words that were said one after the other, no barrier between them."""

    words: tuple[str, ...]
    """Folded words: plain letters, no accents, no marks at the ends. Negations and other small words all stay."""
    places: tuple[int, ...]
    """Index of each word among the whitespace-separated words of the text; what folds to nothing is left out."""


def stretches(text: str) -> list[Stretch]:
    """The stretches of a text, in order. A word with a barrier sign in it is a barrier."""
    found: list[Stretch] = []
    open_words: list[str] = []
    open_places: list[int] = []
    spoken = text.split()
    forms = folded(" ".join(spoken)).decode("ascii")[1:-1].split(" ")
    for place, (word, form) in enumerate(zip(spoken, forms, strict=True) if spoken else ()):
        if BARRIER in word:
            found.append(Stretch(tuple(open_words), tuple(open_places)))
            open_words, open_places = [], []
        elif said := bare(form):
            open_words.append(said)
            open_places.append(place)
    found.append(Stretch(tuple(open_words), tuple(open_places)))
    return [stretch for stretch in found if stretch.words]


def bare(form: str) -> str:
    """The word in one folded token, without marks at its ends; empty if it holds none."""
    return form.strip(".'-%&")[:LONGEST_WORD]


def word_features(word: str) -> list[str]:
    """The word itself and its character 3- to 5-grams, which share stems and survive a wrong ending."""
    padded = f" {word} "
    return [f"w {word}", *(f"c{padded[i : i + n]}" for n in _CHARACTERS for i in range(len(padded) - n + 1))]


def pair_feature(before: str, word: str) -> str:
    """Two words in a row: where negation and rebuttal show (`est faux`, `pas vrai`, `contrairement a`)."""
    return f"b {before} {word}"


def features(words: Sequence[str]) -> list[str]:
    """All features of words in a row, repeated as often as they occur."""
    single = [feature for word in words for feature in word_features(word)]
    return single + [pair_feature(before, word) for before, word in itertools.pairwise(words)]
