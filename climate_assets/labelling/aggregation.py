"""What the truth of each item probably is, from the votes of people of unequal reliability: majority, Dawid and Skene.

Votes in, probabilities out; which answer stands is `gold.py`, by a rule that a reader can follow, beside which these
probabilities are told. A. P. Dawid and A. M. Skene, Maximum likelihood estimation of observer error-rates using the EM
algorithm, Applied Statistics 28 (1979). Steps, their order, the floor and the stop are those of crowd-kit 1.4's DawidSkene, so
that the two can be compared digit by digit.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from climate_assets.failures import Permanent
from climate_assets.labelling.votes import Vote

ITERATIONS: Final = 100
TOLERANCE: Final = 1e-5
_FLOOR: Final = 1e-10
Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Majority:
    """Who has most votes on one item."""

    item: str
    value: Annotated[str | None, "The value with most votes; none if two have as many."]
    votes: Annotated[tuple[tuple[str, int], ...], "Value and people who say it, most first, then by value."]


@dataclass(frozen=True, slots=True)
class DawidSkene:
    """Probabilities of each item's true value, and how each person errs, at the end of the EM steps."""

    items: Annotated[tuple[str, ...], "Items, sorted."]
    annotators: Annotated[tuple[int, ...], "People by number, sorted."]
    values: Annotated[tuple[str, ...], "Values that were said, sorted."]
    probabilities: Annotated[Table, "items x values; each row sums to 1."]
    errors: Annotated[Table, "annotators x said x true: chance that the person says `said` of what is `true`; 0 if never said."]
    priors: Annotated[Table, "How frequent each value is."]
    iterations: Annotated[int, "EM steps that were made."]
    converged: Annotated[bool, "Whether the last step gained less than the tolerance."]

    def of_item(self) -> dict[str, dict[str, float]]:
        """Probability of each value, by item."""
        return {
            item: dict(zip(self.values, row, strict=True))
            for item, row in zip(self.items, self.probabilities.tolist(), strict=True)
        }

    def most_probable(self) -> dict[str, str | None]:
        """The value with the highest probability, by item; none where two are within 1e-9 of each other."""
        chosen: dict[str, str | None] = {}
        for item, row in zip(self.items, self.probabilities, strict=True):
            best = np.flatnonzero(row >= row.max() - 1e-9)
            chosen[item] = self.values[int(best[0])] if len(best) == 1 else None
        return chosen


def majorities(votes: Iterable[Vote]) -> list[Majority]:
    """The majority of each item, in order of the items' ids; a tie has no winner."""
    said: dict[str, Counter[str]] = defaultdict(Counter)
    for vote in _once(votes):
        said[vote.item][vote.value] += 1
    rows = []
    for item, counts in said.items():
        ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        tied = len(ordered) > 1 and ordered[0][1] == ordered[1][1]
        rows.append(Majority(item, None if tied else ordered[0][0], tuple(ordered)))
    return rows


def dawid_skene(votes: Iterable[Vote], *, iterations: int = ITERATIONS, tolerance: float = TOLERANCE) -> DawidSkene | None:
    """The model of Dawid and Skene after at most `iterations` steps, or when one gains less than `tolerance` a vote.

    None without votes. Begins from the shares of votes; needs no overlap, but without any it repeats what each person says.
    Raises `Permanent` if a person votes twice on one item.
    """
    cast = _once(votes)
    if not cast:
        return None
    items, annotators, values = (tuple(sorted(set(column))) for column in zip(*cast, strict=True))
    item, who, said = (
        np.array([place[vote[part]] for vote in cast], np.int64)
        for part, place in enumerate({name: n for n, name in enumerate(names)} for names in (items, annotators, values))
    )
    heard = np.zeros((len(annotators), len(values)), bool)
    heard[who, said] = True
    shares = np.zeros((len(items), len(values)))
    np.add.at(shares, (item, said), 1.0)
    truth: Table = shares / shares.sum(axis=1, keepdims=True)
    priors: Table = truth.mean(axis=0)
    errors = _errors(truth, item, who, said, heard)
    loss, step, converged = -np.inf, 0, False
    while step < iterations and not converged:
        step += 1
        priors = np.maximum(priors, _FLOOR)
        truth = _truth(errors, priors, item, who, said, len(items))
        priors = truth.mean(axis=0)
        errors = _errors(truth, item, who, said, heard)
        bound = _evidence(truth, priors, errors, item, who, said) / len(cast)
        converged = bound - loss < tolerance
        loss = bound
    return DawidSkene(items, annotators, values, truth, errors, priors, step, converged)


def _once(votes: Iterable[Vote]) -> list[Vote]:
    """The votes in order of item and person, whatever order they come in."""
    cast = sorted(votes)
    for one, other in pairwise(cast):
        if one[:2] == other[:2]:
            raise Permanent(f"person {one.annotator} votes twice on {one.item}; pass the standing answer of each person only")
    return cast


def _errors(
    truth: Table, item: NDArray[np.int64], who: NDArray[np.int64], said: NDArray[np.int64], heard: NDArray[np.bool_]
) -> Table:
    """M step: how often each person says each value of what is probably true; a value never said by them stays 0."""
    counts = np.zeros((*heard.shape, truth.shape[1]))
    np.add.at(counts, (who, said), truth[item])
    counts = np.where(heard[:, :, None], np.maximum(counts, _FLOOR), 0.0)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _truth(
    errors: Table, priors: Table, item: NDArray[np.int64], who: NDArray[np.int64], said: NDArray[np.int64], items: int
) -> Table:
    """E step, in logarithms: the product of many small numbers would vanish."""
    logs = np.zeros((items, len(priors)))
    np.add.at(logs, item, np.log2(errors[who, said]))
    logs += np.log2(priors)
    scaled = np.exp2(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(scaled / scaled.sum(axis=1, keepdims=True))


def _evidence(
    truth: Table, priors: Table, errors: Table, item: NDArray[np.int64], who: NDArray[np.int64], said: NDArray[np.int64]
) -> float:
    """What the steps are to raise; as in crowd-kit, the prior counts once a vote, which decides when to stop only."""
    expected = (truth[item] * (np.log(errors[who, said]) + np.log(np.maximum(priors, _FLOOR)))).sum()
    clipped = np.maximum(truth, _FLOOR)
    return float(expected - (np.log(clipped) * clipped).sum())
