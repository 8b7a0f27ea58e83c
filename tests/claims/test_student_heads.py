"""Many texts at once are found the same as one by one, and as a plain reading of the definition finds them."""

import itertools
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import climate_assets
from climate_assets.broadcast.cleaning import BARRIER
from climate_assets.broadcast.folding import folded
from climate_assets.claims.statements import statements_from_csv
from climate_assets.claims.student_heads import (
    CATEGORIES,
    CHALLENGE,
    CONTEXT,
    FEWEST_WORDS,
    LONG_WINDOW,
    MIN_WORDS,
    REPLY_WINDOW,
    SHORT_WINDOW,
    SHORTEST_QUOTE,
    STRIDE,
    Finding,
    Heads,
)
from climate_assets.claims.student_sums import Summed
from climate_assets.claims.student_training import heads_of
from climate_assets.claims.student_words import features, stretches

STATEMENTS = Path(climate_assets.__file__).parent / "reference" / "statements" / "french.csv"
SHIPPED = statements_from_csv(STATEMENTS.read_text(encoding="utf-8"), STATEMENTS.name)
HEADS = heads_of(SHIPPED[::3])
SAID = [s.text for s in SHIPPED]


def plain(heads: Heads, text: str) -> Finding | None:
    """What the heads find in one text, each window summed for itself."""
    rows = {feature: heads.weights[n].astype(np.float64) for n, feature in enumerate(heads.vocabulary)}
    nothing = np.zeros(len(heads.bias))

    def shares(words: tuple[str, ...]) -> NDArray[np.float64]:
        own = [sum((rows.get(f, nothing) for f in features([word])), nothing) for word in words]
        pairs = [rows.get(f"b {a} {b}", nothing) for a, b in itertools.pairwise(words)]
        return np.array([a + b for a, b in zip(own, [nothing, *pairs], strict=True)])

    def windows(of: NDArray[np.float64], size: int) -> list[tuple[int, int, NDArray[np.float64]]]:
        length = min(size, len(of))
        starts = sorted({*range(0, len(of) - length + 1, STRIDE), len(of) - length})
        return [(s, length, of[s : s + length].sum(axis=0) / np.sqrt(length) + heads.bias) for s in starts]

    def claim(logits: NDArray[np.float64]) -> float:
        return float(np.logaddexp.reduce(logits[1:CHALLENGE]) - logits[0])

    known = [s for s in stretches(text) if len(s.words) >= MIN_WORDS]
    if not known:
        return None
    tables = [shares(s.words) for s in known]
    short = [(claim(w[2]), n, w) for n, table in enumerate(tables) for w in windows(table, SHORT_WINDOW)]
    highest = max(x[0] for x in short)
    # Windows that say as much to nine digits are as good as each other: the first.
    best, n, (start, length, logits) = next(x for x in short if x[0] > highest - 1e-9)
    long = max(claim(w[2]) for table in tables for w in windows(table, LONG_WINDOW))
    near = [w for w in windows(tables[n], REPLY_WINDOW) if start - CONTEXT - w[1] < w[0] < start + length + CONTEXT]
    category = 1 + int(logits[1:CHALLENGE].argmax())
    margin = tables[n][start : start + length, category] - tables[n][start : start + length, 0]
    runs = [(a, b) for a in range(length) for b in range(a + min(SHORTEST_QUOTE, length), length + 1)]
    worth = {run: margin[slice(*run)].sum() / np.sqrt(run[1] - run[0]) for run in runs}
    first, last = next(run for run in runs if worth[run] > max(worth.values()) - 1e-9)
    places = known[n].places
    weighty = sorted((i for i in range(first, last) if margin[i] > 1e-9), key=lambda i: (-round(margin[i], 9), i))
    return Finding(
        claim=(best, long, float(np.log(max(FEWEST_WORDS, sum(len(s.words) for s in known))))),
        challenge=(float(logits[CHALLENGE]), max(float(w[2][CHALLENGE]) for w in near)),
        category=CATEGORIES[category],
        quote=(places[start + first], places[start + last - 1] + 1),
        window=(places[start], places[start + length - 1] + 1),
        cues=tuple(places[start + i] for i in weighty),
    )


def same(found: Finding | None, wanted: Finding | None) -> None:
    if found is None or wanted is None:
        assert found is wanted
        return
    assert found.claim == pytest.approx(wanted.claim, abs=1e-9)
    assert found.challenge == pytest.approx(wanted.challenge, abs=1e-9)
    assert (found.category, found.quote, found.window) == (wanted.category, wanted.quote, wanted.window)
    assert found.cues == wanted.cues


WORDS = st.one_of(
    st.sampled_from(sorted({word for text in SAID[:80] for word in text.split()})),
    st.sampled_from([BARRIER, BARRIER, "a¶b", "🔥", "c'", "cœur", "L’", "--", "''", '"', "\xad", "Σ", "x" * 33]),
    st.text(max_size=40),
)
TEXTS = st.lists(st.one_of(st.sampled_from(SAID), st.lists(WORDS, max_size=30).map(" ".join)), max_size=4).map(" ".join)


@settings(max_examples=120, deadline=None)
@given(st.lists(TEXTS, max_size=5))
def test_many_at_once_are_found_as_a_plain_reading_finds_each(texts: list[str]) -> None:
    together = HEADS.find_all(texts)
    assert together == [HEADS.find(text) for text in texts]
    for text, found in zip(texts, together, strict=True):
        same(found, plain(HEADS, text))


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_a_token_is_folded_as_it_is_in_its_text(text: str) -> None:
    joined = " ".join(text.split())
    assert folded(joined).split(b" ")[1:-1] == [folded(token)[1:-1] for token in joined.split(" ")]


def test_chunks_are_found_the_same_in_whatever_company() -> None:
    chance = random.Random(3)
    texts = [f" {BARRIER} ".join(chance.choices(SAID, k=14)) for _ in range(120)]
    alone = [HEADS.find(text) for text in texts]
    assert Heads(HEADS.vocabulary, HEADS.weights, HEADS.bias).find_all(texts) == alone
    assert HEADS.find_all(reversed(texts)) == alone[::-1]


def test_words_without_end_are_forgotten_and_change_nothing() -> None:
    few, all_ = (Summed(HEADS.vocabulary, HEADS.weights, remembered) for remembered in (300, 10**6))
    chance = random.Random(4)
    invented = [" ".join("".join(chance.choices("abcde'", k=chance.randrange(1, 40))) for _ in range(400)) for _ in range(60)]
    for text in (*SAID[:40], *invented, *SAID[:40]):
        assert np.array_equal(few.said([text]).sums, all_.said([text]).sums)
    assert len(few) < 1_000 < 10_000 < len(all_)


def test_no_text_and_silence_are_nothing() -> None:
    assert HEADS.find_all([]) == []
    assert HEADS.find_all(["", SAID[0], " ", BARRIER, ""]) == [None, HEADS.find(SAID[0]), None, None, None]
