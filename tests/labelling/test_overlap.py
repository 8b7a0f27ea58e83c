"""Which tasks are for several people: the id decides, the share is kept, a larger share keeps the smaller one's tasks; and a
second look at cases that were missed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.countries import Overlap
from climate_assets.labelling.overlap import people_for, people_needed

IDS = [f"borealie/canal-un/{n}" for n in range(4000)]


def several(share: float, people: int = 2) -> set[str]:
    return {item for item in IDS if people_for(item, Overlap(share=share, people=people)) > 1}


def test_nobody_and_everybody() -> None:
    assert several(0.0) == set()
    assert several(1.0) == set(IDS)
    assert {people_for(item, Overlap(share=1.0, people=3)) for item in IDS} == {3}
    assert people_for("any", Overlap()) == 1


def test_the_share_is_the_share() -> None:
    # Four standard errors of a share of 4000.
    assert abs(len(several(0.3)) / len(IDS) - 0.3) < 4 * (0.3 * 0.7 / len(IDS)) ** 0.5


@given(st.floats(0, 1), st.floats(0, 1), st.integers(2, 10), st.integers(2, 10))
def test_a_larger_share_keeps_the_tasks_of_a_smaller_one(one: float, other: float, people: int, more: int) -> None:
    low, high = sorted((one, other))
    few = {item for item in IDS[:200] if people_for(item, Overlap(share=low, people=people)) > 1}
    many = {item for item in IDS[:200] if people_for(item, Overlap(share=high, people=more)) > 1}
    assert few <= many


CASE, REBUTTED, NONE = "unchallenged", "challenged", "none"


@pytest.mark.parametrize(
    ("people", "sampling", "said", "needed"),
    [
        (1, "audit", [], 1),
        (1, "audit", [NONE], 1),
        (1, "audit", [REBUTTED], 1),
        (1, "audit", [CASE], 2),
        (1, "audit", [CASE, CASE], 2),
        (1, "audit", [CASE, NONE], 3),
        (1, "audit", [CASE, REBUTTED], 3),
        (1, "audit", [CASE, NONE, CASE], 3),
        (2, "audit", [CASE, NONE], 3),
        (5, "audit", [CASE, NONE], 5),
        (1, "score", [CASE], 1),
        (1, "all", [], 1),
    ],
)
def test_a_missed_case_is_looked_at_again(people: int, sampling: str, said: list[str], needed: int) -> None:
    assert people_needed(people, sampling, said) == needed


ANSWERS = st.lists(st.sampled_from([CASE, REBUTTED, NONE]), max_size=6)


@given(st.integers(1, 10), st.sampled_from(["audit", "score", "gold"]), ANSWERS, ANSWERS)
def test_more_answers_ask_for_no_fewer_people(people: int, sampling: str, said: list[str], more: list[str]) -> None:
    before, after = people_needed(people, sampling, said), people_needed(people, sampling, said + more)
    assert people <= before <= after <= max(people, 3)
