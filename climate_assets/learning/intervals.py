"""How far a figure may be from the truth: intervals by resampling groups, and Wilson's for a plain share.

What is resampled are groups of near-duplicates, never rows: two airings of one bulletin are one observation (cluster
bootstrap; Davison and Hinkley 1997, section 3.8; Field and Welsh, JRSS B 2007). Limits are percentiles (Efron 1979). Seeds
are arguments. Belongs here: intervals of any figure. Does not belong here: the figures (`metrics.py`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from climate_assets.labelling.annotators import wilson_interval

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""Rows of weights or sums, (b, n), to one figure a row, (b,); nan where the figure is not defined."""

ROUNDS: Final = 2_000
LEVEL: Final = 0.95
MOST_ROUNDS: Final = 100_000
UNDEFINED_SHARE: Final = 0.05
"""Share of rounds without a defined figure from which on there is no interval: the limits would speak of the rest alone."""
_CELLS: Final = 1 << 21


@dataclass(frozen=True, slots=True)
class Interval:
    """Limits at a confidence level; both None where there are none, and `reason` says why."""

    low: float | None
    high: float | None
    level: float
    groups: int
    """Groups that were resampled; for Wilson's interval, trials."""
    reason: str = ""


def bootstrap(
    statistic: Statistic, groups: Sequence[str], *, seed: int, rounds: int = ROUNDS, level: float = LEVEL
) -> Interval:
    """Interval of a figure of weighted items; `groups` names the group of each item.

    `statistic` gets rows of how often each item was drawn, in the order of `groups`. A group is drawn as a whole. With the
    same seed it equals the loop that draws as many groups as there are, one round after the other, in order of first
    appearance. A sample without a single error gives an interval of no width; `wilson` says more of it.
    """
    number, places = _numbered(groups)
    return _percentiles((statistic(drawn[:, places]) for drawn in _drawn(number, rounds, seed, len(places))), number, level)


def bootstrap_of_sums(
    columns: ArrayLike, statistic: Statistic, groups: Sequence[str], *, seed: int, rounds: int = ROUNDS, level: float = LEVEL
) -> Interval:
    """The same interval for a figure of sums over items, quicker: `columns` is (items, c), `statistic` gets rows of c sums."""
    values = np.asarray(columns, np.float64)
    number, places = _numbered(groups)
    if values.ndim != 2 or len(values) != len(places):
        raise ValueError(f"{len(places)} items need a table with as many rows; its shape is {values.shape}")
    sums = np.zeros((number, values.shape[1]))
    np.add.at(sums, places, values)
    return _percentiles((statistic(drawn @ sums) for drawn in _drawn(number, rounds, seed, number)), number, level)


def wilson(found: float, trials: float, level: float = LEVEL) -> Interval:
    """Interval of a share of independent trials (Wilson, JASA 1927): it has width at 0 and at 1, and stays within them.

    Raises `ValueError` unless 0 <= found <= trials.
    """
    _check_level(level)
    if not 0 <= found <= trials:
        raise ValueError(f"{found} of {trials} trials is no share")
    known = wilson_interval(found, trials, level)
    return Interval(*known, level, int(trials)) if known else Interval(None, None, level, 0, "no trial")


def _numbered(groups: Sequence[str]) -> tuple[int, NDArray[np.int64]]:
    """Number of groups, and each item's group as a number, in order of first appearance."""
    numbers: dict[str, int] = {}
    places = [numbers.setdefault(group, len(numbers)) for group in groups]
    return len(numbers), np.array(places, np.int64)


def _drawn(groups: int, rounds: int, seed: int, width: int) -> Iterator[Floats]:
    """How often each group is drawn, (b, groups), in blocks that fit in memory; the stream is that of one draw a round."""
    if not 1 <= rounds <= MOST_ROUNDS:
        raise ValueError(f"{rounds} rounds; ask for 1 to {MOST_ROUNDS}")
    if groups < 2:
        return
    chance = np.random.default_rng(seed)
    block = max(1, _CELLS // max(groups, width))
    for begin in range(0, rounds, block):
        size = min(block, rounds - begin)
        picks = chance.integers(0, groups, (size, groups))
        picks += np.arange(size)[:, np.newaxis] * groups
        yield np.bincount(picks.ravel(), minlength=size * groups).reshape(size, groups).astype(np.float64)


def _percentiles(blocks: Iterator[Floats], groups: int, level: float) -> Interval:
    _check_level(level)
    values = np.concatenate([np.zeros(0), *blocks])
    if groups < 2:
        return Interval(None, None, level, groups, f"{groups} group: nothing to resample, label more of different origin")
    defined = values[~np.isnan(values)]
    if len(defined) < (1 - UNDEFINED_SHARE) * len(values):
        share = 1 - len(defined) / len(values)
        return Interval(None, None, level, groups, f"not defined in {share:.0%} of the resamples: too few cases or findings")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2]).tolist()
    return Interval(low, high, level, groups)


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level {level} is not within 0..1; write 0.95 for 95 %")
