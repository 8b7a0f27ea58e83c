"""How far a day was read: on while it lasts, to its end, once more for what came late, and never again."""

from datetime import UTC, date, datetime, timedelta

import pytest

from climate_assets.posts.marks import LATE, next_reading, read_to_end
from climate_assets.posts.records import PostMark

END = datetime(2026, 11, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)


def mark(newest: str = "7", readings: int = 0) -> PostMark:
    return PostMark("borealie", "pouet", "eolien", date(2026, 11, 16), newest, readings)


@pytest.mark.parametrize(
    ("before", "begun", "after"),
    [
        (mark(), END - HOUR, mark()),
        (mark(), END, mark("", 1)),
        (mark(), END + LATE, mark("", 2)),
        (mark("9", 1), END + LATE, mark("", 2)),
    ],
)
def test_read_to_end(before: PostMark, begun: datetime, after: PostMark) -> None:
    assert read_to_end(before, END, begun) == after


@pytest.mark.parametrize(
    ("known", "now", "asked"),
    [
        (mark("", 0), END - HOUR, True),
        (mark("7", 0), END + 9 * LATE, True),
        (mark("", 1), END + HOUR, False),
        (mark("", 1), END + LATE, True),
        (mark("9", 1), END + LATE + HOUR, True),
        (mark("", 2), END + 9 * LATE, False),
    ],
)
def test_next_reading(known: PostMark, now: datetime, asked: bool) -> None:
    assert (next_reading(known, END, now) is not None) is asked
