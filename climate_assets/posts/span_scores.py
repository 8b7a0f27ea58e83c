"""How well a model's spans match gold: counts, precision, recall and F1 by label, and the share of posts that are wholly right.

Two ways to match, both within one post and one label, one to one. Exact: same start and end. Overlap: pairs that share
characters, the pair that shares most first, then the earliest gold, then the earliest prediction (greedy, so now and then
one pair fewer than the most possible). A figure that is not defined is none, with its reason. Belongs here: the statistics.
Does not belong here: which posts are held out (`ner_training.py`), what a gate makes of a figure.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from climate_assets.failures import Permanent
from climate_assets.posts.spans import Span
from climate_assets.posts.vocabulary import Label

ALL: Final = "all"
"""Stands in place of a label for all labels together (micro average)."""
TP, FP, FN = 0, 1, 2
ROUNDS: Final = 1000
LEVEL: Final = 0.95
FEWEST_DEFINED: Final = 0.9
"""Share of resamples in which a figure has to be defined for an interval to be given. An assumption, not a measurement."""

SpansOf = Mapping[str, Iterable[Span]]
"""Post id -> spans; a post without spans is there, with none."""
Counts = npt.NDArray[np.int64]


class Match(StrEnum):
    """When a predicted span counts as a gold one."""

    EXACT = "exact"
    OVERLAP = "overlap"


@dataclass(frozen=True, slots=True)
class Estimate:
    """One figure with its percentile bootstrap interval; none is undefined, and `reason` says why."""

    value: float | None
    low: float | None
    high: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class SpanScore:
    """How one label is found, by one way to match."""

    label: str
    match: Match
    tp: int
    fp: int
    fn: int
    support: int
    precision: Estimate
    recall: Estimate
    f1: Estimate


def unpredicted(gold: SpansOf, predicted: SpansOf) -> list[str]:
    """Posts of gold that the model was not asked about: its silence there is no answer."""
    return sorted(gold.keys() - predicted.keys())


def span_scores(
    gold: SpansOf,
    predicted: SpansOf,
    chance: np.random.Generator,
    groups: Mapping[str, str] | None = None,
    rounds: int = ROUNDS,
) -> list[SpanScore]:
    """A score for each label of gold or predictions and for all together, by both ways to match.

    Predictions for posts outside gold are not looked at. Intervals resample posts, or `groups` of them (post id -> group),
    since spans of one post are no independent trials. Raises `Permanent` if a post of gold has no prediction.
    """
    ids = _asked(gold, predicted)
    names = [groups[post] for post in ids] if groups else ids
    order = {name: row for row, name in enumerate(dict.fromkeys(names))}
    weights = resamples(len(order), rounds, chance)
    scores = []
    for match in Match:
        by_post = [counts_by_label(gold[post], predicted[post], match) for post in ids]
        labels: list[str] = [*sorted({label for counts in by_post for label in counts}), ALL]
        for label in labels:
            table = np.zeros((len(order), 3), np.int64)
            for name, counts in zip(names, by_post, strict=True):
                for own, row in counts.items():
                    if label in (own, ALL):
                        table[order[name]] += np.array(row, np.int64)
            scores.append(_score(label, match, table, weights))
    return scores


def task_accuracy(
    gold: SpansOf,
    predicted: SpansOf,
    chance: np.random.Generator,
    rounds: int = ROUNDS,
    groups: Mapping[str, str] | None = None,
) -> Estimate:
    """Share of posts whose whole set of spans is right, to the character and the label; none without a post."""
    ids = _asked(gold, predicted)
    if not ids:
        return Estimate(None, None, None, "no post in gold")
    names = [groups[post] for post in ids] if groups else ids
    order = {name: row for row, name in enumerate(dict.fromkeys(names))}
    table = np.zeros((len(order), 2), np.int64)
    for name, post in zip(names, ids, strict=True):
        table[order[name]] += (frozenset(gold[post]) == frozenset(predicted[post]), 1)
    drawn = resamples(len(order), rounds, chance) @ table
    right, asked = table.sum(axis=0).tolist()
    return _with_interval(right / asked, drawn[:, 0] / drawn[:, 1])


def counts_by_label(gold: Iterable[Span], predicted: Iterable[Span], match: Match) -> dict[Label, tuple[int, int, int]]:
    """True positives, false positives and false negatives of one post, by label; both sides are taken as sets."""
    wanted, found = frozenset(gold), frozenset(predicted)
    hits = Counter(g.label for g, _ in pairs(wanted, found, match))
    gold_of, found_of = Counter(s.label for s in wanted), Counter(s.label for s in found)
    labels = sorted(gold_of.keys() | found_of.keys())
    return {label: (hits[label], found_of[label] - hits[label], gold_of[label] - hits[label]) for label in labels}


def pairs(gold: frozenset[Span], predicted: frozenset[Span], match: Match) -> list[tuple[Span, Span]]:
    """Gold and predicted spans that count as one, each at most once, by place."""
    if match is Match.EXACT:
        return [(span, span) for span in sorted(gold & predicted)]
    close = [(g, p) for g in gold for p in predicted if g.label is p.label and g.overlap(p)]
    taken: list[tuple[Span, Span]] = []
    used: set[tuple[str, Span]] = set()
    for g, p in sorted(close, key=lambda pair: (-pair[0].overlap(pair[1]), pair)):
        if ("g", g) not in used and ("p", p) not in used:
            used |= {("g", g), ("p", p)}
            taken.append((g, p))
    return sorted(taken)


def resamples(units: int, rounds: int, chance: np.random.Generator) -> Counts:
    """How often each unit is drawn in each round, rounds x units: draws with replacement, as many as there are units."""
    if not units:
        return np.zeros((rounds, 0), np.int64)
    return chance.multinomial(units, np.full(units, 1 / units), size=rounds)


def _asked(gold: SpansOf, predicted: SpansOf) -> list[str]:
    if missing := unpredicted(gold, predicted):
        raise Permanent(
            f"{len(missing)} of {len(gold)} gold posts have no prediction, the first is {missing[0]}; apply the model first"
        )
    return sorted(gold)


def _score(label: str, match: Match, table: Counts, weights: Counts) -> SpanScore:
    tp, fp, fn = table.sum(axis=0).tolist()
    drawn = weights @ table
    right, found, wanted = drawn[:, TP], drawn[:, TP] + drawn[:, FP], drawn[:, TP] + drawn[:, FN]
    no_gold, no_prediction = ("no gold span" if not tp + fn else ""), ("no predicted span" if not tp + fp else "")
    both = " and ".join(filter(None, (no_gold, no_prediction)))
    # F1 = 2 TP / (2 TP + FP + FN), undefined with either side empty (facts on the entity loop, section 9).
    f1 = np.where((found > 0) & (wanted > 0), _ratio(2 * right, found + wanted), np.nan)
    return SpanScore(
        label=label,
        match=match,
        tp=tp,
        fp=fp,
        fn=fn,
        support=tp + fn,
        precision=_undefined(no_prediction) if no_prediction else _with_interval(tp / (tp + fp), _ratio(right, found)),
        recall=_undefined(no_gold) if no_gold else _with_interval(tp / (tp + fn), _ratio(right, wanted)),
        f1=_undefined(both) if both else _with_interval(2 * tp / (2 * tp + fp + fn), f1),
    )


def _ratio(top: Counts, bottom: Counts) -> npt.NDArray[np.float64]:
    ratio: npt.NDArray[np.float64] = np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0)
    return ratio


def _with_interval(value: float, drawn: npt.NDArray[np.float64]) -> Estimate:
    defined: Sequence[float] = drawn[~np.isnan(drawn)].tolist()
    if not defined or len(defined) < FEWEST_DEFINED * len(drawn):
        return Estimate(
            value, None, None, f"no interval: defined in {len(defined)} of {len(drawn)} resamples, support is too thin"
        )
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()
    return Estimate(value, low, high, "")


def _undefined(reason: str) -> Estimate:
    return Estimate(None, None, None, reason)
