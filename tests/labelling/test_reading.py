"""When a project is read again: a table of cases, and what a cursor keeps."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from climate_assets.labelling.reading import (
    FULL_EVERY,
    TELL_AGAIN,
    Told,
    in_turn,
    remembered,
    told_after,
    told_from,
    whole_read_is_due,
    why_to_read,
)
from climate_assets.labelling.records import ReadMark

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SOON, LONG = timedelta(minutes=1), TELL_AGAIN


def mark(pulse: str = "a", full: timedelta = timedelta(hours=1)) -> ReadMark:
    return ReadMark(7, "france", pulse, NOW - full, NOW - full)


@pytest.mark.parametrize(
    ("pulse", "read", "told", "why"),
    [
        ("a", None, None, "never read"),
        ("a", None, Told("a", NOW - SOON), ""),
        ("a", None, Told("a", NOW - LONG), "never read"),
        ("a", mark("a"), None, ""),
        ("a", mark("a"), Told("b", NOW - LONG), ""),
        ("b", mark("a"), None, "people answered"),
        ("b", mark("a"), Told("b", NOW - SOON), ""),
        ("b", mark("a"), Told("b", NOW - LONG), "people answered"),
        ("c", mark("a"), Told("b", NOW - SOON), "people answered"),
        ("a", mark("a", FULL_EVERY), None, "last read as a whole"),
        ("a", mark("a", FULL_EVERY), Told("full", NOW - SOON), ""),
        ("a", mark("a", FULL_EVERY), Told("a", NOW - SOON), "last read as a whole"),
        ("b", mark("a", FULL_EVERY), Told("full", NOW - SOON), "people answered"),
    ],
)
def test_a_project_is_read_when_it_changed_and_nobody_was_told(
    pulse: str, read: ReadMark | None, told: Told | None, why: str
) -> None:
    said = why_to_read(pulse, read, told, NOW)
    assert said == "" if not why else why in said


@pytest.mark.parametrize(("pulse", "read"), [("a", None), ("b", mark("a")), ("a", mark("a", FULL_EVERY))])
def test_what_was_told_is_not_told_again_at_the_next_tick(pulse: str, read: ReadMark | None) -> None:
    assert why_to_read(pulse, read, None, NOW)
    told = told_after(pulse, read, NOW)
    assert not why_to_read(pulse, read, told, NOW + SOON)
    assert why_to_read(pulse, read, told, NOW + LONG)


def test_a_whole_read_is_due_once_a_day() -> None:
    assert whole_read_is_due(None, NOW)
    assert whole_read_is_due(mark(full=FULL_EVERY), NOW)
    assert not whole_read_is_due(mark(), NOW)


@pytest.mark.parametrize(("first", "order"), [(0, [3, 7, 9]), (3, [3, 7, 9]), (7, [7, 9, 3]), (8, [9, 3, 7]), (10, [3, 7, 9])])
def test_a_look_that_was_cut_short_is_taken_up_where_it_stopped(first: int, order: list[int]) -> None:
    assert in_turn([9, 3, 7], first) == order


def test_a_cursor_keeps_what_was_told() -> None:
    told = {9: Told("b", NOW), 7: Told("full", NOW - LONG)}
    assert told_from(json.loads(json.dumps(remembered(told)))) == told
