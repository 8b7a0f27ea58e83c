"""Clips, words and turns on paper, for the tests of everything that is written from them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from climate_assets.claims.records import Verdict
from climate_assets.speech.records import Clip, Heard, Identity, Segment, Transcript, Turn, Word
from climate_assets.speech.report_pdf import Fonts

CLIP_ID = "france/canal-un/2026-11-16T08:04:00Z"
SHA = "ab" * 32

HOSTILE_TEXTS = [
    "<script>alert(1)</script>",
    "**fat** _thin_ `code` | cell | [link](http://evil.example)",
    "00:00:01.000 --> 00:00:02.000",
    "a\x00b\x1b[31mc\rd\ne\x85f\u2028g",
    "\u202eevil\u202c \u200fright\u200e \u2066in\u2069",
    "\ud800 lone \udfff",
    "&lt;b&gt; &amp; &#60;",
    "</v><v Somebody Else>",
    "]]> <![CDATA[ <?xml ?> %PDF-1.4 endstream endobj",
    "x" * 5_000,
    "- # > + 1. ~~~ ``` $$ \\",
    "Zażółć gęślą jaźń, Größe, ľúbiť, œuvre, ça, ñ, ão, ĳ",
    "عربي עברית 日本語 🌍🔥",
    "NOTE STYLE REGION WEBVTT",
]


def clip(seconds: float = 60.0, clip_id: str = CLIP_ID, channel: str = "canal-un", **changes: object) -> Clip:
    fields: dict[str, object] = {
        "clip_id": clip_id,
        "country": "france",
        "day": date(2026, 11, 16),
        "channel": channel,
        "language": "french",
        "start": datetime(2026, 11, 16, 8, 3, 55, tzinfo=UTC),
        "chunk_offset": 5.0,
        "seconds": seconds,
        "bucket": "climate-lake",
        "object_key": f"clips/sha256={SHA}/audio.mp3",
        "sha256": SHA,
        "bytes": 1000,
        "container": "mp3",
        "codec": "mp3",
        "sample_rate": 44100,
        "audio_channels": 2,
        "source": "export",
    }
    return Clip(**{**fields, **changes})  # type: ignore[arg-type]


def segment(start: float, end: float, words: Sequence[Word] | str, gate: str = "") -> Segment:
    """A segment; a text is spread evenly."""
    if isinstance(words, str):
        texts = words.split()
        step = (end - start) / max(len(texts), 1)
        words = [Word(start + n * step, start + (n + 1) * step, text, 0.9) for n, text in enumerate(texts)]
    text = " ".join(word.text for word in words)
    return Segment(start, end, text, tuple(words), -0.2, 0.01, 1.4, 0.0, "fr", gate)


def heard(*segments: Segment, seconds: float = 60.0) -> Heard:
    return Heard(segments, "fr", seconds, seconds / 2)


def turn(start: float, end: float, speaker: str, exclusive: bool = True, clip_id: str = CLIP_ID) -> Turn:
    return Turn(clip_id, "france", date(2026, 11, 16), start, end, speaker, exclusive, False, "diarizer-x", SHA)


def both(*turns: Turn) -> list[Turn]:
    """The same turns in both divisions."""
    return [turn(t.start, t.end, t.speaker, exclusive) for t in turns for exclusive in (True, False)]


def identity(speaker: str, name: str = "", role: str = "guest") -> Identity:
    named = bool(name)
    return Identity(
        clip_id=CLIP_ID,
        country="france",
        day=date(2026, 11, 16),
        speaker=speaker,
        person_id=f"person-{speaker}" if named else None,
        name=name or "unknown",
        role=role if named else "",
        score=0.8 if named else 0.2,
        second_score=0.1,
        margin=0.7 if named else 0.1,
        segments=2,
        seconds_used=12.0,
        decision="auto" if named else "unknown",
        reason="similarity 0.80 is above 0.50" if named else "similarity 0.20 is below 0.50",
        model="encoder-x",
        bank="bank-1",
    )


def transcript(text: str = "", difference: str = "", rate: float | None = None, **changes: object) -> Transcript:
    fields: dict[str, object] = {
        "clip_id": CLIP_ID,
        "country": "france",
        "day": date(2026, 11, 16),
        "channel": "canal-un",
        "audio_sha256": SHA,
        "model": "whisper-x int8",
        "settings": "1234abcd",
        "language": "fr",
        "origin": "asr",
        "text": text,
        "words": len(text.split()),
        "gated": 0,
        "gate_reasons": "",
        "seconds": 60.0,
        "speech_seconds": 42.0,
        "word_error_rate": rate,
        "difference": difference,
        "object_key": "transcripts/x.json",
        "sha256": "cd" * 32,
    }
    return Transcript(**{**fields, **changes})  # type: ignore[arg-type]


def verdict(quote: str, seconds: float | None, clip_id: str = CLIP_ID) -> Verdict:
    return Verdict(
        chunk_id=clip_id,
        country="france",
        day=date(2026, 11, 16),
        channel="canal-un",
        model="student-1",
        prompt="v1",
        engine="student",
        score=9,
        category="1_its_not_happening",
        quote=quote,
        quote_word=0,
        quote_words=len(quote.split()),
        quote_seconds=seconds,
        challenged=False,
        rationale="",
        text_sha256="ef" * 32,
        sampling="only",
    )


def fonts() -> Fonts:
    """DejaVu Sans as matplotlib ships it; found without importing matplotlib."""
    import importlib.util

    spec = importlib.util.find_spec("matplotlib")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
    return Fonts((folder / "DejaVuSans.ttf").read_bytes(), (folder / "DejaVuSans-Bold.ttf").read_bytes())
