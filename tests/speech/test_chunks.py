"""Stretches decoded together never exceed what a decoding hears, and lose nothing."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.speech.chunks import Span, joined, settled

LENGTHS = st.lists(st.tuples(st.floats(0, 9), st.floats(0.1, 30)), max_size=30)


def _spans(lengths: list[tuple[float, float]]) -> list[Span]:
    spans: list[Span] = []
    for pause, length in lengths:
        start = (spans[-1][1] if spans else 0.0) + pause
        spans.append((start, start + length))
    return spans


@given(LENGTHS)
def test_chunks_are_short_in_order_and_hold_every_stretch_whole(lengths: list[tuple[float, float]]) -> None:
    spans = _spans(lengths)
    chunks = joined(spans, 30.0, 4.0)
    assert all(end - start <= 30.0 + 1e-6 for start, end in chunks)
    assert all(before[1] <= after[0] for before, after in pairwise(chunks))
    assert all(sum(start <= a and b <= end for start, end in chunks) == 1 for a, b in spans)


def test_a_long_silence_is_not_decoded() -> None:
    assert joined([(0, 5), (8, 12), (17, 20)], 30.0, 4.0) == [(0, 12), (17, 20)]


@pytest.mark.parametrize(
    ("told", "languages"),
    [
        ([], []),
        ([("en", 0.9), ("pl", 0.5), ("en", 0.9)], ["en", "en", "en"]),
        ([("pl", 0.4), ("en", 0.9), ("de", 0.8), ("nl", 0.3)], ["en", "en", "de", "de"]),
        ([("pl", 0.4), ("nl", 0.5)], ["nl", "nl"]),
    ],
)
def test_an_unsure_piece_is_in_the_language_before_it(told: list[tuple[str, float]], languages: list[str]) -> None:
    assert settled(told) == languages
