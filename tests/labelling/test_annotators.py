"""A person's record: intervals by table, drift by an exact test, and who is careless."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.labelling.annotators import (
    AnnotatorQuality,
    Answer,
    Rule,
    annotator_quality,
    answers_of,
    fisher_worse,
    wilson_interval,
)
from tests.labelling.test_gold import ITEM, RERUN, answer

BEGIN = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)


def answers(marks: str, annotator: int = 5, seconds: float | None = 40.0) -> list[Answer]:
    """One answer a letter, in time: `+` right, `-` wrong, `.` on an item whose answer is not known."""
    return [
        Answer(annotator, f"{'free' if mark == '.' else 'known'}-{n}", "none" if mark == "+" else "x", at(n), seconds)
        for n, mark in enumerate(marks)
    ]


def at(minute: int) -> datetime:
    return BEGIN + timedelta(minutes=minute)


def quality(marks: str, seconds: float | None = 40.0, rule: Rule | None = None) -> AnnotatorQuality:
    (row,) = annotator_quality(answers(marks, seconds=seconds), {f"known-{n}": "none" for n in range(len(marks))}, rule)
    return row


# From R: binom::binom.wilson, 95 %.
@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [(0, 10, 0.0, 0.277533), (10, 10, 0.722467, 1.0), (8, 10, 0.490162, 0.943318), (50, 100, 0.403832, 0.596168)],
)
def test_the_wilson_interval_by_table(right: int, of: int, low: float, high: float) -> None:
    assert wilson_interval(right, of) == pytest.approx((low, high), abs=1e-5)


@given(st.integers(1, 300), st.data())
def test_the_wilson_interval_holds_the_share_and_mirrors(of: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, of))
    low, high = wilson_interval(right, of) or (2.0, -1.0)
    assert 0 <= low <= right / of <= high <= 1
    assert wilson_interval(of - right, of) == pytest.approx((1 - high, 1 - low), abs=1e-12)
    wider = wilson_interval(right, of, 0.99) or (2.0, -1.0)
    assert wider[0] <= low
    assert wider[1] >= high


def test_nothing_has_no_interval() -> None:
    assert wilson_interval(0, 0) is None
    row = quality("....")
    assert (row.accuracy, row.low, row.high, row.known, row.answers) == (None, None, None, 0, 4)
    assert (row.drift, row.care) == ("too few", "too few")


@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_fisher_equals_scipy(latest: int, earlier: int, data: st.DataObject) -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is not installed")
    a, b = data.draw(st.integers(0, latest)), data.draw(st.integers(0, earlier))
    told = fisher_worse(a, latest, b, earlier)
    reference = stats.hypergeom.cdf(a, latest + earlier, a + b, latest)
    assert told == pytest.approx(reference, abs=1e-9)
    if a == latest:
        assert told == 1.0


def test_fisher_by_hand() -> None:
    assert fisher_worse(0, 2, 2, 2) == 1 / comb(4, 2)


@pytest.mark.parametrize(
    ("marks", "state"),
    [
        ("+" * 39, "too few"),
        ("+" * 40, "ok"),
        ("+" * 20 + "+" * 12 + "-" * 8, "drifting"),
        ("-" * 8 + "+" * 32, "ok"),
        ("+" * 20 + "+" * 17 + "-" * 3, "ok"),
        ("-" * 40, "ok"),
        ("+" * 20 + "." * 200 + "-" * 20, "drifting"),
    ],
)
def test_drift_is_told_when_the_latest_are_worse_than_chance(marks: str, state: str) -> None:
    row = quality(marks)
    assert row.drift == state
    assert (row.drift_p is None) == (state == "too few")
    if state == "drifting":
        assert "those before 100%" in row.why


def test_drift_is_rarely_told_of_a_steady_person() -> None:
    rng = np.random.default_rng(11)
    rows = [quality("".join("+" if rng.random() < 0.85 else "-" for _ in range(60))) for _ in range(400)]
    assert sum(row.drift == "drifting" for row in rows) <= 8


@pytest.mark.parametrize(
    ("marks", "seconds", "care", "says"),
    [
        ("+-" * 20, 40.0, "careless", "20 of 40 known items are right"),
        ("+" * 40, 3.0, "careless", "Half of 40 answers take less than 3.0 s"),
        ("+" * 40, 40.0, "ok", "40 of 40"),
        ("+++-" * 10, 40.0, "ok", "30 of 40"),
        ("+" * 9, 40.0, "too few", "9 known items are answered; 10 are needed"),
        ("-" * 9, 3.0, "too few", "9 known items"),
        ("+" * 40, None, "ok", "40 of 40"),
        ("." * 40, 3.0, "careless", "too short to read"),
    ],
)
def test_who_is_careless(marks: str, seconds: float | None, care: str, says: str) -> None:
    row = quality(marks, seconds)
    assert row.care == care
    assert says in row.why


def test_pace_is_the_median_of_what_is_timed() -> None:
    given = [Answer(3, f"i{n}", "none", at(n), t) for n, t in enumerate([10.0, None, 90.0, 20.0])]
    (row,) = annotator_quality(given, {})
    assert (row.median_seconds, row.timed, row.answers) == (20.0, 3, 4)
    assert quality("+", None).median_seconds is None


@given(st.randoms())
def test_people_are_told_apart_in_any_order(dice) -> None:  # type: ignore[no-untyped-def]
    given = [*answers("+" * 30 + "-" * 20, 9), *answers("+" * 50, 2)]
    known = {f"known-{n}": "none" for n in range(50)}
    straight = annotator_quality(given, known)
    dice.shuffle(given)
    assert annotator_quality(given, known) == straight
    assert [(row.annotator, row.right, row.drift) for row in straight] == [(2, 50, "ok"), (9, 30, "drifting")]


def test_the_rule_can_be_another() -> None:
    row = quality("+" * 5 + "-" * 5, rule=Rule(latest=5, chance=0.05, known=3))
    assert (row.drift, row.latest_accuracy, row.earlier_accuracy) == ("drifting", 0.0, 1.0)


def test_answers_are_the_standing_ones_at_the_time_they_were_first_given() -> None:
    first = answer(11, "none", who=5)
    edited = replace(first, assessment="challenged", updated_at=BEGIN + timedelta(days=30))
    skipped = answer(12, None, who=5, item=RERUN, state="skipped")
    (found,) = answers_of([edited, skipped, first])
    assert found == Answer(5, ITEM, "challenged", first.created_at, 30.0)
