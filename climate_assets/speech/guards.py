"""Which segments of a hearing are not believed, and why: recognisers write fluent text over music, noise and silence.

Belongs here: the tests and their thresholds, the shape of the phrase list. Does not: the list itself
(`reference/invented_phrases.yaml`), decoding (`resources/workers/whisper.py`). What fails is kept with its reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

import yaml

from climate_assets.broadcast.folding import borders_as_spaces, folded
from climate_assets.failures import Permanent
from climate_assets.speech.records import Heard, Segment

SETTINGS: Final = "guards-1"
"""Version of everything below and of how segments are cut; the phrase list has its own."""

NO_SPEECH: Final = 0.6
LOG_PROBABILITY: Final = -1.0
COMPRESSION: Final = 2.4
"""Whisper's own limits (Radford et al., 2022, section 4.5), which decoding in batches ignores."""

UNSURE: Final = 0.5
"""Mean probability of its words below which a sentence out of a decoding that failed by `LOG_PROBABILITY` is not believed."""

DOUBT: Final = 0.3
HESITATION: Final = -0.7
"""No-speech probability above which, and log probability below which, a courtesy said alone is not believed. Ours."""

WORDS_A_SECOND: Final = 11.0
"""The fastest speaker on record said 655 words in a minute; over at least `FAST_WORDS` words nobody is faster."""
FAST_WORDS: Final = 4

VOICED: Final = 0.2
"""Least share of a segment that must lie in voice activity. Ours: word times are off by some tenths of a second."""

REPEATS: Final = 4
REPEATED_WORDS: Final = 8
LONGEST: Final = 12
"""A loop: up to `LONGEST` words said `REPEATS` times in a row, `REPEATED_WORDS` words at least. Ours: a chant is shorter."""

_DIGIT: Final = bytes(ord("0") if 48 <= byte <= 57 else byte for byte in range(256))


@dataclass(frozen=True, slots=True)
class Phrases:
    """Texts that recognisers are known to invent, folded, figures as `0`."""

    credits: frozenset[bytes]
    """Nobody says these on air; whatever the language heard, since a recogniser learnt subtitles of all of them."""
    courtesies: Mapping[str, frozenset[bytes]]
    """By ISO 639-1: people say them too, so alone they are suspicious only where the sound is doubtful."""
    version: str


def phrases_from_yaml(text: str, source: str) -> Phrases:
    """The list as kept in `invented_phrases.yaml`; raises `Permanent` for another shape."""
    try:
        languages: Any = yaml.safe_load(text)
        blocks = {
            str(language): (_folded(block["credits"]), _folded(block["courtesies"])) for language, block in languages.items()
        }
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise Permanent(f"{source}: {error!r:.200}; under each language write the lists credits and courtesies") from error
    credits = frozenset[bytes]().union(*(listed for listed, _ in blocks.values()))
    courtesies = {code: listed for code, (_, listed) in blocks.items()}
    return Phrases(credits, courtesies, f"phrases-{sha256(text.encode()).hexdigest()[:8]}")


def guarded(heard: Heard, phrases: Phrases) -> Heard:
    """The same hearing; each segment that is not believed says why in `gate`, and one that said so before keeps its reason."""
    loops = _in_loops(heard.segments)
    segments = tuple(
        replace(segment, gate=segment.gate or _reason(segment, heard, phrases, loops=number in loops))
        for number, segment in enumerate(heard.segments)
    )
    return replace(heard, segments=segments)


def is_doubtful(text: str, avg_logprob: float, compression_ratio: float) -> bool:
    """Whether a decoding failed by Whisper's own limits or runs in a loop, so that another may do better."""
    return avg_logprob < LOG_PROBABILITY or compression_ratio > COMPRESSION or bool(loops(_tokens(text)))


def loops(words: Sequence[bytes]) -> list[range]:
    """Stretches in which the same few words are said over and over."""
    found: list[range] = []
    at = 0
    while at < len(words):
        longest = max((_loop_at(words, at, size) for size in range(1, LONGEST + 1)), default=0)
        if longest:
            found.append(range(at, at + longest))
        at += longest or 1
    return found


def _loop_at(words: Sequence[bytes], at: int, size: int) -> int:
    """Words that repeat the `size` words at a place, these included; 0 when too few to be a loop."""
    end = at + size
    while end < len(words) and words[end] == words[end - size]:
        end += 1
    length = (end - at) // size * size
    return length if length >= max(REPEATS * size, REPEATED_WORDS) else 0


def _in_loops(segments: Sequence[Segment]) -> set[int]:
    """Numbers of the segments of which half or more lies in a loop; a loop may run over many of them."""
    words: list[bytes] = []
    owners: list[int] = []
    for number, segment in enumerate(segments):
        found = _tokens(segment.text)
        words += found
        owners += [number] * len(found)
    looped = [owners[at] for stretch in loops(words) for at in stretch]
    return {number for number in set(looped) if 2 * looped.count(number) >= owners.count(number)}


def _reason(segment: Segment, heard: Heard, phrases: Phrases, *, loops: bool) -> str:
    form = _form(segment.text)
    if not form:
        return "no words"
    if segment.no_speech_prob > NO_SPEECH and segment.avg_logprob < LOG_PROBABILITY:
        return "no speech"
    if segment.avg_logprob < LOG_PROBABILITY and _sureness(segment) < UNSURE:
        return "unsure words"
    if segment.compression_ratio > COMPRESSION:
        return "repeats itself"
    if loops:
        return "runs in a loop"
    if form in phrases.credits:
        return "subtitle credit"
    doubtful = segment.no_speech_prob > DOUBT or segment.avg_logprob < HESITATION
    if doubtful and form in phrases.courtesies.get(segment.language, ()):
        return "courtesy over doubtful sound"
    seconds = segment.end - segment.start
    if len(segment.words) >= FAST_WORDS and len(segment.words) > WORDS_A_SECOND * seconds:
        return "faster than speech"
    if _voiced(segment, heard) < VOICED * max(seconds, 0.01):
        return "no voice activity"
    return ""


def _sureness(segment: Segment) -> float:
    return sum(word.probability for word in segment.words) / max(1, len(segment.words))


def _voiced(segment: Segment, heard: Heard) -> float:
    """Seconds of the segment with voice activity; a segment without length counts a hundredth."""
    end = max(segment.end, segment.start + 0.01)
    return sum(max(0.0, min(end, last) - max(segment.start, first)) for first, last in heard.speech)


def _tokens(text: str) -> list[bytes]:
    """Folded words without marks."""
    return borders_as_spaces(folded(text)).split()


def _form(text: str) -> bytes:
    return b" ".join(_tokens(text)).translate(_DIGIT)


def _folded(listed: Sequence[str]) -> frozenset[bytes]:
    if not isinstance(listed, list):
        raise TypeError("a list of phrases is missing")
    return frozenset(form for form in map(_form, listed) if form)
