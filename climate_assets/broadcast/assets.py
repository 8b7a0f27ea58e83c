"""The broadcast stage: from what the source said to clean chunks and airtime.

Each asset reads, calls pure functions of this stage, writes. Fetching a channel's day and storing it is `captures.py`.
"""

import math
from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

import dagster as dg

from climate_assets import policies
from climate_assets.broadcast import captures
from climate_assets.broadcast.adverts import changed_days, with_decisions
from climate_assets.broadcast.airtime import WHOLE_SUBJECT, airtime_rows
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
    Subject,
)
from climate_assets.broadcast.repeat_rules import METHOD
from climate_assets.broadcast.repeats import find_repeats
from climate_assets.partitions import country_day, slices_of
from climate_assets.tables import bars, columns_of, report
from resources.mediatree import Mediatree
from resources.postgres import Barometre
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
    for code, day in slices_of(context):
        made = captures.capture_day(countries[code], day, mediatree, lake, barometre)
        expected, received = sum(c.expected for c in made.channels), sum(c.received for c in made.channels)
        report(
            context,
            code,
            day,
            made.change,
            made.chunks,
            new_versions=made.new_versions,
            drift=dg.MetadataValue.md("\n".join(f"- {text}" for text in made.drift) or "none"),
            coverage=dg.MetadataValue.float(received / expected if expected else 0.0),
            gaps=sum(len(c.gaps) for c in made.channels),
            refused=sum(c.unreadable for c in made.channels),
            chunks_by_channel=bars({c.channel: c.received for c in made.channels}, "chunks"),
        )
    return dg.MaterializeResult()


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
    countries = reference.countries()
    for code, day in slices_of(context):
        programmes = reference.programmes(countries[code])
        labels = label(programmes, barometre.read(Chunk, country=code, day=day), countries[code].tz)
        change = barometre.replace(labels, ProgrammeLabel, country=code, day=day)
        report(context, code, day, change, len(labels), without_programme=sum(not one.programme for one in labels))
    return dg.MaterializeResult()


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
    countries = reference.countries()
    matchers = {code: Matcher(reference.dictionary(countries[code].language)) for code, _ in slices_of(context)}
    for code, day in slices_of(context):
        said = barometre.read(Chunk, country=code, day=day)
        hits = matchers[code].hits_of(said)
        change = barometre.replace(hits, KeywordHit, country=code, day=day)
        themes = Counter(hit.theme for hit in hits if hit.counts)
        counting = themes.total()
        report(
            context, code, day, change, len(hits), chunks=len(said), counting_hits=counting, hits_by_theme=bars(themes, "hits")
        )
    return dg.MaterializeResult()


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
    for code, days in _by_country(context).items():
        decisions = barometre.read(AdDecision, country=code)
        found = captures.repeats_around(code, days, barometre, find_repeats)
        found = with_decisions(found, decisions, reference.countries()[code].tz, METHOD)
        stored = barometre.read(AdInterval, country=code, day=captures.days_around(days))
        changed = [day.isoformat() for day in changed_days(found, stored) if day not in days]
        for day in days:
            today = [i for i in found if i.day == day]
            change = barometre.replace(today, AdInterval, country=code, day=day)
            seconds = _sums((i.kind, (i.end - i.start).total_seconds()) for i in today)
            report(
                context,
                code,
                day,
                change,
                len(today),
                adverts=sum(i.kind == Repeat.ADVERT for i in today),
                advert_seconds=dg.MetadataValue.float(seconds.get(Repeat.ADVERT, 0.0)),
                seconds_by_kind=bars(seconds, "s"),
                changed_days=dg.MetadataValue.json([[code, other] for other in changed] if day == days[-1] else []),
            )
    return dg.MaterializeResult()


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
    for code, day in slices_of(context):
        hits = _hits_by_chunk(barometre, code, day)
        said = [c for c in barometre.read(Chunk, country=code, day=day) if c.chunk_id in hits]
        touching = intervals_by_chunk(said, _adverts(barometre, code, day))
        clean = [clean_chunk(c, hits[c.chunk_id], touching[c.chunk_id], hits[c.chunk_id][0].dictionary, METHOD) for c in said]
        change = barometre.replace(clean, CleanChunk, country=code, day=day)
        report(
            context,
            code,
            day,
            change,
            len(clean),
            climate_chunks=sum(c.climate_hits > 0 for c in clean),
            masked_hits=sum(c.masked_hits for c in clean),
            seconds_cut=dg.MetadataValue.float(math.fsum(c.advert_seconds for c in clean)),
        )
    return dg.MaterializeResult()


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
    countries = reference.countries()
    for code, day in slices_of(context):
        dictionary = reference.dictionary(countries[code].language).version
        hits, adverts = barometre.read(KeywordHit, country=code, day=day), _adverts(barometre, code, day)
        said = barometre.read(Chunk, country=code, day=day)
        rows: list[Airtime] = []
        for complete in barometre.read(Completeness, country=code, day=day):
            own = complete.channel
            chunks, heard = [c for c in said if c.channel == own], [h for h in hits if h.channel == own]
            rows += airtime_rows(code, day, own, chunks, heard, adverts, complete, dictionary, METHOD)
        change = barometre.replace(rows, Airtime, country=code, day=day)
        minutes = _sums((row.subject, row.seconds / 60) for row in rows if row.theme == WHOLE_SUBJECT)
        climate = dg.MetadataValue.float(minutes.get(Subject.CLIMATE, 0.0))
        report(context, code, day, change, len(rows), climate_minutes=climate, minutes_by_subject=bars(minutes, "min"))
    return dg.MaterializeResult()


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
