"""Words joined with speakers: each believed word in one utterance, with the speaker that the turns give it."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.speech.fusion import LONGEST_SECONDS, PAUSE_SECONDS, Said, crosstalk, fused, talk_seconds, united
from climate_assets.speech.records import Segment, Turn, Word
from climate_assets.speech.spoken import timed_words, written
from tests.speech.spoken_parts import HOSTILE_TEXTS, both, clip, heard, identity, segment, turn

A, B, C = "SPEAKER_00", "SPEAKER_01", "SPEAKER_02"


def said(segments: Sequence[Segment], turns: Sequence[Turn], seconds: float = 60.0) -> list[Said]:
    return fused(clip(seconds), heard(*segments, seconds=seconds), turns, [])


def lines(segments: Sequence[Segment], turns: Sequence[Turn]) -> list[tuple[str, str]]:
    return [(s.utterance.speaker, s.utterance.text) for s in said(segments, turns)]


ONE = [segment(0, 4, "un deux trois quatre")]


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        ([turn(0, 4, A)], [(A, "un deux trois quatre")]),
        ([turn(0, 2, A), turn(2, 4, B)], [(A, "un deux"), (B, "trois quatre")]),
        # A change in the middle of a word: most of the word decides.
        ([turn(0, 1.6, A), turn(1.6, 4, B)], [(A, "un deux"), (B, "trois quatre")]),
        ([turn(0, 1.4, A), turn(1.4, 4, B)], [(A, "un"), (B, "deux trois quatre")]),
        # An interjection stands as its own utterance, and the speaker goes on.
        ([turn(0, 1, A), turn(1, 2, B), turn(2, 4, A)], [(A, "un"), (B, "deux"), (A, "trois quatre")]),
        # Summed: two turns of 0.3 s outweigh one of 0.4 s, where the legacy takes the longest single turn.
        (
            [turn(0, 1, A), turn(1, 1.3, A), turn(1.3, 1.7, B), turn(1.7, 2, A), turn(2, 4, A)],
            [(A, "un deux trois quatre")],
        ),
        # Equal overlap goes to who speaks first in the clip.
        ([turn(0, 1.5, B), turn(1.5, 4, A)], [(B, "un deux"), (A, "trois quatre")]),
        # Nothing overlaps: the nearest turn within half a second, else nobody.
        ([turn(1, 2, A)], [(A, "un deux trois"), ("unknown", "quatre")]),
        ([turn(4.5, 6, A)], [("unknown", "un deux trois"), (A, "quatre")]),
        ([turn(4.6, 6, A)], [("unknown", "un deux trois quatre")]),
        # Turns without length or time say nothing.
        ([turn(1, 1, A), turn(3, 2, B)], [("unknown", "un deux trois quatre")]),
        # Only the division with overlap is there: it assigns as well.
        ([turn(0, 2, A, False), turn(2, 4, B, False)], [(A, "un deux"), (B, "trois quatre")]),
    ],
)
def test_speaker_of_each_word(turns: list[Turn], expected: list[tuple[str, str]]) -> None:
    assert lines(ONE, turns) == expected


def test_without_turns_every_segment_is_one_utterance_of_an_unknown_speaker() -> None:
    found = said([segment(0, 4, "un deux"), segment(4, 50, "trois quatre. cinq"), segment(50, 51, "faux", gate="loop")], [])
    assert [(s.utterance.speaker, s.utterance.name, s.utterance.text) for s in found] == [
        ("unknown", "unknown", "un deux"),
        ("unknown", "unknown", "trois quatre. cinq"),
    ]
    assert all(s.utterance.margin == 0 and s.utterance.overlap_seconds == 0 for s in found)


def test_no_words_give_no_utterances() -> None:
    assert said([], both(turn(0, 4, A))) == []
    assert said([segment(0, 3, "")], []) == []


def test_overlap_is_marked_with_the_labels_of_the_others_and_only_on_their_words() -> None:
    turns = [turn(0, 2, A), turn(2, 4, B), turn(0, 2.6, A, False), turn(1.5, 4, B, False), turn(3.98, 9, C, False)]
    first, second = said(ONE, turns)
    assert (first.utterance.overlap, first.utterance.others) == (True, [B])
    # 20 ms of a third voice are the edge of a turn, no crosstalk.
    assert (second.utterance.overlap, second.utterance.others) == (True, [A])
    assert [w.others for w in (*first.words, *second.words)] == [(), (B,), (A,), ()]


def test_a_change_of_speaker_inside_a_word_is_no_crosstalk() -> None:
    assert not any(s.utterance.overlap for s in said(ONE, both(turn(0, 1.5, A), turn(1.5, 4, B))))


def test_seconds_and_margin_say_how_sure_the_assignment_is() -> None:
    [one, two] = said(ONE, [turn(0, 1.6, A), turn(1.6, 4, B)])
    assert (one.utterance.overlap_seconds, one.utterance.margin) == (1.6, 1.2)
    assert (two.utterance.overlap_seconds, two.utterance.margin) == (2.0, 2.0)


def test_names_come_from_identities_with_a_person_and_labels_stay_else() -> None:
    turns = both(turn(0, 2, A), turn(2, 4, B))
    found = fused(clip(), heard(*ONE), turns, [identity(A, "Ana Nowak", "politician"), identity(B)])
    assert [(s.utterance.name, s.utterance.person_id, s.utterance.role) for s in found] == [
        ("Ana Nowak", f"person-{A}", "politician"),
        (B, None, ""),
    ]


def test_segments_of_one_speaker_are_joined_until_a_pause() -> None:
    segments = [segment(0, 2, "un deux"), segment(2.5, 4, "trois quatre"), segment(4 + PAUSE_SECONDS + 0.1, 8, "cinq six")]
    assert lines(segments, [turn(0, 10, A)]) == [(A, "un deux trois quatre"), (A, "cinq six")]


def test_a_monologue_is_cut_after_the_last_sentence_that_fits() -> None:
    text = " ".join(f"mot{n}." if n in (8, 24, 40) else f"mot{n}" for n in range(60))
    found = said([segment(0, 60, text)], [turn(0, 60, A)])
    assert [(s.utterance.start, s.utterance.end) for s in found] == [(0, 25), (25, 41), (41, 60)]


def test_a_monologue_without_marks_is_cut_at_its_widest_pause() -> None:
    words = [Word(n + (0.5 if n >= 20 else 0), n + 1, f"mot{n}", 0.9) for n in range(50)]
    words[20] = Word(20.9, 21, "mot20", 0.9)
    assert next(s.utterance.end for s in said([segment(0, 50, words)], [turn(0, 60, A)])) == 20


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([(0, 1), (math.nan, math.nan), (2, 3)], [(0, 1), (1, 2), (2, 3)]),
        ([(math.nan, math.nan)] * 3, [(0, 1), (1, 2), (2, 3)]),
        ([(0, 1), (0, 0), (2, 3)], [(0, 0), (0, 0), (2, 3)]),
        ([(0, 1), (900, 901), (2, 3)], [(0, 1), (1, 2), (2, 3)]),
        ([(0, 1), (-50, 2), (2, 3)], [(0, 1), (1, 2), (2, 3)]),
        ([(0, 1), (2, 1), (2, 3)], [(0, 1), (1, 2), (2, 3)]),
        ([(0, 2), (1, 2), (2, math.inf)], [(0, 1), (1, 2), (2, 3)]),
        ([(-0.5, 1), (1, 2), (2, 3.9)], [(0, 1), (1, 2), (2, 3.9)]),
        ([(1, 1), (1, 1), (1, 1)], [(1, 1), (1, 1), (1, 1)]),
    ],
)
def test_times_that_cannot_be_lie_between_their_neighbours(
    times: list[tuple[float, float]], expected: list[tuple[float, float]]
) -> None:
    words = [Word(start, end, f"mot{n}", 0.5) for n, (start, end) in enumerate(times)]
    found = timed_words(heard(segment(0, 3, words)), 60.0)
    assert [(word.start, word.end) for word in found] == expected


def test_a_segment_without_words_gives_its_text_evenly() -> None:
    bare = Segment(2.0, 4.0, " un deux ", (), -0.1, 0.0, 1.0, 0.0, "fr")
    assert [(w.start, w.end, w.text) for w in timed_words(heard(bare), 60)] == [(2, 3, "un"), (3, 4, "deux")]


def test_segments_out_of_order_or_with_impossible_times_stay_inside_the_clip() -> None:
    segments = [
        segment(30, 33, "trois"),
        segment(math.nan, math.inf, "quatre"),
        segment(-9, 1e9, "un"),
        segment(70, 80, "cinq"),
    ]
    found = timed_words(heard(*segments), 60.0)
    assert [word.text for word in found] == ["un", "trois", "quatre", "cinq"]
    assert all(0 <= word.start <= word.end <= 60 for word in found)


def test_united_stretches_are_counted_once_and_talk_counts_crosstalk_for_both() -> None:
    assert united([(3, 4), (0, 2), (1, 2.5), (2.5, 2.75), (9, 9)]) == [(0, 2.75), (3, 4)]
    turns = [turn(0, 4, A, False), turn(1, 2, A, False), turn(3, 6, B, False), turn(0, 3, A)]
    assert talk_seconds(turns) == {A: 4, B: 3}
    assert crosstalk([t for t in turns if not t.exclusive]) == {(A, B): [(3, 4)], (B, A): [(3, 4)]}


_time = st.one_of(st.floats(-10, 130), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 60.0, 1e300]))
_text = st.one_of(st.sampled_from(["mot", "c'est", "vrai.", " ", "", "20", "%"]), st.sampled_from(HOSTILE_TEXTS))
_words = st.lists(st.builds(Word, _time, _time, _text, st.just(0.5)), max_size=12)
_segments = st.lists(
    st.builds(segment, _time, _time, _words, st.sampled_from(["", "", "", "too loud"])),
    max_size=6,
)
_turns = st.lists(
    st.builds(turn, st.floats(0, 60), st.floats(0, 60), st.sampled_from([A, B, C]), st.booleans()),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(_segments, _turns)
def test_every_believed_word_has_exactly_one_utterance(segments: list[Segment], turns: list[Turn]) -> None:
    found = said(segments, turns)
    for number, one in enumerate(segments):
        wanted = [written(word.text) for word in one.words if written(word.text)] if not one.gate else []
        assert [w.text for s in found for w in s.words if w.segment == number] == wanted
    assert sum(s.utterance.words for s in found) == sum(len(s.words) for s in found)


@settings(max_examples=150, deadline=None)
@given(_segments, _turns)
def test_utterances_are_in_order_inside_the_clip_and_bear_out_their_figures(segments: list[Segment], turns: list[Turn]) -> None:
    found = said(segments, turns)
    labels = {t.speaker for t in turns} | {"unknown"}
    assert [s.utterance.number for s in found] == list(range(len(found)))
    last = 0.0
    for s in found:
        u = s.utterance
        assert last <= u.start <= u.end <= 60 or math.isclose(u.start, last, abs_tol=0.001)
        assert u.words
        assert {w.speaker for w in s.words} == {u.speaker} <= labels
        assert 0 <= u.margin <= u.overlap_seconds <= u.end - u.start + 0.002
        assert u.overlap == bool(u.others)
        assert u.speaker not in u.others
        assert all(round(value, 3) == value for value in (u.start, u.end, u.margin, u.overlap_seconds))
        assert not turns or len(s.words) == 1 or u.end - u.start <= LONGEST_SECONDS + 0.001
        u.text.encode()
        assert "\x00" not in u.text
        last = u.end
    assert found == said(segments, turns)


def test_ten_thousand_words_and_three_thousand_turns() -> None:
    segments = [segment(n * 4, n * 4 + 4, "un deux trois quatre") for n in range(2_500)]
    turns = both(*(turn(n * 3.3, n * 3.3 + 3.5, f"SPEAKER_{n % 7:02}") for n in range(3_000)))
    found = fused(clip(10_000), heard(*segments, seconds=10_000), turns, [])
    assert sum(s.utterance.words for s in found) == 10_000
    assert {w.speaker for s in found for w in s.words} == {f"SPEAKER_{n:02}" for n in range(7)} | {"unknown"}
