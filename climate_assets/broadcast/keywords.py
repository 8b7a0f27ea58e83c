"""Where keywords are said: every occurrence in a chunk, in one pass over its folded text.

Belongs here: spellings of entries, the automaton, borders, longest-wins, words and windows of hits.
Does not belong here: folding (`folding.py`), endings (`inflection.py`), which hits count (`promotion.py`), airtime.

The rule.
- Text and entries are folded. A word of an entry is met in its inflected spellings too. Words of a phrase may be parted by
  one space, a hyphen or an apostrophe (`l'eau` is `l' eau`), never by a clause mark, a quotation mark that stands alone or
  the barrier `¶`. A hyphen of an entry may be a space or nothing (`agro-écologie`, `agroécologie`).
- Borders are spaces, apostrophes, hyphens, marks and the ends of the text. A hyphen on the right blocks (`terre` is not said
  in `terre-neuve`, a word of its own), one on the left does not (`submersion` is said in `vagues-submersion`).
- Where the accents of a single word tell two everyday words apart (`maïs`, `mais`), they have to agree.
- All occurrences are hits. One whose span lies strictly inside the span of another is not, whatever their themes; spans that
  overlap only in part both stay. Spans are compared before HRFP promotion. One occurrence gives one hit for each theme: the
  entry spelt as it was said, else the first by alphabet.
- A hit has the time of its first word; its window is 0..5, times outside the chunk fall into the first or last one.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import product
from math import prod
from typing import NamedTuple

from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind
from numpy import count_nonzero

from climate_assets.broadcast.dictionaries import Dictionary, Entry
from climate_assets.broadcast.folding import (
    HYPHEN,
    MARK,
    SPACE,
    TELLING_ACCENTS,
    borders_as_spaces,
    folded,
    same_accents,
    spaces_of,
)
from climate_assets.broadcast.inflection import variants
from climate_assets.broadcast.promotion import counting_windows
from climate_assets.broadcast.records import WINDOW_SECONDS, WINDOWS_PER_CHUNK, Chunk, KeywordHit, Subject
from climate_assets.failures import Permanent

RULE = "keywords-1"
"""Version of the rule above; with the dictionary's version it says what made a hit."""

MOST_SPELLINGS = 512
_CENTISECONDS_PER_WINDOW = WINDOW_SECONDS * 100
_LAST_WINDOW = WINDOWS_PER_CHUNK - 1
_HYPHEN = HYPHEN[0]
_ALL_COUNT = {subject.value: -1 for subject in Subject}


_Span = tuple[int, int, int]
"""Start and negative end in the folded text, number of the spelling; sorts the longer of two with one start first."""


class _Meaning(NamedTuple):
    """What a spelling stands for in one theme."""

    theme: str
    keyword: str
    subject: str
    category: str
    hrfp: bool
    accents_tell: bool


class Matcher:
    """Finds the keywords of one dictionary; building it takes a fraction of a second, a chunk some 20 microseconds."""

    def __init__(self, dictionary: Dictionary) -> None:
        self.dictionary = dictionary
        spellings = _meanings(dictionary)
        self._meanings = list(spellings.values())
        self._marks = [marks for _, marks in spellings]
        # Overlapping matches lose none and cost no more than others. A DFA scans a tenth faster by itself, but its tables
        # push everything else out of the processor's caches: the hits of a chunk take as long, in five times the memory.
        automaton = BytesAhoCorasick([form for form, _ in spellings], MatchKind.Standard, Implementation.ContiguousNFA)
        self.scan = automaton.find_matches_as_indexes

    def hits_of(self, chunks: Iterable[Chunk]) -> list[KeywordHit]:
        """The hits of all chunks, in the order of the chunks."""
        return [hit for chunk in chunks for hit in self.hits(chunk)]

    def hits(self, chunk: Chunk) -> list[KeywordHit]:
        """The hits of one chunk in the order they are said; raises `Permanent` if its words and word times do not pair."""
        text = folded(chunk.text)
        found = self.scan(borders_as_spaces(text), True)
        if not found:
            return []
        marks = self._marks
        spans = [
            (start, -end, spelling)
            for spelling, start, end in found
            if text[end - 1] != _HYPHEN and text.count(MARK, start + 1, end - 1) == marks[spelling]
        ]
        return self._said(chunk, text, _outermost(spans) if len(spans) > 1 else spans) if spans else []

    def _said(self, chunk: Chunk, text: bytes, spans: list[_Span]) -> list[KeywordHit]:
        """The hits that these spans of a chunk's folded text are."""
        spaces, times, version = spaces_of(text), chunk.word_times, self.dictionary.version
        if count_nonzero(spaces) - 1 != len(times):
            raise Permanent(
                f"chunk {chunk.chunk_id}: {count_nonzero(spaces) - 1} words but {len(times)} word times; decode its dump again"
            )
        said, doubtful = [], False
        for start, minus_end, spelling in spans:
            word = count_nonzero(spaces[: start + 1]) - 1
            words = text.count(SPACE, start + 1, -minus_end - 1) + 1
            window = min(max(times[word] // _CENTISECONDS_PER_WINDOW, 0), _LAST_WINDOW)
            for theme, keyword, subject, category, hrfp, accents_tell in self._meanings[spelling]:
                doubtful |= hrfp
                if not accents_tell or same_accents(keyword, chunk.text.split(" ")[word]):
                    said.append((theme, keyword, word, words, times[word] / 100, window, subject, category, hrfp))
        counting = counting_windows([(hit[6], hit[5], hit[8]) for hit in said]) if doubtful else _ALL_COUNT
        chunk_id, country, day, channel = chunk.chunk_id, chunk.country, chunk.day, chunk.channel
        return [KeywordHit(chunk_id, country, day, channel, *hit, counting[hit[6]] >> hit[5] & 1 == 1, version) for hit in said]


def _outermost(spans: list[_Span]) -> list[_Span]:
    """The spans (start, -end, spelling) that lie strictly inside no other, in order of start."""
    spans.sort()
    kept: list[_Span] = []
    reached = 0
    for span in spans:
        end = -span[1]
        if end > reached or (kept and span[:2] == kept[-1][:2]):
            kept.append(span)
            reached = end
    return kept


def _meanings(dictionary: Dictionary) -> dict[tuple[bytes, int], tuple[_Meaning, ...]]:
    """Per spelling (form that is scanned for, clause marks in it), the meanings it has: at most one in each theme."""
    candidates: dict[tuple[bytes, int], dict[str, tuple[bool, str, Entry]]] = {}
    for entry in dictionary.entries:
        marks, forms = _spellings(entry.keyword, dictionary.language)
        for number, form in enumerate(forms):
            themes = candidates.setdefault((form, marks), {})
            candidate = (number > 0, entry.keyword, entry)
            themes[entry.theme] = min(candidate, themes.get(entry.theme, candidate), key=lambda c: c[:2])
    telling = TELLING_ACCENTS.get(dictionary.language, frozenset())
    return {
        spelling: tuple(
            _Meaning(theme.value, entry.keyword, theme.subject.value, entry.category, entry.hrfp, spelling[0].strip() in telling)
            for _, _, entry in themes.values()
            for theme in (entry.theme,)
        )
        for spelling, themes in candidates.items()
    }


def _spellings(keyword: str, language: str) -> tuple[int, Iterator[bytes]]:
    """Clause marks inside a keyword, and the forms it is scanned for, a space at each end; its own spelling comes first."""
    parts = re.split(r"([ '.-]+)", folded(keyword).strip(b" '.-").decode())
    words = [variants(word, language) for word in parts[::2]]
    while prod(map(len, words)) > MOST_SPELLINGS:
        longest = max(words, key=len)
        words[words.index(longest)] = longest[: len(longest) // 2]
    choices = [_joints(part) if number % 2 else words[number // 2] for number, part in enumerate(parts)]
    return "".join(parts[1::2]).count("."), (f" {''.join(choice)} ".encode() for choice in product(*choices))


def _joints(joint: str) -> tuple[str, ...]:
    """How the borders between two words of a keyword look to the scan, where every border is a space."""
    if "'" in joint:
        return " ", "  "
    return (" ", "") if joint == "-" else (" " * len(joint),)
