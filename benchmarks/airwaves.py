"""A synthetic country that says what the demo world says: its items, moved to any day and channel, as stored dumps.

Belongs here: the stock of items (made once, about 375 words and 25 kB each) and dumps cut from it.
Does not belong here: servers (`servers.py`), what is measured.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson

from climate_assets.broadcast import dumps
from climate_assets.broadcast.records import CHUNK_SECONDS, Answer
from climate_assets.countries import Channel, Country, read_countries
from demo.world import COUNTRIES, World

FIRST_DAY: Final = date(2026, 11, 1)
"""The stock's own day; the days after it have 24 hours until March."""
LANGUAGE: Final = "french"
CHUNKS_A_DAY: Final = 17 * 3600 // CHUNK_SECONDS
_SLICE: Final = 6 * 3600 // CHUNK_SECONDS  # Chunks of one answer, as `resources/mediatree.py` asks for them.
_PLACEHOLDER: Final = "channel-of-the-stock"


def synthetic_country(channels: int) -> Country:
    """A country with so many channels, monitored 17 hours a day."""
    names = (f"canal-{number:02}" for number in range(channels))
    return Country(
        code="bench",
        iso3="fra",
        language=LANGUAGE,
        zone="Europe/Paris",
        bucket="bench",
        project="Benchmark",
        channels=tuple(Channel(name=name, title=name) for name in names),
    )


def stock_channels() -> list[str]:
    """Channels of the demo world that speak the language of the benchmark."""
    countries = read_countries(COUNTRIES)
    return [c.name for code in countries.codes if countries[code].language == LANGUAGE for c in countries[code].channels]


def stock(channel: str, chunks: int = CHUNKS_A_DAY) -> bytes:
    """The first items of a demo channel's monitored day, as JSON, without its name."""
    start, end = synthetic_country(1).monitored(Channel(name="canal-00", title=""), FIRST_DAY)
    items = World().items(channel, start, end)[:chunks]
    for item in items:
        item["channel"] = {"name": _PLACEHOLDER, "title": "", "radio": False}
    return orjson.dumps(items)


def dump(content: bytes, channel: str, day: date) -> bytes:
    """A stock as the Parquet file of one channel's day."""
    return next(iter(dumps_of(content, [channel], day).values()))


def dumps_of(content: bytes, channels: list[str], day: date) -> dict[str, bytes]:
    """A stock as Parquet files of several channels that say the same on one day."""
    bodies = [orjson.dumps({"total_results": len(s), "number_pages": 1, "data": s}) for s in _slices(_moved(content, day))]
    files = {}
    for channel in channels:
        own = [body.replace(_PLACEHOLDER.encode(), channel.encode()) for body in bodies]
        files[channel] = dumps.to_parquet(_answer(channel, day, number, body) for number, body in enumerate(own))
    return files


def _moved(content: bytes, day: date) -> list[dict[str, Any]]:
    """The items of a stock, as many days later; their times are whole seconds * 1000 + centiseconds."""
    seconds = (day - FIRST_DAY) // timedelta(seconds=1)
    items: list[dict[str, Any]] = orjson.loads(content)
    for item in items:
        item["start"] = str(int(item["start"]) + seconds)
        for word in item["srt"]:
            word["cts_in_ms"] += seconds * 1000
    return items


def _slices(items: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    return (items[first : first + _SLICE] for first in range(0, len(items), _SLICE))


def _answer(channel: str, day: date, number: int, body: bytes) -> Answer:
    request = orjson.dumps({"channel": channel, "day": day, "slice": number}).decode()
    return Answer(request, datetime(day.year, day.month, day.day, 23, tzinfo=UTC), hashlib.sha256(body).hexdigest(), body)


def stock_files(folder: Path, channels: int) -> list[tuple[Path, list[str]]]:
    """Which file of a folder holds which stock, and the channels that say it."""
    sources = stock_channels()
    names = [c.name for c in synthetic_country(channels).channels]
    return [
        (folder / f"{source}.json", names[n :: len(sources)]) for n, source in enumerate(sources) if names[n :: len(sources)]
    ]
