"""Majority and Dawid-Skene against crowd-kit, to nine digits, and where the reference is silent."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.labelling.aggregation import DawidSkene, dawid_skene, majorities
from climate_assets.labelling.votes import Vote

VALUES = ("challenged", "none", "unchallenged")
tables = st.lists(st.dictionaries(st.integers(1, 5), st.sampled_from(VALUES), min_size=1, max_size=5), min_size=1, max_size=25)


def votes(table: list[dict[int, str]]) -> list[Vote]:
    return [Vote(f"item-{n:03}", person, value) for n, row in enumerate(table) for person, value in row.items()]


def crowd(seed: int, items: int = 60, share: float = 0.7) -> tuple[list[Vote], list[str]]:
    """Three careful people and one who guesses, on part of the items each."""
    rng = np.random.default_rng(seed)
    truth = [VALUES[n] for n in rng.integers(0, 3, items)]
    skill = {1: 0.9, 2: 0.85, 3: 0.8, 4: 1 / 3}
    cast = [
        Vote(f"{n:03}", p, value if rng.random() < right else VALUES[int(rng.integers(0, 3))])
        for n, value in enumerate(truth)
        for p, right in skill.items()
        if rng.random() < share
    ]
    return cast, truth


def assert_equal_to_crowd_kit(cast: list[Vote], iterations: int, tolerance: float) -> DawidSkene:
    why = "package crowd-kit (requirements/tests.in) is not installed"
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    reference = pytest.importorskip("crowdkit.aggregation", reason=why).DawidSkene(n_iter=iterations, tol=tolerance)
    reference.fit(pd.DataFrame(cast, columns=["task", "worker", "label"]))
    found = dawid_skene(cast, iterations=iterations, tolerance=tolerance)
    assert found is not None
    assert found.iterations == len(reference.loss_history_)
    probabilities = reference.probas_.loc[list(found.items), list(found.values)].to_numpy()
    np.testing.assert_allclose(found.probabilities, probabilities, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.priors, reference.priors_[list(found.values)].to_numpy(), rtol=0, atol=1e-9)
    told = reference.errors_.to_dict("index")
    for a, person in enumerate(found.annotators):
        for s, said in enumerate(found.values):
            for t, true in enumerate(found.values):
                assert found.errors[a, s, t] == pytest.approx(told.get((person, said), {}).get(true, 0.0), abs=1e-9)
    return found


@settings(max_examples=40, deadline=None)
@given(tables)
def test_dawid_skene_equals_crowd_kit(table: list[dict[int, str]]) -> None:
    assert_equal_to_crowd_kit(votes(table), 100, 1e-5)


@settings(max_examples=30, deadline=None)
@given(tables, st.integers(1, 6))
def test_it_equals_crowd_kit_after_each_step(table: list[dict[int, str]], iterations: int) -> None:
    assert_equal_to_crowd_kit(votes(table), iterations, -1e9)


@pytest.mark.parametrize("seed", range(5))
def test_it_equals_crowd_kit_on_a_crowd(seed: int) -> None:
    found = assert_equal_to_crowd_kit(crowd(seed)[0], 100, 1e-5)
    assert found.converged
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1.0)
    np.testing.assert_allclose(found.errors.sum(axis=1), 1.0)


def test_it_knows_who_guesses_and_is_right_more_often_than_the_majority() -> None:
    right, by_majority, of = 0, 0, 0
    for seed in range(20):
        cast, truth = crowd(seed, 120, 0.75)
        found = dawid_skene(cast)
        assert found is not None
        # How often each says what is true, summed over values.
        skill = np.einsum("att->a", found.errors)
        assert int(np.argmin(skill)) == found.annotators.index(4)
        known = {f"{n:03}": value for n, value in enumerate(truth)}
        right += sum(value == known[item] for item, value in found.most_probable().items())
        by_majority += sum(row.value == known[row.item] for row in majorities(cast))
        of += len(found.items)
    assert right > by_majority + 0.03 * of


@settings(max_examples=50, deadline=None)
@given(tables, st.randoms())
def test_the_order_of_the_votes_plays_no_part(table: list[dict[int, str]], dice) -> None:  # type: ignore[no-untyped-def]
    cast = votes(table)
    mixed = list(cast)
    dice.shuffle(mixed)
    one, other = dawid_skene(cast), dawid_skene(mixed)
    assert one is not None
    assert other is not None
    assert one.of_item() == other.of_item()
    assert majorities(cast) == majorities(mixed)


def test_votes_of_one_person_give_back_what_they_say() -> None:
    found = dawid_skene([Vote("a", 1, "none"), Vote("b", 1, "challenged"), Vote("c", 1, "none")])
    assert found is not None
    assert found.most_probable() == {"a": "none", "b": "challenged", "c": "none"}
    single = dawid_skene([Vote("a", 1, "none")])
    assert single is not None
    assert single.of_item() == {"a": {"none": 1.0}}
    assert single.errors.tolist() == [[[1.0]]]


def test_no_votes_are_no_model() -> None:
    assert dawid_skene([]) is None
    assert majorities([]) == []


def test_a_tie_has_no_winner() -> None:
    cast = [Vote("a", 1, "none"), Vote("a", 2, "challenged"), Vote("b", 1, "none"), Vote("b", 2, "none"), Vote("b", 3, "x")]
    a, b = majorities(cast)
    assert (a.value, a.votes) == (None, (("challenged", 1), ("none", 1)))
    assert (b.value, b.votes) == ("none", (("none", 2), ("x", 1)))
    level = dawid_skene(cast[:2])
    assert level is not None
    assert level.most_probable() == {"a": None}


def test_two_votes_of_one_person_are_refused() -> None:
    with pytest.raises(Permanent, match="person 7 votes twice on a"):
        dawid_skene([Vote("a", 7, "none"), Vote("a", 7, "challenged")])
    with pytest.raises(Permanent, match="twice"):
        majorities([Vote("a", 7, "none"), Vote("a", 7, "challenged")])
