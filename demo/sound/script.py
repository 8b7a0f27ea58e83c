"""The script of a recording: who says what from when to when, as the running order has it.

Belongs here: the division of the world's words among speakers, and the text beside each recording. Does not: how it is
made to sound (`record.py`). No recogniser has touched these words: they are what a transcript is measured against.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from climate_assets.countries import read_countries
from demo.airing import lead
from demo.bank import Bank
from demo.rundown import Hour, Mark, Piece, hours_between, rundown
from demo.world import COUNTRIES

MARGIN: Final = 5.0
"""Seconds of a recording before its chunk, and after it."""
SECONDS: Final = 120.0 + 2 * MARGIN
"""Length of a recording."""
_SPEAKERS: Final = {"misinformation": "GUEST", "advert": "ADVERT", "jingle": "ADVERT", "climate": "REPORTER"}
# Words with which the rebuttals of the script bank turn from what was claimed to what is true.
_TURN: Final = re.compile(
    r" (c' est faux|c' est inexact|vérifions|nous avons vérifié|que répondre|alors que dire|non c' est|c' est démenti"
    r"|est-ce vrai|info ou intox|voilà l' idée|c' est un argument"
    r"|c' est une demi-vérité|certes|oui bien sûr|notre (?:journaliste|consoeur)"
    r"|nous avons fait|on a fait|elle est démentie|c' est tout simplement faux|que démonte|auquel répond|faux|vraiment"
    r"|est-ce bien sérieux|c' est confondre|attention|une accusation|c' est l' accusation|aucun élément|rien ne|rien dans"
    r"|mais non|la réponse est|caricature|c' est une rumeur|c' est un mythe|les pompiers|les enquêteurs|or|mais) "
)


@dataclass(frozen=True, slots=True)
class Line:
    """Words that one speaker says in one go; seconds from the recording's start, which may lie outside of it."""

    start: float
    end: float
    speaker: str
    """HOST, REPORTER, GUEST (claims), EXPERT (answers them), ADVERT, or SOUND: nobody speaks, the words are `<unk>`."""
    words: tuple[str, ...]

    def within(self, seconds: float) -> "Line | None":
        """What of it lies in a recording of that length, words spread evenly; none if nothing does."""
        step = (self.end - self.start) / len(self.words)
        inside = [n for n in range(len(self.words)) if 0 <= self.start + (n + 0.5) * step < seconds]
        if not inside:
            return None
        first, last = inside[0], inside[-1] + 1
        span = max(0.0, self.start + first * step), min(seconds, self.start + last * step)
        return Line(*span, self.speaker, self.words[first:last])


def lines(channel: str, chunk_start: datetime) -> list[Line]:
    """All that is said in the recording of a chunk, margins included, in order; lines at its ends reach beyond it."""
    countries = read_countries(COUNTRIES)
    country, known = next(
        (countries[code], c) for code in countries.codes for c in countries[code].channels if c.name == channel
    )
    bank = Bank()
    profile = bank.profile(channel, known.title)
    first = chunk_start - timedelta(seconds=MARGIN)
    last = first + timedelta(seconds=SECONDS)
    found: list[Line] = []
    for start in hours_between(first - timedelta(minutes=1), last):
        hour = Hour(country.code, channel, start, country.tz)
        order = rundown(hour, bank, profile, lead(channel, int(start.timestamp())))
        offset = (start - first).total_seconds()
        found += [line for piece in order.pieces for line in _shared(piece, order.marks, offset)]
    return [line for line in found if line.end > 0 and line.start < SECONDS]


def _shared(piece: Piece, marks: list[Mark], offset: float) -> Iterator[Line]:
    """The piece, divided among those who say it."""
    start, end = (offset + at / 100 for at in (piece.start, piece.start + piece.length))
    words = tuple(piece.words)
    if words == ("<unk>",):
        yield Line(start, end, "SOUND", words)
        return
    kinds = {mark.kind for mark in marks if mark.start <= piece.start and piece.start + piece.length <= mark.end}
    if "rebutted" not in kinds:
        yield Line(start, end, next((who for kind, who in _SPEAKERS.items() if kind in kinds), "HOST"), words)
        return
    turn = _TURN.search(" ".join(words), 25)
    claimed = len(" ".join(words)[: turn.start()].split()) if turn else len(words) * 2 // 5
    middle = start + (end - start) * claimed / len(words)
    yield Line(start, middle, "GUEST", words[:claimed])
    yield Line(middle, end, "EXPERT", words[claimed:])


def written(said: list[Line]) -> str:
    """The script as the text beside the recording: `start end SPEAKER: words`, one line each, in seconds."""
    inside = (line.within(SECONDS) for line in said)
    return "".join(f"{x.start:.2f} {x.end:.2f} {x.speaker}: {' '.join(x.words)}\n" for x in inside if x)


def read(text: str) -> list[Line]:
    """The lines of such a text; raises `ValueError` for another one."""
    found = []
    for row in text.splitlines():
        times, _, words = row.partition(": ")
        start, end, speaker = times.split(" ")
        found.append(Line(float(start), float(end), speaker, tuple(words.split())))
    return found
