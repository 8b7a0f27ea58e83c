"""Known items: which are known, to whom they are shown again, and that nobody is measured on their own word."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.labelling.gold import gold_labels
from climate_assets.labelling.hidden_gold import Known, known_items, known_without, opened_again, people_at_work
from climate_assets.labelling.records import Annotation
from tests.labelling.test_gold import ITEM, RERUN, THIRD, answer, asked, decision


def said(*values: str, item: str = ITEM, first: int = 1) -> list[Annotation]:
    """One answer a person, persons 1, 2, ... ."""
    return [answer(100 * first + n, value, who=n, item=item) for n, value in enumerate(values, 1)]


@pytest.mark.parametrize(
    ("values", "person", "known"),
    [
        (("none",), 1, None),  # nobody else
        (("none", "none"), 1, None),  # one other is not enough
        (("none", "none", "none"), 1, "none"),
        (("challenged", "none", "none"), 1, "none"),  # measured, and wrong
        (("challenged", "none", "none"), 2, None),  # without them the others differ
        (("none", "none", "none", "challenged"), 1, "none"),  # two of three
        (("none", "none", "challenged", "challenged"), 1, "challenged"),
    ],
)
def test_what_is_known_without_a_person(values: tuple[str, ...], person: int, known: str | None) -> None:
    assert known_without(said(*values)).get(person, {}).get(ITEM) == known


def test_a_decision_is_known_to_all_but_who_decided() -> None:
    answers = said("none", "challenged")
    known = known_without(answers, [replace(decision(900, "challenged"), annotator=2)])
    assert known == {1: {ITEM: "challenged"}}
    assert (
        known_without(answers, [replace(decision(900, "challenged"), annotator=9), replace(decision(901, "none"), annotator=8)])
        == {}
    )


@given(st.lists(st.sampled_from(["none", "challenged", "unchallenged"]), min_size=1, max_size=7), st.data())
def test_nobodys_own_answer_changes_what_they_are_measured_by(values: list[str], data: st.DataObject) -> None:
    person = data.draw(st.integers(1, len(values)))
    other = data.draw(st.sampled_from(["none", "challenged", "unchallenged"]))
    changed = [*values[: person - 1], other, *values[person:]]
    assert known_without(said(*values)).get(person) == known_without(said(*changed)).get(person)


def test_items_are_known_by_a_decision_or_by_three() -> None:
    answers = [
        *said("none", "none", "none"),
        *said("none", "none", item=RERUN, first=2),
        *said("none", "challenged", item=THIRD, first=3),
    ]
    gold = gold_labels(
        answers,
        [asked(item) for item in (ITEM, RERUN, THIRD)],
        adjudications=[replace(decision(900, "none", item=THIRD), annotator=9)],
    )
    assert known_items(gold) == {ITEM, THIRD}


items = st.lists(st.tuples(st.frozensets(st.integers(1, 6)), st.integers(0, 2)), max_size=20).map(
    lambda rows: [Known(f"i{n}", answered, awaited) for n, (answered, awaited) in enumerate(rows)]
)


@given(items, st.sets(st.integers(1, 6)), st.integers(0, 100), st.floats(0, 0.5))
def test_as_many_are_opened_as_the_share_lacks(known: list[Known], active: set[int], open_tasks: int, share: float) -> None:
    again = opened_again(known, active, open_tasks, share)
    by_item = {one.item_id: one for one in known}
    for item, people in again.items():
        assert by_item[item].awaited == 0, "it is open as it is"
        assert people == len(active - by_item[item].answered) > 0
    already = sum(one.awaited > 0 for one in known)
    assert len(again) <= max(0, share * open_tasks + 1.01 - already)
    fresh = [one for one in known if not one.awaited and active - one.answered]
    assert len(again) == len(fresh) or len(again) + already >= share * open_tasks - 0.01 * open_tasks
    if not share:
        assert again == {}


def test_who_left_is_not_waited_for() -> None:
    old, new = answer(1, "none", who=1), answer(2, "none", who=2)
    later = timedelta(days=29)
    assert people_at_work([old, replace(new, created_at=new.created_at + later)]) == {2}
    assert people_at_work([old, new]) == {1, 2}
    assert people_at_work([]) == set()
