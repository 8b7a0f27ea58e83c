"""The files that older tools read: their fields, and parity with the legacy rule where each segment has one speaker."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.speech.fusion import fused
from climate_assets.speech.legacy_files import as_json, diarization, fusion, transcription
from climate_assets.speech.records import Identity, Segment, Turn, Word
from tests.speech.spoken_parts import HOSTILE_TEXTS, both, clip, heard, identity, segment, turn

A, B = "SPEAKER_00", "SPEAKER_01"


def ours(segments: Sequence[Segment], turns: Sequence[Turn], identities: Sequence[Identity] = ()) -> list[dict[str, Any]]:
    spoken = heard(*segments)
    return fusion(spoken, fused(clip(), spoken, turns, identities), 60.0)


def legacy(segments: Sequence[Segment], turns: Sequence[Turn], names: dict[str, str]) -> list[dict[str, Any]]:
    """The legacy rule as its description says: the single turn with the largest overlap, two decimals, text stripped."""
    rows = []
    for one in segments:
        best, speaker = 0.0, "Unknown"
        for other in turns:
            shared = min(one.end, other.end) - max(one.start, other.start)
            if shared > best:
                best, speaker = shared, names.get(other.speaker, other.speaker)
        rows.append({"start": round(one.start, 2), "end": round(one.end, 2), "text": one.text.strip(), "speaker": speaker})
    return rows


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[Segment], list[Turn]]:
    """Turns of one speaker at a time with silences between, and segments that lie within them."""
    at, segments, turns = 0.0, [], []
    for _ in range(draw(st.integers(1, 6))):
        speaker = draw(st.sampled_from([A, B, "SPEAKER_02"]))
        start = at
        for _ in range(draw(st.integers(0, 3))):
            length = draw(st.floats(0.2, 2.5))
            first = at + draw(st.floats(0, 0.2))
            last = first + length
            texts = draw(st.lists(st.sampled_from(["oui", "c'est", "vrai.", "20", "%", "Żółć"]), min_size=1, max_size=6))
            step = length / len(texts)
            words = [Word(first + n * step, min(first + (n + 1) * step, last), text, 0.9) for n, text in enumerate(texts)]
            segments.append(segment(first, last, words))
            at = last
        end = at + draw(st.floats(0.05, 0.3))
        # The diarizer may cut one speaker's stretch in two turns that touch.
        middle = start + (end - start) * draw(st.floats(0.2, 0.8))
        turns += (
            [turn(start, middle, speaker), turn(middle, end, speaker)] if draw(st.booleans()) else [turn(start, end, speaker)]
        )
        at = end + draw(st.floats(0, 1.0))
    return segments, turns


@settings(max_examples=400, deadline=None)
@given(conversations(), st.booleans())
def test_parity_with_the_legacy_rule_where_each_segment_has_one_speaker(
    conversation: tuple[list[Segment], list[Turn]], named: bool
) -> None:
    segments, turns = conversation
    identities = [identity(A, "Ana Nowak"), identity(B)] if named else []
    assert ours(segments, both(*turns), identities) == legacy(segments, turns, {A: "Ana Nowak"} if named else {})


def test_ours_differs_where_the_legacy_rule_is_wrong() -> None:
    turns = [turn(0, 0.9, A), turn(1, 1.9, A), turn(1.9, 3.0, B), turn(3.0, 3.9, A)]
    one = segment(0, 4, "un deux trois quatre")
    assert [row["speaker"] for row in legacy([one], turns, {})] == [B]
    assert [(row["speaker"], row["text"]) for row in ours([one], turns)] == [(A, "un deux"), (B, "trois"), (A, "quatre")]


def test_pieces_of_a_split_segment_begin_and_end_where_it_does() -> None:
    words = [Word(1.114, 2.0, "un", 0.9), Word(2.126, 3.0, "deux", 0.9)]
    assert ours([segment(1.0, 3.5, words)], both(turn(0, 2, A), turn(2, 4, B))) == [
        {"start": 1.0, "end": 2.0, "text": "un", "speaker": A},
        {"start": 2.13, "end": 3.5, "text": "deux", "speaker": B},
    ]


def test_a_voice_that_nobody_divided_is_unknown_in_the_words_of_the_legacy() -> None:
    assert ours([segment(0, 2, "un deux")], []) == [{"start": 0.0, "end": 2.0, "text": "un deux", "speaker": "Unknown"}]


def test_what_is_not_believed_or_empty_is_in_no_file() -> None:
    segments = [segment(0, 2, "un"), segment(2, 4, "deux", gate="loop"), segment(4, 5, "")]
    spoken = heard(*segments)
    said = fused(clip(), spoken, [], [])
    assert transcription(spoken, said, 60.0) == [{"start": 0.0, "end": 2.0, "text": "un"}]
    assert len(fusion(spoken, said, 60.0)) == 1


def test_diarization_keeps_overlap_and_labels() -> None:
    turns = [turn(2, 3, B, False), turn(0, 2.501, A, False), turn(0, 2.2, A), turn(2.2, 3, B)]
    assert diarization(turns) == [{"start": 0, "end": 2.5, "speaker": A}, {"start": 2, "end": 3, "speaker": B}]
    assert diarization([t for t in turns if t.exclusive])[0] == {"start": 0, "end": 2.2, "speaker": A}
    assert diarization([]) == []


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_any_text_makes_readable_json(text: str) -> None:
    rows = ours([segment(float("nan"), 1e300, [Word(float("inf"), -1, text, 0.1)])], [])
    [row] = json.loads(as_json(rows))
    assert 0 <= row["start"] <= row["end"] <= 60
    assert row["text"].isprintable()
