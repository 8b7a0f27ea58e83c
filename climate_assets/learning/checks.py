"""What must hold of the learning stage: nothing leaks, no model is measured on what it has learnt, every decision says why."""

from typing import Any

import dagster as dg

from climate_assets.learning import assets as learning
from climate_assets.learning.label_reading import held_out_texts
from climate_assets.learning.leakage import leaks
from climate_assets.learning.lines import line_of
from climate_assets.learning.records import Split
from climate_assets.learning.turning import examples_of
from climate_assets.partitions import learning_round
from climate_assets.sentences import holds, result_of
from resources.postgres import Barometre
from resources.s3 import Lake

# Rounds that trained the model which a round measures, and the models that it goes on from.
_LINEAGE = """WITH RECURSIVE lineage AS (
      SELECT m.* FROM rounds r JOIN model_versions m ON m.model_id = r.champion_id WHERE r.round = %(round)s
      UNION SELECT m.* FROM lineage l JOIN model_versions m ON m.model_id = l.parent_id)
    SELECT round FROM lineage WHERE round <> '' ORDER BY round"""


@dg.asset_check(asset=learning.training_set, blocking=True, partitions_def=learning_round)
def nothing_leaks(context: dg.AssetCheckExecutionContext, barometre: Barometre, lake: Lake) -> dg.AssetCheckResult:
    """No text to learn from is nearly the same as one that is held out, whatever its group and week."""
    found: list[dict[str, Any]] = []
    for key in context.partition_keys:
        learnt = {e.item_id: e for e in examples_of(key, lake) if e.split == Split.TRAIN}
        held = held_out_texts(line_of(key)[0], barometre)
        found += [{"round": key, "learnt": i, "held out": i, "alike": 1.0} for i in sorted(held.keys() & learnt.keys())]
        texts = {**held, **{i: e.text for i, e in learnt.items()}}
        sides = {i: "learnt" if i in learnt else "held out" for i in texts}
        for leak in leaks(texts, sides):
            one, other = (leak.one, leak.other) if leak.one_side == "learnt" else (leak.other, leak.one)
            found.append({"round": key, "learnt": one, "held out": other, "alike": leak.alike})
    return result_of(
        found,
        "Pairs leak, and a model trained on them would be flattered: make the training set again; if they stay, somebody "
        "edited `sides` by hand.",
    )


@dg.asset_check(asset=learning.evaluation, blocking=True, partitions_def=learning_round)
def sides_are_kept(context: dg.AssetCheckExecutionContext, barometre: Barometre, lake: Lake) -> dg.AssetCheckResult:
    """Nothing that the model in use has learnt from, or a model that it goes on from, is held out now."""
    found: list[dict[str, Any]] = []
    for key in context.partition_keys:
        held = held_out_texts(line_of(key)[0], barometre)
        for row in barometre.rows(_LINEAGE, {"round": key}):
            learnt = [e.item_id for e in examples_of(row["round"], lake) if e.split == Split.TRAIN and e.item_id in held]
            found += [{"round": key, "learnt in": row["round"], "item": item} for item in learnt]
    return result_of(found, "Learnt from and held out now, these items flatter the figures of this round: restore `sides`.")


@dg.asset_check(asset=learning.evaluation, partitions_def=learning_round)
def the_standard_is_met(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """The model in use is as good as the standard asks."""
    query = """SELECT round, measure, value, target, move, why FROM rounds
        WHERE round = ANY(%(countries)s) AND value IS NOT NULL AND value < target"""
    remedy = "The loop trains a challenger while there are new labels and iterations left; `why` says what it does next."
    return holds(context, barometre, query, remedy, dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=learning.promotion, blocking=True, partitions_def=learning_round)
def every_model_in_use_was_decided_on(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """Each line has one champion, and a decision with a reason put it there."""
    query = """SELECT m.task_kind, m.language, count(*) AS champions, count(p.why) AS with_a_reason FROM model_versions m
        LEFT JOIN LATERAL (SELECT why FROM promotions p WHERE p.challenger_id = m.model_id AND p.outcome <> 'refused'
          AND p.why <> '' LIMIT 1) p ON TRUE
        WHERE m.stage = 'champion' AND m.task_kind || '-' || m.language = ANY(%(lines)s)
        GROUP BY 1, 2 HAVING count(*) <> 1 OR count(p.why) <> 1"""
    lines = sorted({str(line_of(key)[0]) for key in context.partition_keys})
    return holds(context, barometre, query, "Somebody edited model_versions by hand: decide again.", lines=lines)
