"""What must hold of the broadcast stage. A blocking sentence stops what is downstream; a warning only tells."""

import dagster as dg

from climate_assets import policies
from climate_assets.broadcast import assets as broadcast
from climate_assets.partitions import country_day
from climate_assets.sentences import IN_SLICES, holds
from resources.postgres import Barometre

_WARN = dg.AssetCheckSeverity.WARN


@dg.asset_check(asset=broadcast.mediatree_dumps, blocking=True, partitions_def=country_day)
def words_and_times_agree(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """Each chunk has one time for each word."""
    query = f"""SELECT chunk_id FROM chunks WHERE {IN_SLICES} AND text <> ''
        AND cardinality(word_times) <> cardinality(string_to_array(text, ' '))"""
    return holds(context, barometre, query, "A decoder wrote rows that no stage can read: make the day again.")


@dg.asset_check(asset=broadcast.mediatree_dumps, blocking=True, partitions_def=country_day)
def unreadable_chunks_are_few(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """Of a channel's chunks at most a few cannot be decoded; more means that the source changed its shape."""
    query = f"""SELECT country, day, channel, unreadable, received FROM channel_days
        WHERE {IN_SLICES} AND unreadable > %(limit)s * greatest(received + unreadable, 50)"""
    remedy = "Read the reasons in stage_states; when the decoder is mended, make the day again: the dump is kept."
    return holds(context, barometre, query, remedy, limit=policies.DEAD_LIMIT)


@dg.asset_check(asset=broadcast.mediatree_dumps, partitions_def=country_day)
def days_are_complete(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """Each channel's monitored hours arrived, but for a small share; gaps are listed."""
    query = f"""SELECT country, day, channel, received, expected, gaps[1:3] AS first_gaps, left(missing, 80) AS missing
        FROM channel_days WHERE {IN_SLICES} AND received < %(floor)s * expected ORDER BY received - expected"""
    remedy = f"The day is fetched again for {policies.LATE_DAYS} days; after that ask the source about the gaps."
    return holds(context, barometre, query, remedy, _WARN, floor=policies.COVERAGE_FLOOR)


@dg.asset_check(asset=broadcast.keyword_chunks, blocking=True, partitions_def=country_day)
def one_dictionary_made_all_hits(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """All hits of a country's day come from one version of the dictionary."""
    query = f"""SELECT country, day, count(DISTINCT dictionary) AS versions FROM keyword_hits
        WHERE {IN_SLICES} GROUP BY 1, 2 HAVING count(DISTINCT dictionary) > 1"""
    return holds(context, barometre, query, "The dictionary was edited during the run: make the day again.")


@dg.asset_check(asset=broadcast.keyword_chunks, blocking=True, partitions_def=country_day)
def hits_point_into_their_chunk(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """Every hit's words lie in its chunk, in one of the six windows."""
    query = f"""SELECT h.chunk_id, h.keyword, h.word FROM keyword_hits h LEFT JOIN chunks c USING (chunk_id)
        WHERE {IN_SLICES.replace("country, day", "h.country, h.day")}
        AND (c.chunk_id IS NULL OR h.word + h.words > cardinality(c.word_times) OR h.window NOT BETWEEN 0 AND 5)"""
    return holds(context, barometre, query, "Chunks changed since the hits were found: make keyword_chunks again.")


@dg.asset_check(asset=broadcast.ad_intervals, partitions_def=country_day)
def advert_share_is_usual(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """Adverts take at most a third of what a channel was captured for."""
    query = f"""WITH cut AS (
            SELECT country, day, channel, sum(extract(epoch FROM "end" - start)) AS seconds
            FROM ad_intervals WHERE {IN_SLICES} AND kind = 'advert' AND NOT vetoed GROUP BY 1, 2, 3)
        SELECT country, day, channel, round(seconds) AS advert_seconds, round(d.captured_seconds) AS captured_seconds
        FROM cut JOIN channel_days d USING (country, day, channel) WHERE seconds > 0.33 * d.captured_seconds"""
    remedy = "Look at the passages in ad_intervals; veto what is no advert with `climate adverts veto`."
    return holds(context, barometre, query, remedy, _WARN)


@dg.asset_check(asset=broadcast.clean_chunks, blocking=True, partitions_def=country_day)
def every_keyword_chunk_is_cleaned(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """A chunk with a hit has a clean chunk, and only such a chunk has."""
    query = f"""SELECT chunk_id FROM (
            SELECT DISTINCT chunk_id FROM keyword_hits WHERE {IN_SLICES}) hit
        FULL JOIN (SELECT chunk_id FROM clean_chunks WHERE {IN_SLICES}) clean USING (chunk_id)
        WHERE hit.chunk_id IS NULL OR clean.chunk_id IS NULL"""
    return holds(context, barometre, query, "Hits changed since: make clean_chunks again.")


@dg.asset_check(asset=broadcast.airtime, blocking=True, partitions_def=country_day)
def airtime_has_its_denominator(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """Every channel of the day has all its rows, hits or none, and no theme has more time than was captured."""
    query = f"""SELECT d.country, d.day, d.channel, count(a.theme) AS rows FROM channel_days d
        LEFT JOIN airtime a USING (country, day, channel)
        WHERE {IN_SLICES.replace("country, day", "d.country, d.day")}
        GROUP BY 1, 2, 3 HAVING count(a.theme) <> 14 OR bool_or(a.seconds > a.captured_seconds + 120)"""
    return holds(context, barometre, query, "Make airtime again; if it stays, chunks overlap in a way nobody foresaw.")
