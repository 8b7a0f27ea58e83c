"""What must hold of the posts stage: every line is read, every source answers, and offsets have a text to stand in."""

import dagster as dg

from climate_assets.partitions import country_day
from climate_assets.posts import assets
from climate_assets.sentences import IN_SLICES, holds
from resources.postgres import Barometre


@dg.asset_check(asset=assets.posts, partitions_def=country_day)
def every_post_line_is_read(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """No line of a batch that begins on the day was refused."""
    query = f"SELECT origin, number, reason FROM refused_posts WHERE {IN_SLICES} ORDER BY origin, number"
    remedy = "The bytes are in the lake under posts/raw/; put the file mended in the place of the old one."
    return holds(context, barometre, query, remedy, dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=assets.posts, partitions_def=country_day)
def every_source_is_read_to_the_end(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """No source failed, and none was left before the end of the day."""
    query = f"""SELECT item_id, state, reason FROM stage_states
        WHERE {IN_SLICES} AND stage = 'posts' AND state <> 'pending' ORDER BY item_id"""
    remedy = "A failed source is read on by the next run; a dead one says what to change."
    return holds(context, barometre, query, remedy, dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=assets.posts, blocking=True, partitions_def=country_day)
def a_post_is_what_its_hash_says(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """The hash of a post is its text's, and its author a pseudonym: offsets and people hang on them."""
    query = f"""SELECT post_id FROM posts WHERE {IN_SLICES}
        AND (encode(sha256(convert_to(text, 'UTF8')), 'hex') <> content_sha256 OR author !~ '^[0-9a-f]{{32}}$')"""
    return holds(context, barometre, query, "Somebody edited posts by hand; make the day again.")
