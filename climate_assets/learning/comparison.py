"""Champion against challenger on the same held-out items: what differs, how surely, and where the challenger loses.

Both tasks come as counts for each item and label: one decision of a chunk is one count, the spans of a post are several. Two
tests, both paired: McNemar's exact test (Psychometrika 1947) of the items that only one of the two gets right, and a
bootstrap of groups of near-duplicates of the difference, which decides, since airings of one bulletin are not independent.
Belongs here: what the comparison finds. Does not belong here: who wins by it (`promotions.py`), figures of one model
(`metrics.py`).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Annotated, Final, Literal

import numpy as np
import orjson

from climate_assets.failures import Permanent
from climate_assets.learning.intervals import LEVEL, ROUNDS, Floats, Interval, bootstrap, bootstrap_of_sums
from climate_assets.learning.metrics import (
    Counts,
    Measure,
    Ranking,
    average_precision,
    average_precisions,
    precisions_at,
    ranking,
    threshold_at,
    weights_of,
)

MISINFO: Final = "misinfo"
_EXACT_ITEMS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What one model says of one held-out item, beside gold."""

    item_id: Annotated[str, "Item."]
    group_id: Annotated[str, "Group of near-duplicates it belongs to."]
    channel: Annotated[str, "Channel, or source of a post."]
    counts: Annotated[Mapping[str, tuple[int, int, int]], "Label to true positives, false positives and misses."]
    gold: Annotated[bool | None, "Chunks: whether gold says it is a case; None for posts."] = None
    probability: Annotated[float | None, "Chunks: what the model gives it, 0..1; None for posts."] = None
    chance: Annotated[float, "Chance with which it was picked to be labelled; it weighs the inverse."] = 1.0

    @property
    def right(self) -> bool:
        """Nothing is wrong and nothing is missed in the whole item."""
        return not any(fp or fn for _, fp, fn in self.counts.values())


@dataclass(frozen=True, slots=True)
class Policy:
    """What a challenger has to show."""

    measure: Literal["f1", "precision_at_recall", "pr_auc"] = "f1"
    recall: float = 0.9
    """Recall that both are held to under `precision_at_recall`."""
    least_gain: float = 0.0
    """The lower limit of the difference has to lie above this."""
    margin: float = 0.05
    """Loss of F1 on a channel or label from which on the challenger is refused, whatever it gains elsewhere."""
    support: int = 20
    """Cases a channel or label needs for its loss to count: with 20, one case more or less is a twentieth of recall."""
    level: float = LEVEL
    rounds: int = ROUNDS
    seed: int = 20261121


@dataclass(frozen=True, slots=True)
class Loss:
    """One channel or label on which both were measured with enough support."""

    slice: str
    support: int
    measure: str
    champion: float
    challenger: float

    @property
    def lost(self) -> float:
        """How much the challenger is worse; negative where it is better."""
        return self.champion - self.challenger

    def __str__(self) -> str:
        return f"{self.slice}: {self.measure} {self.champion:.3f} to {self.challenger:.3f} on {self.support}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the same items."""

    items: int
    groups: int
    measure: str
    champion: Measure
    challenger: Measure
    difference: Interval
    """Interval of challenger less champion."""
    only_champion: int
    """Items that only the champion gets right."""
    only_challenger: int
    p_value: float | None
    """McNemar's exact two-sided test; None if both are right on the same items."""
    slices: list[Loss]
    """Every channel and label with enough support, worst first."""
    data_hash: str
    """Hash of the items, their groups and their gold."""


def decision(
    item_id: str, group_id: str, channel: str, gold: bool, probability: float, found: bool, chance: float = 1.0
) -> Answer:
    """The answer of a model that says yes to a chunk (`found`), or passes it over."""
    counts = {MISINFO: (int(gold and found), int(found and not gold), int(gold and not found))}
    return Answer(item_id, group_id, channel, counts, gold, probability, chance)


def compared(champion: Sequence[Answer], challenger: Sequence[Answer], policy: Policy) -> Comparison:
    """Both models measured on the same items, in whatever order they come.

    Raises `Permanent` if the items, their groups, channels or gold differ, if an item comes twice, or if there is none:
    figures of different items say nothing about models.
    """
    one, other = _paired(champion, challenger)
    groups = [answer.group_id for answer in one]
    alone_one = sum(a.right and not b.right for a, b in zip(one, other, strict=True))
    alone_other = sum(b.right and not a.right for a, b in zip(one, other, strict=True))
    by = {"f1": _by_f1, "precision_at_recall": _by_precision, "pr_auc": _by_area}[policy.measure]
    first, second, difference = by(one, other, groups, policy)
    return Comparison(
        items=len(one),
        groups=len(set(groups)),
        measure=policy.measure,
        champion=first,
        challenger=second,
        difference=difference,
        only_champion=alone_one,
        only_challenger=alone_other,
        p_value=mcnemar(alone_one, alone_other),
        slices=sorted(_slices(one, other, policy.support), key=lambda s: (-s.lost, s.slice)),
        data_hash=_data_hash(one),
    )


def mcnemar(only_one: int, only_other: int) -> float | None:
    """Two-sided probability that items which only one gets right divide so unevenly by chance; None without such an item.

    Exact: twice the smaller tail of a binomial with chance 1/2, at most 1.
    """
    number, fewer = only_one + only_other, min(only_one, only_other)
    if not number:
        return None
    if number > _EXACT_ITEMS:
        from scipy.special import bdtr

        return min(1.0, 2 * float(bdtr(fewer, number, 0.5)))
    return min(1.0, 2 * sum(comb(number, k) for k in range(fewer + 1)) / (1 << number))


def _paired(champion: Sequence[Answer], challenger: Sequence[Answer]) -> tuple[list[Answer], list[Answer]]:
    sides = []
    for name, answers in (("champion", champion), ("challenger", challenger)):
        by_id = {answer.item_id: answer for answer in answers}
        if len(by_id) != len(answers):
            raise Permanent(f"the {name} answers an item twice; evaluate each held-out item once")
        sides.append(by_id)
    one, other = sides
    if not one and not other:
        raise Permanent("no held-out item to compare on: wait for gold labels of the test split")
    if odd := sorted(one.keys() ^ other.keys()):
        raise Permanent(
            f"champion and challenger were measured on different items ({len(odd)}, such as {odd[0]}); evaluate both anew"
        )
    for item_id in sorted(one):
        if _gold(one[item_id]) != _gold(other[item_id]):
            raise Permanent(f"gold, group or channel of {item_id} differ between champion and challenger; evaluate both anew")
    return [one[item_id] for item_id in sorted(one)], [other[item_id] for item_id in sorted(one)]


def _gold(answer: Answer) -> tuple[object, ...]:
    there = sorted((label, tp + fn) for label, (tp, _, fn) in answer.counts.items() if tp + fn)
    return answer.group_id, answer.channel, answer.gold, answer.chance, there


def _data_hash(answers: Sequence[Answer]) -> str:
    return hashlib.sha256(orjson.dumps([[a.item_id, *_gold(a)] for a in answers])).hexdigest()


def _table(answers: Sequence[Answer]) -> Floats:
    """One row an item: true positives, false positives and misses over all labels, by its weight."""
    rows = [[sum(counts[n] for counts in a.counts.values()) for n in range(3)] for a in answers]
    return np.array(rows, np.float64).reshape(len(answers), 3) * weights_of([a.chance for a in answers])[:, np.newaxis]


def _f1s(sums: Floats) -> Floats:
    """F1 of rows of sums; nan without a case."""
    tp, fp, fn = sums[:, 0], sums[:, 1], sums[:, 2]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(tp + fn > 0, 2 * tp / (2 * tp + fp + fn), np.nan), np.float64)


def _by_f1(
    one: Sequence[Answer], other: Sequence[Answer], groups: Sequence[str], policy: Policy
) -> tuple[Measure, Measure, Interval]:
    """Micro-averaged F1, each model at its own threshold."""
    first, second = _table(one), _table(other)
    difference = bootstrap_of_sums(
        np.hstack([first, second]),
        lambda sums: _f1s(sums[:, 3:]) - _f1s(sums[:, :3]),
        groups,
        seed=policy.seed,
        rounds=policy.rounds,
        level=policy.level,
    )
    return Counts(*first.sum(0).tolist()).f1, Counts(*second.sum(0).tolist()).f1, difference


def _by_precision(
    one: Sequence[Answer], other: Sequence[Answer], groups: Sequence[str], policy: Policy
) -> tuple[Measure, Measure, Interval]:
    """Precision at equal recall, each model at the threshold that keeps it, chosen anew in each resample."""
    (gold, first, low), (_, second, high) = _ranked(one), _ranked(other)
    weights = weights_of([a.chance for a in one])
    points = [threshold_at(gold, given, policy.recall, weights) for given in (low, high)]
    difference = bootstrap(
        lambda drawn: (
            precisions_at(second, drawn * weights, policy.recall) - precisions_at(first, drawn * weights, policy.recall)
        ),
        groups,
        seed=policy.seed,
        rounds=policy.rounds,
        level=policy.level,
    )
    return Measure(points[0].precision, points[0].reason), Measure(points[1].precision, points[1].reason), difference


def _by_area(
    one: Sequence[Answer], other: Sequence[Answer], groups: Sequence[str], policy: Policy
) -> tuple[Measure, Measure, Interval]:
    """Average precision over all thresholds: one wrong label of the random slice moves it less than a single threshold."""
    (gold, first, low), (_, second, high) = _ranked(one), _ranked(other)
    weights = weights_of([a.chance for a in one])
    difference = bootstrap(
        lambda drawn: average_precisions(second, drawn * weights) - average_precisions(first, drawn * weights),
        groups,
        seed=policy.seed,
        rounds=policy.rounds,
        level=policy.level,
    )
    return average_precision(gold, low, weights), average_precision(gold, high, weights), difference


def _ranked(answers: Sequence[Answer]) -> tuple[list[bool], Ranking, list[float]]:
    """Gold, the ranking, and the probabilities of one model's answers; raises `Permanent` where one has none."""
    probabilities = [a.probability for a in answers if a.probability is not None]
    gold = [a.gold for a in answers if a.gold is not None]
    if len(probabilities) != len(answers) or len(gold) != len(answers):
        raise Permanent("a ranking needs a probability and a label for each item; compare spans by f1")
    return gold, ranking(gold, probabilities), probabilities


def _slices(one: Sequence[Answer], other: Sequence[Answer], support: int) -> list[Loss]:
    """F1 of each channel and label with enough cases; of a channel with too few, the share of items that are all right.

    Support counts items and cases as they are; figures weigh them.
    """
    found = []
    for channel in sorted({a.channel for a in one}):
        members = [n for n, a in enumerate(one) if a.channel == channel]
        pair = [Counts(*_table([answers[n] for n in members]).sum(0).tolist()) for answers in (one, other)]
        cases = sum(tp + fn for n in members for tp, _, fn in one[n].counts.values())
        if cases >= support:
            found.append(_loss(f"channel={channel}", cases, "F1", pair))
        elif len(members) - cases >= support:
            weight = sum(1 / one[n].chance for n in members)
            right = [sum(answers[n].right / answers[n].chance for n in members) / weight for answers in (one, other)]
            found.append(Loss(f"channel={channel}", len(members), "share right", right[0], right[1]))
    labels = sorted({label for a in [*one, *other] for label in a.counts})
    for label in labels if len(labels) > 1 else []:
        counted = [np.array([a.counts.get(label, (0, 0, 0)) for a in answers], np.float64) for answers in (one, other)]
        weights = weights_of([a.chance for a in one])
        pair = [Counts(*(weights @ rows).tolist()) for rows in counted]
        cases = int(counted[0][:, [0, 2]].sum())
        if cases >= support:
            found.append(_loss(f"label={label}", cases, "F1", pair))
    return found


def _loss(name: str, support: int, measure: str, pair: Sequence[Counts]) -> Loss:
    first, second = pair[0].f1.value, pair[1].f1.value
    if first is None or second is None:
        raise ValueError(f"{name} has no case and cannot be compared by {measure}")
    return Loss(name, support, measure, first, second)
