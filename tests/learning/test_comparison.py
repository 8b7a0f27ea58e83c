"""Two models are compared on the same items only, in pairs and by groups, and a loss anywhere is seen."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from climate_assets.failures import Permanent
from climate_assets.learning.comparison import Answer, Policy, compared, decision, mcnemar

CLOSE = 1e-9
CHANNELS = ("canal-un", "radio-deux")


def answers(gold: list[bool], probabilities: list[float], channels: list[str] | None = None, size: int = 2) -> list[Answer]:
    """One item each, in groups of `size`, decided at 0.5."""
    return [
        decision(f"i{n:03d}", f"g{n // size}", channels[n] if channels else CHANNELS[n % 2], g, p, p >= 0.5)
        for n, (g, p) in enumerate(zip(gold, probabilities, strict=True))
    ]


def noisy(gold: list[bool], errors: float, seed: int) -> list[float]:
    chance = np.random.default_rng(seed)
    return [float(abs(g - (chance.random() < errors)) * 0.6 + 0.4 * chance.random()) for g in gold]


GOLD = [n % 3 == 0 for n in range(240)]


def test_figures_are_those_of_each_model_and_the_interval_is_paired() -> None:
    one, other = answers(GOLD, noisy(GOLD, 0.2, 1)), answers(GOLD, noisy(GOLD, 0.1, 2))
    found = compared(one, other[::-1], Policy(rounds=500))
    for model, measure in ((one, found.champion), (other, found.challenger)):
        said = [a.probability >= 0.5 for a in model]  # type: ignore[operator]
        assert measure.value == pytest.approx(f1_score(GOLD, said), abs=CLOSE)
    right = [(a.right, b.right) for a, b in zip(one, other, strict=True)]
    assert (found.only_champion, found.only_challenger) == (right.count((True, False)), right.count((False, True)))
    assert found.p_value == pytest.approx(binomtest(found.only_champion, found.only_champion + found.only_challenger).pvalue)
    assert (found.items, found.groups) == (240, 120)
    chance = np.random.default_rng(Policy().seed)
    differences = []
    for _ in range(500):
        rows = [i for pick in chance.integers(0, 120, 120) for i in (2 * pick, 2 * pick + 1)]
        gold = [GOLD[i] for i in rows]
        first, second = ([m[i].probability >= 0.5 for i in rows] for m in (one, other))  # type: ignore[operator]
        differences.append(f1_score(gold, second) - f1_score(gold, first))
    low, high = np.quantile(differences, [0.025, 0.975])
    assert (found.difference.low, found.difference.high) == (pytest.approx(low, abs=CLOSE), pytest.approx(high, abs=CLOSE))


def test_a_model_against_itself_differs_by_nothing() -> None:
    one = answers(GOLD, noisy(GOLD, 0.2, 1))
    for measure in ("f1", "precision_at_recall"):
        found = compared(one, one, Policy(measure=measure, rounds=200))  # type: ignore[arg-type]
        assert (found.difference.low, found.difference.high, found.p_value) == (0.0, 0.0, None)
        assert found.champion == found.challenger


def test_precision_is_compared_at_equal_recall_whatever_the_scale() -> None:
    gold = GOLD
    sharp = noisy(gold, 0.02, 3)
    squeezed = answers(gold, [p / 100 for p in sharp])  # never reaches 0.5: no decision, the same order
    found = compared(answers(gold, noisy(gold, 0.2, 4)), squeezed, Policy(measure="precision_at_recall", rounds=300))
    assert found.challenger.value > found.champion.value + 0.2  # type: ignore[operator]
    assert found.difference.low > 0  # type: ignore[operator]
    assert found.challenger == compared(answers(gold, sharp), answers(gold, sharp), Policy("precision_at_recall")).champion


def test_each_channel_with_enough_cases_is_looked_at_worst_first() -> None:
    channels = ["canal-un"] * 120 + ["radio-deux"] * 90 + ["petite"] * 30
    one = answers(GOLD, [0.9 if g else 0.1 for g in GOLD], channels)
    other = [
        decision(
            a.item_id,
            a.group_id,
            a.channel,
            bool(a.gold),
            (found := 0.1 if a.channel == "radio-deux" and n % 2 else a.probability or 0),
            found >= 0.5,
        )
        for n, a in enumerate(one)
    ]
    found = compared(one, other, Policy(rounds=200, support=15))
    assert [(loss.slice, loss.support, loss.measure) for loss in found.slices] == [
        ("channel=radio-deux", 30, "F1"),
        ("channel=canal-un", 40, "F1"),
        ("channel=petite", 30, "share right"),
    ]
    assert [loss.slice for loss in compared(one, other, Policy(rounds=10, support=30)).slices] == [
        "channel=radio-deux",
        "channel=canal-un",
    ]
    assert found.slices[0].lost == pytest.approx(1 - 2 / 3)
    assert found.slices[1].lost == 0
    assert str(found.slices[0]) == "channel=radio-deux: F1 1.000 to 0.667 on 30"


def spans(item: int, brand: tuple[int, int, int], person: tuple[int, int, int]) -> Answer:
    return Answer(f"p{item:02d}", f"g{item}", "posts", {"BRAND": brand, "PERSON": person})


def test_labels_of_entities_are_looked_at_alone() -> None:
    one = [spans(n, (2, 0, 0), (0, 0, 1)) for n in range(30)]
    other = [spans(n, (1, 1, 1), (1, 0, 0)) for n in range(30)]
    found = compared(one, other, Policy(rounds=100))
    assert found.champion.value == pytest.approx(2 * 60 / (120 + 30))
    assert [(loss.slice, round(loss.champion, 3), round(loss.challenger, 3)) for loss in found.slices] == [
        ("label=BRAND", 1.0, 0.5),
        ("channel=posts", 0.8, 0.667),
        ("label=PERSON", 0.0, 1.0),
    ]
    assert (found.only_champion, found.only_challenger, found.p_value) == (0, 0, None)
    with pytest.raises(Permanent, match="compare spans by f1"):
        compared(one, other, Policy(measure="precision_at_recall"))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (lambda a: a[:-1], "different items"),
        (lambda a: [*a[:-1], replace(a[-1], item_id="other")], "different items"),
        (lambda a: [*a, a[0]], "twice"),
        (lambda a: [replace(a[0], group_id="other"), *a[1:]], "gold, group or channel of i000"),
        (lambda a: [decision("i000", "g0", "canal-un", not a[0].gold, 0.5, True), *a[1:]], "gold, group or channel of i000"),
    ],
)
def test_figures_of_different_items_are_refused(changed, says: str) -> None:  # type: ignore[no-untyped-def]
    one = answers(GOLD[:10], noisy(GOLD[:10], 0.1, 1))
    with pytest.raises(Permanent, match=says):
        compared(one, changed(one), Policy())
    with pytest.raises(Permanent, match=says):
        compared(changed(one), one, Policy())


def test_nothing_to_compare_on_is_refused() -> None:
    with pytest.raises(Permanent, match="no held-out item"):
        compared([], [], Policy())


def test_the_hash_names_items_and_gold_not_answers() -> None:
    one, other = answers(GOLD, noisy(GOLD, 0.2, 1)), answers(GOLD, noisy(GOLD, 0.1, 2))
    policy = Policy(rounds=10)
    assert compared(one, other, policy).data_hash == compared(other, one, policy).data_hash
    turned = [not g for g in GOLD]
    assert (
        compared(answers(turned, noisy(GOLD, 0.2, 1)), answers(turned, noisy(GOLD, 0.2, 1)), policy).data_hash
        != compared(one, other, policy).data_hash
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 900), st.integers(0, 900))
def test_mcnemar_is_the_exact_test(one: int, other: int) -> None:
    p = mcnemar(one, other)
    if one + other == 0:
        assert p is None
    else:
        assert p == pytest.approx(binomtest(one, one + other).pvalue, rel=1e-9)
        assert p == mcnemar(other, one)


# --- chances

CHANCES = (1.0, 0.5, 0.25, 0.05)


def picked(answers_: list[Answer], chances: list[float]) -> list[Answer]:
    return [replace(a, chance=c) for a, c in zip(answers_, chances, strict=True)]


def copied(answers_: list[Answer]) -> list[Answer]:
    """What was picked with chance 1/k as k items of its group, each picked for certain."""
    return [replace(a, item_id=f"{a.item_id}/{n:02}", chance=1.0) for a in answers_ for n in range(round(1 / a.chance))]


def test_weighted_figures_and_their_interval_are_those_of_a_direct_computation() -> None:
    weights = np.random.default_rng(5).choice([1.0, 2.0, 20.0], len(GOLD))
    plain = [answers(GOLD, noisy(GOLD, errors, seed)) for errors, seed in ((0.2, 1), (0.1, 2))]
    one, other = (picked(side, (1 / weights).tolist()) for side in plain)
    found = compared(one, other[::-1], Policy(rounds=300))
    said = [np.array([a.probability >= 0.5 for a in side]) for side in (one, other)]  # type: ignore[operator]
    gold = np.array(GOLD)
    values = [f1_score(gold, of_one, sample_weight=weights) for of_one in said]
    assert [found.champion.value, found.challenger.value] == pytest.approx(values, abs=CLOSE)
    assert found.champion != compared(*plain, Policy(rounds=10)).champion
    chance = np.random.default_rng(Policy().seed)
    differences = []
    for _ in range(300):
        rows = np.array([i for pick in chance.integers(0, 120, 120) for i in (2 * pick, 2 * pick + 1)])
        first, second = (f1_score(gold[rows], of_one[rows], sample_weight=weights[rows]) for of_one in said)
        differences.append(second - first)
    low, high = np.quantile(differences, [0.025, 0.975])
    assert (found.difference.low, found.difference.high) == (pytest.approx(low, abs=CLOSE), pytest.approx(high, abs=CLOSE))


def test_precision_at_equal_recall_is_weighted() -> None:
    weights = np.random.default_rng(6).choice([1.0, 4.0, 20.0], len(GOLD))
    probabilities = noisy(GOLD, 0.2, 7)
    one = picked(answers(GOLD, probabilities), (1 / weights).tolist())
    gold, given = np.array(GOLD), np.array(probabilities)
    points = []
    for threshold in sorted(set(probabilities), reverse=True):
        above = given >= threshold
        if weights[above & gold].sum() >= 0.9 * weights[gold].sum() - 1e-9:
            points.append(weights[above & gold].sum() / weights[above].sum())
    found = compared(one, one, Policy("precision_at_recall", rounds=20))
    assert found.champion.value == pytest.approx(points[0], abs=CLOSE)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.booleans(), st.sampled_from([0.1, 0.3, 0.6, 0.9]), st.sampled_from([0.2, 0.6, 0.8]), st.sampled_from(CHANCES)
        ),
        min_size=1,
        max_size=25,
    ),
    st.sampled_from(["f1", "precision_at_recall"]),
)
def test_an_item_picked_by_chance_counts_as_all_that_it_stands_for(
    rows: list[tuple[bool, float, float, float]], measure: str
) -> None:
    gold, first, second, chances = (list(column) for column in zip(*rows, strict=True))
    one, other = (picked(answers(gold, said), chances) for said in (first, second))  # type: ignore[arg-type]
    policy = Policy(measure=measure, rounds=60, support=3)  # type: ignore[arg-type]
    weighed, counted = compared(one, other, policy), compared(copied(one), copied(other), policy)
    for name in ("champion", "challenger"):
        assert getattr(weighed, name).value == pytest.approx(getattr(counted, name).value, abs=CLOSE)
    assert (weighed.difference.low is None) == (counted.difference.low is None)
    if weighed.difference.low is not None:
        assert weighed.difference.low == pytest.approx(counted.difference.low, abs=CLOSE)
        assert weighed.difference.high == pytest.approx(counted.difference.high, abs=CLOSE)
    # Items and cases are counted as they are: weight is no support.
    assert (weighed.items, weighed.groups) == (len(rows), counted.groups)
    by_slice = {(loss.slice, loss.measure): loss for loss in counted.slices}
    for loss in weighed.slices:
        if same := by_slice.get((loss.slice, loss.measure)):
            assert (loss.champion, loss.challenger) == pytest.approx((same.champion, same.challenger), abs=CLOSE)
            assert loss.support <= same.support


@pytest.mark.parametrize("measure", ["f1", "precision_at_recall"])
def test_equal_chances_change_nothing_but_the_hash(measure: str) -> None:
    one, other = answers(GOLD, noisy(GOLD, 0.2, 1)), answers(GOLD, noisy(GOLD, 0.1, 2))
    policy = Policy(measure=measure, rounds=50)  # type: ignore[arg-type]
    all_, slice_ = compared(one, other, policy), compared(*(picked(side, [0.5] * 240) for side in (one, other)), policy)
    assert slice_.data_hash != all_.data_hash
    assert (slice_.champion, slice_.challenger, slice_.slices) == (all_.champion, all_.challenger, all_.slices)
    assert slice_.difference.low == pytest.approx(all_.difference.low)


def test_a_channel_without_cases_is_weighed_too() -> None:
    """Of a channel with too few cases the share of what is right counts, each item by its inverse chance."""
    sure, seldom = [False] * 20, [False] * 5
    chances = [1.0] * 20 + [0.05] * 5
    one = picked(answers(sure + seldom, [0.1] * 25, ["c"] * 25), chances)
    other = picked(answers(sure + seldom, [0.1] * 20 + [0.9] * 5, ["c"] * 25), chances)
    # Without a case at all no F1 is defined.
    found = compared(one, other, Policy(rounds=20))
    assert found.champion.value is None
    [loss] = found.slices
    assert (loss.measure, loss.support, loss.champion) == ("share right", 25, 1.0)
    assert loss.challenger == pytest.approx(20 / 120)


@pytest.mark.parametrize("measure", ["f1", "precision_at_recall"])
@pytest.mark.parametrize("chance", [0.0, -0.5, 1.5, float("nan")])
def test_what_is_no_chance_is_refused(measure: str, chance: float) -> None:
    one = picked(answers(GOLD, noisy(GOLD, 0.2, 1)), [chance] + [1.0] * 239)
    with pytest.raises((ValueError, Permanent)):
        compared(one, one, Policy(measure=measure, rounds=20))  # type: ignore[arg-type]


def test_models_measured_under_other_chances_are_not_compared() -> None:
    one = answers(GOLD, noisy(GOLD, 0.2, 1))
    with pytest.raises(Permanent, match="gold, group or channel of i000 differ"):
        compared(one, [replace(one[0], chance=0.5), *one[1:]], Policy(rounds=20))


def test_the_area_is_the_average_precision_of_both_and_its_interval_that_of_the_loop() -> None:
    from sklearn.metrics import average_precision_score

    chances = [1.0 if n % 3 else 0.25 for n in range(len(GOLD))]
    one, other = (
        [replace(a, chance=c) for a, c in zip(answers(GOLD, noisy(GOLD, errors, seed), size=2), chances, strict=True)]
        for errors, seed in ((0.3, 1), (0.1, 2))
    )
    found = compared(one, other, Policy(measure="pr_auc", rounds=200, seed=7))
    weights = np.array([1 / c for c in chances])

    def area(of: list[Answer], times: np.ndarray) -> float:  # type: ignore[type-arg]
        return float(average_precision_score(GOLD, [a.probability for a in of], sample_weight=weights * times))

    everybody = np.ones(len(GOLD))
    assert found.champion.value == pytest.approx(area(one, everybody), abs=CLOSE)
    assert found.challenger.value == pytest.approx(area(other, everybody), abs=CLOSE)
    chance, drawn = np.random.default_rng(7), []
    for _ in range(200):
        picks = np.bincount(chance.integers(0, len(GOLD) // 2, len(GOLD) // 2), minlength=len(GOLD) // 2)
        times = np.repeat(picks, 2).astype(float)
        drawn.append(area(other, times) - area(one, times))
    assert [found.difference.low, found.difference.high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]).tolist(), abs=1e-9)
