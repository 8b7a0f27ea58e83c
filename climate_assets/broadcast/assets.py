"""The broadcast stage: from what the source said to clean chunks and airtime.

Each asset reads, calls pure functions of this stage, writes. Fetching a channel's day and storing it is `captures.py`.
"""

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

import dagster as dg

from climate_assets import policies
from climate_assets.broadcast import captures
from climate_assets.broadcast.adverts import changed_days, with_decisions
from climate_assets.broadcast.airtime import airtime_rows
from climate_assets.broadcast.cleaning import clean_chunk, intervals_by_chunk
from climate_assets.broadcast.keywords import RULE, Matcher
from climate_assets.broadcast.programmes import label
from climate_assets.broadcast.records import (
    AdDecision,
    AdInterval,
    Airtime,
    Chunk,
    CleanChunk,
    Completeness,
    KeywordHit,
    ProgrammeLabel,
    Repeat,
)
from climate_assets.broadcast.repeat_rules import METHOD
from climate_assets.broadcast.repeats import find_repeats
from climate_assets.partitions import country_day, slices_of
from climate_assets.tables import bars, columns_of, written
from resources.mediatree import Mediatree
from resources.postgres import Barometre, Change
from resources.reference import ReferenceFiles
from resources.s3 import Lake

# Reported by a sensor when somebody edits a grid file.
programme_grid = dg.AssetSpec("programme_grid", description="Programme grids: files that people edit.", kinds={"csv"})


@dg.asset(
    partitions_def=country_day,
    backfill_policy=policies.whole_range,
    retry_policy=policies.patient,
    pool="mediatree",
    kinds={"s3", "parquet", "postgres"},
    code_version="1",
    metadata=columns_of(Chunk),
)
def mediatree_dumps(
    context: dg.AssetExecutionContext, reference: ReferenceFiles, mediatree: Mediatree, lake: Lake, barometre: Barometre
) -> dg.MaterializeResult[Any]:
    """What the Mediatree API said of each channel's day, stored untouched, and the chunks read from it.

    A later answer that differs becomes a new version beside the old one; chunks are the union, the newest text wins.
    """
    countries = reference.countries()
    made = [captures.capture_day(countries[code], day, mediatree, lake, barometre) for code, day in slices_of(context)]
    days = [channel for one in made for channel in one.channels]
    expected, received = sum(c.expected for c in days), sum(c.received for c in days)
    return written(
        sum((one.change for one in made), Change()),
        sum(one.chunks for one in made),
        new_versions=sum(one.new_versions for one in made),
        drift=dg.MetadataValue.md("\n".join(f"- {text}" for one in made for text in one.drift) or "none"),
        coverage=dg.MetadataValue.float(received / expected if expected else 0.0),
        chunks_by_channel=bars(_sums((c.channel, c.received) for c in days), "chunks"),
        refused=sum(c.unreadable for c in days),
    )


@dg.asset(
    partitions_def=country_day,
    backfill_policy=policies.whole_range,
    deps=[mediatree_dumps, programme_grid],
    automation_condition=policies.follow_upstream,
    kinds={"postgres"},
    code_version="1",
    metadata=columns_of(ProgrammeLabel),
)
def programme_labels(
    context: dg.AssetExecutionContext, reference: ReferenceFiles, barometre: Barometre
) -> dg.MaterializeResult[Any]:
    """Which programme each chunk belongs to; made again when the grid is corrected."""
    countries, change, rows = reference.countries(), Change(), 0
    for code, day in slices_of(context):
        programmes = reference.programmes(countries[code])
        labels = label(programmes, barometre.read(Chunk, country=code, day=day), countries[code].tz)
        change += barometre.replace(labels, ProgrammeLabel, country=code, day=day)
        rows += len(labels)
    return written(change, rows)


@dg.asset(
    partitions_def=country_day,
    backfill_policy=policies.whole_range,
    deps=[mediatree_dumps],
    automation_condition=policies.follow_upstream,
    kinds={"postgres"},
    code_version=RULE,
    metadata=columns_of(KeywordHit),
)
def keyword_chunks(
    context: dg.AssetExecutionContext, reference: ReferenceFiles, barometre: Barometre
) -> dg.MaterializeResult[Any]:
    """Every occurrence of every keyword, at its second, and whether it counts."""
    countries, change, themes, chunks = reference.countries(), Change(), Counter[str](), 0
    matchers = {c.language: Matcher(reference.dictionary(c.language)) for c in _countries_of(context, reference)}
    for code, day in slices_of(context):
        said = barometre.read(Chunk, country=code, day=day)
        hits = matchers[countries[code].language].hits_of(said)
        change += barometre.replace(hits, KeywordHit, country=code, day=day)
        themes.update(hit.theme for hit in hits if hit.counts)
        chunks += len(said)
    return written(change, sum(themes.values()), chunks_read=chunks, hits_by_theme=bars(themes, "hits"))


@dg.asset(
    partitions_def=country_day,
    backfill_policy=policies.whole_range,
    deps=[mediatree_dumps],
    automation_condition=policies.follow_upstream,
    pool="adverts",
    kinds={"postgres", "numpy"},
    code_version=METHOD,
    metadata=columns_of(AdInterval),
)
def ad_intervals(
    context: dg.AssetExecutionContext, reference: ReferenceFiles, barometre: Barometre
) -> dg.MaterializeResult[Any]:
    """Stretches heard again on other days, hours or channels: adverts, and what only looks like them.

    A passage learnt today was perhaps aired last week: the days that would now be cut otherwise are listed in
    `changed_days`, and a sensor asks for them.
    """
    change, kinds, seconds, changed = Change(), Counter[str](), Counter[str](), set[tuple[str, date]]()
    for code, days in _by_country(context).items():
        decisions = barometre.read(AdDecision, country=code)
        found = captures.repeats_around(code, days, barometre, find_repeats)
        found = with_decisions(found, decisions, reference.countries()[code].tz, METHOD)
        stored = barometre.read(AdInterval, country=code, day=captures.days_around(days))
        changed |= {(code, day) for day in changed_days(found, stored) if day not in days}
        for day in days:
            today = [i for i in found if i.day == day]
            change += barometre.replace(today, AdInterval, country=code, day=day)
            kinds.update(i.kind for i in today)
            for interval in today:
                seconds[interval.kind] += (interval.end - interval.start).total_seconds()  # type: ignore[assignment]
    return written(
        change,
        sum(kinds.values()),
        intervals_by_kind=bars(kinds, "intervals"),
        seconds_by_kind=bars(seconds, "s"),
        changed_days=dg.MetadataValue.json([[code, day.isoformat()] for code, day in sorted(changed)]),
    )


@dg.asset(
    partitions_def=country_day,
    backfill_policy=policies.whole_range,
    deps=[keyword_chunks, ad_intervals],
    automation_condition=policies.follow_upstream,
    kinds={"postgres"},
    code_version="1",
    metadata=columns_of(CleanChunk),
)
def clean_chunks(context: dg.AssetExecutionContext, barometre: Barometre) -> dg.MaterializeResult[Any]:
    """Keyword chunks with adverts cut; words left and right of a hole never join."""
    change, rows, masked, cut = Change(), 0, 0, 0.0
    for code, day in slices_of(context):
        hits = _hits_by_chunk(barometre, code, day)
        said = [c for c in barometre.read(Chunk, country=code, day=day) if c.chunk_id in hits]
        touching = intervals_by_chunk(said, _adverts(barometre, code, day))
        clean = [clean_chunk(c, hits[c.chunk_id], touching[c.chunk_id], hits[c.chunk_id][0].dictionary, METHOD) for c in said]
        change += barometre.replace(clean, CleanChunk, country=code, day=day)
        rows, masked = rows + len(clean), masked + sum(c.masked_hits for c in clean)
        cut += sum(c.advert_seconds for c in clean)
    return written(change, rows, masked_hits=masked, seconds_cut=cut)


@dg.asset(
    partitions_def=country_day,
    backfill_policy=policies.whole_range,
    deps=[clean_chunks],
    automation_condition=policies.follow_upstream,
    kinds={"postgres"},
    code_version="1",
    metadata=columns_of(Airtime),
)
def airtime(context: dg.AssetExecutionContext, reference: ReferenceFiles, barometre: Barometre) -> dg.MaterializeResult[Any]:
    """Seconds each channel gave to each theme, adverts out and in, over the seconds that were captured."""
    countries, change, made = reference.countries(), Change(), list[Airtime]()
    for code, day in slices_of(context):
        dictionary = reference.dictionary(countries[code].language).version
        hits, adverts = barometre.read(KeywordHit, country=code, day=day), _adverts(barometre, code, day)
        said = barometre.read(Chunk, country=code, day=day)
        rows: list[Airtime] = []
        for complete in barometre.read(Completeness, country=code, day=day):
            own = complete.channel
            chunks, heard = [c for c in said if c.channel == own], [h for h in hits if h.channel == own]
            rows += airtime_rows(code, day, own, chunks, heard, adverts, complete, dictionary, METHOD)
        change += barometre.replace(rows, Airtime, country=code, day=day)
        made += rows
    minutes = _sums((row.subject, row.seconds / 60) for row in made if row.theme == "*")
    return written(change, len(made), minutes_by_subject=bars(minutes, "min"))


def _countries_of(context: dg.AssetExecutionContext, reference: ReferenceFiles) -> list[Any]:
    known = reference.countries()
    return [known[code] for code in sorted({code for code, _ in slices_of(context)})]


def _by_country(context: dg.AssetExecutionContext) -> dict[str, list[date]]:
    days: dict[str, list[date]] = defaultdict(list)
    for code, day in slices_of(context):
        days[code].append(day)
    return days


def _hits_by_chunk(barometre: Barometre, country: str, day: date) -> dict[str, list[KeywordHit]]:
    hits: dict[str, list[KeywordHit]] = defaultdict(list)
    for hit in barometre.read(KeywordHit, country=country, day=day):
        hits[hit.chunk_id].append(hit)
    return hits


def _adverts(barometre: Barometre, country: str, day: date) -> list[AdInterval]:
    # An advert that starts a minute before midnight belongs to the day before and is cut on both.
    days = [day - timedelta(days=1), day]
    return barometre.read(AdInterval, country=country, day=days, kind=Repeat.ADVERT.value)


def _sums(pairs: Any) -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for name, value in pairs:
        sums[name] += value
    return sums
