"""Where keywords are said: every occurrence in a chunk, in one pass over its folded text.

Belongs here: spellings of entries, the automaton, borders, longest-wins, words and windows of hits.
Does not belong here: folding (`folding.py`), endings (`inflection.py`), which hits count (`promotion.py`), airtime.

The rule.
- Text and entries are folded. A word of an entry is met in its inflected spellings too. Words of a phrase are parted by one
  border: a space, a hyphen or an apostrophe; never by a clause mark, a quotation mark that stands alone or the barrier `¶`.
  An apostrophe of an entry may be two borders (`l'eau` is `l' eau`), a hyphen none (`agro-écologie` is `agroécologie`).
- Borders are spaces, apostrophes, hyphens, marks and the ends of the text. A hyphen on the right blocks (`terre` is not said
  in `terre-neuve`, a word of its own), one on the left does not (`submersion` is said in `vagues-submersion`).
- Where the accents of a single word tell two everyday words apart (`maïs`, `mais`), they have to agree.
- All occurrences are hits. One whose span lies strictly inside the span of another is not, whatever their themes; spans that
  overlap only in part both stay. Spans are compared before HRFP promotion. One occurrence gives one hit for each theme: the
  entry spelt as it was said, else the first by alphabet. Said twice inside one word (`eau,eau`), it is one hit.
- A hit has the time of its first word; its window is 0..5, times outside the chunk fall into the first or last one.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby, islice, product
from math import prod
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind
from numpy.typing import NDArray

from climate_assets.broadcast.dictionaries import Dictionary, Entry
from climate_assets.broadcast.folding import (
    HYPHEN,
    MARK,
    SPACE,
    TELLING_ACCENTS,
    borders_as_spaces,
    folded,
    same_accents,
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
_BATCH = 32  # Texts of a batch stay in the processor's cache from one step to the next.
_ALL_COUNT = {subject.value: -1 for subject in Subject}

_Spoken = tuple[int, int, int, int]
"""Number of the chunk, number of the spelling, first word, number of words."""

_Said = tuple[int, float, int, str, str, bool]
"""Words, seconds, window, subject, category, HRFP: the columns of a hit after theme, keyword and word."""


class _Meaning(NamedTuple):
    """What a spelling stands for in one theme."""

    theme: str
    keyword: str
    subject: str
    category: str
    hrfp: bool
    accents_tell: bool


class Matcher:
    """Finds the keywords of one dictionary; building it takes a second or less, a chunk in a batch 30 microseconds."""

    def __init__(self, dictionary: Dictionary) -> None:
        self.dictionary = dictionary
        spellings = _meanings(dictionary)
        self._meanings = list(spellings.values())
        self._marks = np.array([marks for _, marks in spellings])
        # Overlapping matches lose none and cost no more than others. A DFA scans a tenth faster by itself, but its tables
        # (60 MB more at 2,000 keywords) push everything else out of the processor's caches: finding hits takes as long.
        automaton = BytesAhoCorasick([form for form, _ in spellings], MatchKind.Standard, Implementation.ContiguousNFA)
        self.scan = automaton.find_matches_as_indexes

    def hits(self, chunk: Chunk) -> list[KeywordHit]:
        """The hits of one chunk in the order they are said; raises `Permanent` if its words and word times do not pair."""
        return self.hits_of((chunk,))

    def hits_of(self, chunks: Iterable[Chunk]) -> list[KeywordHit]:
        """The hits of all chunks, in order; a batch takes half the time of one by one. Raises as `hits` does."""
        hits: list[KeywordHit] = []
        remaining = iter(chunks)
        while batch := list(islice(remaining, _BATCH)):
            hits += self._hits(batch)
        return hits

    def _hits(self, chunks: list[Chunk]) -> list[KeywordHit]:
        """The hits of a batch: its folded texts are scanned as one, a mark between them that nothing is found across."""
        forms = [folded(chunk.text) for chunk in chunks]
        text = MARK.join(forms)
        found = self.scan(borders_as_spaces(text), True)
        if not found:
            return []
        spelling, start, end = np.array(found).T
        codes = np.frombuffer(text, np.uint8)
        marks, spaces = np.flatnonzero(codes == MARK[0]), np.flatnonzero(codes == SPACE[0])
        inside = marks.searchsorted(end - 1) - marks.searchsorted(start + 1)
        fits = np.flatnonzero((codes[end - 1] != HYPHEN[0]) & (inside == self._marks[spelling]))
        kept = fits[_outermost(start[fits], end[fits])]
        spelling, start, end = spelling[kept], start[kept], end[kept]
        opens = np.cumsum([0, *(len(form) + 1 for form in forms)])
        owner = opens.searchsorted(start, "right") - 1
        before = spaces.searchsorted(opens)
        first = spaces.searchsorted(start, "right")
        words = spaces.searchsorted(end - 1) - first + 1
        said = zip(owner.tolist(), spelling.tolist(), (first - before[owner] - 1).tolist(), words.tolist(), strict=True)
        lengths = np.diff(before) - 1
        return [
            hit
            for number, spoken in groupby(said, itemgetter(0))
            for hit in self._hits_of_chunk(chunks[number], int(lengths[number]), spoken)
        ]

    def _hits_of_chunk(self, chunk: Chunk, length: int, spoken: Iterator[_Spoken]) -> list[KeywordHit]:
        """The hits that these spellings are in a chunk of `length` words."""
        times = chunk.word_times
        if length != len(times):
            raise Permanent(f"chunk {chunk.chunk_id}: {length} words but {len(times)} word times; decode its dump again")
        said: dict[tuple[str, str, int], _Said] = {}
        doubtful = False
        for _, spelling, word, words in spoken:
            time = times[word]
            window = min(max(time // _CENTISECONDS_PER_WINDOW, 0), _LAST_WINDOW)
            for theme, keyword, subject, category, hrfp, accents_tell in self._meanings[spelling]:
                if not accents_tell or same_accents(keyword, chunk.text.split(" ")[word]):
                    said.setdefault((theme, keyword, word), (words, time / 100, window, subject, category, hrfp))
                    doubtful |= hrfp
        counting = counting_windows([(hit[3], hit[2], hit[5]) for hit in said.values()]) if doubtful else _ALL_COUNT
        chunk_id, country, day, channel = chunk.chunk_id, chunk.country, chunk.day, chunk.channel
        version = self.dictionary.version
        return [
            KeywordHit(
                chunk_id,
                country,
                day,
                channel,
                theme,
                keyword,
                word,
                words,
                seconds,
                window,
                subject,
                category,
                hrfp,
                counting[subject] >> window & 1 == 1,
                version,
            )
            for (theme, keyword, word), (words, seconds, window, subject, category, hrfp) in said.items()
        ]


def _outermost(start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indexes of the spans that lie inside no other, in order of start. No two are equal: a span is spelt one way."""
    order = np.lexsort((-end, start))
    reached = np.maximum.accumulate(end[order])
    return order[np.concatenate(([True], end[order][1:] > reached[:-1]))[: len(order)]]


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
            _Meaning(
                theme.value, entry.keyword, theme.subject.value, entry.category, entry.hrfp, spelling[0].strip() in telling
            )
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
