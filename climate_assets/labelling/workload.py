"""What people have time for: which audit picks of a day are asked about at all, and which tasks are handed over today.

Answers are counted, not tasks: one for two people costs two. Time is spared in two ways that must not be mixed up:
- the audit slice is thinned by lot, once, when it is picked; who is drawn is asked for certain, and the chance is written
  down, so that what is estimated from the slice stays right;
- at or above the threshold nothing is drawn: the most useful go first, the rest waits, and gives up after some days. Those are
  rows too, so that a figure about the asked ones can say how many were not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from climate_assets.claims.sampling import AUDIT, uniform
from climate_assets.labelling.queue import Picked
from climate_assets.labelling.records import LabellingTask
from climate_assets.states import State

WAITS = "waits its turn: the people of this country have enough for today"
EXPIRED = "never asked: {} days went by in which others were more useful; give the country more people, or a higher threshold"
NOT_DRAWN = "never asked: the random slice was thinned by lot to what people have time for"


def thinned(picks: Iterable[Picked], costs: Mapping[str, int], capacity: int) -> tuple[list[Picked], list[Picked]]:
    """Picks that stay, in their order, and audit picks that the lot leaves out; all with the chance that they then had.

    When the picks of a day cost more than `capacity` answers, audit picks keep their share of the people's time: of n as many
    as that share of them, at least one, stay, each with chance k / n. Whose cost is not told costs one answer. The lot is a
    hash of the id: it knows neither score nor place, and falls the same way each time.
    """
    ordered = list(picks)
    audits = sorted((p for p in ordered if p.sampling == AUDIT), key=lambda p: uniform("workload", p.chunk_id))
    total = sum(costs.get(p.chunk_id, 1) for p in ordered)
    if not audits or total <= capacity:
        return ordered, []
    kept = max(1, len(audits) * capacity // total)
    chance = kept / len(audits)
    lucky = {p.chunk_id for p in audits[:kept]}
    told = [replace(p, probability=p.probability * chance) if p.sampling == AUDIT else p for p in ordered]
    return (
        [p for p in told if p.sampling != AUDIT or p.chunk_id in lucky],
        [p for p in told if p.sampling == AUDIT and p.chunk_id not in lucky],
    )


@dataclass(frozen=True, slots=True)
class Today:
    """What becomes today of the tasks that are not handed over yet; each is in exactly one part."""

    handed_over: tuple[LabellingTask, ...]
    """Most useful first: the order tells nobody which of them are audit picks."""
    waiting: tuple[LabellingTask, ...]
    """Rows as they should be: pending, with the reason."""
    expired: tuple[LabellingTask, ...]
    """Rows as they should be: never asked, with the reason."""


def handed_over_today(
    pending: Iterable[LabellingTask], costs: Mapping[str, int], room: int, today: date, days_waiting: int, fresh: bool = True
) -> Today:
    """Which pending tasks people get today, with `room` answers left.

    Audit picks first, the oldest day first, as their chance is written down already; then the others by priority. `fresh`:
    nothing was handed over today yet; then the first one goes whatever it costs, or a task for many would never be asked.
    """
    oldest = today - timedelta(days=days_waiting)
    tasks = list(pending)
    late = [t for t in tasks if t.sampling != AUDIT and t.day < oldest]
    alive = [t for t in tasks if t.sampling == AUDIT or t.day >= oldest]
    alive.sort(key=lambda t: (t.sampling != AUDIT, t.day if t.sampling == AUDIT else today, -t.priority, t.chunk_id))
    chosen: list[LabellingTask] = []
    for task in alive:
        cost = costs.get(task.chunk_id, 1)
        if cost > room and not (fresh and not chosen):
            break
        room -= cost
        chosen.append(task)
    return Today(
        handed_over=tuple(sorted(chosen, key=lambda t: (-t.priority, t.chunk_id))),
        waiting=tuple(replace(t, state=State.PENDING.value, reason=WAITS) for t in alive[len(chosen) :]),
        expired=tuple(replace(t, state=State.SKIPPED.value, reason=EXPIRED.format(days_waiting)) for t in late),
    )
