"""What is learnt from: negatives stay, the old is rehearsed, chance is a seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.learning.entity_examples import Example, Parameters, data_hash, rehearsal_mix, training_examples
from climate_assets.posts.records import GoldPost
from climate_assets.posts.spans import Span
from climate_assets.posts.vocabulary import FRENCH, OURS, Label
from tests.posts.cases import SPANS, TEXT


def gold(number: int, spans: tuple[Span, ...] = (), group: str = "") -> GoldPost:
    name = f"ecume/{number:04}"
    return GoldPost(name, "fr", TEXT, frozenset(spans), group or name)


def examples(first: int, last: int) -> list[Example]:
    return [Example(f"ecume/{n:04}", f"post {n}", ()) for n in range(first, last)]


def test_an_example_speaks_the_models_names_and_keeps_negatives() -> None:
    made = training_examples([gold(2), gold(1, SPANS)], FRENCH)
    assert [(e.post_id, e.entities) for e in made] == [
        ("ecume/0001", ((2, 14, "PER"), (20, 26, "figure"), (29, 42, "energy_source"), (45, 50, "LOC"))),
        ("ecume/0002", ()),
    ]
    assert training_examples([gold(1, SPANS[:1])], OURS)[0].entities == ((2, 14, "person"),)


def test_an_example_never_overlaps_and_never_points_outside() -> None:
    nested = (*SPANS, Span(2, 26, Label.LAW))
    assert [name for *_, name in training_examples([gold(1, nested)], FRENCH)[0].entities] == [
        "law_or_policy",
        "energy_source",
        "LOC",
    ]
    with pytest.raises(Permanent, match="does not lie"):
        training_examples([gold(1, (Span(45, 51, Label.PLACE),))], FRENCH)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"epochs": 10_000},
        {"dropout": 1.0},
        {"learn_rate": 0.0},
        {"l2": -1.0},
        {"first_batch": 0.5},
        {"first_batch": 32.0},
        {"compound": 0.9},
    ],
)
def test_parameters_with_which_nothing_is_learnt_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"nothing is learnt|batches grow"):
        Parameters(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(("share", "old"), [(0.0, 0), (0.5, 20), (0.25, 7), (0.9, 100)])
def test_the_old_has_its_share(share: float, old: int) -> None:
    mixed = rehearsal_mix(examples(0, 20), examples(20, 120), share, np.random.default_rng(1))
    assert len(mixed) == len({e.post_id for e in mixed}) == 20 + old
    assert {e.post_id for e in examples(0, 20)} <= {e.post_id for e in mixed}


def test_the_mix_is_a_function_of_the_seed_and_not_of_the_order() -> None:
    new, old = examples(0, 20), examples(10, 120)
    one = rehearsal_mix(new, old, 0.5, np.random.default_rng(1))
    assert rehearsal_mix(new[::-1], old[::-1], 0.5, np.random.default_rng(1)) == one
    assert rehearsal_mix(new, old, 0.5, np.random.default_rng(2)) != one
    assert len({e.post_id for e in one}) == len(one)
    assert rehearsal_mix([], old, 0.5, np.random.default_rng(1)) == []


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_without_room_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="leaves no room"):
        rehearsal_mix([], [], share, np.random.default_rng(1))


@given(st.permutations(examples(0, 6)))
def test_the_data_hash_names_what_is_learnt(order: list[Example]) -> None:
    assert data_hash(order) == data_hash(examples(0, 6))
    assert data_hash(order[1:]) != data_hash(order)
    assert data_hash([*order[1:], Example("x", order[0].text, ((0, 4, "PER"),))]) != data_hash(order)
