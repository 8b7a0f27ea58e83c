"""Advert intervals and people: decisions that outlive every re-learning, intervals added by hand, days that changed.

Belongs here: applying `AdDecision`s to intervals, and telling which days differ from what is stored.
Does not: finding intervals (`repeats.py`), cutting them out of chunks (`cleaning.py`).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo

from climate_assets.broadcast.records import AdDecision, AdInterval, Repeat
from climate_assets.failures import Permanent

MANUAL = "manual"
VETO, ADD = "veto", "add"
_SHARED = 0.5  # share of the shorter of two stretches that the other covers if both mean the same thing
_SAME_EDGE = timedelta(seconds=1)  # an edge that moves by less changes no figure that is published
_Span = tuple[datetime, datetime]


def with_vetoes(intervals: Iterable[AdInterval], vetoes: Sequence[AdDecision]) -> list[AdInterval]:
    """The intervals, those that a person said are no adverts marked `vetoed`; nothing is dropped, other marks are lifted.

    A veto names a passage, a stretch of one channel's time, or both. A stretch that is vetoed together with its passage
    finds the passage again by that stretch when a later search gives it another identity; a stretch alone vetoes what
    lies there and no other airing. Decisions that are no vetoes are passed over, so all decisions may be given.
    """
    rows = list(intervals)
    chosen = [veto for veto in vetoes if veto.action == VETO]
    for veto in chosen:
        _complete(veto)
    near = _stretches(veto for veto in chosen if veto.channel)
    passages = {(veto.country, veto.passage) for veto in chosen if veto.passage}
    hit: list[bool] = []
    for row in rows:
        touching = [veto for veto in near.get((row.country, row.channel), ()) if _same_stretch(row, veto)]
        passages |= {(row.country, row.passage) for veto in touching if veto.passage and row.source != MANUAL}
        hit.append(bool(touching))
    return [
        row if row.vetoed == (vetoed := here or (row.country, row.passage) in passages) else replace(row, vetoed=vetoed)
        for row, here in zip(rows, hit, strict=True)
    ]


def with_decisions(
    intervals: Iterable[AdInterval], decisions: Sequence[AdDecision], zone: tzinfo, method: str
) -> list[AdInterval]:
    """The intervals with vetoes marked, and those that people added; `zone` is the one the country's days are counted in."""
    return with_vetoes([*intervals, *added_intervals(decisions, zone, method)], decisions)


def added_intervals(decisions: Iterable[AdDecision], zone: tzinfo, method: str) -> list[AdInterval]:
    """Intervals that people added, one for each local day of `zone` that a stretch lies in; source `manual`."""
    made = []
    for decision in decisions:
        if decision.action != ADD:
            continue
        _complete(decision)
        if not (decision.channel and decision.start and decision.end):
            raise Permanent(f"advert decision {decision.decision_id}: an added advert needs a channel, a start and an end")
        parts = _days(decision.start, decision.end, zone)
        made += [_manual(decision, day, begins, ends, method) for day, begins, ends in parts]
    return made


def changed_days(found: Iterable[AdInterval], stored: Iterable[AdInterval]) -> list[date]:
    """Days whose adverts to cut differ between what is found and what is stored, in order.

    Only unvetoed adverts count; an edge may move by a second, so that a day of new evidence does not remake every old day.
    Intervals of different passages at the same place cut the same words and are no difference.
    """
    new, old = _cuts(found), _cuts(stored)
    return sorted({day for day, _ in new.keys() | old.keys() if _differ(day, new, old)})


def _differ(day: date, new: dict[tuple[date, str], list[_Span]], old: dict[tuple[date, str], list[_Span]]) -> bool:
    channels = {channel for d, channel in new.keys() | old.keys() if d == day}
    return any(not _alike(new.get((day, channel), []), old.get((day, channel), [])) for channel in channels)


def _alike(one: list[_Span], other: list[_Span]) -> bool:
    return len(one) == len(other) and all(
        abs(a[0] - b[0]) < _SAME_EDGE and abs(a[1] - b[1]) < _SAME_EDGE for a, b in zip(one, other, strict=True)
    )


def _cuts(intervals: Iterable[AdInterval]) -> dict[tuple[date, str], list[_Span]]:
    """Stretches that are cut, by day and channel; those that touch are one."""
    cuts: dict[tuple[date, str], list[_Span]] = defaultdict(list)
    rows = [row for row in intervals if row.kind == Repeat.ADVERT and not row.vetoed]
    for row in sorted(rows, key=lambda r: (r.day, r.channel, r.start, r.end)):
        spans = cuts[row.day, row.channel]
        if spans and row.start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], row.end))
        else:
            spans.append((row.start, row.end))
    return dict(cuts)


def _complete(decision: AdDecision) -> None:
    """Refuses a decision that says neither which passage nor which stretch, or whose stretch is empty."""
    stretch = decision.channel and decision.start and decision.end
    if not (decision.passage or stretch):
        raise Permanent(f"advert decision {decision.decision_id}: name a passage, or a channel with start and end")
    if decision.start and decision.end and decision.end <= decision.start:
        raise Permanent(f"advert decision {decision.decision_id}: it ends at {decision.end}, not after its start; correct it")


def _stretches(decisions: Iterable[AdDecision]) -> dict[tuple[str, str], list[AdDecision]]:
    found: dict[tuple[str, str], list[AdDecision]] = defaultdict(list)
    for decision in decisions:
        found[decision.country, decision.channel].append(decision)
    return found


def _same_stretch(row: AdInterval, veto: AdDecision) -> bool:
    if veto.start is None or veto.end is None:
        return False
    shared = min(row.end, veto.end) - max(row.start, veto.start)
    return shared > timedelta(0) and shared >= _SHARED * min(row.end - row.start, veto.end - veto.start)


def _days(start: datetime, end: datetime, zone: tzinfo) -> list[tuple[date, datetime, datetime]]:
    """The parts of a stretch that lie in each local day."""
    parts, begins = [], start
    while begins < end:
        day = begins.astimezone(zone).date()
        midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), zone).astimezone(UTC)
        parts.append((day, begins, min(end, midnight)))
        begins = midnight
    return parts


def _manual(decision: AdDecision, day: date, start: datetime, end: datetime, method: str) -> AdInterval:
    return AdInterval(
        country=decision.country,
        day=day,
        channel=decision.channel,
        start=start,
        end=end,
        kind=Repeat.ADVERT.value,
        source=MANUAL,
        passage=f"{MANUAL}-{decision.decision_id}",
        score=1.0,
        times_seen=1,
        channels_seen=1,
        days_seen=1,
        first_seen=start,
        other_airings=[],
        vetoed=False,
        method=method,
    )
