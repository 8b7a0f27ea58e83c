"""How far two people mark the same words: pairwise F1 of spans, exact and overlapping.

Spans in, figures out; agreement on one answer per item is `agreement.py`. F1 and not alpha: no choice of unit (character or
word) is needed, and it is the measure that models are held to. It is symmetric, so nobody of a pair is taken for the truth.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Annotated, NamedTuple

import numpy as np

from climate_assets.failures import Permanent
from climate_assets.labelling.agreement import LEVEL, RESAMPLES, UNDEFINED_SHARE
from climate_assets.labelling.labelling_config import SUGGESTED
from climate_assets.labelling.records import Annotation
from climate_assets.labelling.votes import standing_annotations


class Span(NamedTuple):
    """A stretch of an item's text with a label; start and end (exclusive) in code points."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Marked:
    """All that one person marked in one item; nothing, if they answered and saw nothing to mark."""

    item: str
    annotator: int
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class SpanAgreement:
    """F1 over all pairs of people on all items that two answered: 2 x matched / spans of both; pairs are pooled."""

    match: Annotated[str, "`exact`: same start, end and label; `overlap`: same label and a character in common."]
    f1: Annotated[float | None, "0 to 1; None if not defined."]
    reason: Annotated[str, "Why it is not defined; empty if it is."]
    low: Annotated[float | None, "Lower end of the bootstrap percentile interval; items are resampled."]
    high: Annotated[float | None, "Upper end of it."]
    interval_reason: Annotated[str, "Why there is no interval; empty if there is."]
    items: Annotated[int, "Items that two people or more answered."]
    pairs: Annotated[int, "Pairs of people on them."]
    spans: Annotated[int, "Spans of both, summed over the pairs."]
    matched: Annotated[int, "Of them, those with a match on the other side."]


def marked_of(annotations: Iterable[Annotation]) -> list[Marked]:
    """What each person marked in each item, by the standing answers; the model's own suggestions, kept or not, are left out.

    Raises `Permanent` for spans that are not a JSON list of objects with start, end and label.
    """
    return [Marked(a.item_id, a.annotator, _spans(a)) for a in standing_annotations(annotations)]


def span_agreement(
    marked: Iterable[Marked],
    match: str,
    label: str = "",
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> SpanAgreement:
    """Pairwise F1, `exact` or `overlap`, of all labels or of one; with two people and one item it is their F1.

    Resample r draws `rng.integers(0, items, items)` from the items in order of their ids.
    """
    if match not in ("exact", "overlap"):
        raise Permanent(f"spans match `exact` or by `overlap`, not by {match!r}")
    counts = np.array(_counts(marked, match, label), np.int64).reshape(-1, 3)
    pairs, spans, matched = counts.sum(axis=0).tolist()
    found = SpanAgreement(match, None, "", None, None, "", len(counts), pairs, spans, matched)
    if not spans:
        reason = "nobody marked a span in an item that two people answered" if pairs else "no item has answers of two people"
        return replace(found, reason=reason, interval_reason=reason)
    found = replace(found, f1=matched / spans)
    if len(counts) == 1:
        return replace(found, interval_reason="one item alone cannot be resampled")
    rng = np.random.default_rng(seed)
    drawn = np.stack([counts[rng.integers(0, len(counts), len(counts))].sum(axis=0) for _ in range(resamples)])
    defined = drawn[drawn[:, 1] > 0]
    missing = resamples - len(defined)
    if missing > UNDEFINED_SHARE * resamples:
        return replace(
            found, interval_reason=f"in {missing} of {resamples} resamples nobody marks a span: too few items have one"
        )
    low, high = np.quantile(defined[:, 2] / defined[:, 1], [(1 - level) / 2, (1 + level) / 2])
    return replace(found, low=float(low), high=float(high))


def _spans(answer: Annotation) -> tuple[Span, ...]:
    try:
        spans = [Span(span["start"], span["end"], span["label"]) for span in json.loads(answer.spans or "[]")]
    except (ValueError, KeyError, TypeError) as cause:
        name = f"{answer.project_id}/{answer.annotation_id}"
        raise Permanent(f"the spans of annotation {name} cannot be read; read it from Label Studio anew") from cause
    return tuple(span for span in spans if span.label != SUGGESTED)


def _counts(marked: Iterable[Marked], match: str, label: str) -> list[tuple[int, int, int]]:
    """Pairs of people, spans of both and spans with a match, of each item that two answered, in order of their ids."""
    people: dict[str, dict[int, tuple[Span, ...]]] = defaultdict(dict)
    for one in sorted(marked, key=lambda m: (m.item, m.annotator)):
        if one.annotator in people[one.item]:
            raise Permanent(f"person {one.annotator} answers {one.item} twice; pass the standing answer of each person only")
        people[one.item][one.annotator] = tuple(span for span in one.spans if label in ("", span.label))
    rows = []
    for answers in people.values():
        pairs = list(combinations(answers.values(), 2))
        if pairs:
            both = sum(len(set(a)) + len(set(b)) for a, b in pairs)
            rows.append((len(pairs), both, sum(_matched(a, b, match) for a, b in pairs)))
    return rows


def _matched(one: Sequence[Span], other: Sequence[Span], match: str) -> int:
    """Spans of both sides that have a match on the other; a span marked twice counts once."""
    if match == "exact":
        return 2 * sum((Counter(set(one)) & Counter(set(other))).values())
    return _meeting(set(one), set(other)) + _meeting(set(other), set(one))


def _meeting(these: set[Span], those: set[Span]) -> int:
    return sum(any(a.label == b.label and a.start < b.end and b.start < a.end for b in those) for a in these)
