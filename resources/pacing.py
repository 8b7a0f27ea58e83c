"""How patiently an outside server is treated: what `Retry-After` asks, one pause for all workers, when to stop.

Nothing here knows which server it is. Time comes in as a `Clock`, so that tests wait for nothing.
"""

import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Generic, TypeVar

S = TypeVar("S")
_SLICE_SECONDS = 1.0


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Clock:
    """Where time and chance come from."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = _now
    random: Callable[[], float] = random.random


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` asks for, given as seconds or an HTTP date (RFC 9110, 10.2.3); None if it says nothing."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            at = parsedate_to_datetime(header)
        except ValueError:
            return None
        seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def backoff_seconds(attempt: int, first: float, longest: float, chance: float) -> float:
    """How long to wait after failed attempt 1, 2, …: doubling from `first`, at most `longest`, less up to half by `chance`."""
    return float(min(longest, first * 2 ** (attempt - 1))) * (1 - chance / 2)


class Pace(Generic[S]):
    """What the workers of one batch share: a pause, a count of failures in a row, and the reason to stop, if any."""

    def __init__(self, clock: Clock, failures_in_a_row: int, when_broken: Callable[[str], S]) -> None:
        """`when_broken` makes the reason to stop from the last failure, once there were `failures_in_a_row`."""
        self._clock = clock
        self._limit = failures_in_a_row
        self._when_broken = when_broken
        self._lock = threading.Lock()
        self._until = 0.0
        self._failures = 0
        self._stopped: S | None = None
        self._answered = False

    @property
    def stopped(self) -> S | None:
        """Why nothing more is asked; None while all is well."""
        with self._lock:
            return self._stopped

    @property
    def answered(self) -> bool:
        """Whether the server gave one good answer since the start."""
        with self._lock:
            return self._answered

    def stop(self, reason: S) -> None:
        """Ask nothing more; the first reason stands."""
        with self._lock:
            self._stopped = self._stopped if self._stopped is not None else reason

    def pause(self, seconds: float) -> None:
        """Let nobody ask for so long; a longer pause stands."""
        with self._lock:
            self._until = max(self._until, self._clock.monotonic() + seconds)

    def wait(self) -> None:
        """Return when the pause is over, or at a stop."""
        while self.stopped is None:
            with self._lock:
                left = self._until - self._clock.monotonic()
            if left <= 0:
                return
            self._clock.sleep(min(left, _SLICE_SECONDS))

    def rest(self, seconds: float) -> None:
        """Keep this worker alone waiting, or until a stop."""
        end = self._clock.monotonic() + seconds
        while self.stopped is None and (left := end - self._clock.monotonic()) > 0:
            self._clock.sleep(min(left, _SLICE_SECONDS))

    def succeeded(self) -> None:
        """A good answer came: the row of failures ends."""
        with self._lock:
            self._failures, self._answered = 0, True

    def failed(self, reason: str) -> None:
        """One more failure in a row; enough of them stop the batch."""
        with self._lock:
            self._failures += 1
            broken = self._failures >= self._limit
        if broken:
            self.stop(self._when_broken(reason))
