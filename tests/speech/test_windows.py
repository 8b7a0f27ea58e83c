"""Windows of a long recording: each second is kept once, and the voices of different windows become the right speakers."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.speech.turns import Span
from climate_assets.speech.windows import MARGIN_SECONDS, Divided, Window, joined, linked, placed, stretches, whole, windows

VOICES = {"anna": [1.0, 0.1, 0.0], "bert": [0.0, 1.0, 0.1], "cleo": [0.1, 0.0, 1.0]}


def heard(window: Window) -> float:
    return sum(piece.end - piece.start for piece in window)


@pytest.mark.parametrize(
    ("active", "found"),
    [
        ([], []),
        ([0] * 100, []),
        ([0] * 40 + [1] * 10 + [0] * 50, [(2.0, 7.0)]),
        ([1] * 10 + [0] * 90, [(0.0, 3.0)]),
        ([0] * 95 + [1] * 5, [(7.5, 10.0)]),
        ([1] * 10 + [0] * 39 + [1] * 51, [(0.0, 10.0)]),
    ],
)
def test_speech_has_its_margin_and_near_stretches_are_one(active: list[int], found: list[tuple[float, float]]) -> None:
    assert MARGIN_SECONDS == 2.0
    got = stretches(np.array(active, dtype=bool), 0.1, 10.0)
    assert [round(second, 6) for stretch in got for second in stretch] == [second for stretch in found for second in stretch]


GAPS = st.lists(st.tuples(st.floats(0.1, 300), st.floats(0.1, 400)), max_size=20)


@given(GAPS, st.floats(30, 300), st.floats(0.5, 14))
def test_every_spoken_second_is_kept_once_in_windows_of_bounded_length(
    gaps: list[tuple[float, float]], length: float, overlap: float
) -> None:
    spoken, at = [], 0.0
    for gap, talk in gaps:
        spoken.append((at + gap, at + gap + talk))
        at += gap + talk
    made = windows(spoken, length, overlap)
    assert all(window and heard(window) <= length + 1e-6 for window in made)
    pieces = [piece for window in made for piece in window]
    assert all(p.start <= p.keep_start < p.keep_end <= p.end for p in pieces)
    kept = [(p.keep_start, p.keep_end) for p in pieces]
    assert sum(end - start for start, end in kept) == pytest.approx(sum(end - start for start, end in spoken))
    assert all(before[1] <= after[0] + 1e-6 for before, after in pairwise(kept))
    # At a seam both sides hear half an overlap beyond it.
    for before, after in pairwise(pieces):
        if before.keep_end == after.keep_start and before.end > before.keep_end:
            assert before.end - before.keep_end == pytest.approx(overlap / 2)
            assert after.keep_start - after.start == pytest.approx(overlap / 2)


@pytest.mark.parametrize(("length", "overlap"), [(10, 5), (10, 0), (10, -1), (0, 1)])
def test_windows_without_progress_are_refused(length: float, overlap: float) -> None:
    with pytest.raises(ValueError, match="two overlaps"):
        windows([(0, 100)], length, overlap)


def test_what_fits_is_one_window() -> None:
    (window,) = windows([(0, 40)], 60, 10)
    assert window == whole(40)


def test_a_span_over_left_out_silence_is_two_in_the_recording() -> None:
    (window,) = windows([(10, 20), (100, 120)], 60, 10)
    found = placed([Span(5, 15, "A", False), Span(0, 1, "B", False)], window)
    assert [(s.start, s.end, s.speaker) for s in found] == [(15, 20, "A"), (100, 105, "A"), (10, 11, "B")]


SPEECH = st.lists(
    st.tuples(st.floats(0, 590), st.floats(0.5, 60), st.sampled_from(sorted(VOICES)), st.booleans()), min_size=1, max_size=25
)


def spans_of(speech: list[tuple[float, float, str, bool]]) -> list[Span]:
    """Disjoint spans, one speaker after another, as a division gives them."""
    found, at = [], 0.0
    for gap, length, who, exclusive in speech:
        start = at + 0.01 + gap / 10
        found.append(Span(start, start + length, who, exclusive))
        at = start + length
    return found


@given(SPEECH)
def test_the_window_of_the_whole_recording_changes_nothing(speech: list[tuple[float, float, str, bool]]) -> None:
    spans = spans_of(speech)
    label = {who: f"SPEAKER_{n:02d}" for n, who in enumerate(sorted({s.speaker for s in spans}))}
    named = [Span(s.start, s.end, label[s.speaker], s.exclusive) for s in spans]
    vectors = {label[who]: VOICES[who] for who in label}
    assert joined([Divided(whole(spans[-1].end), named, vectors)], 0.5) == named


@given(SPEECH, st.randoms(use_true_random=False))
def test_cut_in_windows_it_is_the_same_division(speech: list[tuple[float, float, str, bool]], chance) -> None:  # type: ignore[no-untyped-def]
    """Whatever each window calls its speakers, and whichever of them it holds."""
    spans = spans_of(speech)
    rng = np.random.default_rng(chance.randrange(1 << 30))
    divisions = []
    for window in windows([(0.0, spans[-1].end)], 60.0, 10.0):
        (piece,) = window
        inside = [
            Span(max(s.start, piece.start) - piece.start, min(s.end, piece.end) - piece.start, s.speaker, s.exclusive)
            for s in spans
            if min(s.end, piece.end) - max(s.start, piece.start) > 1e-3
        ]
        names = [f"SPEAKER_{n:02d}" for n in range(len(VOICES))]
        chance.shuffle(names)
        label = dict(zip(VOICES, names, strict=True))
        vectors = {label[who]: np.asarray(VOICES[who]) + rng.normal(0, 0.02, 3) for who in VOICES}
        divisions.append(Divided(window, [Span(s.start, s.end, label[s.speaker], s.exclusive) for s in inside], vectors))
    found = joined(divisions, 0.6)
    assert len(found) == len(spans)
    pairs = set()
    for one, other in zip(found, spans, strict=True):
        assert (one.start, one.end, one.exclusive) == pytest.approx((other.start, other.end, other.exclusive), abs=5e-3)
        pairs.add((one.speaker, other.speaker))
    assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)


MANY = st.integers(2, 14).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 4), min_size=n, max_size=n),
        st.lists(st.lists(st.floats(-1, 1), min_size=4, max_size=4), min_size=n, max_size=n),
        st.lists(st.floats(0.5, 100), min_size=n, max_size=n),
        st.permutations(range(n)),
    )
)


def grouping(numbers: list[int], order: list[int]) -> set[frozenset[int]]:
    return {frozenset(order[i] for i, n in enumerate(numbers) if n == number) for number in set(numbers)}


@given(MANY, st.floats(-0.5, 0.99), st.none() | st.integers(1, 5))
def test_two_voices_of_one_window_are_never_one_speaker(many, similarity: float, at_most: int | None) -> None:  # type: ignore[no-untyped-def]
    window, vectors, weights, order = many
    # Unlike numbers, so that no two pairs are equally similar: which of two equals is first is nobody's promise.
    vectors = [np.asarray(v) + np.random.default_rng(i).normal(0, 0.3, 4) for i, v in enumerate(vectors)]
    numbers = linked(window, vectors, weights, similarity, at_most)
    pairs = list(zip(window, numbers, strict=True))
    assert len(set(pairs)) == len(pairs)
    assert list(dict.fromkeys(numbers)) == list(range(len(set(numbers))))
    again = linked([window[i] for i in order], [vectors[i] for i in order], [weights[i] for i in order], similarity, at_most)
    assert grouping(again, list(order)) == grouping(numbers, list(range(len(numbers))))


@pytest.mark.parametrize(
    ("similarity", "at_most", "numbers"),
    [(0.9, None, [0, 1, 0, 2]), (0.9, 2, [0, 1, 0, 1]), (0.9, 1, [0, 1, 0, 1]), (1.1, None, [0, 1, 2, 3])],
)
def test_a_limit_joins_what_the_cosine_would_not(similarity: float, at_most: int | None, numbers: list[int]) -> None:
    """Windows 0 and 1 hold two voices each; the second voice of window 1 is far from both of window 0."""
    vectors = [np.array(v) for v in ([1.0, 0.0], [0.0, 1.0], [1.0, 0.1], [-0.7, 0.7])]
    assert linked([0, 0, 1, 1], vectors, [1.0] * 4, similarity, at_most) == numbers


@pytest.mark.parametrize("vector", [[], [0.0, 0.0], [float("nan"), 1.0]])
def test_a_voice_without_a_vector_stays_alone_unless_the_limit_forces_it(vector: list[float]) -> None:
    vectors = [np.array([1.0, 0.0]), np.array(vector), np.array([1.0, 0.0])]
    assert linked([0, 1, 2], vectors, [1.0] * 3, 0.5) == [0, 1, 0]
    assert linked([0, 1, 2], vectors, [1.0] * 3, 0.5, at_most=1) == [0, 0, 0]
