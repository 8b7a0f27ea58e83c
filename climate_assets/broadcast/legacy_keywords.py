"""The legacy keyword rule, flaws included, so that figures published under it can be recomputed and compared.

Belongs here: detection, time, window, promotion, overlap, counts and row id as the legacy pipeline had them in mid-2025,
written from the description of its behaviour. Does not belong here: anything new (`keywords.py`), and the cutting of adverts,
which came before: texts come in with their adverts already cut.

Where it differs from `keywords.py`: one position a keyword, found by its first word alone; windows before the chunk's start;
promotion in one forward pass over the dictionary's order; overlap by characters, after promotion; counts are distinct windows.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Annotated
from zoneinfo import ZoneInfo

from climate_assets.broadcast.dictionaries import INDIRECT, Entry
from climate_assets.broadcast.records import WINDOW_SECONDS, Subject, Theme
from climate_assets.failures import Permanent

MS_PER_WINDOW = WINDOW_SECONDS * 1000
OVERLAP_MS = 1000
_WINDOWS = 6


@dataclass(frozen=True, slots=True)
class SrtToken:
    """One word of the recogniser: its text and its time in the source's encoding (whole seconds x 1000 + centiseconds)."""

    text: str
    cts_in_ms: int


@dataclass(frozen=True, slots=True)
class LegacyHit:
    """One keyword of a chunk; the theme keeps its suffix `_indirectes` unless the keyword was promoted (`hrfp`)."""

    keyword: Annotated[str, "Dictionary entry."]
    theme: Annotated[str, "Theme as the legacy table has it."]
    category: Annotated[str, "Macro category."]
    timestamp: Annotated[int, "Time of the first token that matches the first word; 0 if none does."]
    window: Annotated[int, "Window; 0..5, or negative for a time before the chunk."]
    hrfp: Annotated[bool, "Promoted from indirect to direct."] = False

    @property
    def direct(self) -> bool:
        """Whether it is counted."""
        return not self.theme.endswith(INDIRECT)

    @property
    def subject(self) -> Subject:
        """Subject of its theme."""
        return Theme(self.theme.removesuffix(INDIRECT)).subject


@dataclass(frozen=True, slots=True)
class LegacyCounts:
    """Numbers of distinct windows with a direct keyword (the legacy columns `number_of_...`)."""

    keywords: Annotated[int, "Over all subjects."]
    subjects: Annotated[dict[Subject, int], "Per subject."]
    themes: Annotated[dict[Theme, int], "Per theme."]
    themes_no_hrfp: Annotated[dict[Theme, int], "Per theme, promoted keywords left out."]


def legacy_hits(text: str, srt: Sequence[SrtToken], start: int, entries: Iterable[Entry]) -> list[LegacyHit]:
    """The keywords of one chunk under the legacy rule; the legacy row exists if the list is not empty.

    `start` is in epoch seconds. `entries` are of the country's language, in the legacy dictionary's order, which matters.
    Raises `Permanent` for a keyword time a whole window or more past the chunk's last one, and for an entry that is no valid
    pattern, as the legacy pipeline raised and lost the channel's day.
    """
    said = text.replace("<unk> ", "")
    hits = []
    for entry in entries:
        if _pattern(entry.keyword).search(said):
            time = _first_time(entry.keyword, srt)
            theme = entry.theme.value + (INDIRECT if entry.hrfp else "")
            hits.append(LegacyHit(entry.keyword, theme, entry.category, time, _window(time, start, entry.keyword)))
    return _without_overlaps(_promoted(hits))


def legacy_counts(hits: Iterable[LegacyHit]) -> LegacyCounts:
    """Distinct windows of the direct hits: overall, per subject, per theme, and per theme without promoted ones."""
    direct = [hit for hit in hits if hit.direct]
    plain = [hit for hit in direct if not hit.hrfp]
    return LegacyCounts(
        _windows(direct),
        {subject: _windows(hit for hit in direct if hit.subject == subject) for subject in Subject},
        {theme: _windows(hit for hit in direct if hit.theme == theme) for theme in Theme},
        {theme: _windows(hit for hit in plain if hit.theme == theme) for theme in Theme},
    )


def legacy_id(start: datetime, zone: str, channel: str) -> str:
    """Primary key of a legacy row: SHA-256 of the start's text and the channel's name, with nothing between.

    The text is in UTC if the zone is exactly Europe/Paris (`2025-03-10 05:36:00+00:00`), in local time for every other zone
    (`2025-03-21 09:18:00+01:00`), with six digits of fraction if the start has one. `start` is an aware instant.
    """
    local = start.astimezone(UTC if zone == "Europe/Paris" else ZoneInfo(zone))
    return hashlib.sha256(f"{local}{channel}".encode()).hexdigest()


@cache
def _pattern(keyword: str) -> re.Pattern[str]:
    """Word border, loosened words one space apart, then neither a word character nor a hyphen; nothing is escaped."""
    try:
        return re.compile(rf"\b{' '.join(map(_loosened, keyword.split(' ')))}(?![\w-])", re.IGNORECASE)
    except re.error as error:
        raise Permanent(
            f"keyword {keyword!r} is no pattern for the legacy rule ({error}); leave it out of the comparison"
        ) from error


def _loosened(word: str) -> str:
    """One word: a space allowed after an apostrophe, a final s or x optional, a final à as it is, else an optional s."""
    spaced = word.replace("'", "' ?")
    if word.endswith("à"):
        return spaced
    return spaced + ("?" if word.endswith(("s", "x")) else "s?")


def _first_time(keyword: str, srt: Sequence[SrtToken]) -> int:
    """Time of the first token that matches the keyword's first word, wherever the keyword itself was said."""
    first_word = _pattern(keyword.split(" ")[0])
    return next((token.cts_in_ms for token in srt if first_word.search(token.text)), 0)


def _window(time: int, start: int, keyword: str) -> int:
    window = (time - start * 1000) // MS_PER_WINDOW
    if window > _WINDOWS:
        raise Permanent(
            f"keyword {keyword!r} at {time} is {window} windows after the start {start}; correct the chunk's word times"
        )
    return min(window, _WINDOWS - 1)


def _windows(hits: Iterable[LegacyHit]) -> int:
    return len({hit.window for hit in hits})


def _promoted(hits: list[LegacyHit]) -> list[LegacyHit]:
    """One forward pass: an indirect hit becomes direct beside one that is direct by now, in the same or a next window."""
    hits = list(hits)
    for place, hit in enumerate(hits):
        if not hit.direct and any(
            other.direct and other.subject == hit.subject and abs(other.window - hit.window) <= 1 for other in hits
        ):
            hits[place] = replace(hit, theme=hit.theme.removesuffix(INDIRECT), hrfp=True)
    return hits


def _without_overlaps(hits: list[LegacyHit]) -> list[LegacyHit]:
    """Without those whose text is part of the longer text of one that is kept, less than a second apart."""
    kept: set[int] = set()
    for place in sorted(range(len(hits)), key=lambda p: -len(hits[p].keyword)):
        hit = hits[place]
        if not any(
            hit.keyword != hits[k].keyword
            and hit.keyword in hits[k].keyword
            and abs(hit.timestamp - hits[k].timestamp) < OVERLAP_MS
            for k in kept
        ):
            kept.add(place)
    return [hit for place, hit in enumerate(hits) if place in kept]
