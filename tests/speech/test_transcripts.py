"""The file holds all that was heard and comes back the same; the row holds what is believed."""

from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.speech.records import Clip, Heard, Segment, Transcript, Word
from climate_assets.speech.transcripts import heard_bytes, heard_of, settings, transcript
from resources.reference import ReferenceFiles
from tests.speech.hearings import heard, segment

CLIP = Clip(
    clip_id="c1",
    country="france",
    day=date(2026, 5, 4),
    channel="canal-neuf",
    language="french",
    start=datetime(2026, 5, 4, 6, tzinfo=UTC),
    chunk_offset=0.0,
    seconds=20.0,
    bucket="climateguard",
    object_key="clips/sha256=ab/audio.mp3",
    sha256="ab",
    bytes=9,
    container="mp3",
    codec="mp3",
    sample_rate=16_000,
    audio_channels=1,
    source="export",
)
SECONDS = st.floats(0, 20_000)
WORDS = st.builds(Word, SECONDS, SECONDS, st.text(max_size=8), st.floats(0, 1))
SEGMENTS = st.builds(
    Segment,
    SECONDS,
    SECONDS,
    st.text(max_size=20),
    st.lists(WORDS, max_size=3).map(tuple),
    *[st.floats(-9, 9)] * 4,
    st.just("fr"),
    st.text(max_size=5),
)
SPEECH = st.lists(st.tuples(SECONDS, SECONDS), max_size=3).map(tuple)
HEARINGS = st.builds(Heard, st.lists(SEGMENTS, max_size=3).map(tuple), st.sampled_from(["fr", ""]), SECONDS, SECONDS, SPEECH)


def _row(one: Heard, source: str = "") -> Transcript:
    return transcript(CLIP, one, source, model="m-int8-1", settings="s1", object_key="k")


@given(HEARINGS)
def test_the_file_comes_back_and_is_the_same_file_again(one: Heard) -> None:
    content = heard_bytes(one)
    back = heard_of(content)
    assert heard_bytes(back) == content
    assert heard_of(heard_bytes(back)) == back
    assert [s.text for s in back.segments] == [s.text for s in one.segments]
    assert all(abs(a.start - b.start) <= 0.0005 for a, b in zip(back.segments, one.segments, strict=True))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"shape": 2}', b'{"shape": 1, "segments": [{}]}', b"\xff", b"null"]
)
def test_another_file_is_refused(content: bytes) -> None:
    with pytest.raises(Permanent, match="no transcript"):
        heard_of(content)


def test_the_row_holds_what_is_believed_and_why_the_rest_is_not() -> None:
    one = heard(
        segment("Le climat change."),
        segment("Sous-titrage FR", start=2.0, gate="subtitle credit"),
        segment("It does.", start=4.0, language="en"),
        segment("...", start=6.0, gate="no words"),
        segment("...", start=7.0, gate="no words"),
    )
    row = _row(one, "le climat a changé it does")
    assert row.text == "Le climat change. It does."
    assert (row.words, row.gated, row.gate_reasons, row.language) == (5, 3, "no words, subtitle credit", "fr+en")
    assert row.word_error_rate == pytest.approx(1 / 6)
    assert row.difference == "Le climat [− a] change. It does."
    assert row.origin == "asr"
    assert row.sha256 == sha256(heard_bytes(one)).hexdigest()
    assert (row.audio_sha256, row.seconds, row.speech_seconds) == ("ab", one.seconds, one.speech_seconds)


def test_what_is_said_in_the_margins_is_no_difference() -> None:
    """A word counts where its middle is; what comes before the chunk or after its two minutes is not in the source."""
    before, within, after = segment("Voici la météo.", 1.0, 4.0), segment("Le climat change.", 6.0), segment("Merci.", 125.5)
    row = transcript(
        replace(CLIP, chunk_offset=5.0),
        heard(before, within, after),
        "le climat change",
        model="m",
        settings="s",
        object_key="k",
    )
    assert row.word_error_rate == 0
    assert row.words == 7


@pytest.mark.parametrize("source", ["", "   "])
def test_without_a_source_there_is_no_difference(source: str) -> None:
    row = _row(heard(segment("Le climat change.")), source)
    assert row.word_error_rate is None
    assert row.difference == ""


def test_nobody_speaks_is_an_empty_transcript_and_no_error() -> None:
    row = _row(heard(), "le climat")
    assert (row.text, row.words, row.language, row.word_error_rate) == ("", 0, "fr", 1.0)
    assert row.difference == "[− le climat]"


def test_settings_change_with_each_part() -> None:
    phrases = ReferenceFiles().invented_phrases()
    made = settings("d", "GIEC", phrases)
    others = {settings("e", "GIEC", phrases), settings("d", "", phrases), settings("d", "GIEC", replace(phrases, version="p"))}
    assert made not in others
    assert len(others) == 3
