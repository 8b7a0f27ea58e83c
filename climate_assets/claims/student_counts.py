"""How often each feature is in each statement: counted once, for every fold has a share of the same statements.

Belongs here: features to a sparse matrix of counts. Does not belong here: what is learnt from it (`student_training.py`), and
what a feature is (`student_words.py`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from climate_assets.claims.statements import Statement
from climate_assets.claims.student_sums import Floats
from climate_assets.claims.student_words import features, stretches


@dataclass(frozen=True, slots=True)
class Counted:
    """How often each feature is in each statement, kept row by row as a compressed sparse matrix."""

    vocabulary: NDArray[np.str_]
    """Sorted features, one a column."""
    columns: NDArray[np.int64]
    """Of one statement after the other: the columns of its features, in the order in which they come."""
    counts: Floats
    """How often each is there."""
    ends: NDArray[np.int64]
    """Where the features of a statement end."""
    words: Floats
    """Words of each statement, 1 at least."""


def counted(statements: Sequence[Statement]) -> Counted:
    """The features of statements, which every fold has a share of."""
    seen: dict[str, int] = {}
    columns: list[int] = []
    counts: list[int] = []
    ends, words = [], []
    for statement in statements:
        found = _features_of(statement.text)
        each = Counter(found)
        columns += [seen.setdefault(feature, len(seen)) for feature in each]
        counts += each.values()
        ends.append(len(columns))
        words.append(max(1, sum(n for feature, n in each.items() if feature.startswith("w "))))
    vocabulary = np.array(list(seen))
    order = np.argsort(vocabulary, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return Counted(
        vocabulary[order], place[np.array(columns)], np.array(counts, np.float64), np.array(ends), np.array(words, np.float64)
    )


def counts_of(known: Counted, chosen: NDArray[np.int64], least: int) -> tuple[Any, NDArray[np.int64], NDArray[np.int64]]:
    """Counts over the square root of a statement's words (the length rule of `Heads`), one row a chosen statement, of the
    features in `least` of them; in how many each is, and its column among all."""
    from scipy.sparse import csr_matrix

    begins = np.append(0, known.ends[:-1])[chosen]
    lengths = known.ends[chosen] - begins
    entries = np.repeat(begins - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
    columns = known.columns[entries]
    spread = np.bincount(columns, minlength=len(known.vocabulary))
    usual = spread >= least
    stay = usual[columns]
    values = (known.counts[entries] / np.sqrt(np.repeat(known.words[chosen], lengths)))[stay]
    places = (np.cumsum(usual) - 1)[columns[stay]]
    ends = np.append(0, np.cumsum(np.add.reduceat(np.append(stay, False).astype(np.int64), np.cumsum(lengths) - lengths)))
    kept = np.flatnonzero(usual)
    shape = (len(chosen), len(kept))
    return csr_matrix((values, places.astype(np.int32), ends.astype(np.int32)), shape=shape), spread[kept], kept  # type: ignore[no-untyped-call]


def _features_of(text: str) -> list[str]:
    return [feature for stretch in stretches(text) for feature in features(stretch.words)]
