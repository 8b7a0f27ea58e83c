"""The demo world: what fictional channels said at any time, and what was planted in it.

Belongs here: the two questions one can ask of it. Does not: the protocol that serves it, or its text (`scripts/`).
A pure function of channel and time: no clock, no network, no state but files read once and a memory of recent hours.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from climate_assets.countries import Channel, Countries, Country, read_countries
from climate_assets.failures import Permanent
from demo.airing import Aired, aired, items, lead
from demo.bank import SCRIPTS, Bank
from demo.rundown import Hour, Mark, hours_between, rundown
from demo.truth import Planted

COUNTRIES = Path(__file__).with_name("countries.yaml")
_HOURS_REMEMBERED = 32


class World:
    """All channels of a countries file, on the air round the clock."""

    def __init__(self, countries: Countries | None = None, scripts: Path = SCRIPTS) -> None:
        """`countries`: whose channels are on the air; the demo's own unless given."""
        countries = countries or read_countries(COUNTRIES)
        self._channels = {c.name: (countries[code], c) for code in countries.codes for c in countries[code].channels}
        self._bank = Bank(scripts)
        self._hour = lru_cache(maxsize=_HOURS_REMEMBERED)(self._made)

    @property
    def channels(self) -> list[str]:
        """Names of the channels on the air."""
        return list(self._channels)

    def items(self, channel: str, start: datetime, end: datetime) -> list[dict[str, object]]:
        """Items of the subtitle API whose `start` lies in [start, end), in order; instants are aware."""
        _, known = self._known(channel)
        described = {"name": known.name, "title": known.title, "radio": known.radio}
        first, last = start.timestamp(), end.timestamp()
        made = (items(hour, channel, described, self._hour(channel, hour)[0]) for hour in hours_between(start, end))
        return [item for hour in made for item in hour if first <= item["start"] < last]  # type: ignore[operator]

    def truth(self, channel: str, start: datetime, end: datetime) -> list[Planted]:
        """What was planted on a channel and overlaps [start, end), in order of its start."""
        self._known(channel)
        planted = [
            _planted(channel, hour, mark)
            for hour in hours_between(start - timedelta(hours=1), end)
            for mark in self._hour(channel, hour)[1]
        ]
        return sorted((p for p in planted if p.start < end and p.end > start), key=lambda p: (p.start, p.kind))

    def _known(self, channel: str) -> tuple[Country, Channel]:
        if channel not in self._channels:
            raise Permanent(f"no channel {channel!r} is on the air; there are {', '.join(self._channels)}")
        return self._channels[channel]

    def _made(self, channel: str, start: datetime) -> tuple[Aired, list[Mark]]:
        country, known = self._known(channel)
        hour = Hour(country.code, channel, start, country.tz)
        profile = self._bank.profile(channel, known.title)
        order = rundown(hour, self._bank, profile, lead(channel, int(start.timestamp())))
        return aired(order, hour.rng("airing")), order.marks


class Mornings(World):
    """The same world, on the air in its monitored hours only: what the demo serves, so that a laptop copes."""

    _BESIDE = timedelta(minutes=10)

    def items(self, channel: str, start: datetime, end: datetime) -> list[dict[str, object]]:
        """Items of the subtitle API whose `start` lies in [start, end) and near monitored hours, in order."""
        country, known = self._known(channel)
        day = start.astimezone(country.tz).date()
        found: list[dict[str, object]] = []
        while country.day_bounds(day)[0] < end:
            first, last = country.monitored(known, day)
            since, until = max(start, first - self._BESIDE), min(end, last + self._BESIDE)
            if since < until:
                found += super().items(channel, since, until)
            day += timedelta(days=1)
        return found


def _planted(channel: str, hour: datetime, mark: Mark) -> Planted:
    start, end = (hour + timedelta(milliseconds=10 * at) for at in (mark.start, mark.end))
    return Planted(channel, mark.kind, mark.label, mark.passage, start, end, " ".join(mark.words))
