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
