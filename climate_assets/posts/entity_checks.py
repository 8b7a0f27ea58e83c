"""What must hold of entities: whoever marks them, model or person, means the characters at their place; every task arrives."""

import dagster as dg

from climate_assets.labelling import assets as labelling
from climate_assets.partitions import country, country_day
from climate_assets.posts import entity_assets
from climate_assets.sentences import IN_COUNTRIES, IN_SLICES, holds
from resources.postgres import Barometre


@dg.asset_check(asset=entity_assets.post_entities, blocking=True, partitions_def=country_day)
def entities_are_what_their_post_says(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """Every entity of a post's text is the characters at its place; people are shown it there."""
    query = f"""SELECT e.post_id, e.model_version, e.start, e."end", e.text FROM post_entities e JOIN posts p USING (post_id)
        WHERE {IN_SLICES} AND e.text_sha256 = p.content_sha256 AND substr(p.text, e.start + 1, e."end" - e.start) <> e.text"""
    return holds(context, barometre, query, "The model counts characters otherwise; look at it, and make the day again.")


@dg.asset_check(asset=entity_assets.post_tasks, partitions_def=country_day)
def every_post_task_is_delivered(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """No task about a post waits, Label Studio refused none, and no two share a number."""
    query = f"""SELECT country, day, state, count(*) AS tasks, max(reason) AS one_reason FROM labelling_tasks
        WHERE {IN_SLICES} AND task_kind = 'ner' AND state NOT IN ('ok', 'skipped') GROUP BY 1, 2, 3
        UNION ALL SELECT country, day, 'one number', count(*), max(chunk_id) FROM labelling_tasks
        WHERE {IN_SLICES} AND task_kind = 'ner' AND task_id IS NOT NULL GROUP BY country, day, project_id, task_id
        HAVING count(*) > 1"""
    remedy = "Pending tasks are delivered by the next tick; a dead one says what Label Studio does not take."
    return holds(context, barometre, query, remedy, dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=labelling.gold_labels, partitions_def=country)
def gold_spans_are_what_their_post_says(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """Every span that stands is the characters at its place in its post, as people were shown it."""
    query = f"""SELECT g.item_id, s.start, s."end", s.text FROM gold_labels g JOIN posts p ON p.post_id = g.item_id,
          LATERAL jsonb_to_recordset(g.value::jsonb) AS s(start int, "end" int, text text)
        WHERE {IN_COUNTRIES.replace("country", "g.country", 1)} AND g.field = 'spans' AND g.value IS NOT NULL
          AND substr(replace(p.text, '://', ':' || chr(8260) || '/'), s.start + 1, s."end" - s.start) <> s.text"""
    remedy = "The post, or its task in Label Studio, was edited since it was asked about: remove the answers to it."
    return holds(context, barometre, query, remedy, dg.AssetCheckSeverity.WARN)
