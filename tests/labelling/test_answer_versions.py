"""Which version of an answer stands: replays, disorder, deletions, and answers that are there again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from climate_assets.labelling.answer_versions import deletions, new_versions, returned, standing, version_of, with_gone_tasks
from climate_assets.labelling.records import Annotation

PROJECT = 7
AT = datetime(2026, 11, 21, 9, 30, 0, 123456, tzinfo=UTC)


def version(annotation: int = 1, minute: int = 0, task_id: int = 41, **changes: Any) -> Annotation:
    at = AT + timedelta(minutes=minute)
    said: dict[str, Any] = {"state": "submitted", "assessment": None, "categories": [], "spans": "[]", "texts": "{}"}
    made = {"guideline": "g", "suggested_by": "", "lead_seconds": None, "created_at": AT, "source": "api", "result": "[]"}
    whole = Annotation(PROJECT, annotation, at, task_id, "borealie/canal-un/x", "borealie", "misinfo", 3, **said, **made)
    return replace(whole, **changes)


versions = st.builds(version, st.integers(1, 4), st.integers(0, 5))


@given(st.lists(versions), st.lists(versions), st.randoms())
def test_replays_and_disorder_add_each_version_once_and_the_newest_stands(
    first: list[Annotation], second: list[Annotation], order: Any
) -> None:
    rows: list[Annotation] = []
    deliveries = [*first, *second, *first]
    order.shuffle(deliveries)
    for one in deliveries:
        rows += new_versions([one, one], {version_of(known) for known in rows})
    assert {version_of(one) for one in rows} == {version_of(one) for one in deliveries}
    assert len(rows) == len({version_of(one) for one in rows})
    assert new_versions(deliveries, [version_of(one) for one in rows]) == []
    for (_, annotation), stands in standing(rows).items():
        assert stands.updated_at == max(one.updated_at for one in deliveries if one.annotation_id == annotation)


def test_an_older_version_is_history() -> None:
    newer, older = version(minute=9), version(minute=1)
    added = new_versions([older], {version_of(newer)})
    assert added == [older]
    assert standing([newer, *added])[(PROJECT, 1)] == newer


def test_an_answer_that_was_changed_under_its_old_time_is_a_version_of_its_own() -> None:
    first, renamed = version(result="[1]"), version(result="[2]")
    rows = [first]
    for seen, result in ((renamed, "[2]"), (renamed, "[2]"), (first, "[1]"), (first, "[1]")):
        rows += new_versions([seen], {version_of(one): one.result for one in rows})
        assert standing(rows)[(PROJECT, 1)].result == result
    assert len(rows) == 3
    # A file that comes late tells what once was, and changes nothing.
    late = replace(renamed, source="file")
    assert new_versions([late], {version_of(one): one.result for one in rows}) == []


def test_what_a_task_has_no_more_is_deleted_once() -> None:
    kept, gone, elsewhere = version(1), version(2, 3), version(3, task_id=99)
    read, at = {41: AT + timedelta(minutes=5)}, AT + timedelta(minutes=6)
    (tombstone,) = deletions([kept, gone, elsewhere], {1}, read, at)
    assert (tombstone.annotation_id, tombstone.state, tombstone.updated_at, tombstone.result) == (2, "deleted", at, "[]")
    assert deletions([kept, tombstone, elsewhere], {1}, read, at + timedelta(hours=1)) == []
    assert standing([gone, tombstone])[(PROJECT, 2)].state == "deleted"


def test_an_answer_given_after_the_reading_is_not_deleted_by_it() -> None:
    rung = version(2, minute=8)
    assert deletions([rung], set(), {41: AT + timedelta(minutes=5)}, AT + timedelta(hours=1)) == []


def test_a_tombstone_is_newer_than_what_it_buries_whatever_the_clock_says() -> None:
    gone = version(2, minute=8)
    late = AT - timedelta(days=1)
    (tombstone,) = deletions([gone], set(), {41: gone.updated_at}, late)
    assert tombstone.updated_at > gone.updated_at
    (tombstone,) = deletions([gone], set(), {41: AT + timedelta(minutes=20)}, late)
    assert tombstone.updated_at == AT + timedelta(minutes=20)


def test_a_moved_answer_is_not_deleted() -> None:
    assert deletions([version(2)], {2}, {41: AT + timedelta(minutes=5)}, AT) == []


def test_answers_of_a_task_that_is_gone_are_deleted_by_a_full_read_only() -> None:
    old, new = version(1, task_id=50), version(2, minute=30, task_id=51)
    read, until = {41: AT}, AT + timedelta(minutes=10)
    assert deletions([old, new], set(), read, until) == []
    assert [one.annotation_id for one in deletions([old, new], set(), with_gone_tasks(read, [old, new], until), until)] == [1]


def test_an_answer_that_is_there_again_stands_once_behind_its_tombstone() -> None:
    there, kept = version(2, 3), version(4)
    (tombstone,) = deletions([there], set(), {41: there.updated_at}, AT + timedelta(hours=1))
    known = standing([there, kept, tombstone])
    (again,) = returned([there, kept], known)
    assert again == replace(there, updated_at=tombstone.updated_at + timedelta(microseconds=1))
    assert returned([there, kept], standing([*known.values(), again])) == []
    # A file tells what once was, not what is there.
    assert returned([replace(there, source="file")], known) == []
