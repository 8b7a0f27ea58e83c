"""Rows of who speaks when: inside the clip, to the millisecond, with overlap marked; and the speech a voice is measured on."""

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.speech.records import Clip, Turn
from climate_assets.speech.turns import MAX_STRETCH, MIN_STRETCH, Span, measurable, turns, union, without

CLIP = Clip(
    clip_id="france/canal-un/2026-11-20T18:04:00Z",
    country="france",
    day=date(2026, 11, 20),
    channel="canal-un",
    language="french",
    start=datetime(2026, 11, 20, 18, 3, 50, tzinfo=UTC),
    chunk_offset=10.0,
    seconds=60.0,
    bucket="climate-lake",
    object_key="clips/sha256=ab/audio.mp3",
    sha256="ab",
    bytes=1,
    container="mp3",
    codec="mp3",
    sample_rate=44_100,
    audio_channels=2,
    source="export",
)


def spans(*rows: tuple[float, float, str], exclusive: bool = False) -> list[Span]:
    return [Span(start, end, speaker, exclusive) for start, end, speaker in rows]


def shape(rows: list[Turn]) -> list[tuple[float, float, str, bool, bool]]:
    return [(turn.start, turn.end, turn.speaker, turn.exclusive, turn.overlap) for turn in rows]


def test_a_turn_carries_its_clip_and_what_made_it() -> None:
    (row,) = turns(CLIP, spans((1, 2, "A")), "model@1")
    assert (row.clip_id, row.country, row.day, row.audio_sha256, row.model) == (
        CLIP.clip_id,
        "france",
        CLIP.day,
        "ab",
        "model@1",
    )


@pytest.mark.parametrize(
    ("said", "rows"),
    [
        ([], []),
        (spans((1.00049, 2.00051, "A")), [(1.0, 2.001, "A", False, False)]),
        (spans((-0.5, 2, "A"), (59, 60.2, "B")), [(0.0, 2.0, "A", False, False), (59.0, 60.0, "B", False, False)]),
        (spans((61, 62, "A"), (1, 1.0004, "B")), []),
        (spans((3, 4, "A"), (1, 2, "A")), [(1.0, 2.0, "A", False, False), (3.0, 4.0, "A", False, False)]),
        (spans((1, 3, "A"), (2, 4, "A")), [(1.0, 4.0, "A", False, False)]),
        # Those that touch are no overlap; those that share a millisecond are.
        (spans((1, 2, "A"), (2, 3, "B")), [(1.0, 2.0, "A", False, False), (2.0, 3.0, "B", False, False)]),
        (spans((1, 2.001, "A"), (2, 3, "B")), [(1.0, 2.001, "A", False, True), (2.0, 3.0, "B", False, True)]),
        # The overlap of a turn of the exclusive division is that of the full one.
        (
            [*spans((1, 3, "A"), (2, 2.5, "B")), *spans((1, 3, "A"), exclusive=True)],
            [(1.0, 3.0, "A", False, True), (2.0, 2.5, "B", False, True), (1.0, 3.0, "A", True, True)],
        ),
        # A speaker does not overlap with itself.
        (
            [*spans((1, 3, "A")), *spans((1, 3, "A"), exclusive=True)],
            [(1.0, 3.0, "A", False, False), (1.0, 3.0, "A", True, False)],
        ),
    ],
)
def test_spans_become_turns(said: list[Span], rows: list[tuple[float, float, str, bool, bool]]) -> None:
    assert shape(turns(CLIP, said, "m")) == rows


@pytest.mark.parametrize("bad", [(2.0, 1.0), (float("nan"), 1.0), (0.0, float("inf"))])
def test_what_is_no_span_is_refused(bad: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="no span of time"):
        turns(CLIP, spans((*bad, "A")), "m")


TIMES = st.floats(-5, 70, allow_nan=False)
SPANS = st.lists(
    st.builds(lambda a, b, who, x: Span(min(a, b), max(a, b), who, x), TIMES, TIMES, st.sampled_from("ABC"), st.booleans())
)


@given(SPANS)
def test_turns_lie_inside_the_clip_in_order_and_are_rows_with_keys_of_their_own(said: list[Span]) -> None:
    rows = turns(CLIP, said, "m")
    assert all(0 <= turn.start < turn.end <= CLIP.seconds for turn in rows)
    assert rows == sorted(rows, key=lambda turn: (turn.exclusive, turn.start, turn.end, turn.speaker))
    keys = [(turn.exclusive, turn.start, turn.speaker) for turn in rows]
    assert len(set(keys)) == len(keys)
    assert turns(CLIP, reversed(said), "m") == rows


@given(SPANS)
def test_making_turns_of_turns_changes_nothing(said: list[Span]) -> None:
    rows = turns(CLIP, said, "m")
    assert turns(CLIP, [Span(t.start, t.end, t.speaker, t.exclusive) for t in rows], "m") == rows


@pytest.mark.parametrize(
    ("said", "limit", "stretches"),
    [
        ([], 60, []),
        ([(0, 0.9, "A")], 60, []),
        ([(0, 4, "A"), (10, 16, "A")], 60, [(10, 16), (0, 4)]),
        ([(0, 25, "A")], 60, [(0, 8.333), (8.333, 16.667), (16.667, 25)]),
        ([(0, 6, "A"), (2, 3, "B")], 60, [(3, 6), (0, 2)]),
        ([(0, 6, "A"), (0.5, 5.5, "B")], 60, []),
        ([(0, 8, "A"), (10, 16, "A"), (20, 22, "A")], 11, [(0, 8), (20, 22)]),
        ([(0, 6, "B")], 60, []),
    ],
)
def test_a_voice_is_measured_where_it_is_alone(
    said: list[tuple[float, float, str]], limit: float, stretches: list[tuple[float, float]]
) -> None:
    rows = turns(CLIP, spans(*said), "m")
    found = measurable(rows, "A", limit)
    assert sorted(found) == sorted(stretches)
    lengths = [round(end - start, 3) for start, end in found]
    assert lengths == sorted(lengths, reverse=True) or max(lengths) - min(lengths) < 0.002


@given(SPANS, st.floats(0, 60))
def test_measured_stretches_are_clean_bounded_and_apart(said: list[Span], limit: float) -> None:
    rows = turns(CLIP, said, "m")
    found = measurable(rows, "A", limit)
    full = [turn for turn in rows if not turn.exclusive]
    assert all(MIN_STRETCH <= end - start <= MAX_STRETCH + 0.002 for start, end in found)
    assert sum(end - start for start, end in found) <= limit
    others = [(t.start, t.end) for t in full if t.speaker != "A"]
    assert all(end <= first or start >= last for start, end in found for first, last in others)
    own = union((t.start, t.end) for t in full if t.speaker == "A")
    assert all(any(first <= start and end <= last for first, last in own) for start, end in found)
    ordered = sorted(found)
    assert all(before[1] <= after[0] for before, after in pairwise(ordered))


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30))), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30))))
def test_without_is_the_difference_of_sets_of_seconds(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> None:
    def seconds(intervals: list[tuple[float, float]]) -> set[int]:
        return {n for start, end in intervals for n in range(int(start), int(end))}

    own, others = union(p for p in a if p[0] < p[1]), union(p for p in b if p[0] < p[1])
    assert seconds(without(own, others)) == seconds(own) - seconds(others)
