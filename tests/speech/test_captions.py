"""Captions that a strict reader of WebVTT takes, two lines of 42 characters at most, in order."""

import html
import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.speech.captions import LINE_CHARACTERS, LONGEST_CUE, Cue, cues, webvtt
from climate_assets.speech.fusion import Said, fused
from climate_assets.speech.records import Segment, Turn, Word
from tests.speech.spoken_parts import HOSTILE_TEXTS, both, clip, heard, identity, segment, turn

A, B = "SPEAKER_00", "SPEAKER_01"
_TIMING = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})")
_PAYLOAD = re.compile(r"<v ([^<>\n&]|&amp;|&lt;|&gt;)+>([^<>&]|&amp;|&lt;|&gt;)+", re.DOTALL)


def parsed(text: str) -> list[Cue]:
    """Cues of a WebVTT file; refuses whatever its syntax refuses."""
    assert text.startswith("WEBVTT\n\n")
    assert "\x00" not in text
    assert "\r" not in text
    found: list[Cue] = []
    for number, block in enumerate(
        text.removeprefix("WEBVTT\n\n").rstrip("\n").split("\n\n") if len(text) > 8 else [], start=1
    ):
        name, timing, payload = block.split("\n", 2)
        assert name == str(number)
        times = _TIMING.fullmatch(timing)
        assert times, timing
        h, m, s, ms, *rest = map(int, times.groups())
        start = h * 3600 + m * 60 + s + ms / 1000
        end = rest[0] * 3600 + rest[1] * 60 + rest[2] + rest[3] / 1000
        assert _PAYLOAD.fullmatch(payload), payload
        assert "-->" not in payload
        voice, words = payload.removeprefix("<v ").split(">", 1)
        assert end > start >= (found[-1].start if found else 0)
        found.append(Cue(start, end, html.unescape(voice), tuple(map(html.unescape, words.split("\n")))))
    return found


def said(segments: list[Segment], turns: list[Turn], seconds: float = 60.0) -> list[Said]:
    return fused(clip(seconds), heard(*segments, seconds=seconds), turns, [identity(A, "Ana <Nowak> & Co"), identity(B)])


def test_voices_lines_and_times() -> None:
    text = "La température moyenne a augmenté depuis un siècle et personne ne le conteste."
    found = parsed(
        webvtt(cues(said([segment(1, 6, text), segment(6.2, 7, "Faux & archi-faux")], both(turn(0, 6.1, A), turn(6.1, 8, B)))))
    )
    assert [(c.start, c.end, c.name, c.lines) for c in found] == [
        (1.0, 6.0, "Ana <Nowak> & Co", ("La température moyenne a augmenté depuis", "un siècle et personne ne le conteste.")),
        (6.2, 7.2, B, ("Faux & archi-faux",)),
    ]


def test_a_cue_ends_with_its_second_line_its_seven_seconds_or_a_pause() -> None:
    long = "mot " * 60
    for one in cues(said([segment(0, 25, long)], [turn(0, 60, A)])):
        assert len(one.lines) <= 2
        assert one.end - one.start <= LONGEST_CUE + 0.001
    slow = [Word(n * 5.0, n * 5.0 + 4.9, "lent", 0.9) for n in range(4)]
    assert len(cues(said([segment(0, 20, slow)], [turn(0, 60, A)]))) == 4
    paused = [Word(0, 1, "un", 0.9), Word(2.5, 3, "deux", 0.9)]
    assert [c.lines for c in cues(said([segment(0, 3, paused)], [turn(0, 60, A)]))] == [("un",), ("deux",)]


def test_a_short_cue_stays_a_second_unless_the_next_one_comes() -> None:
    words = [Word(0, 0.1, "oui", 0.9), Word(0.4, 0.5, "non", 0.9)]
    found = cues(said([segment(0, 1, words)], both(turn(0, 0.2, A), turn(0.3, 1, B))))
    assert [(c.start, c.end) for c in found] == [(0, 0.4), (0.4, 1.4)]


def test_nothing_said_is_a_file_without_cues() -> None:
    assert parsed(webvtt(cues([]))) == []


def test_a_word_longer_than_the_lines_is_cut() -> None:
    found = parsed(webvtt(cues(said([segment(0, 2, "x" * 200)], []))))
    assert "".join(line for cue in found for line in cue.lines) == "x" * 200


def test_hours_and_minutes_are_carried() -> None:
    assert "01:00:00.000 --> 27:46:39.999" in webvtt([Cue(3599.9999, 99999.999, "a", ("b",))])


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_hostile_words_and_names_stay_text(text: str) -> None:
    people = [identity(A, text)]
    found = fused(clip(), heard(segment(0, 5, [Word(0, 1, text, 0.5), Word(1, 2, "fin", 0.5)])), [turn(0, 5, A)], people)
    read = parsed(webvtt(cues(found)))
    assert "".join("".join(c.lines) for c in read).replace(" ", "") == "".join(w.text for w in found[0].words).replace(" ", "")


_word = st.builds(
    Word, st.floats(-5, 70), st.floats(-5, 70), st.sampled_from(["mot", "fin.", "à", "x" * 50, "-->", "<v>"]), st.just(0.5)
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.builds(segment, st.floats(0, 60), st.floats(0, 60), st.lists(_word, max_size=20)), max_size=5),
    st.lists(st.builds(turn, st.floats(0, 60), st.floats(0, 60), st.sampled_from([A, B])), max_size=8),
)
def test_every_word_is_shown_once_in_cues_that_a_reader_takes(segments: list[Segment], turns: list[Turn]) -> None:
    utterances = said(segments, turns)
    found = parsed(webvtt(cues(utterances)))
    shown = "".join(line for cue in found for line in cue.lines).replace(" ", "")
    assert shown == "".join(word.text for one in utterances for word in one.words).replace(" ", "")
    for one, after in itertools.pairwise(found):
        assert one.end <= max(after.start, one.start + 0.001) + 1e-9
    assert all(len(line) <= LINE_CHARACTERS for cue in found for line in cue.lines)
