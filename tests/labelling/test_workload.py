"""What people have time for: a fair lot for the audit slice with its true chance, and the most useful of the rest."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from climate_assets.claims.sampling import AUDIT, SCORE
from climate_assets.labelling.queue import Picked
from climate_assets.labelling.records import LabellingTask
from climate_assets.labelling.workload import EXPIRED, WAITS, handed_over_today, thinned

TODAY = date(2026, 11, 20)


def pick(number: int, sampling: str, salt: str = "") -> Picked:
    return Picked(f"i{salt}{number}", sampling, 1.0 if sampling == SCORE else 0.2, (number * 7 % 100) / 100)


def task(number: int, sampling: str = SCORE, age: int = 0, priority: float = 0.5) -> LabellingTask:
    day = TODAY - timedelta(days=age)
    known = (f"i{number}", "borealie", day, "canal-un", "b", "k", "s", sampling, 1.0, priority, "m", "p", "g", None, None)
    return LabellingTask(*known, "pending", "not delivered yet")


picks = st.lists(st.sampled_from([SCORE, AUDIT]), max_size=60).map(lambda kinds: [pick(n, k) for n, k in enumerate(kinds)])
tasks = st.lists(st.tuples(st.sampled_from([SCORE, AUDIT]), st.integers(0, 30), st.integers(0, 100)), max_size=40).map(
    lambda rows: [task(n, kind, age, priority / 100) for n, (kind, age, priority) in enumerate(rows)]
)
costs = st.dictionaries(st.integers(0, 60).map(lambda n: f"i{n}"), st.integers(1, 4))


@given(picks, costs, st.integers(1, 100))
def test_only_audit_picks_are_left_out_and_all_tell_the_chance_they_had(
    chosen: list[Picked], costs: dict[str, int], capacity: int
) -> None:
    kept, left_out = thinned(chosen, costs, capacity)
    assert sorted(p.chunk_id for p in (*kept, *left_out)) == sorted(p.chunk_id for p in chosen)
    assert [p.chunk_id for p in kept] == [p.chunk_id for p in chosen if p.chunk_id in {k.chunk_id for k in kept}]
    assert all(p.sampling == AUDIT for p in left_out)
    assert [p for p in kept if p.sampling == SCORE] == [p for p in chosen if p.sampling == SCORE]
    audits = [p for p in chosen if p.sampling == AUDIT]
    stayed = [p for p in kept if p.sampling == AUDIT]
    if audits:
        assert stayed, "an empty slice tells nothing"
        chance = len(stayed) / len(audits)
        assert {round(p.probability, 12) for p in (*stayed, *left_out)} == {round(0.2 * chance, 12)}
    if sum(costs.get(p.chunk_id, 1) for p in chosen) <= capacity:
        assert (kept, left_out) == (chosen, [])


def test_the_lot_estimates_the_number_below_the_threshold_without_bias() -> None:
    """Weighted by one over the recorded chance, what is kept stands for all, whatever its place in the queue."""
    found: Counter[bool] = Counter()
    truth: Counter[bool] = Counter()
    for day in range(400):
        chosen = [pick(n, AUDIT if n % 3 else SCORE, salt=f"{day}-") for n in range(30)]
        kept, _ = thinned(chosen, {}, 12)
        for one in chosen:
            truth[one.priority > 0.5] += one.sampling == AUDIT
        for one in kept:
            found[one.priority > 0.5] += 0.2 / one.probability if one.sampling == AUDIT else 0  # type: ignore[assignment]
    for high in (True, False):
        assert abs(found[high] / truth[high] - 1) < 0.06


def test_the_lot_falls_the_same_way_again() -> None:
    chosen = [pick(n, AUDIT) for n in range(40)]
    assert thinned(chosen, {}, 10) == thinned(list(chosen), {}, 10)


@given(tasks, costs, st.integers(-5, 60), st.booleans())
def test_each_task_has_one_fate_and_the_room_is_kept(
    pending: list[LabellingTask], costs: dict[str, int], room: int, fresh: bool
) -> None:
    part = handed_over_today(pending, costs, room, TODAY, 14, fresh)
    fates = [*part.handed_over, *part.waiting, *part.expired]
    assert sorted(t.chunk_id for t in fates) == sorted(t.chunk_id for t in pending)
    spent = sum(costs.get(t.chunk_id, 1) for t in part.handed_over)
    assert spent <= max(0, room) or (fresh and len(part.handed_over) == 1)
    assert all(t.sampling == SCORE and (TODAY - t.day).days > 14 for t in part.expired), "an audit pick is asked for certain"
    assert {t.state for t in part.expired} <= {"skipped"}
    assert {t.reason for t in part.waiting} <= {WAITS}
    assert [t.priority for t in part.handed_over] == sorted((t.priority for t in part.handed_over), reverse=True)
    given_score = [t.priority for t in part.handed_over if t.sampling == SCORE]
    kept_score = [t.priority for t in part.waiting if t.sampling == SCORE]
    assert not given_score or not kept_score or min(given_score) >= max(kept_score)
    if given_score:
        assert not [t for t in part.waiting if t.sampling == AUDIT], "audit picks go first"
    assert not part.waiting or part.handed_over or room < 1 or not fresh


@given(tasks)
def test_day_by_day_everything_is_handed_over_or_given_up(pending: list[LabellingTask]) -> None:
    rest, today, audits = pending, TODAY, set()
    for _ in range(60):
        part = handed_over_today(rest, {}, 2, today, 14)
        audits |= {t.chunk_id for t in part.handed_over if t.sampling == AUDIT}
        rest, today = list(part.waiting), today + timedelta(days=1)
    assert rest == []
    assert audits == {t.chunk_id for t in pending if t.sampling == AUDIT}


def test_what_is_given_up_says_why() -> None:
    [row] = handed_over_today([task(1, age=15)], {}, 9, TODAY, 14).expired
    assert row == replace(task(1, age=15), state="skipped", reason=EXPIRED.format(14))
    assert "14 days" in row.reason


def test_a_task_for_more_people_than_there_is_time_is_asked_on_a_day_of_its_own() -> None:
    one, other = task(1, priority=0.9), task(2, priority=0.1)
    part = handed_over_today([one, other], {"i1": 5}, 3, TODAY, 14)
    assert part.handed_over == (one,)
    assert handed_over_today([one, other], {"i1": 5}, 3, TODAY, 14, fresh=False).handed_over == ()
