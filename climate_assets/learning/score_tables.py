"""Figures of a model as tables and sentences that a person reads beside the asset.

Belongs here: what is shown, in which order. Does not belong here: how a figure comes about; how a table looks (`tables.py`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from climate_assets.learning.metrics import Bin
from climate_assets.learning.missed import Missed
from climate_assets.learning.records import Score


def score_rows(scores: Iterable[Score]) -> list[dict[str, Any]]:
    """One row a slice and label: figures with their intervals, and on how much they stand."""
    return [
        {
            "items": row.slice,
            "label": row.label,
            "precision": _with_limits(row.precision, row.precision_low, row.precision_high),
            "recall": _with_limits(row.recall, row.recall_low, row.recall_high),
            "F1": _with_limits(row.f1, row.f1_low, row.f1_high),
            "PR-AUC": _with_limits(row.pr_auc, row.pr_auc_low, row.pr_auc_high),
            "cases": row.support,
            "of": row.items,
            "groups": row.groups,
        }
        for row in sorted(
            scores, key=lambda s: (s.slice != "all", s.label not in ("misinfo", "all"), s.slice, s.label, s.match)
        )
    ]


def calibration_rows(bins: Iterable[Bin]) -> list[dict[str, Any]]:
    """One row a band of probability: what was said, and what was so."""
    return [
        {
            "said": f"{one.low:.1f} to {one.high:.1f}",
            "weight of chunks": one.items,
            "mean said": one.predicted,
            "share of cases": one.observed,
            "": "█" * round(20 * (one.observed or 0)),
        }
        for one in bins
        if one.items
    ]


def confusion_rows(table: Mapping[tuple[str, str], float]) -> list[dict[str, Any]]:
    """One row a pair of gold and found that occurs, heaviest first."""
    ordered = sorted(table.items(), key=lambda pair: (-pair[1], pair[0]))
    return [{"people say": gold, "the model says": said, "weight of chunks": weight} for (gold, said), weight in ordered]


def missed_sentence(missed: Missed) -> str:
    """What people were not asked about, in a sentence with its interval."""
    cases, recall = missed.cases, missed.recall
    if cases.value is None or cases.low is None or cases.high is None:
        return f"not estimated: {cases.reason}"
    told = f"{cases.value:.0f} cases were passed over ({cases.level:.0%} interval {cases.low:.0f} to {cases.high:.0f})"
    if recall.value is None or recall.low is None or recall.high is None:
        return f"{told}; recall is not estimated: {recall.reason}"
    return f"{told}: recall {recall.value:.2f} ({recall.low:.2f} to {recall.high:.2f})"


def _with_limits(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if low is None or high is None else f"{value:.2f} ({low:.2f} to {high:.2f})"
