"""Figures of quality: precision, recall, F1, average precision, calibration, confusion, and the threshold for a recall.

Values in, values out. A figure that is not defined is `None` with the reason, never 0 or 1. Belongs here: point values.
Does not belong here: their intervals (`intervals.py`), what nobody looked at (`missed.py`), two models (`comparison.py`).
Weights, where given, are inverse chances of having been picked: the figures then speak of what was picked from
(Horvitz and Thompson, JASA 1952). Without them, scikit-learn's figures come out the same.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

BINS: Final = 10
NO_CASES: Final = "no case in gold: nothing to find"
NOTHING_FOUND: Final = "the model found nothing"
_NEARLY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure; `value` is None where it is not defined, and `reason` says why."""

    value: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """Decisions against gold; sums of weights where items are weighted."""

    tp: float
    fp: float
    fn: float
    tn: float = 0.0

    @property
    def precision(self) -> Measure:
        """Share of what was found that is right: tp / (tp + fp)."""
        return _ratio(self.tp, self.tp + self.fp, NOTHING_FOUND)

    @property
    def recall(self) -> Measure:
        """Share of what is there that was found: tp / (tp + fn)."""
        return _ratio(self.tp, self.tp + self.fn, NO_CASES)

    @property
    def f1(self) -> Measure:
        """2 tp / (2 tp + fp + fn): 0 if cases are there and none is found, undefined where there is nothing to find."""
        if self.tp + self.fn <= 0:
            return Measure(None, NO_CASES)
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn, NO_CASES)

    @property
    def cleared(self) -> Measure:
        """Share of items without a case that were passed over (specificity): tn / (tn + fp)."""
        return _ratio(self.tn, self.tn + self.fp, "no item without a case")


@dataclass(frozen=True, slots=True)
class Bin:
    """One row of a reliability table: items whose probability lies in (low, high], the first bin from 0 on."""

    low: float
    high: float
    items: float
    """Items, or the sum of their weights."""
    predicted: float | None
    """Their mean probability; None for an empty bin."""
    observed: float | None
    """Their share of cases; None for an empty bin."""


@dataclass(frozen=True, slots=True)
class Operating:
    """A threshold and what follows from it; all None where no threshold is defined, and `reason` says why."""

    threshold: float | None
    precision: float | None = None
    recall: float | None = None
    queue: float | None = None
    """Items at or above the threshold, or the sum of their weights: what people have to read."""
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Ranking:
    """Items in order of probability, highest first; what all thresholds are read from."""

    order: NDArray[np.int64]
    gold: Floats
    """1 for a case, 0 for none, in that order."""
    ends: NDArray[np.int64]
    """Last place of each run of equal probabilities."""
    thresholds: Floats
    """Probability of each run, falling."""

    def totals(self, weights: Floats) -> tuple[Floats, Floats]:
        """Cases, and all items, at or above each threshold; `weights` is (n,) or (b, n), the result (..., thresholds)."""
        ordered = weights[..., self.order]
        return np.cumsum(ordered * self.gold, -1)[..., self.ends], np.cumsum(ordered, -1)[..., self.ends]


def weights_of(chances: ArrayLike) -> Floats:
    """Inverse chances of having been picked. Raises `ValueError` for a chance outside 0 < p <= 1."""
    values = np.asarray(chances, np.float64)
    if values.size and not bool(np.all((values > 0) & (values <= 1))):
        raise ValueError("a chance of being picked is above 0 and at most 1; an item that could not be picked has no weight")
    return np.asarray(1 / values, np.float64)


def counts(gold: ArrayLike, found: ArrayLike, weights: ArrayLike | None = None) -> Counts:
    """Decisions (true where the model says yes) against gold (true for a case)."""
    truth, said, weight = _checked(gold, np.asarray(found, bool), weights)
    yes = said > 0
    tp, fp, fn, tn = (float(weight[part].sum()) for part in (truth & yes, ~truth & yes, truth & ~yes, ~truth & ~yes))
    return Counts(tp, fp, fn, tn)


def at_threshold(gold: ArrayLike, probabilities: ArrayLike, threshold: float, weights: ArrayLike | None = None) -> Counts:
    """Decisions of a model that says yes from `threshold` on."""
    return counts(gold, np.asarray(probabilities, np.float64) >= threshold, weights)


def average_precision(gold: ArrayLike, probabilities: ArrayLike, weights: ArrayLike | None = None) -> Measure:
    """Area under the curve of precision and recall: the sum over falling thresholds of (R_k - R_{k-1}) P_k.

    Steps, no interpolation, equal probabilities together: the definition of scikit-learn's `average_precision_score`.
    """
    truth, values, weight = _checked(gold, probabilities, weights)
    if not weight[truth].sum() > 0:
        return Measure(None, NO_CASES)
    return Measure(float(average_precisions(ranking(truth, values), weight[np.newaxis])[0]))


def average_precisions(ranked: Ranking, weights: Floats) -> Floats:
    """Average precision under each row of weights (b, n); nan in a row without cases."""
    cases, queued = ranked.totals(weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(queued > 0, cases / queued, 0.0)
        gained = np.diff(cases, axis=-1, prepend=0.0) / cases[..., -1:]
        return np.asarray((gained * precision).sum(-1), np.float64)


def ranking(gold: ArrayLike, probabilities: ArrayLike) -> Ranking:
    """Items by falling probability."""
    truth, values, _ = _checked(gold, probabilities, None)
    order = np.argsort(-values, kind="stable")
    ordered = values[order]
    ends = np.flatnonzero(np.append(np.diff(ordered) != 0, True)) if len(ordered) else np.zeros(0, np.int64)
    return Ranking(order, truth[order].astype(np.float64), ends.astype(np.int64), ordered[ends])


def threshold_at(gold: ArrayLike, probabilities: ArrayLike, recall: float, weights: ArrayLike | None = None) -> Operating:
    """The highest threshold that keeps at least `recall` of the cases: the smallest queue for people to read.

    Choose it on the dev split and measure it on the test split: on the items it is chosen on, its recall flatters.
    Raises `ValueError` outside 0 < recall <= 1.
    """
    truth, values, weight = _checked(gold, probabilities, weights)
    if not weight[truth].sum() > 0:
        _check_recall(recall)
        return Operating(None, reason=NO_CASES)
    ranked = ranking(truth, values)
    cases, queued = ranked.totals(weight[np.newaxis])
    at = int(_places(cases, recall)[0])
    kept, queue = float(cases[0, at]), float(queued[0, at])
    return Operating(float(ranked.thresholds[at]), kept / queue, kept / float(cases[0, -1]), queue)


@dataclass(frozen=True, slots=True)
class Cut:
    """A score from which on people are asked, and what follows from it."""

    score: int
    precision: float
    recall: float


def score_threshold(
    gold: Sequence[bool], scores: Sequence[int], weights: ArrayLike, recall: float, least_precision: float, top: int = 10
) -> Cut | None:
    """The highest score from 1 to `top` that keeps `recall` of the cases; if none does at a precision of `least_precision`, the
    one with the most recall that has it. None if no score has it: a threshold would only flood people.
    """
    cuts = []
    for score in range(1, top + 1):
        found = counts(gold, [said >= score for said in scores], weights)
        if found.precision.value is not None and found.recall.value is not None and found.precision.value >= least_precision:
            cuts.append(Cut(score, found.precision.value, found.recall.value))
    enough = [cut for cut in cuts if cut.recall >= recall]
    return max(enough, key=lambda c: c.score) if enough else max(cuts, key=lambda c: (c.recall, c.score), default=None)


def precisions_at(ranked: Ranking, weights: Floats, recall: float) -> Floats:
    """Precision at the highest threshold that keeps `recall`, under each row of weights (b, n); nan without cases."""
    cases, queued = ranked.totals(weights)
    rows = np.arange(len(cases))
    at = _places(cases, recall)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(cases[:, -1] > 0, cases[rows, at] / queued[rows, at], np.nan), np.float64)


def at_equal_recall(
    gold: ArrayLike, one: ArrayLike, other: ArrayLike, recall: float, weights: ArrayLike | None = None
) -> tuple[Operating, Operating]:
    """Two models, each at its own smallest queue that keeps `recall`: precision and queue are then comparable."""
    return threshold_at(gold, one, recall, weights), threshold_at(gold, other, recall, weights)


def confusion(gold: Sequence[str], found: Sequence[str], weights: ArrayLike | None = None) -> dict[tuple[str, str], float]:
    """Items by (category in gold, category found), only pairs that occur, sorted."""
    weight = _weights(len(gold), weights)
    table: dict[tuple[str, str], float] = defaultdict(float)
    for truth, said, value in zip(gold, found, weight.tolist(), strict=True):
        table[truth, said] += value
    return dict(sorted(table.items()))


def counts_by_category(table: dict[tuple[str, str], float]) -> dict[str, Counts]:
    """Each category of a confusion table against all others."""
    whole = sum(table.values())
    found: dict[str, Counts] = {}
    for category in sorted({name for pair in table for name in pair}):
        tp = table.get((category, category), 0.0)
        fp = sum(n for (truth, said), n in table.items() if said == category != truth)
        fn = sum(n for (truth, said), n in table.items() if truth == category != said)
        found[category] = Counts(tp, fp, fn, whole - tp - fp - fn)
    return found


def brier(gold: ArrayLike, probabilities: ArrayLike, weights: ArrayLike | None = None) -> Measure:
    """Mean squared distance of probability and truth, 0 (perfect) to 1 (Brier, Monthly Weather Review 1950)."""
    truth, values, weight = _probable(gold, probabilities, weights)
    return _ratio(float((weight * (values - truth) ** 2).sum()), float(weight.sum()), "no item")


def calibration_error(gold: ArrayLike, probabilities: ArrayLike, bins: int = BINS, weights: ArrayLike | None = None) -> Measure:
    """Expected calibration error: distance of mean probability and share of cases, over bins by their share of items.

    Naeini, Cooper and Hauskrecht, AAAI 2015; bins of equal width.
    """
    table = reliability(gold, probabilities, bins, weights)
    gaps = [b.items * abs(b.predicted - b.observed) for b in table if b.predicted is not None and b.observed is not None]
    return _ratio(sum(gaps), sum(b.items for b in table), "no item")


def reliability(gold: ArrayLike, probabilities: ArrayLike, bins: int = BINS, weights: ArrayLike | None = None) -> list[Bin]:
    """`bins` rows of equal width from 0 to 1: what was said beside what was so. Raises `ValueError` for no bin."""
    if bins < 1:
        raise ValueError(f"{bins} bins hold nothing; ask for at least 1")
    truth, values, weight = _probable(gold, probabilities, weights)
    edges = np.linspace(0, 1, bins + 1)
    place = np.searchsorted(edges[1:-1], values)
    items, said, so = (np.bincount(place, weight * part, bins).tolist() for part in (1.0, values, truth.astype(np.float64)))
    rows = zip(edges[:-1].tolist(), edges[1:].tolist(), items, said, so, strict=True)
    return [Bin(low, high, n, p / n if n else None, o / n if n else None) for low, high, n, p, o in rows]


def _places(cases: Floats, recall: float) -> NDArray[np.int64]:
    """First threshold of each row at which `recall` of its cases are kept; a hair's breadth of rounding is forgiven."""
    _check_recall(recall)
    return np.asarray(np.argmax(cases >= cases[:, -1:] * (recall - _NEARLY), axis=-1), np.int64)


def _check_recall(recall: float) -> None:
    if not 0 < recall <= 1:
        raise ValueError(f"recall {recall} is not within 0..1; give the share of cases to keep, such as 0.9")


def _ratio(part: float, whole: float, reason: str) -> Measure:
    return Measure(part / whole) if whole > 0 else Measure(None, reason)


def _weights(number: int, weights: ArrayLike | None) -> Floats:
    values = np.ones(number) if weights is None else np.asarray(weights, np.float64)
    if values.shape != (number,) or not bool(np.all(np.isfinite(values) & (values >= 0))):
        raise ValueError(f"{number} items need as many weights, finite and not below 0; their shape is {values.shape}")
    return values


def _checked(gold: ArrayLike, values: ArrayLike, weights: ArrayLike | None) -> tuple[NDArray[np.bool_], Floats, Floats]:
    truth, numbers = np.asarray(gold, bool), np.asarray(values, np.float64)
    if truth.ndim != 1 or truth.shape != numbers.shape or not bool(np.all(np.isfinite(numbers))):
        raise ValueError(f"labels {truth.shape} and finite values {numbers.shape} do not pair")
    return truth, numbers, _weights(len(truth), weights)


def _probable(gold: ArrayLike, values: ArrayLike, weights: ArrayLike | None) -> tuple[NDArray[np.bool_], Floats, Floats]:
    checked = _checked(gold, values, weights)
    if checked[1].size and not bool(np.all((checked[1] >= 0) & (checked[1] <= 1))):
        raise ValueError("a probability lies within 0..1; a score of 0 to 10 is none until it is calibrated")
    return checked
