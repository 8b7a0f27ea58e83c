"""The rows of `scores` for one model: every figure with its interval, on all held-out items and on each slice of them.

Belongs here: which figures make a row, and when one says nothing. Does not belong here: how a figure is computed
(`metrics.py`, `intervals.py`), spans against spans (the posts stage counts them and comes here with its counts).
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
import orjson

from climate_assets.failures import Permanent
from climate_assets.learning.intervals import LEVEL, ROUNDS, Floats, Interval, bootstrap, bootstrap_of_sums
from climate_assets.learning.metrics import Counts, Measure, average_precision, average_precisions, ranking, weights_of
from climate_assets.learning.records import Score, Split

ALL: Final = "all"
RANDOM, WEIGHTED, CHOSEN = "random", "weighted", "chosen"


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One held-out item as a model sees it, beside gold; for chunks one count is 1, for posts spans are counted."""

    item_id: Annotated[str, "Item."]
    group_id: Annotated[str, "Group of near-duplicates it belongs to."]
    slices: Annotated[tuple[str, ...], "What it counts for beside `all`: `channel=…`, `language=…`."]
    tp: Annotated[int, "Found, and right."]
    fp: Annotated[int, "Found, and wrong."]
    fn: Annotated[int, "Missed."]
    tn: Annotated[int | None, "Rightly passed over; None for spans."] = None
    probability: Annotated[float | None, "Chunks: what the model gives it; None for posts."] = None
    chance: Annotated[float, "Chance with which it was picked to be labelled; 1 for all."] = 1.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What is measured: everything of a row that is not a figure."""

    round: str
    model_version: str
    task_kind: str
    split: Split
    label: str
    match: str
    threshold: float | None
    basis: str
    """`random`, `weighted` (each item counts by its inverse chance) or `chosen`."""
    seed: int
    level: float = LEVEL
    rounds: int = ROUNDS


def scores_of(items: Iterable[HeldOut], measured: Measured) -> list[Score]:
    """One row for `all` and one for each slice, in order of their names.

    Raises `Permanent` for the train split, an item that comes twice, or none; `ValueError` for another basis.
    """
    if measured.basis not in (RANDOM, WEIGHTED, CHOSEN):
        raise ValueError(f"no basis {measured.basis!r}; say how the items were picked: {RANDOM}, {WEIGHTED} or {CHOSEN}")
    if measured.split is Split.TRAIN:
        raise Permanent("a model is not measured on what it has learnt from; take the items of dev or test")
    known = sorted(items, key=lambda i: i.item_id)
    if len({i.item_id for i in known}) < len(known):
        raise Permanent("an item is held out twice; evaluate each once")
    if not known:
        raise Permanent(f"no item is held out in {measured.split}: wait for gold labels")
    members: dict[str, list[HeldOut]] = {ALL: known}
    for item in known:
        for name in sorted(set(item.slices)):
            members.setdefault(name, []).append(item)
    return [_score(name, part, measured) for name, part in sorted(members.items())]


def data_hash(items: Sequence[HeldOut]) -> str:
    """SHA-256 of the items, their groups and how much gold each holds; answers do not count."""
    return hashlib.sha256(orjson.dumps(sorted([i.item_id, i.group_id, i.tp + i.fn] for i in items))).hexdigest()


def _score(name: str, items: Sequence[HeldOut], measured: Measured) -> Score:
    weights = weights_of([i.chance for i in items]) if measured.basis == WEIGHTED else np.ones(len(items))
    cells = np.array([[i.tp, i.fp, i.fn, i.tn or 0] for i in items], np.float64) * weights[:, np.newaxis]
    counts = Counts(*cells.sum(0).tolist())
    groups = [i.group_id for i in items]

    def interval(above: tuple[float, ...], below: tuple[float, ...]) -> Interval:
        """Of a ratio of sums, given by factors of tp, fp, fn and tn."""

        def ratio(sums: Floats) -> Floats:
            # Without a case F1 is not defined although its denominator may be: what was wrongly found stands there.
            whole = np.where((sums[:, 0] + sums[:, 2] > 0) | (below[2] == 0), sums @ np.array(below), 0.0)
            with np.errstate(invalid="ignore", divide="ignore"):
                return np.asarray(np.where(whole > 0, sums @ np.array(above) / whole, np.nan), np.float64)

        return bootstrap_of_sums(cells, ratio, groups, seed=measured.seed, rounds=measured.rounds, level=measured.level)

    area, area_interval = _area(items, weights, groups, measured)
    figures = {
        "precision": (counts.precision, interval((1, 0, 0, 0), (1, 1, 0, 0))),
        "recall": (counts.recall, interval((1, 0, 0, 0), (1, 0, 1, 0))),
        "f1": (counts.f1, interval((2, 0, 0, 0), (2, 1, 1, 0))),
        "pr_auc": (area, area_interval),
    }
    values: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    for key, (measure, limits) in figures.items():
        defined = measure.value is not None
        values |= {key: measure.value, f"{key}_low": limits.low if defined else None}
        values |= {f"{key}_high": limits.high if defined else None}
        if why := measure.reason or limits.reason:
            reasons[key] = why
    return Score(
        round=measured.round,
        model_version=measured.model_version,
        task_kind=measured.task_kind,
        split=measured.split.value,
        slice=name,
        label=measured.label,
        match=measured.match,
        threshold=measured.threshold,
        basis=measured.basis,
        data_hash=data_hash(items),
        tp=counts.tp,
        fp=counts.fp,
        fn=counts.fn,
        tn=None if any(i.tn is None for i in items) else counts.tn,
        support=sum(i.tp + i.fn for i in items),
        items=len(items),
        groups=len(set(groups)),
        level=measured.level,
        seed=measured.seed,
        reason="; ".join(f"{key}: {why}" for key, why in reasons.items()),
        **values,
    )


def _area(items: Sequence[HeldOut], weights: Floats, groups: Sequence[str], measured: Measured) -> tuple[Measure, Interval]:
    """Average precision of chunks; spans have no probability to rank by."""
    probabilities = [i.probability for i in items if i.probability is not None]
    if len(probabilities) < len(items):
        reason = "no probabilities to rank by"
        return Measure(None, reason), Interval(None, None, measured.level, 0, reason)
    gold = [i.tp + i.fn > 0 for i in items]
    point = average_precision(gold, probabilities, weights)
    if point.value is None:
        return point, Interval(None, None, measured.level, 0, point.reason)
    ranked = ranking(gold, probabilities)
    limits = bootstrap(
        lambda drawn: average_precisions(ranked, drawn * weights),
        groups,
        seed=measured.seed,
        rounds=measured.rounds,
        level=measured.level,
    )
    return point, limits
