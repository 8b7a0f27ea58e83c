"""Intervals equal a plain loop with the same seed, resample groups and not rows, and hold the truth as often as they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import average_precision_score

from climate_assets.learning import intervals
from climate_assets.learning.intervals import Floats, bootstrap, bootstrap_of_sums, wilson
from climate_assets.learning.metrics import average_precisions, ranking

CLOSE = 1e-9


def f1(sums: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.where(sums[:, 0] + sums[:, 2] > 0, 2 * sums[:, 0] / (2 * sums[:, 0] + sums[:, 1] + sums[:, 2]), np.nan)


def sample(seed: int = 5) -> tuple[np.ndarray, np.ndarray, list[str]]:  # type: ignore[type-arg]
    chance = np.random.default_rng(seed)
    gold = chance.random(90) < 0.4
    scores = np.round(np.where(gold, 0.6, 0.4) + chance.normal(0, 0.2, 90), 1)
    return gold, scores, [f"g{n}" for n in chance.integers(0, 30, 90)]


def looped(figure, groups: list[str], seed: int, rounds: int, level: float) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    """The bootstrap as a book writes it."""
    names = list(dict.fromkeys(groups))
    members = [[i for i, g in enumerate(groups) if g == name] for name in names]
    chance = np.random.default_rng(seed)
    values = []
    for _ in range(rounds):
        rows = [i for pick in chance.integers(0, len(names), len(names)) for i in members[pick]]
        values.append(figure(rows))
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@pytest.mark.parametrize("cells", [1 << 21, 200])
def test_it_equals_a_loop_with_the_same_seed(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "_CELLS", cells)  # blocks of one round, and all rounds in one block
    gold, scores, groups = sample()
    ranked = ranking(gold, scores)
    made = bootstrap(lambda w: average_precisions(ranked, w), groups, seed=11, rounds=300, level=0.9)
    low, high = looped(lambda rows: average_precision_score(gold[rows], scores[rows]), groups, 11, 300, 0.9)
    assert (made.low, made.high) == (pytest.approx(low, abs=CLOSE), pytest.approx(high, abs=CLOSE))
    said = scores >= 0.5
    columns = np.stack([gold & said, ~gold & said, gold & ~said], 1).astype(float)
    made = bootstrap_of_sums(columns, f1, groups, seed=12, rounds=300)
    low, high = looped(lambda rows: f1(columns[rows].sum(0, keepdims=True))[0], groups, 12, 300, 0.95)
    assert (made.low, made.high) == (pytest.approx(low, abs=CLOSE), pytest.approx(high, abs=CLOSE))
    again = bootstrap(lambda w: f1(w @ columns), groups, seed=12, rounds=300)
    assert (again.low, again.high) == (pytest.approx(low, abs=CLOSE), pytest.approx(high, abs=CLOSE))
    assert made.groups == len(set(groups))


def test_copies_of_one_group_do_not_narrow_it() -> None:
    chance = np.random.default_rng(3)
    columns = chance.random((40, 1)) < 0.5
    share = lambda sums: sums[:, 0] / sums[:, 1]  # noqa: E731
    table = np.hstack([columns, np.ones((40, 1))]).astype(float)
    groups = [f"g{n}" for n in range(40)]
    once = bootstrap_of_sums(table, share, groups, seed=1)
    tenfold = bootstrap_of_sums(np.repeat(table, 10, 0), share, [g for g in groups for _ in range(10)], seed=1)
    rows = bootstrap_of_sums(np.repeat(table, 10, 0), share, [str(n) for n in range(400)], seed=1)
    assert (tenfold.low, tenfold.high) == (once.low, once.high)
    assert rows.high - rows.low < (once.high - once.low) / 2  # type: ignore[operator]


def test_it_holds_the_truth_about_as_often_as_it_says() -> None:
    chance = np.random.default_rng(8)
    held = 0
    for turn in range(200):
        rates = chance.beta(2, 2, 60)
        sizes = chance.integers(1, 5, 60)
        right = chance.binomial(sizes, rates)
        made = bootstrap_of_sums(
            np.stack([right, sizes], 1), lambda s: s[:, 0] / s[:, 1], [str(n) for n in range(60)], seed=turn, rounds=400
        )
        held += made.low <= 0.5 <= made.high  # type: ignore[operator]
    assert 180 <= held <= 199


def test_what_cannot_be_resampled_has_a_reason() -> None:
    one = bootstrap(lambda w: w.mean(1), ["a", "a"], seed=1)
    assert (one.low, one.groups) == (None, 1)
    assert "nothing to resample" in one.reason
    none = bootstrap(lambda w: w.mean(1), [], seed=1)
    assert (none.low, none.groups) == (None, 0)
    # One case in one of ten groups: a third of the resamples are without it.
    rare = np.zeros((10, 3))
    rare[0, 0] = 1
    undefined = bootstrap_of_sums(rare, f1, [str(n) for n in range(10)], seed=1)
    assert undefined.low is None
    assert "not defined in 3" in undefined.reason


@pytest.mark.parametrize(
    "call",
    [
        lambda: bootstrap(lambda w: w.mean(1), ["a", "b"], seed=1, rounds=0),
        lambda: bootstrap(lambda w: w.mean(1), ["a", "b"], seed=1, rounds=10**9),
        lambda: bootstrap(lambda w: w.mean(1), ["a", "b"], seed=1, level=1.0),
        lambda: bootstrap_of_sums([[1.0]], f1, ["a", "b"], seed=1),
        lambda: wilson(3, 2),
        lambda: wilson(1, 2, level=0),
    ],
)
def test_nonsense_is_refused(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError):
        call()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_equals_the_reference(pair: tuple[int, int], level: float) -> None:
    made, wanted = wilson(*pair, level), binomtest(*pair).proportion_ci(level, method="wilson")
    assert (made.low, made.high) == (pytest.approx(wanted.low, abs=CLOSE), pytest.approx(wanted.high, abs=CLOSE))
    assert 0 <= made.low <= pair[0] / pair[1] <= made.high <= 1  # type: ignore[operator]


def test_no_trial_has_no_share() -> None:
    assert wilson(0, 0).low is None
