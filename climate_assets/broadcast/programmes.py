"""The programme grid: reading it, naming its version, and saying which programme a chunk belongs to.

Belongs here: grid rows and the rule that matches an instant to one of them. Does not: where a grid file lies, what is stored,
or which chunks are fetched (the grid never decides that). Local times become instants here, in the country's own zone.
"""

import csv
import hashlib
import io
import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from datetime import UTC, date, datetime, time, timedelta
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from climate_assets.broadcast.records import CHUNK_SECONDS, Chunk, Programme, ProgrammeLabel
from climate_assets.countries import Country
from climate_assets.failures import Permanent

COLUMNS = ("country", "channel", "weekdays", "starts", "ends", "name", "type", "valid_from", "valid_to")
LEGACY_SINCE = date(1970, 1, 1)
"""First day of a legacy row that names none: older grid files have no validity."""
_LEGACY_WEEKDAYS = {"*": "1234567", "weekday": "12345", "weekend": "67"}
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_LONGEST = timedelta(hours=25)
"""A programme lasts a day at most, and the longest day has 25 hours."""


def programmes_from_csv(text: str, country: Country, source: str) -> list[Programme]:
    """The grid of a country from CSV with the columns of `COLUMNS`; a line that starts with `#` is a remark.

    Raises `Permanent` that lists every wrong value with `source`, line, column and remedy.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    if set(reader.fieldnames or ()) != set(COLUMNS):
        raise Permanent(f"{source}:1: columns {reader.fieldnames}; the first line has to name {', '.join(COLUMNS)}")
    rows = [(reader.line_num, row) for row in reader if not row["country"].startswith("#")]
    return _all_or_refused([_Row(source, line, row, country).programme for line, row in rows])


def programmes_from_legacy(text: str, country: Country, source: str) -> list[Programme]:
    """The grid of a country from the legacy JSON rows (`channel_name`, `start`, `end`, `weekday`, `program_name`, ...).

    Weekdays are `*`, `weekday`, `weekend` or digits: 0 (Monday) to 6, unless the file has a 7, which marks the SQL
    numbering 1 to 7. A row without `program_grid_start` holds since `LEGACY_SINCE`. Raises like `programmes_from_csv`.
    """
    rows = list(_json_rows(text, source))
    digits = {str(row.get("weekday")) for _, row in rows}
    if {"0", "7"} <= digits:
        raise Permanent(f"{source}: weekdays 0 and 7 both occur; number them 0 to 6 or 1 to 7, Monday first")
    first = 1 if "7" in digits else 0
    read = [(line, _from_legacy(row, first, country.code)) for line, row in rows]
    return _all_or_refused([_Row(source, line, row, country).programme for line, row in read])


def grid_version(programmes: Sequence[Programme]) -> str:
    """Hash of a grid: the same for the same rows in any order."""
    rows = sorted(json.dumps(astuple(p), default=str, ensure_ascii=False) for p in programmes)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]


def label(programmes: Sequence[Programme], chunks: Sequence[Chunk], zone: ZoneInfo) -> list[ProgrammeLabel]:
    """One label a chunk, in the order of the chunks: the programme on air at the middle of the chunk.

    Of overlapping programmes the one that starts last wins, then the shorter, then the one valid from later.
    A chunk that the grid has no programme for gets an empty name.
    """
    version = grid_version(programmes)
    days = [chunk.start.astimezone(zone).date() for chunk in chunks]
    airings = _airings(programmes, min(days), max(days), zone) if days else {}
    labels = []
    for chunk in chunks:
        programme = _on_air(airings.get((chunk.country, chunk.channel)), chunk.start + timedelta(seconds=CHUNK_SECONDS / 2))
        name, kind = (programme.name, programme.type) if programme else ("", "")
        labels.append(ProgrammeLabel(chunk.chunk_id, chunk.country, chunk.day, chunk.channel, name, kind, version))
    return labels


_Airing = tuple[datetime, float, date, datetime, Programme]
"""First instant, minus its length, validity, first instant after it, programme: the last in order wins."""


def _airings(
    programmes: Sequence[Programme], first: date, last: date, zone: ZoneInfo
) -> dict[tuple[str, str], tuple[list[datetime], list[_Airing]]]:
    """Airings of each channel between two local days, a day of margin before for programmes that cross midnight."""
    days = [first + timedelta(days=n) for n in range(-1, (last - first).days + 2)]
    by_channel: dict[tuple[str, str], list[_Airing]] = {}
    for programme in programmes:
        starts, ends = time.fromisoformat(programme.starts), time.fromisoformat(programme.ends)
        crosses = timedelta(days=ends <= starts)
        airings = by_channel.setdefault((programme.country, programme.channel), [])
        for day in days:
            if str(day.isoweekday()) in programme.weekdays and _holds(programme, day):
                start = datetime.combine(day, starts, zone).astimezone(UTC)
                end = datetime.combine(day + crosses, ends, zone).astimezone(UTC)
                airings.append((start, -(end - start).total_seconds(), programme.valid_from, end, programme))
    for airings in by_channel.values():
        airings.sort(key=itemgetter(0, 1, 2))
    return {channel: ([airing[0] for airing in airings], airings) for channel, airings in by_channel.items()}


def _holds(programme: Programme, day: date) -> bool:
    return programme.valid_from <= day and (programme.valid_to is None or day <= programme.valid_to)


def _on_air(airings: tuple[list[datetime], list[_Airing]] | None, instant: datetime) -> Programme | None:
    if airings is None:
        return None
    starts, rows = airings
    for index in range(bisect_right(starts, instant) - 1, -1, -1):
        start, _, _, end, programme = rows[index]
        if instant < end:
            return programme
        if instant - start >= _LONGEST:
            return None
    return None


class _Row:
    """One line of a grid file on its way to a programme; a wrong value becomes a complaint, not a programme."""

    def __init__(self, source: str, line: int, row: dict[str, Any], country: Country) -> None:
        self._where, self._row, self._country = f"{source}:{line}", row, country
        self._complaints: list[str] = []

    @property
    def programme(self) -> Programme | str:
        """The programme of the row, or what is wrong with it."""
        if None in self._row or None in self._row.values():
            return f"{self._where}: {len(COLUMNS)} values are expected; quote a value that holds a comma, end no line early"
        programme = Programme(
            country=self._one_of("country", (self._country.code,)),
            channel=self._one_of("channel", tuple(c.name for c in self._country.channels)),
            weekdays=self._weekdays(),
            starts=self._clock("starts"),
            ends="00:00" if self._row["ends"] == "24:00" else self._clock("ends"),
            name=self._text("name"),
            type=self._text("type"),
            valid_from=self._date("valid_from") or date.min,
            valid_to=self._date("valid_to", optional=True),
        )
        if programme.valid_to is not None and programme.valid_to < programme.valid_from:
            self._refuse("valid_to", f"a day on or after {programme.valid_from}, or nothing")
        return "\n".join(self._complaints) or programme

    def _refuse(self, column: str, remedy: str) -> None:
        self._complaints.append(f"{self._where}: {column} is {self._row[column]!r}; write {remedy}")

    def _one_of(self, column: str, known: tuple[str, ...]) -> str:
        if self._row[column] not in known:
            self._refuse(column, f"one of {', '.join(known)}, or add it to the countries file")
        return str(self._row[column])

    def _text(self, column: str) -> str:
        if not str(self._row[column]).strip():
            self._refuse(column, "a name for people")
        return str(self._row[column]).strip()

    def _weekdays(self) -> str:
        value = str(self._row["weekdays"])
        if not value or not set(value) <= set("1234567") or len(set(value)) != len(value):
            self._refuse("weekdays", "each weekday once as digits, 1 (Monday) to 7 (Sunday), such as 12345")
        return "".join(sorted(value))

    def _clock(self, column: str) -> str:
        value = str(self._row[column])
        if not _CLOCK.fullmatch(value):
            self._refuse(column, "a local time as HH:MM, such as 06:30")
        return value

    def _date(self, column: str, optional: bool = False) -> date | None:
        value = str(self._row[column])
        if optional and not value:
            return None
        try:
            return date.fromisoformat(value)
        except ValueError:
            self._refuse(column, "a day as YYYY-MM-DD" + (", or nothing while it holds" if optional else ""))
            return None


def _from_legacy(row: dict[str, Any], first: int, country: str) -> dict[str, Any]:
    """A legacy row under the names of `COLUMNS`; missing values become empty text, which is then refused by name."""
    weekday = str(row.get("weekday", ""))
    if re.fullmatch(r"[0-7]", weekday):
        weekday = str(int(weekday) + 1 - first)
    return {
        "country": country,
        "channel": str(row.get("channel_name", "")),
        "weekdays": _LEGACY_WEEKDAYS.get(weekday, weekday),
        "starts": _two_digit_hour(row.get("start", "")),
        "ends": _two_digit_hour(row.get("end", "")),
        "name": str(row.get("program_name", "")),
        "type": str(row.get("program_type", "")),
        "valid_from": str(row.get("program_grid_start") or LEGACY_SINCE),
        "valid_to": str(row.get("program_grid_end") or ""),
    }


def _two_digit_hour(value: object) -> str:
    """`06:00` for the `6:00` that some legacy rows have."""
    return re.sub(r"^(\d):", r"0\1:", str(value))


def _json_rows(text: str, source: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSON list, each with the line it starts on."""
    decoder = json.JSONDecoder()
    opening = re.match(r"\ufeff?\s*\[", text)
    if not opening:
        raise Permanent(f"{source}:1: expected a JSON list of grid rows; got {text[:40]!r}")
    position = _past_blanks(text, opening.end())
    while text[position : position + 1] != "]":
        line = text.count("\n", 0, position) + 1
        try:
            row, position = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise Permanent(f"{source}:{error.lineno}: not JSON: {error.msg}; is the file whole?") from error
        if not isinstance(row, dict):
            raise Permanent(f"{source}:{line}: {row!r:.80} is not a grid row; write an object with channel_name, start, end")
        yield line, row
        position = _past_blanks(text, position)


def _past_blanks(text: str, position: int) -> int:
    while text[position : position + 1] in {" ", "\t", "\r", "\n", ","}:
        position += 1
    return position


def _all_or_refused(rows: Sequence[Programme | str]) -> list[Programme]:
    complaints = [row for row in rows if isinstance(row, str)]
    if complaints:
        raise Permanent("\n".join(complaints))
    return [row for row in rows if isinstance(row, Programme)]
