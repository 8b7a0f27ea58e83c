"""What nobody looked at is estimated with limits that hold, and no case found is never no case missed."""

import numpy as np
import pytest
from scipy.stats import binomtest, chi2

from climate_assets.failures import Permanent
from climate_assets.learning.missed import Below, Stratum, clopper_pearson, gamma_limits, missed_cases, strata_of


def stratum(chunks: int, labelled: int, cases: int, channel: str = "canal-un", band: int = 4, chance: float = 0.1) -> Stratum:
    return Stratum(channel, band, chance, chunks, labelled, cases)


def test_chunks_are_counted_by_channel_band_and_chance() -> None:
    chunks = [
        *[Below("canal-un", 4, 0.1, None)] * 8,
        Below("canal-un", 5, 0.1, True),
        Below("canal-un", 4, 0.1, False),
        Below("canal-un", 5, 0.2, False),
        Below("radio-deux", 0, 0.1, None),
    ]
    assert strata_of(chunks) == [
        Stratum("canal-un", 4, 0.1, 10, 2, 1),
        Stratum("canal-un", 4, 0.2, 1, 1, 0),
        Stratum("radio-deux", 0, 0.1, 1, 0, 0),
    ]
    with pytest.raises(ValueError, match="chance 0"):
        strata_of([Below("canal-un", 4, 0.0, None)])


def test_each_stratum_counts_by_its_size() -> None:
    made = missed_cases([stratum(1000, 100, 5), stratum(200, 50, 10, band=6)], found=90)
    assert made.cases.value == pytest.approx(50 + 40)
    assert made.recall.value == pytest.approx(90 / 180)
    assert made.by_chance == pytest.approx(150)
    assert made.cases.low < 90 < made.cases.high  # type: ignore[operator]
    assert made.recall.low == pytest.approx(90 / (90 + made.cases.high))  # type: ignore[operator]
    assert made.recall.high == pytest.approx(90 / (90 + made.cases.low))  # type: ignore[operator]


def test_no_case_in_the_slice_still_has_an_upper_limit() -> None:
    made = missed_cases([stratum(1000, 100, 0), stratum(500, 50, 0, band=6)], found=30)
    assert (made.cases.value, made.cases.low) == (0.0, 0.0)
    # Garwood: 3.69 cases among the picks are not excluded, each stands for ten chunks.
    assert made.cases.high == pytest.approx(10 * chi2.ppf(0.975, 2) / 2)
    assert made.recall.value == made.recall.high == 1.0
    assert made.recall.low == pytest.approx(30 / (30 + made.cases.high))
    for _, each in made.strata:
        assert each.value == 0.0
        assert each.high > 0  # type: ignore[operator]


def test_a_slice_that_is_all_there_is_leaves_no_doubt() -> None:
    made = missed_cases([stratum(40, 40, 3, chance=1.0)], found=9)
    assert (made.cases.value, made.cases.low, made.cases.high) == (3.0, 3.0, 3.0)
    assert (made.recall.low, made.recall.high) == (0.75, 0.75)


def test_limits_never_contradict_what_was_seen() -> None:
    made = missed_cases([stratum(12, 10, 9)], found=0)
    assert made.cases.low >= 9  # type: ignore[operator]
    assert made.cases.high <= 11  # type: ignore[operator]


def test_strata_with_few_labels_are_joined_over_channels() -> None:
    rows = [stratum(30, 1, 1), stratum(300, 30, 0, "radio-deux"), stratum(100, 10, 0, "radio-deux", band=0)]
    made = missed_cases(rows, found=5)
    assert [s for s, _ in made.strata] == [
        Stratum("radio-deux", 0, 0.1, 100, 10, 0),
        Stratum("*", 4, 0.1, 330, 31, 1),
    ]
    assert made.cases.value == pytest.approx(330 / 31)


def test_a_band_nobody_looked_at_goes_with_the_nearest() -> None:
    rows = [stratum(100, 10, 0, band=0), stratum(3, 0, 0, band=2), stratum(60, 6, 3, band=4)]
    made = missed_cases(rows, found=5)
    assert made.cases.value == pytest.approx(3 * 63 / 6)


def test_without_labels_nothing_is_estimated() -> None:
    made = missed_cases([stratum(100, 0, 0), stratum(50, 0, 0, band=2)], found=5)
    assert made.cases.value is None
    assert made.recall.value is None
    assert "any of 150 chunks" in made.cases.reason
    empty = missed_cases([], found=5)
    assert (empty.cases.value, empty.cases.high, empty.recall.value) == (0.0, 0.0, 1.0)
    assert missed_cases([], found=0).recall.reason == "no case was found on either side of the threshold"


@pytest.mark.parametrize(("rates", "share"), [((0.002, 0.01, 0.05), 0.1), ((0.02, 0.1, 0.3), 0.1), ((0.0, 0.002, 0.02), 0.05)])
def test_the_limits_hold_at_least_as_often_as_they_say(rates: tuple[float, ...], share: float) -> None:
    chance = np.random.default_rng(9)
    held = centre = truth_sum = 0.0
    for _ in range(300):
        rows, truth = [], 0
        for n, channel in enumerate(("canal-un", "radio-deux", "canal-trois")):
            for band, rate in enumerate(rates):
                cases = chance.random((400, 150, 60)[band]) < rate * (n + 1) / 2
                picks = chance.choice(len(cases), int(len(cases) * share + chance.random()), replace=False)
                rows.append(Stratum(channel, 2 * band, share, len(cases), len(picks), int(cases[picks].sum())))
                truth += int(cases.sum())
        made = missed_cases(rows, found=50).cases
        held += made.low - 1e-9 <= truth <= made.high + 1e-9  # type: ignore[operator]
        centre += made.value or 0.0
        truth_sum += truth
    assert held >= 0.95 * 300
    assert centre / 300 == pytest.approx(truth_sum / 300, rel=0.25)


def test_exact_limits_equal_the_references() -> None:
    for found, trials in ((0, 10), (3, 10), (10, 10), (7, 400)):
        wanted = binomtest(found, trials).proportion_ci(0.9, method="exact")
        assert clopper_pearson(found, trials, 0.9) == (
            pytest.approx(wanted.low, abs=1e-9),
            pytest.approx(wanted.high, abs=1e-9),
        )
    assert clopper_pearson(0, 0) == (0.0, 1.0)
    # Where all weights are one, Fay and Feuer's limits are Garwood's.
    low, high = gamma_limits([(4, 1.0), (3, 1.0)], 1.0)
    assert (low, high) == (pytest.approx(chi2.ppf(0.025, 14) / 2), pytest.approx(chi2.ppf(0.975, 16) / 2))


@pytest.mark.parametrize("wrong", [stratum(10, 11, 0), stratum(10, 5, 6), stratum(10, 5, -1), stratum(10, 5, 1, chance=0)])
def test_counts_that_contradict_each_other_are_refused(wrong: Stratum) -> None:
    with pytest.raises(Permanent, match="count them again"):
        missed_cases([wrong], found=1)


def test_impossible_arguments_are_refused() -> None:
    with pytest.raises(Permanent, match="-1 cases"):
        missed_cases([], found=-1)
    with pytest.raises(ValueError, match="level"):
        missed_cases([], found=1, level=95)
