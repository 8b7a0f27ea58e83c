"""What was heard in a clip, as it is kept: one file with every segment and word, one row with what is believed.

Belongs here: the file's bytes and the way back, the row, the version of all that a text hangs on. Does not belong here: what
is believed (`guards.py`), how two texts are compared (`differences.py`).
"""

from collections import Counter
from hashlib import sha256
from typing import Any, Final

import orjson

from climate_assets.broadcast.records import CHUNK_SECONDS
from climate_assets.failures import Permanent
from climate_assets.speech.differences import difference
from climate_assets.speech.glossaries import version
from climate_assets.speech.guards import SETTINGS, Phrases
from climate_assets.speech.records import Clip, Heard, Origin, Segment, Transcript, Word

SHAPE: Final = 1
"""Version of the file's shape."""
_FIGURES: Final = ("avg_logprob", "no_speech_prob", "compression_ratio", "temperature")


def settings(decoding: str, hotwords: str, phrases: Phrases) -> str:
    """Version of decoding, names, guards and phrases: with audio and model, what a transcript hangs on."""
    return "+".join((decoding, version(hotwords), SETTINGS, phrases.version))


def heard_bytes(heard: Heard) -> bytes:
    """The hearing as JSON: the same hearing gives the same bytes; seconds to the millisecond, figures to four places."""
    shape = {
        "shape": SHAPE,
        "language": heard.language,
        "seconds": _rounded(heard.seconds, 3),
        "speech_seconds": _rounded(heard.speech_seconds, 3),
        "speech": [[_rounded(start, 3), _rounded(end, 3)] for start, end in heard.speech],
        "segments": [_segment(segment) for segment in heard.segments],
    }
    return orjson.dumps(shape, option=orjson.OPT_SORT_KEYS)


def heard_of(content: bytes) -> Heard:
    """The hearing that such a file holds; raises `Permanent` for anything else."""
    try:
        shape = orjson.loads(content)
        if shape["shape"] != SHAPE:
            raise ValueError(f"shape {shape['shape']!r:.20}")
        return Heard(
            segments=tuple(_read(segment) for segment in shape["segments"]),
            language=str(shape["language"]),
            seconds=float(shape["seconds"]),
            speech_seconds=float(shape["speech_seconds"]),
            speech=tuple((float(start), float(end)) for start, end in shape["speech"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Permanent(f"the file holds no transcript of ours ({error!r:.100}); make the clip's transcript again") from error


def transcript(clip: Clip, heard: Heard, source_text: str, *, model: str, settings: str, object_key: str) -> Transcript:
    """The row of one clip, beside the file that `heard_bytes` gives; `source_text` is empty where the source has none."""
    believed = [segment for segment in heard.segments if not segment.gate]
    gated = [segment.gate for segment in heard.segments if segment.gate]
    text = " ".join(word.text for segment in believed for word in segment.words)
    # The source's text is of the chunk alone, the clip has margins.
    since, until = clip.chunk_offset, clip.chunk_offset + CHUNK_SECONDS
    aired = (word.text for segment in believed for word in segment.words if since <= (word.start + word.end) / 2 < until)
    apart = difference(source_text, " ".join(aired)) if source_text.strip() else None
    return Transcript(
        clip_id=clip.clip_id,
        country=clip.country,
        day=clip.day,
        channel=clip.channel,
        audio_sha256=clip.sha256,
        model=model,
        settings=settings,
        language=_languages(believed) or heard.language,
        origin=Origin.ASR.value,
        text=text,
        words=sum(len(segment.words) for segment in believed),
        gated=len(gated),
        gate_reasons=", ".join(sorted(set(gated))),
        seconds=heard.seconds,
        speech_seconds=heard.speech_seconds,
        word_error_rate=apart.word_error_rate if apart else None,
        difference=apart.shown if apart else "",
        object_key=object_key,
        sha256=sha256(heard_bytes(heard)).hexdigest(),
    )


def _languages(segments: list[Segment]) -> str:
    """Languages of what is believed, the one with most words first."""
    words: Counter[str] = Counter()
    for segment in segments:
        words[segment.language] += len(segment.words)
    return "+".join(language for language, _ in sorted(words.items(), key=lambda item: (-item[1], item[0])) if language)


def _segment(segment: Segment) -> dict[str, Any]:
    return {
        "start": _rounded(segment.start, 3),
        "end": _rounded(segment.end, 3),
        "text": segment.text,
        "language": segment.language,
        "gate": segment.gate,
        "words": [[_rounded(w.start, 3), _rounded(w.end, 3), w.text, _rounded(w.probability, 4)] for w in segment.words],
        **{figure: _rounded(getattr(segment, figure), 4) for figure in _FIGURES},
    }


def _read(segment: dict[str, Any]) -> Segment:
    return Segment(
        start=float(segment["start"]),
        end=float(segment["end"]),
        text=str(segment["text"]),
        words=tuple(Word(float(s), float(e), str(text), float(p)) for s, e, text, p in segment["words"]),
        language=str(segment["language"]),
        gate=str(segment["gate"]),
        **{figure: float(segment[figure]) for figure in _FIGURES},
    )


def _rounded(number: float, places: int) -> float:
    # One zero: -0.0 would be other bytes for the same figure.
    return round(number, places) + 0.0
