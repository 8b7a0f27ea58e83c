"""Capturing one country's day: fetched, stored untouched, decoded, counted - channel by channel.

A channel that cannot be fetched is a state with its reason and stops no other; when none can be fetched, the day fails.
The parts are elsewhere: asking (`resources/mediatree.py`), versions (`dumps.py`), decoding (`transcripts.py`).
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final

from climate_assets import policies
from climate_assets.broadcast import dumps
from climate_assets.broadcast.answers import Fetched, items_of
from climate_assets.broadcast.completeness import completeness
from climate_assets.broadcast.records import AdInterval, Chunk, Completeness, Dump
from climate_assets.broadcast.transcripts import Refused, decode_versions
from climate_assets.countries import Channel, Country
from climate_assets.failures import Transient
from climate_assets.states import StageState, State
from resources.mediatree import Mediatree
from resources.postgres import Barometre, Change
from resources.s3 import DUMPS, Lake

STAGE: Final = "mediatree_dumps"
_CHANNELS_AT_ONCE: Final = 4


@dataclass(frozen=True)
class Capture:
    """What capturing a day came to."""

    change: Change
    channels: list[Completeness]
    chunks: int
    new_versions: int
    drift: list[str]


def capture_day(country: Country, day: date, mediatree: Mediatree, lake: Lake, barometre: Barometre) -> Capture:
    """Fetch all channels of a country's day and bring lake and tables up to date."""
    with ThreadPoolExecutor(_CHANNELS_AT_ONCE) as pool:
        fetched = list(pool.map(lambda channel: mediatree.fetch_day(country, channel, day), country.channels))
    if not any(f.answers for f in fetched):
        reasons = "; ".join(f"{c.name}: {f.missing[0]}" for c, f in zip(country.channels, fetched, strict=True) if f.missing)
        raise Transient(f"nothing could be fetched of {country.code} {day} ({reasons[:600]}); run the day again later")
    parts = [_channel(country, c, day, f, lake, barometre) for c, f in zip(country.channels, fetched, strict=True)]
    states = barometre.replace([s for _, part in parts for s in part], StageState, stage=STAGE, country=country.code, day=day)
    captures = [one for one, _ in parts]
    return Capture(
        sum((c.change for c in captures), states),
        [complete for c in captures for complete in c.channels],
        sum(c.chunks for c in captures),
        sum(c.new_versions for c in captures),
        [text for c in captures for text in c.drift],
    )


def _channel(
    country: Country, channel: Channel, day: date, fetched: Fetched, lake: Lake, barometre: Barometre
) -> tuple[Capture, list[StageState]]:
    scope = {"country": country.code, "day": day, "channel": channel.name}
    known = barometre.read(Dump, order_by=["fetched_at"], **scope)
    versions, change = _stored(country, channel, day, fetched, known, lake, barometre)
    contents = [(d.version, items_of(dumps.from_parquet(lake.get(DUMPS, d.object_key)))) for d in versions]
    decoded = decode_versions(contents, country, channel, day)
    complete = completeness(country, channel, day, decoded.chunks, decoded.refused, fetched.missing)
    # The dump keeps the whole day; what is analysed, and what a share is of, are the monitored hours.
    first, end = country.monitored(channel, day)
    monitored = [c for c in decoded.chunks if first <= c.start < end]
    change += barometre.replace(monitored, Chunk, **scope)
    change += barometre.replace([complete], Completeness, **scope)
    new = [d for d in versions if d.version not in {k.version for k in known}]
    drift = [f"{channel.name} {day}: {d.drift}" for d in new if d.drift]
    states = _states(country, channel, day, fetched.missing, decoded.refused)
    return Capture(change, [complete], len(monitored), len(new), drift), states


def _stored(
    country: Country,
    channel: Channel,
    day: date,
    fetched: Fetched,
    known: list[Dump],
    lake: Lake,
    barometre: Barometre,
) -> tuple[list[Dump], Change]:
    """All versions of a channel's day, oldest first, the fetched one among them: the object first, then its row."""
    if not fetched.answers:
        return known, Change()
    version, missing = dumps.dump_version(fetched.answers), "\n".join(fetched.missing)
    same = next((d for d in known if d.version == version), None)
    if same is not None and same is known[-1]:
        return known, barometre.upsert([replace(same, missing=missing)], Dump)
    if same is not None:
        # The source went back to what it said before: that version is the newest again.
        again = replace(same, missing=missing, fetched_at=max(a.fetched_at for a in fetched.answers), drift="as before again")
        return [*(d for d in known if d is not same), again], barometre.upsert([again], Dump)
    key = dumps.object_key(country.code, day, channel.name, version)
    # A run that was killed between object and row left an object: what it holds is this version, fetched earlier.
    if not lake.exists(DUMPS, key):
        lake.put(DUMPS, key, dumps.to_parquet(fetched.answers))
    answers = dumps.from_parquet(lake.get(DUMPS, key))
    items = items_of(answers)
    before = items_of(dumps.from_parquet(lake.get(DUMPS, known[-1].object_key))) if known else None
    dump = Dump(
        country=country.code,
        day=day,
        channel=channel.name,
        version=version,
        object_key=key,
        fetched_at=max(a.fetched_at for a in answers),
        answers=len(answers),
        items=len({dumps.item_digest(item) for item in items}),
        missing=missing,
        drift="" if before is None else dumps.drift(before, items),
    )
    return [*known, dump], barometre.upsert([dump], Dump)


def _states(
    country: Country, channel: Channel, day: date, missing: Sequence[str], refused: Sequence[Refused]
) -> list[StageState]:
    """What is wrong with a channel's day: a lost range is asked for again, an unreadable chunk needs a person."""
    lost = [
        StageState(STAGE, f"{country.code}/{channel.name}/{day}#{n}", country.code, day, State.FAILED.value, reason, 1)
        for n, reason in enumerate(missing)
    ]
    dead = [StageState(STAGE, r.item_id, country.code, day, State.DEAD.value, r.reason, 1) for r in refused]
    return lost + dead


def days_around(days: Sequence[date]) -> list[date]:
    """The days in which other airings of what is heard on `days` are sought, these days included."""
    reach = range(-policies.ADVERT_LOOK_BACK_DAYS, policies.ADVERT_LOOK_BACK_DAYS + 1)
    return sorted({day + timedelta(days=n) for day in days for n in reach})


def repeats_around(
    country: str, days: Sequence[date], barometre: Barometre, find: Callable[[Iterable[Chunk]], list[AdInterval]]
) -> list[AdInterval]:
    """Repeats of a stretch of days, sought in the days around them as well; at most a week at a time, for memory."""
    found: dict[tuple[str, datetime, str], AdInterval] = {}
    for _, group in groupby(sorted(days), key=lambda day: day.toordinal() // 7):
        week = list(group)
        for interval in find(barometre.stream(Chunk, country=country, day=days_around(week))):
            # The week that a day belongs to sees the most of what surrounds it.
            if interval.day in week or (interval.channel, interval.start, interval.passage) not in found:
                found[interval.channel, interval.start, interval.passage] = interval
    return sorted(found.values(), key=lambda i: (i.channel, i.start, i.passage))
