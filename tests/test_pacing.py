"""Patience: what Retry-After says, one pause for all, and an end to asking."""

import threading
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.pacing import Clock, Pace, backoff_seconds, retry_after_seconds
from tests.fake_time import FakeTime

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        ("Fri, 20 Nov 2026 12:00:30 GMT", 30.0),
        ("Fri, 20 Nov 2026 13:00:30 +0100", 30.0),
        ("Fri, 20 Nov 2026 12:00:30 -0000", 30.0),
        ("Friday, 20-Nov-26 12:00:30 GMT", 30.0),
        ("Fri, 20 Nov 2026 11:59:00 GMT", 0.0),
        ("Fri, 40 Nov 2026 11:59:00 GMT", None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


@given(st.integers(1, 60), st.floats(0.01, 10), st.floats(10, 100), st.floats(0, 1))
def test_backoff_doubles_within_its_bounds(attempt: int, first: float, longest: float, chance: float) -> None:
    wait = backoff_seconds(attempt, first, longest, chance)
    full = backoff_seconds(attempt, first, longest, 0.0)
    assert 0.5 * full <= wait <= full <= longest
    assert backoff_seconds(attempt + 1, first, longest, 0.0) in (2 * full, longest)


def pace(time: FakeTime, failures: int = 3) -> Pace[str]:
    return Pace(time.clock(), failures, lambda reason: f"broken: {reason}")


def test_a_pause_holds_everybody_and_the_longest_stands() -> None:
    time = FakeTime()
    shared = pace(time)
    shared.pause(5)
    shared.pause(2)
    shared.wait()
    assert time.elapsed == 5
    shared.wait()
    assert time.elapsed == 5


def test_a_stop_ends_every_wait_and_its_first_reason_stands() -> None:
    time = FakeTime()
    shared = pace(time)
    shared.stop("first")
    shared.stop("second")
    shared.pause(60)
    shared.wait()
    shared.rest(60)
    assert (shared.stopped, time.elapsed) == ("first", 0)


def test_only_failures_in_a_row_break() -> None:
    shared = pace(FakeTime())
    for _ in range(5):
        shared.failed("down")
        shared.failed("down")
        shared.succeeded()
    assert shared.stopped is None
    assert shared.answered
    for _ in range(3):
        shared.failed("down")
    assert shared.stopped == "broken: down"


def test_a_rest_holds_one_worker_alone() -> None:
    time = FakeTime()
    shared = pace(time)
    shared.rest(4)
    assert time.elapsed == 4
    shared.wait()
    assert time.elapsed == 4


def test_workers_count_failures_together() -> None:
    shared = pace(FakeTime(), failures=400)

    def fail() -> None:
        for _ in range(100):
            shared.failed("x")

    workers = [threading.Thread(target=fail) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert shared.stopped == "broken: x"


def test_the_default_clock_is_the_real_one() -> None:
    assert Clock().now().tzinfo is UTC
