"""Sides hang on week and group, never on rows; what is linked stays together, and what was learnt from stays so."""

import random
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.learning.leakage import leaks
from climate_assets.learning.records import Split
from climate_assets.learning.splits import Item, iso_week, sound_splits, splits_of
from tests.learning.test_leakage import compared_pairwise, composed
from tests.learning.texts import heard_again, said

FIRST = date(2026, 9, 1)

ITEMS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 15)), max_size=60).map(
    lambda rows: [Item(f"i{n}", FIRST + timedelta(days=day), f"g{group}") for n, (day, group) in enumerate(rows)]
)


@settings(max_examples=80, deadline=None)
@given(ITEMS, st.randoms(use_true_random=False), st.booleans())
def test_groups_and_links_stay_together_in_any_order(items: list[Item], mixed: random.Random, weeks: bool) -> None:
    ids = [item.item_id for item in items]
    linked = [(mixed.choice(ids), mixed.choice(ids)) for _ in range(4)] if ids else []
    sides = splits_of(items, linked=linked, whole_weeks=weeks)
    assert sides == splits_of(mixed.sample(items, len(items)), linked=linked[::-1], whole_weeks=weeks)
    assert set(sides) == set(ids)
    for one, other in linked:
        assert sides[one] == sides[other]
    by_group: dict[str, set[Split]] = {}
    for item in items:
        by_group.setdefault(item.group_id, set()).add(sides[item.item_id])
    assert all(len(found) == 1 for found in by_group.values())


def test_what_is_added_later_moves_nothing_else() -> None:
    items = [Item(f"i{n}", FIRST + timedelta(days=n % 50), f"g{n // 2}") for n in range(400)]
    sides = splits_of(items)
    more = splits_of([*items, *(Item(f"later{n}", FIRST + timedelta(days=70), f"h{n}") for n in range(100))])
    assert {item_id: more[item_id] for item_id in sides} == sides


def test_shares_come_out_and_another_salt_divides_anew() -> None:
    items = [Item(f"i{n}", FIRST + timedelta(days=n % 50), f"g{n}") for n in range(5000)]
    sides = splits_of(items, dev=0.1, test=0.3)
    assert sum(s is Split.TEST for s in sides.values()) / 5000 == pytest.approx(0.3, abs=0.03)
    assert sum(s is Split.DEV for s in sides.values()) / 5000 == pytest.approx(0.1, abs=0.03)
    assert splits_of(items, salt="other") != sides
    assert set(splits_of(items, dev=0, test=0).values()) == {Split.TRAIN}


def test_a_group_that_spans_weeks_is_on_one_side_and_a_whole_week_may_be() -> None:
    airings = [Item(f"a{n}", FIRST + timedelta(weeks=n), "advert") for n in range(10)]
    assert len(set(splits_of(airings).values())) == 1
    week = [Item(f"n{n}", date(2026, 11, 16) + timedelta(days=n % 7), f"g{n}") for n in range(60)]
    assert len(set(splits_of(week).values())) == 3
    assert len(set(splits_of(week, whole_weeks=True).values())) == 1


@pytest.mark.parametrize(
    ("given_before", "wanted"),
    [
        ({"a": Split.TEST}, Split.TEST),
        ({"a": Split.TEST, "b": Split.TRAIN}, Split.TRAIN),
        ({"a": Split.TEST, "b": Split.DEV}, Split.DEV),
        ({"b": Split.DEV, "c": Split.TRAIN}, Split.TRAIN),
    ],
)
def test_a_side_once_given_stands_unless_it_was_learnt_from(given_before: dict[str, Split], wanted: Split) -> None:
    items = [Item("a", FIRST, "g1"), Item("b", FIRST + timedelta(days=9), "g2"), Item("c", FIRST, "g3")]
    sides = splits_of(items, linked=[("a", "b"), ("b", "c"), ("a", "not there")], before=given_before)
    assert set(sides.values()) == {wanted}


def test_weeks_are_iso_weeks() -> None:
    assert iso_week(date(2026, 11, 21)) == "2026-W47"
    assert iso_week(date(2027, 1, 1)) == "2026-W53"


def test_an_item_with_two_days_or_impossible_shares_are_refused() -> None:
    with pytest.raises(Permanent, match="two days or two groups"):
        splits_of([Item("a", FIRST, "g"), Item("a", FIRST + timedelta(days=1), "g")])
    with pytest.raises(ValueError, match="do not leave"):
        splits_of([], dev=0.6, test=0.6)


def test_near_duplicates_in_different_groups_are_found_and_put_on_one_side() -> None:
    chance = random.Random(4)
    texts = {f"i{n:03d}": said(chance, 120) for n in range(150)}
    for n in range(40):
        texts[f"again{n:03d}"] = heard_again(chance, texts[f"i{n:03d}"], 0.08)
    items = [Item(name, FIRST + timedelta(days=n % 80), name) for n, name in enumerate(texts)]
    assert leaks(texts, splits_of(items))
    sides, found = sound_splits(items, texts)
    assert found
    assert leaks(texts, sides) == []
    assert all(sides[f"i{n:03d}"] == sides[f"again{n:03d}"] for n in range(40))
    assert len(set(sides.values())) == 3
    assert sound_splits(items[::-1], texts) == (sides, found)


def test_texts_made_of_stock_come_apart_only_where_nothing_is_alike() -> None:
    for seed in range(4):
        texts, _ = composed(random.Random(seed), 80)
        sides, _ = sound_splits([Item(name, FIRST, name) for name in texts], texts)
        assert compared_pairwise(texts, dict(sides)) == set()
