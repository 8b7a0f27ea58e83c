"""Time that passes only when somebody sleeps."""

import threading
from datetime import UTC, datetime, timedelta

from resources.pacing import Clock

START = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


class FakeTime:
    """A clock for tests; `sleeps` is how long each sleep was, in seconds."""

    def __init__(self, start: datetime = START, chance: float = 0.0) -> None:
        self.start = start
        self.elapsed = 0.0
        self.sleeps: list[float] = []
        self._chance = chance
        self._lock = threading.Lock()

    def clock(self) -> Clock:
        return Clock(lambda: self.elapsed, self._sleep, self.now, lambda: self._chance)

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.elapsed)

    def _sleep(self, seconds: float) -> None:
        with self._lock:
            self.sleeps.append(seconds)
            self.elapsed += seconds
