"""Checks as true sentences: a query finds what contradicts the sentence, and the sentence holds when it finds nothing.

What must hold is said in each stage's `checks.py`; how a contradiction is shown to a person is said here, once.
"""

from typing import Any, LiteralString

import dagster as dg

from climate_assets.partitions import slices_of
from resources.postgres import Barometre

# Every query that uses it gets the countries and days of the run as two arrays.
IN_SLICES: LiteralString = "(country, day) IN (SELECT * FROM unnest(%(countries)s::text[], %(days)s::date[]))"
_SHOWN = 10


def holds(
    context: dg.AssetCheckExecutionContext,
    barometre: Barometre,
    contradictions: str,
    remedy: str,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
    **parameters: Any,
) -> dg.AssetCheckResult:
    """Whether a query finds no contradiction in the countries and days of the run; what it finds is shown with a remedy."""
    slices = slices_of(context)
    arrays = {"countries": [code for code, _ in slices], "days": [day for _, day in slices]}
    found = barometre.rows(contradictions, {**arrays, **parameters})
    return dg.AssetCheckResult(
        passed=not found,
        severity=severity,
        description="" if not found else f"{len(found)} contradictions. {remedy}",
        metadata={"contradictions": len(found), **({"first": _table(found)} if found else {})},
    )


def _table(rows: list[dict[str, Any]]) -> dg.MarkdownMetadataValue:
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(_cell(row[name]) for name in names) + " |" for row in rows[:_SHOWN]]
    return dg.MetadataValue.md("\n".join(lines))


def _cell(value: Any) -> str:
    text = str(value).replace("|", "/").replace("\n", " ")
    return text.replace("<", "&lt;")[:120]
