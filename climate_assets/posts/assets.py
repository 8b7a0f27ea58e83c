"""The posts stage, where posts come in: what sources have of a country's days, kept untouched and read.

What models find in them is `entity_assets.py`. A country without a block `posts` has none, and its days say so.
"""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from climate_assets import policies
from climate_assets.countries import Country
from climate_assets.failures import Permanent
from climate_assets.partitions import country_day, slices_of
from climate_assets.posts.gathering import Gathering
from climate_assets.posts.reading_days import DayReading
from climate_assets.posts.records import Post
from climate_assets.tables import bars, columns_of, report
from resources.post_sources import PostSources
from resources.postgres import Barometre, Change
from resources.reference import ReferenceFiles
from resources.s3 import Lake

# What one run takes from inboxes; what is left is taken by the next one, or by the sensor.
_FILES, _BYTES = 2_000, 1024**3


@dg.asset(
    partitions_def=country_day,
    backfill_policy=policies.whole_range,
    retry_policy=policies.patient,
    pool="posts",
    kinds={"s3", "postgres"},
    code_version="1",
    metadata=columns_of(Post),
)
def posts(
    context: dg.AssetExecutionContext,
    reference: ReferenceFiles,
    barometre: Barometre,
    lake: Lake,
    post_sources: PostSources,
) -> dg.MaterializeResult[Any]:
    """Short public texts with the country's keywords, by the day they were published on; authors are pseudonyms.

    What came is in the lake before it is read. Of a post that was fetched twice the newest version stands. A server that
    does not answer, or asks for a pause, leaves a state, and is read on from where it stopped.
    """
    countries, days_of = reference.countries(), defaultdict[str, list[date]](list)
    for code, day in slices_of(context):
        days_of[code].append(day)
    for code, days in days_of.items():
        made = _country(context, countries[code], days, barometre, lake, post_sources)
        for day in [] if made else days:
            report(context, code, day, Change(), 0, why=f"{code} has no block `posts` in the countries file")
    return dg.MaterializeResult()


def _country(
    context: dg.AssetExecutionContext,
    country: Country,
    days: list[date],
    barometre: Barometre,
    lake: Lake,
    post_sources: PostSources,
) -> bool:
    """Whether the country has posts; then its days are made."""
    if country.posts is None:
        return False
    try:
        key = post_sources.key_for(country)
    except Permanent as missing:
        # To try again would wait for nothing.
        raise dg.Failure(str(missing), allow_retries=False) from missing
    reading = DayReading(country, country.posts.keywords, key, barometre, lake)
    gathering = Gathering(country, country.posts, post_sources, barometre, lake, datetime.now(UTC))
    _, left = gathering.take_files(_FILES, _BYTES)
    troubles = gathering.ask_servers(days)
    for line in [*left, *(f"{row.item_id}: {row.reason}" for row in troubles)][:20]:
        context.log.warning(line)
    before = {day: reading.states_of(day) for day in days}
    for day, made in reading.read(days):
        reading.settle(day, before[day], troubles)
        report(
            context,
            country.code,
            day,
            made.change,
            len(made.posts),
            batches=made.batches,
            refused_lines=made.refused,
            not_read_to_the_end=sum(row.day == day for row in troubles),
            posts_by_source=bars(Counter(post.source for post in made.posts), "posts"),
            posts_by_language=bars(Counter(post.lang for post in made.posts), "posts"),
            posts_by_keyword=bars(Counter(word for post in made.posts for word in post.keywords), "posts"),
        )
    return True
