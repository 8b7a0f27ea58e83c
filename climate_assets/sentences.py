"""Checks as true sentences: a query finds what contradicts the sentence, and the sentence holds when it finds nothing.

What must hold is said in each stage's `checks.py`; how a contradiction is shown to a person is said here, once.
"""

from collections.abc import Sequence
from typing import Any, LiteralString

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData

from climate_assets.partitions import slice_of
from climate_assets.tables import table
from resources.postgres import Barometre

# Every query that uses it gets the countries and days of the run as two arrays.
IN_SLICES: LiteralString = "(country, day) IN (SELECT * FROM unnest(%(countries)s::text[], %(days)s::date[]))"
# Of what is sliced by country alone, the same with one array.
IN_COUNTRIES: LiteralString = "country = ANY(%(countries)s)"
_SHOWN = 10


def holds(
    context: dg.AssetCheckExecutionContext,
    barometre: Barometre,
    contradictions: str,
    remedy: str,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
    **parameters: Any,
) -> dg.AssetCheckResult:
    """Whether a query finds no contradiction in the countries (and days) of the run; what it finds is shown with a remedy.

    A run over many partitions is one evaluation to Dagster, tied to none of them, and what waits for a sound partition
    would wait for ever: so each partition's own result is reported beside it.
    """
    keys = context.partition_keys
    if len(keys) > 1:
        for key in keys:
            result = result_of(_contradictions(barometre, contradictions, [key], parameters), remedy, severity)
            _report(context, key, result)
    return result_of(_contradictions(barometre, contradictions, keys, parameters), remedy, severity)


def _contradictions(barometre: Barometre, query: str, keys: Sequence[str], parameters: dict[str, Any]) -> list[dict[str, Any]]:
    slices = [slice_of(key) if "|" in key else (key, None) for key in keys]
    arrays = {"countries": [code for code, _ in slices], "days": [day for _, day in slices]}
    return barometre.rows(query, {**arrays, **parameters})


def result_of(
    found: list[dict[str, Any]], remedy: str, severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR
) -> dg.AssetCheckResult:
    """That a sentence holds, or the first of what contradicts it with a remedy."""
    return dg.AssetCheckResult(
        passed=not found,
        severity=severity,
        description="" if not found else f"{len(found)} contradictions. {remedy}",
        metadata={"contradictions": len(found), **({"first": table(found[:_SHOWN])} if found else {})},
    )


def _report(context: dg.AssetCheckExecutionContext, partition: str, result: dg.AssetCheckResult) -> None:
    [spec] = context.check_specs
    asked = dg.AssetRecordsFilter(asset_key=spec.asset_key, asset_partitions=[str(partition)])
    [made] = context.instance.fetch_materializations(asked, limit=1).records
    # As an event of this run: one that belongs to no run could be told of a partition only once, for ever.
    context.op_execution_context.log_event(
        dg.AssetCheckEvaluation(  # type: ignore[arg-type]  # its code takes these, which its annotation leaves out
            asset_key=spec.asset_key,
            check_name=spec.name,
            passed=result.passed,
            metadata=result.metadata,
            # Without the materialisation it speaks of, Dagster takes an evaluation for an old one.
            target_materialization_data=AssetCheckEvaluationTargetMaterializationData(
                storage_id=made.storage_id, run_id=made.run_id, timestamp=made.timestamp
            ),
            severity=result.severity,
            description=result.description,
            blocking=spec.blocking,
            partition=str(partition),
        )
    )
