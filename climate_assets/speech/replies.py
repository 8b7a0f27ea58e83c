"""Who answers a quote, and whether the answer contradicts it by its words: a hint for a person, no verdict.

Belongs here: who counts as answering, the cues of a language and what takes them back.
Does not belong here: where the quote is (`relocation.py`), the cues themselves (`reference/contradiction_cues.yaml`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import yaml

from climate_assets.claims.quotes import tokens
from climate_assets.failures import Permanent
from climate_assets.speech.fusion import SpokenWord
from climate_assets.speech.records import UNKNOWN

ANSWER_SECONDS: Final = 30.0
"""An answer begins within this after the quote: later, talk has moved on."""
ANSWER_WORDS: Final = 3
"""Fewer words (`oui, oui`) show that somebody listens; only a contradiction can be so short."""
AGREEMENT_TOKENS: Final = 5
"""An opening `no` is taken back by an agreement that begins within so many words and marks: `no, you are right`."""
MAX_PHRASES: Final = 300
MAX_TOKENS: Final = 8

Phrase = tuple[bytes, ...]
# Stands in a line of tokens where a mark ends a clause: no phrase goes across (Spanish `no, es verdad`, `no es verdad`).
_MARK: Final = b"."
_MARKS: Final = frozenset(",.;:!?…")
KINDS: Final = ("contradictions", "openings", "agreements")


@dataclass(frozen=True, slots=True)
class Cues:
    """What people of one language say to contradict, in folded words."""

    contradictions: frozenset[Phrase] = frozenset()
    """They hold anywhere in an answer."""
    openings: frozenset[Phrase] = frozenset()
    """They hold as the first words of an answer, with a mark after them or said twice: `no, ...` but not `no idea`."""
    agreements: frozenset[Phrase] = frozenset()
    """They agree: a shorter contradiction within one (`pas faux`) is none, and an opening before one is taken back."""

    def __or__(self, other: "Cues") -> "Cues":
        """The cues of both, for clips in which two languages are spoken."""
        return Cues(
            self.contradictions | other.contradictions,
            self.openings | other.openings,
            self.agreements | other.agreements,
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """Who answers a quote, empty if nobody does; the words that contradict it, as they were heard."""

    answered_by: str = ""
    cue: str = ""


NOBODY: Final = Reply()


def reply(words: Sequence[SpokenWord], speaker: str, start: float, end: float, cues: Cues) -> Reply:
    """The first other speaker who says at least three words, or a contradiction, from the quote's start to 30 s after its end.

    Who interrupts the quote answers it. Nobody answers an unknown speaker: the voice that follows may be the same.
    The same speaker going back on the quote is no answer. A contradiction counts wherever the one who answers says it
    within 30 s of beginning to speak.
    """
    if speaker == UNKNOWN:
        return NOBODY
    answered_by = ""
    for stretch in _stretches(words, start, end + ANSWER_SECONDS):
        other = stretch[0].speaker
        if other in (speaker, UNKNOWN) or (answered_by and other != answered_by):
            continue
        cue = contradiction([word.text for word in stretch], cues)
        if cue:
            return Reply(other, cue)
        if len(stretch) >= ANSWER_WORDS:
            answered_by = other
    return Reply(answered_by)


def contradiction(said: Sequence[str], cues: Cues) -> str:
    """The first words of an answer that contradict, as they were heard; empty if none do."""
    owners: list[int] = []
    spoken: list[bytes] = []
    for place, word in enumerate(said):
        found = tokens(word) + [_MARK] * (word.rstrip()[-1:] in _MARKS)
        spoken += found
        owners += [place] * len(found)
    agreed = list(_matches(spoken, cues.agreements))
    for start, stop in _matches(spoken, cues.contradictions):
        if not any(first < stop and start < last and last - first > stop - start for first, last in agreed):
            return " ".join(said[owners[start] : owners[stop - 1] + 1])
    stop = _opening(spoken, cues.openings)
    standing = [a for a in agreed if not _within_contradiction(a, spoken, cues.contradictions)]
    if stop and not any(first - stop < AGREEMENT_TOKENS for first, _ in standing):
        return " ".join(said[: owners[min(stop, len(owners) - 1)] + 1]) if spoken[stop : stop + 1] == [_MARK] else said[0]
    return ""


def cues_from_yaml(text: str, name: str) -> dict[str, Cues]:
    """Cues by language (words of the countries file); raises `Permanent` with the place of a mistake."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Permanent(f"{name} is no YAML ({' '.join(str(error).split())}); correct it") from error
    if not isinstance(content, dict) or not content:
        raise Permanent(f"{name} holds no languages; write one mapping a language, with {', '.join(KINDS)}")
    return {str(language): _cues(phrases, f"{name}, {language}") for language, phrases in content.items()}


def cues_of(languages: Sequence[str], by_language: Mapping[str, Cues]) -> Cues:
    """Cues of all the languages that have some."""
    joined = Cues()
    for language in languages:
        joined |= by_language.get(language, Cues())
    return joined


def _cues(phrases: Any, place: str) -> Cues:
    if not isinstance(phrases, dict) or set(phrases) - set(KINDS):
        raise Permanent(f"{place}: expected only the lists {', '.join(KINDS)}; correct the names")
    return Cues(**{kind: _phrases(phrases.get(kind) or [], f"{place}, {kind}") for kind in KINDS})


def _phrases(listed: Any, place: str) -> frozenset[Phrase]:
    if not isinstance(listed, list) or len(listed) > MAX_PHRASES:
        raise Permanent(f"{place}: expected a list of at most {MAX_PHRASES} phrases; correct it")
    found = set()
    for phrase in listed:
        # YAML reads a bare `no` as false: such a phrase needs quotes.
        if not isinstance(phrase, str) or not 0 < len(tokens(phrase)) <= MAX_TOKENS:
            raise Permanent(f"{place}: {phrase!r} is no phrase of 1 to {MAX_TOKENS} words; put it in quotes, or shorten it")
        found.add(tuple(tokens(phrase)))
    return frozenset(found)


def _stretches(words: Sequence[SpokenWord], start: float, end: float) -> Iterator[list[SpokenWord]]:
    """Words of one speaker in a row, for 30 s at most, of those after `start`; the row begins at `end` at the latest."""
    for _, grouped in groupby((word for word in words if word.start > start), lambda word: word.speaker):
        stretch = list(grouped)
        if stretch[0].start > end:
            return
        yield [word for word in stretch if word.start <= stretch[0].start + ANSWER_SECONDS]


def _matches(spoken: Sequence[bytes], phrases: frozenset[Phrase]) -> Iterator[tuple[int, int]]:
    """First token and the one after the last of each phrase that is said, by place."""
    lengths = sorted({len(phrase) for phrase in phrases}, reverse=True)
    for start in range(len(spoken)):
        for length in lengths:
            if start + length <= len(spoken) and tuple(spoken[start : start + length]) in phrases:
                yield start, start + length


def _within_contradiction(agreement: tuple[int, int], spoken: Sequence[bytes], contradictions: frozenset[Phrase]) -> bool:
    """Whether an agreement is only part of a longer contradiction: `d'accord` in `pas d'accord`."""
    first, last = agreement
    return any(
        start <= first and last <= stop and stop - start > last - first for start, stop in _matches(spoken, contradictions)
    )


def _opening(spoken: Sequence[bytes], openings: frozenset[Phrase]) -> int:
    """Tokens of the opening that an answer begins with; 0 without one."""
    for start, stop in _matches(spoken, openings):
        if start > 0:
            break
        if stop == len(spoken) or spoken[stop] == _MARK or spoken[stop : 2 * stop] == spoken[:stop]:
            return stop
    return 0
