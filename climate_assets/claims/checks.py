"""What must hold of the claims stage: every chunk has a state, no quote is invented, the dead are few."""

import dagster as dg

from climate_assets import policies
from climate_assets.claims import assets as claims
from climate_assets.partitions import country_day
from climate_assets.sentences import IN_SLICES, holds
from resources.postgres import Barometre

_CLEAN = IN_SLICES.replace("country, day", "c.country, c.day")
_STATES = IN_SLICES.replace("country, day", "s.country, s.day")


@dg.asset_check(asset=claims.classified_chunks, blocking=True, partitions_def=country_day)
def every_climate_chunk_has_a_state(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """No clean chunk with a climate hit is passed over, and `ok` means that there is a verdict on its very text."""
    query = f"""SELECT c.chunk_id, s.state FROM clean_chunks c
        LEFT JOIN stage_states s ON s.stage = 'classified_chunks' AND s.item_id = c.chunk_id
        WHERE {_CLEAN} AND c.climate_hits > 0 AND c.text <> '' AND (s.state IS NULL OR s.state = 'ok' AND NOT EXISTS (
            SELECT FROM verdicts v WHERE v.chunk_id = c.chunk_id AND v.text_sha256 = c.text_sha256))"""
    return holds(context, barometre, query, "Make classified_chunks again: only what is missing is judged.")


@dg.asset_check(asset=claims.classified_chunks, blocking=True, partitions_def=country_day)
def quotes_are_verbatim(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """Every quote stands word for word in the text that was judged."""
    query = f"""SELECT v.chunk_id, v.model, v.quote FROM verdicts v JOIN clean_chunks c USING (chunk_id, text_sha256)
        WHERE {_CLEAN} AND v.quote <> '' AND position(v.quote IN c.text) = 0"""
    return holds(context, barometre, query, "A quote that nobody said must never reach a person: report this as a bug.")


@dg.asset_check(asset=claims.classified_chunks, blocking=True, partitions_def=country_day)
def dead_chunks_are_few(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """Of the chunks to judge at most a few need a person."""
    query = f"""SELECT s.country, s.day, count(*) FILTER (WHERE s.state = 'dead') AS dead, count(*) AS chunks,
            max(s.reason) FILTER (WHERE s.state = 'dead') AS one_reason
        FROM stage_states s WHERE {_STATES} AND s.stage = 'classified_chunks'
        GROUP BY 1, 2 HAVING count(*) FILTER (WHERE s.state = 'dead') > %(limit)s * greatest(count(*), 50)"""
    remedy = "Read the reasons in stage_states; `climate retry` puts dead chunks back to pending once the cause is mended."
    return holds(context, barometre, query, remedy, limit=policies.DEAD_LIMIT)


@dg.asset_check(asset=claims.classified_chunks, partitions_def=country_day)
def nothing_waits_to_be_judged(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """No chunk is pending or failed."""
    query = f"""SELECT s.country, s.day, s.state, count(*) AS chunks, max(s.reason) AS one_reason FROM stage_states s
        WHERE {_STATES} AND s.stage = 'classified_chunks' AND s.state IN ('pending', 'failed') GROUP BY 1, 2, 3"""
    remedy = "The sensor `failed_states` asks again; unjudged chunks are unknown, not clean."
    return holds(context, barometre, query, remedy, dg.AssetCheckSeverity.WARN)
