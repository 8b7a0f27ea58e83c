"""Who judges, what is due, and where a chunk stands after a try."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.broadcast.records import CleanChunk
from climate_assets.claims.cascade import MAX_ATTEMPTS, Result, Unasked, audit_point, due, route, state_after
from climate_assets.claims.records import Category, Judgement, Unusable
from climate_assets.states import StageState, State

DAY = date(2026, 11, 20)
GOOD = Judgement(9, Category.NOT_US, "le soleil explique tout", False, "x")


def chunk(name: str, sha: str = "h1") -> CleanChunk:
    return CleanChunk(name, "france", DAY, "canal-un", "texte", [0], 0.0, 1, 1, 0, sha, "d", "m")


def state(name: str, at: State, attempts: int = 0) -> StageState:
    return StageState("classified_chunks", name, "france", DAY, at.value, "", attempts)


@pytest.mark.parametrize(
    ("probability", "share", "expected"),
    [(0.3, 0.0, "cascade"), (0.29, 0.0, "student"), (0.29, 1.0, "audit"), (1.0, 1.0, "cascade"), (0.0, 1.0, "audit")],
)
def test_the_student_decides_alone_only_where_it_is_sure(probability: float, share: float, expected: str) -> None:
    assert route("c1", probability, 0.3, share) == expected


@pytest.mark.parametrize(
    "bad", [(-0.1, 0.3, 0.1), (1.1, 0.3, 0.1), (float("nan"), 0.3, 0.1), (0.5, 2.0, 0.1), (0.5, 0.3, -1.0)]
)
def test_what_is_no_probability_is_refused(bad: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"not within 0\.\.1"):
        route("c1", *bad)


def ids(count: int) -> list[str]:
    return [f"france/canal-{n % 18}/2026-11-{n % 28 + 1:02d}T{n % 24:02d}:{n % 60:02d}:00Z#{n}" for n in range(count)]


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5])
def test_the_audit_slice_has_its_share(share: float) -> None:
    drawn = sum(route(name, 0.0, 0.5, share) == "audit" for name in ids(20_000))
    # Four standard deviations of a binomial.
    assert abs(drawn - 20_000 * share) < 4 * (20_000 * share * (1 - share)) ** 0.5


def test_the_audit_slice_is_even_over_its_range() -> None:
    tenths = [0] * 10
    for name in ids(20_000):
        tenths[int(audit_point(name) * 10)] += 1
    assert max(tenths) - min(tenths) < 350


@given(st.text(max_size=40), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_slice_holds_the_smaller_one(name: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert 0 <= audit_point(name) < 1
    assert route(name, 0.0, 0.5, small) == "student" or route(name, 0.0, 0.5, large) == "audit"


def test_what_is_judged_is_never_asked_again() -> None:
    assert due([chunk("a")], {"a": "h1"}, {}) == []
    assert due([chunk("a")], {"a": "h1"}, {"a": state("a", State.FAILED)}) == []


def test_a_verdict_on_another_text_is_stale() -> None:
    assert due([chunk("a", "h2")], {"a": "h1"}, {"a": state("a", State.OK)}) == [chunk("a", "h2")]


@pytest.mark.parametrize(
    ("at", "attempts", "expected"),
    [
        (None, 0, True),
        (State.PENDING, 0, True),
        (State.PENDING, MAX_ATTEMPTS, True),
        (State.FAILED, MAX_ATTEMPTS - 1, True),
        (State.FAILED, MAX_ATTEMPTS, False),
        (State.DEAD, 0, False),
        (State.SKIPPED, 0, False),
        (State.OK, 0, True),
    ],
)
def test_what_is_due(at: State | None, attempts: int, expected: bool) -> None:
    states = {} if at is None else {"a": state("a", at, attempts)}
    assert bool(due([chunk("a")], {}, states)) is expected


def test_what_is_due_keeps_its_order() -> None:
    chunks = [chunk(name) for name in "dacb"]
    assert [c.chunk_id for c in due(chunks, {"a": "h1"}, {})] == ["d", "c", "b"]


@pytest.mark.parametrize(
    ("result", "before", "expected", "attempts"),
    [
        (GOOD, 0, State.OK, 0),
        (GOOD, 2, State.OK, 2),
        (Unusable("no JSON", False), 0, State.FAILED, 1),
        (Unusable("no JSON", False), MAX_ATTEMPTS - 1, State.DEAD, MAX_ATTEMPTS),
        (Unusable("refused", True), 0, State.DEAD, 1),
        (Unasked("down", "outage"), 0, State.PENDING, 0),
        (Unasked("down", "outage"), 2, State.PENDING, 2),
        (Unasked("spent", "budget"), 1, State.PENDING, 1),
    ],
)
def test_where_a_chunk_stands_after_a_try(result: Result, before: int, expected: State, attempts: int) -> None:
    earlier = state("a", State.FAILED, before) if before else None
    after = state_after(chunk("a"), earlier, result)
    assert (after.state, after.attempts, after.item_id) == (expected.value, attempts, "a")
    assert bool(after.reason) is (expected is not State.OK)


@given(st.integers(1, 300))
def test_an_outage_of_any_length_kills_no_chunk(runs: int) -> None:
    now: StageState | None = None
    for _ in range(runs):
        now = state_after(chunk("a"), now, Unasked("down", "outage"))
    assert due([chunk("a")], {}, {"a": now} if now else {}) == [chunk("a")]
