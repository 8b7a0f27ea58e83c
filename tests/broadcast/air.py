"""A tiny, seeded source of broadcasts in the Mediatree item shape; every word is made up."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from climate_assets.countries import Channel, Country, countries_from

SYLLABLES = ("ba", "lo", "ri", "mé", "tan", "ou", "ké", "vi", "sor", "né", "la", "du")
PAIR = """
countries:
  nordland:
    iso3: nor
    language: french
    zone: Europe/Paris
    bucket: climateguard-nordland
    project: Nordland
    hours: {start: "00:00", end: "24:00"}
    channels:
      - {name: canal-un, title: Canal Un}
      - {name: radio-deux, title: Radio Deux, radio: true, hours: {start: "06:00", end: "23:00"},
         aliases: [{service: subtitle, name: radiodeux, valid_from: 2026-07-01}]}
  westland:
    iso3: wes
    language: portuguese
    zone: America/Sao_Paulo
    bucket: climateguard-westland
    project: Westland
    channels:
      - {name: canal-oeste, title: Canal Oeste}
"""


def countries() -> dict[str, Country]:
    """One country east of UTC, one west of it."""
    return countries_from(PAIR, "air.py").by_code


def nordland() -> tuple[Country, Channel]:
    country = countries()["nordland"]
    return country, country.channel("canal-un")


def wrapped(centiseconds: int) -> int:
    """A time as the API writes it: whole seconds x 1000 + centiseconds."""
    return centiseconds // 100 * 1000 + centiseconds % 100


def vocabulary(rng: random.Random, size: int = 400) -> list[str]:
    return [*sorted({"".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(size)}), "l'", "d'"]


def segments(rng: random.Random, words: list[str], seconds: int = 120) -> Iterator[list[tuple[str, int, int]]]:
    """Segments of constant step that touch: (word, centisecond, step)."""
    time, step = -76, 0
    while time < seconds * 100 - 150:
        step = rng.choice([s for s in range(20, 47) if s != step])
        count = min(rng.randint(12, 70), (seconds * 100 - 100 - time) // step)
        if count < 1:
            return
        yield [(rng.choice(words), time + i * step, step) for i in range(count)]
        time += count * step


def item(channel: str, start: float, entries: list[tuple[str, int, int]]) -> dict[str, Any]:
    """An item of word entries (text, centiseconds from start, duration in centiseconds)."""
    base = round(start * 100)
    return {
        "channel": {"name": channel, "title": channel.title(), "radio": False},
        "start": start,
        "plaintext": " ".join(text for text, _, _ in entries),
        "srt": [{"text": t, "cts_in_ms": wrapped(base + at), "duration_ms": wrapped(step)} for t, at, step in entries],
    }


@dataclass
class Air:
    """Every 120 s slot of every channel has a chunk, the same at every call, but for the slots in `silent`."""

    seed: int = 1
    words: int = 12
    silent: set[int] = field(default_factory=set)

    def items(self, channel: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
        first = -(-int(start.timestamp()) // 120) * 120
        return [self.at(channel, at) for at in range(first, math.ceil(end.timestamp()), 120) if at not in self.silent]

    def at(self, channel: str, start: int) -> dict[str, Any]:
        rng = random.Random(f"{self.seed}/{channel}/{start}")
        step = 12000 // self.words
        return item(channel, start, [("".join(rng.choices(SYLLABLES, k=3)), i * step, step) for i in range(self.words)])


def starts_of(country: Country, day: date) -> list[datetime]:
    """Starts of the day's slots, in UTC."""
    first, last = (int(instant.timestamp()) for instant in country.day_bounds(day))
    return [datetime.fromtimestamp(at, UTC) for at in range(first, last, 120)]
