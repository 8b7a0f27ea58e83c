"""How far people agree with each other: Krippendorff's alpha with its interval, the table of disagreements, and spans.

Votes in, figures out; whose vote counts is `votes.py`, how spans compare is `span_agreement.py`. Every figure comes with what
it was computed from, so that a reader can compute it again. What is not defined is empty and has a reason: it is never 0 or 1.
Alpha, nominal: K. Krippendorff, Computing Krippendorff's alpha-reliability (2011), from coincidence counts.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from climate_assets.failures import Permanent
from climate_assets.labelling.votes import Vote

RESAMPLES: Final = 1_000
LEVEL: Final = 0.95
UNDEFINED_SHARE: Final = 0.05
"""Of resamples in which one value is left: beyond it, what is left of them is no picture of the whole."""
YES: Final = "yes"
NO: Final = "no"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Krippendorff's alpha of one field, or of one label of it (there or not), over the items that two people answered."""

    field: Annotated[str, "Field that was answered."]
    label: Annotated[str, "Label that is there or not; empty for the field as a whole."]
    alpha: Annotated[float | None, "1: always the same; 0: as by chance; below 0: worse. None if not defined."]
    reason: Annotated[str, "Why alpha is not defined; empty if it is."]
    low: Annotated[float | None, "Lower end of the bootstrap percentile interval."]
    high: Annotated[float | None, "Upper end of it."]
    interval_reason: Annotated[str, "Why there is no interval; empty if there is."]
    units: Annotated[int, "Items with two votes or more."]
    raters: Annotated[int, "People with a vote on one of them."]
    votes: Annotated[int, "Votes on them (pairable votes)."]
    values: Annotated[tuple[tuple[str, int], ...], "Value and pairable votes for it, sorted; expected disagreement follows."]
    observed: Annotated[float | None, "Observed disagreement; alpha = 1 - observed / expected."]
    expected: Annotated[float | None, "Disagreement expected by chance from `values`."]
    resamples: Annotated[int, "Bootstrap resamples of the units."]
    undefined_resamples: Annotated[int, "Of them, those in which alpha is not defined; they are left out."]
    seed: Annotated[int, "Seed of the resamples."]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """How often two people say these two values of one item."""

    one: Annotated[str, "A value; the first of the two in order of the alphabet."]
    other: Annotated[str, "Another value, or the same."]
    pairs: Annotated[int, "Pairs of people, over all items."]
    items: Annotated[int, "Items on which that happens."]
    weight: Annotated[float, "Pairs, each divided by the item's votes less one; over half the pairable votes: the share."]


def agreement(
    votes: Iterable[Vote],
    field: str,
    label: str = "",
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Agreement:
    """Alpha of the votes as they are, with the percentile interval of resampled units (Efron 1979), not resampled votes.

    Resample r draws `rng.integers(0, units, units)` from the items in order of their ids, one generator for all. Perfect
    agreement has the interval 1 to 1, which says nothing of items not seen. Raises `Permanent` if a person votes twice on one
    item.
    """
    units = _units(votes)
    annotators = {annotator for unit in units for annotator in unit}
    domain = sorted({value for unit in units for value in unit.values()})
    patterns, pattern_of = _patterns(units, domain)
    totals = np.bincount(pattern_of, minlength=len(patterns)) @ patterns if units else np.zeros(len(domain), np.int64)
    reason = _undefined(len(units), len(domain))
    found = Agreement(
        field=field,
        label=label,
        alpha=None,
        reason=reason,
        low=None,
        high=None,
        interval_reason=reason,
        units=len(units),
        raters=len(annotators),
        votes=int(totals.sum()),
        values=tuple(zip(domain, totals.tolist(), strict=True)),
        observed=None,
        expected=None,
        resamples=0,
        undefined_resamples=0,
        seed=seed,
    )
    if not units:
        return found
    observed, expected = _disagreements(np.bincount(pattern_of)[None, :], patterns)
    found = replace(found, observed=float(observed[0]), expected=float(expected[0]))
    if reason:
        return found
    found = replace(found, alpha=float(1 - observed[0] / expected[0]))
    if len(units) == 1:
        return replace(found, interval_reason="one item alone cannot be resampled")
    return _with_interval(found, patterns, pattern_of, seed, resamples, level)


def agreements(
    votes: Iterable[Vote], field: str, *, seed: int = 0, resamples: int = RESAMPLES, level: float = LEVEL
) -> list[Agreement]:
    """Alpha of the whole field, then of each label that anybody gave, there or not, in order of the labels."""
    cast = list(votes)
    labels = sorted({label for vote in cast for label in vote.value.split(",") if label})
    whole = agreement(cast, field, seed=seed, resamples=resamples, level=level)
    return [
        whole,
        *(agreement(label_votes(cast, label), field, label, seed=seed, resamples=resamples, level=level) for label in labels),
    ]


def label_votes(votes: Iterable[Vote], label: str) -> list[Vote]:
    """The same votes reduced to whether they name `label`: `yes` or `no`."""
    return [vote._replace(value=YES if label in vote.value.split(",") else NO) for vote in votes]


def disagreements(votes: Iterable[Vote]) -> list[Disagreement]:
    """Pairs of values that two people say of one item, those that agree included; most pairs first.

    Observed disagreement = sum of `weight` where the two differ, over half the pairable votes.
    """
    pairs: Counter[tuple[str, str]] = Counter()
    items: Counter[tuple[str, str]] = Counter()
    weight: dict[tuple[str, str], float] = defaultdict(float)
    for unit in _units(votes):
        said = Counter(unit.values())
        values = sorted(said)
        times = {(a, b): said[a] * said[b] for a, b in combinations(values, 2)}
        times |= {(a, a): said[a] * (said[a] - 1) // 2 for a in values if said[a] > 1}
        for pair, count in times.items():
            pairs[pair] += count
            items[pair] += 1
            weight[pair] += count / (len(unit) - 1)
    ordered = sorted(pairs, key=lambda pair: (-pairs[pair], pair))
    return [Disagreement(*pair, pairs[pair], items[pair], weight[pair]) for pair in ordered]


def _units(votes: Iterable[Vote]) -> list[dict[int, str]]:
    """Votes by person of each item with two or more, in order of the items' ids and the people's numbers."""
    said: dict[str, dict[int, str]] = defaultdict(dict)
    for item, annotator, value in sorted(votes):
        if annotator in said[item]:
            raise Permanent(f"person {annotator} votes twice on {item}; pass the standing answer of each person only")
        said[item][annotator] = value
    return [unit for unit in said.values() if len(unit) > 1]


def _patterns(units: Sequence[dict[int, str]], domain: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct rows of votes by value, and which of them each unit is: there are few, however many units there are."""
    place = {value: column for column, value in enumerate(domain)}
    number: dict[tuple[tuple[int, int], ...], int] = {}
    pattern_of = np.array(
        [
            number.setdefault(tuple(sorted(Counter(place[value] for value in unit.values()).items())), len(number))
            for unit in units
        ],
        np.int64,
    )
    patterns = np.zeros((len(number), len(domain)), np.int64)
    for pattern, row in number.items():
        for column, count in pattern:
            patterns[row, column] = count
    return patterns, pattern_of


def _disagreements(weights: NDArray[np.int64], patterns: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Observed and expected disagreement of each sample; `weights`: samples x patterns, how often each pattern is drawn."""
    size = patterns.sum(axis=1)
    agreeing = (patterns * (patterns - 1)).sum(axis=1) / (size - 1)
    totals = weights @ patterns
    votes = totals.sum(axis=1)
    observed = (weights @ (size - agreeing)) / votes
    # Whole numbers, so that a sample with one value left has exactly 0.
    expected = (votes**2 - (totals**2).sum(axis=1)) / (votes * (votes - 1))
    return observed, expected


def _with_interval(
    found: Agreement,
    patterns: NDArray[np.int64],
    pattern_of: NDArray[np.int64],
    seed: int,
    resamples: int,
    level: float,
) -> Agreement:
    rng = np.random.default_rng(seed)
    units = len(pattern_of)
    drawn = np.stack(
        [np.bincount(pattern_of[rng.integers(0, units, units)], minlength=len(patterns)) for _ in range(resamples)]
    )
    observed, expected = _disagreements(drawn, patterns)
    defined = expected > 0
    missing = int(resamples - defined.sum())
    found = replace(found, resamples=resamples, undefined_resamples=missing)
    if missing > UNDEFINED_SHARE * resamples:
        reason = f"in {missing} of {resamples} resamples everybody says the same: too few items differ"
        return replace(found, interval_reason=reason)
    alphas = 1 - observed[defined] / expected[defined]
    low, high = np.quantile(alphas, [(1 - level) / 2, (1 + level) / 2])
    return replace(found, low=float(low), high=float(high))


def _undefined(units: int, values: int) -> str:
    if units == 0:
        return "no item has answers of two people"
    return "everybody gave the same answer to every item: chance cannot be told from agreement" if values == 1 else ""
