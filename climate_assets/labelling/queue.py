"""Which judged chunks are asked about, with what chance, and in which order.

Everything at or above the threshold is asked; below it a random slice is, so that what the model misses can be estimated.
Nothing here knows a task's JSON or Label Studio. The choice is a function of the verdicts alone: no clock, no dice.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final

from climate_assets.claims.records import Verdict
from climate_assets.claims.sampling import AUDIT, SCORE, audit_slice, uniform

# Severe cases come first, near-threshold ones next: a wrong 6 teaches the model more than a right 10
# (uncertainty sampling, Lewis & Gale 1994), but a 10 on air may need an answer today.
SEVERITY_WEIGHT: Final = 0.75
# Each further case of the same channel and category counts a tenth less than the one before.
REPETITION: Final = 0.9
TOP_SCORE: Final = 10


@dataclass(frozen=True, slots=True)
class Picked:
    """One chunk that is asked about."""

    chunk_id: Annotated[str, "Chunk."]
    sampling: Annotated[str, "`score`: at or above the threshold; `audit`: random slice below it."]
    probability: Annotated[float, "Chance with which it was picked; 1 for `score`."]
    priority: Annotated[float, "Order of usefulness, 0..1, highest first."]


def queue(
    verdicts: Iterable[Verdict], threshold: int, audit_share: float, *, own: Mapping[str, int] = MappingProxyType({})
) -> list[Picked]:
    """The chunks to ask about, most useful first; `own`: thresholds of models that were given one on held-out labels.

    Score picks: usefulness = 0.75 x score/10 + 0.25 x closeness to the threshold, and 0.9 times that for each pick of the
    same channel and category before it. Audit picks stand between them at random places, so that neither their place nor
    their priority tells them apart.
    """
    ordered = sorted(verdicts, key=lambda v: v.chunk_id)
    chosen = _diverse([(v, own.get(v.model, threshold)) for v in ordered if v.score >= own.get(v.model, threshold)])
    audited = audit_slice([v for v in ordered if v.score < own.get(v.model, threshold)], audit_share)
    levels = [pick.priority for pick in chosen]
    hidden = [Picked(v.chunk_id, AUDIT, audit_share, _place(v.chunk_id, levels)) for v in audited]
    return sorted([*chosen, *hidden], key=lambda pick: (-pick.priority, pick.chunk_id))


def usefulness(score: int, threshold: int) -> float:
    """How much is gained by a person's answer, 0..1, before diversity."""
    distance = abs(score - threshold) / max(threshold, TOP_SCORE - threshold)
    return SEVERITY_WEIGHT * score / TOP_SCORE + (1 - SEVERITY_WEIGHT) * (1 - distance)


def _diverse(verdicts: Sequence[tuple[Verdict, int]]) -> list[Picked]:
    """Of verdicts with their thresholds, greedily the most useful one that is left, discounted by how often its channel and
    category had their turn.
    """
    groups: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    for verdict, threshold in verdicts:
        groups[verdict.channel, verdict.category].append((-usefulness(verdict.score, threshold), verdict.chunk_id))
    waiting = []
    for key, members in groups.items():
        members.sort(reverse=True)
        waiting.append((*members[-1], key, 0))
    heapq.heapify(waiting)
    picks = []
    while waiting:
        negative, chunk_id, key, turn = heapq.heappop(waiting)
        picks.append(Picked(chunk_id, SCORE, 1.0, -negative))
        groups[key].pop()
        if groups[key]:
            value, following = groups[key][-1]
            heapq.heappush(waiting, (value * REPETITION ** (turn + 1), following, key, turn + 1))
    return picks


def _place(chunk_id: str, levels: Sequence[float]) -> float:
    """A priority as a score pick could have it: a random point of a random gap between two neighbours."""
    if not levels:
        return uniform("place", chunk_id)
    position = uniform("place", chunk_id) * len(levels)
    upper = levels[int(position)]
    lower = levels[min(int(position) + 1, len(levels) - 1)]
    return upper - (position % 1) * (upper - lower)
