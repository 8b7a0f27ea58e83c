from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.broadcast.completeness import completeness
from climate_assets.broadcast.records import Chunk
from climate_assets.broadcast.transcripts import Refused, decode
from climate_assets.countries import Hours
from tests.broadcast.air import Air, countries, nordland, starts_of

DAY = date(2026, 11, 20)


@lru_cache(maxsize=8)
def chunks(day: date = DAY, country: str = "nordland", channel: str = "canal-un") -> list[Chunk]:
    there = countries()[country]
    start, end = there.day_bounds(day)
    return decode(Air(words=2).items(channel, start, end), there, there.channel(channel), day, "v").chunks


@pytest.mark.parametrize(
    ("country", "channel", "day", "expected"),
    [
        ("nordland", "canal-un", date(2026, 11, 20), 720),
        ("nordland", "canal-un", date(2026, 3, 29), 690),
        ("nordland", "canal-un", date(2026, 10, 25), 750),
        ("nordland", "radio-deux", date(2026, 10, 25), 510),
        ("westland", "canal-oeste", date(2026, 11, 20), 510),
    ],
)
def test_a_full_day_has_every_slot(country: str, channel: str, day: date, expected: int) -> None:
    there = countries()[country]
    whole = completeness(there, there.channel(channel), day, chunks(day, country, channel), [], [])
    assert (whole.expected, whole.received, whole.gaps, whole.missing) == (expected, expected, [], "")
    assert whole.captured_seconds == whole.monitored_seconds == expected * 120


@given(st.sets(st.integers(0, 719), max_size=30))
def test_what_is_not_received_is_in_a_gap(lost: set[int]) -> None:
    country, channel = nordland()
    start, _ = country.day_bounds(DAY)
    kept = [c for n, c in enumerate(chunks()) if n not in lost]
    day = completeness(country, channel, DAY, kept, [], ["a/b: HTTP 504"])
    bounds = [tuple(map(datetime.fromisoformat, gap.split("/"))) for gap in day.gaps]
    missing = {n for n in range(720) if any(since <= start + timedelta(seconds=120 * n) < until for since, until in bounds)}
    assert missing == lost
    assert day.received == day.expected - len(lost)
    assert day.captured_seconds == 120 * day.received
    assert all(a[1] < b[0] for a, b in pairwise(bounds)), "gaps that touch are one"
    assert day.missing == "a/b: HTTP 504"


def test_starts_past_the_grid_fill_their_slot_and_each_second_counts_once() -> None:
    country, channel = nordland()
    late = [replace(c, start=c.start + timedelta(seconds=(n % 3) * 13.24)) for n, c in enumerate(chunks())]
    day = completeness(country, channel, DAY, late, [], [])
    assert (day.received, day.gaps) == (720, [])
    assert day.captured_seconds < 86400
    doubled = completeness(
        country, channel, DAY, late + [replace(c, start=c.start + timedelta(seconds=0.5)) for c in late], [], []
    )
    assert doubled.captured_seconds <= 86400
    assert doubled.received == 720


def test_hours_that_cut_a_slot() -> None:
    country, channel = nordland()
    odd = channel.model_copy(update={"hours": Hours(start="06:01", end="07:00")})
    day = completeness(country, odd, DAY, [], [], [])
    assert day.expected == 30
    assert day.gaps == ["2026-11-20T05:01:00Z/2026-11-20T06:00:00Z"]


def test_a_refused_chunk_is_neither_received_nor_silent() -> None:
    country, channel = nordland()
    first, *rest = chunks()
    day = completeness(country, channel, DAY, rest, [Refused(first.chunk_id, "nonsense")], [])
    assert (day.received, day.unreadable) == (719, 1)
    assert day.gaps == ["2026-11-19T23:00:00Z/2026-11-19T23:02:00Z"]


def test_nothing_came() -> None:
    country, channel = nordland()
    day = completeness(country, channel, DAY, [], [], [])
    assert (day.received, day.captured_seconds) == (0, 0.0)
    assert day.gaps == ["2026-11-19T23:00:00Z/2026-11-20T23:00:00Z"]
    assert len(starts_of(country, DAY)) == 720
    assert datetime.fromisoformat(day.gaps[0].split("/")[0]).astimezone(UTC) == country.day_bounds(DAY)[0]
