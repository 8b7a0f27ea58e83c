"""What one voice sounds like: what a measured stretch of it counts, and the mean of several.

Belongs here: spans of seconds, weights, the mean of unit vectors. Does not: how a stretch is measured (a model does), and
whose voice it is (`identities.py`), where in a clip nobody else speaks (`turns.py`).
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
Span = tuple[float, float]

FULL_CONFIDENCE_SECONDS: Final = 3.0
"""Clean speech from which a vector counts in full: weight = min(1, seconds / 3) (facts, section 8)."""
VOTING_SECONDS: Final = 2.4
"""Clean speech from which a stretch may vote, and a speaker be named at all: 0.8 of full confidence (facts, section 8)."""
STRETCH_SECONDS: Final = 5.0
"""Longest stretch that is measured as one: several a voice say more than the first five seconds alone (facts, section 9)."""
SHORTEST_STRETCH: Final = 0.8
"""Below it a vector says more of the words than of the voice."""
MOST_STRETCHES: Final = 24
"""Two minutes of one voice; more cost time and change nothing."""


def weight_of(seconds: float) -> float:
    """Weight 0..1 of a vector that was measured on so many seconds of clean speech."""
    return min(1.0, max(0.0, seconds) / FULL_CONFIDENCE_SECONDS)


def mean_voice(vectors: Sequence[Sequence[float]], weights: Sequence[float]) -> Vector | None:
    """The weighted mean of unit vectors, of length 1; none if nothing has a direction or a weight.

    Sums are exact (`fsum`), so the order in which stretches come cannot change a score.
    """
    rows = np.asarray(vectors, dtype=np.float64)
    if rows.ndim != 2 or not len(rows):
        return None
    lengths = np.linalg.norm(rows, axis=1)
    sound = np.isfinite(rows).all(axis=1) & (lengths > 0) & (np.asarray(weights) > 0)
    if not sound.any():
        return None
    weighted = rows[sound] / lengths[sound, None] * np.asarray(weights, dtype=np.float64)[sound, None]
    mean = np.array([math.fsum(column) for column in weighted.T])
    length = float(np.linalg.norm(mean))
    return mean / length if length > 1e-9 else None


def cut(spans: Iterable[Span]) -> list[Span]:
    """Spans in equal stretches of up to 5 s, in order; too short ones are left out, of too many the longest stay."""
    found: list[Span] = []
    for start, end in spans:
        parts = max(1, math.ceil((end - start) / STRETCH_SECONDS))
        step = (end - start) / parts
        if step >= SHORTEST_STRETCH:
            found += [(round(start + n * step, 3), round(start + (n + 1) * step, 3)) for n in range(parts)]
    longest = sorted(found, key=lambda s: (s[0] - s[1], s))[:MOST_STRETCHES]
    return sorted(longest)
