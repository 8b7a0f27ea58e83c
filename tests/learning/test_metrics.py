"""Figures equal scikit-learn's, weights count as copies do, and what is not defined is never a number."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference
from sklearn.calibration import calibration_curve

from climate_assets.learning.metrics import (
    NO_CASES,
    NOTHING_FOUND,
    Counts,
    at_equal_recall,
    at_threshold,
    average_precision,
    average_precisions,
    brier,
    calibration_error,
    confusion,
    counts,
    counts_by_category,
    precisions_at,
    ranking,
    reliability,
    threshold_at,
    weights_of,
)

CLOSE = 1e-9
# Few distinct values, so that ties are common.
SCORED = st.lists(
    st.tuples(st.booleans(), st.integers(0, 12).map(lambda n: n / 12), st.integers(0, 4)), min_size=1, max_size=60
)


@settings(max_examples=150, deadline=None)
@given(SCORED, st.integers(0, 12), st.booleans())
def test_figures_equal_the_reference(rows: list[tuple[bool, float, int]], cut: int, weighted: bool) -> None:
    gold, scores = np.array([g for g, _, _ in rows]), np.array([s for _, s, _ in rows])
    weights = np.array([float(w) for *_, w in rows]) if weighted else None
    w = np.ones(len(rows)) if weights is None else weights
    found = at_threshold(gold, scores, cut / 12, weights)
    said = scores >= cut / 12
    if w[said].sum():
        value = found.precision.value
        assert value == pytest.approx(reference.precision_score(gold, said, sample_weight=weights, zero_division=0), abs=CLOSE)
    else:
        assert (found.precision.value, found.precision.reason) == (None, NOTHING_FOUND)
    if w[gold].sum():
        recall = reference.recall_score(gold, said, sample_weight=weights, zero_division=0)
        assert found.recall.value == pytest.approx(recall, abs=CLOSE)
        f1 = reference.f1_score(gold, said, sample_weight=weights, zero_division=0)
        assert found.f1.value == pytest.approx(f1, abs=CLOSE)
        area = reference.average_precision_score(gold, scores, sample_weight=weights)
        assert average_precision(gold, scores, weights).value == pytest.approx(area, abs=CLOSE)
    else:
        for measure in (found.recall, found.f1, average_precision(gold, scores, weights)):
            assert (measure.value, measure.reason) == (None, NO_CASES)
    if w.sum():
        loss = np.average((scores - gold) ** 2, weights=w)
        assert brier(gold, scores, weights).value == pytest.approx(loss, abs=CLOSE)
    if weights is None:
        assert brier(gold, scores).value == pytest.approx(reference.brier_score_loss(gold, scores, pos_label=True), abs=CLOSE)


@settings(max_examples=80, deadline=None)
@given(SCORED)
def test_a_weight_counts_as_so_many_copies(rows: list[tuple[bool, float, int]]) -> None:
    copies = [(g, s) for g, s, w in rows for _ in range(w)]
    assume(any(g for g, _ in copies))
    gold, scores, weights = (np.array(column) for column in zip(*rows, strict=True))
    many_gold, many_scores = (np.array(column) for column in zip(*copies, strict=True))
    one, other = at_threshold(gold, scores, 0.5, weights), at_threshold(many_gold, many_scores, 0.5)
    assert one == other
    for recall in (0.3, 0.8, 1.0):
        a, b = threshold_at(gold, scores, recall, weights), threshold_at(many_gold, many_scores, recall)
        assert (a.threshold, a.queue) == (b.threshold, b.queue)
        assert a.precision == pytest.approx(b.precision, abs=CLOSE)
    assert calibration_error(gold, scores, 7, weights).value == pytest.approx(
        calibration_error(many_gold, many_scores, 7).value, abs=CLOSE
    )


@settings(max_examples=100, deadline=None)
@given(SCORED, st.floats(0.01, 1.0))
def test_the_threshold_is_the_smallest_queue_that_keeps_the_recall(rows: list[tuple[bool, float, int]], recall: float) -> None:
    gold, scores = np.array([g for g, _, _ in rows]), np.array([s for _, s, _ in rows])
    chosen = threshold_at(gold, scores, recall)
    if not gold.any():
        assert (chosen.threshold, chosen.queue, chosen.reason) == (None, None, NO_CASES)
        return
    fit = [t for t in np.unique(scores) if gold[scores >= t].sum() >= (recall - CLOSE) * gold.sum()]
    assert chosen.threshold == max(fit)
    assert chosen.queue == (scores >= max(fit)).sum()
    assert chosen.recall == pytest.approx(at_threshold(gold, scores, max(fit)).recall.value)
    assert chosen.precision == pytest.approx(at_threshold(gold, scores, max(fit)).precision.value)
    rowwise = precisions_at(ranking(gold, scores), np.ones((2, len(gold))), recall)
    assert rowwise == pytest.approx([chosen.precision] * 2, abs=CLOSE)


def test_rounding_does_not_cost_a_case() -> None:
    assert 0.07 * 100 > 7  # as floats
    assert threshold_at([True] * 100, [n / 100 for n in range(100)], 0.07).queue == 7


def test_two_models_at_equal_recall() -> None:
    gold = [1, 1, 0, 0, 0, 1]
    better, worse = [0.9, 0.8, 0.1, 0.2, 0.3, 0.7], [0.9, 0.2, 0.8, 0.7, 0.1, 0.6]
    one, other = at_equal_recall(gold, better, worse, 1.0)
    assert (one.precision, one.queue, one.threshold) == (1.0, 3.0, 0.7)
    assert (other.precision, other.queue, other.threshold) == (0.6, 5.0, 0.2)


@pytest.mark.parametrize(
    ("found", "precision", "recall", "f1", "cleared"),
    [
        (Counts(0, 0, 0, 5), None, None, None, 1.0),
        (Counts(0, 0, 3, 0), None, 0.0, 0.0, None),
        (Counts(0, 2, 0, 2), 0.0, None, None, 0.5),
        (Counts(2, 1, 1, 6), 2 / 3, 2 / 3, 2 / 3, 6 / 7),
    ],
)
def test_what_is_not_defined_is_no_number(
    found: Counts, precision: float | None, recall: float | None, f1: float | None, cleared: float | None
) -> None:
    measures = (found.precision, found.recall, found.f1, found.cleared)
    for measure, value in zip(measures, (precision, recall, f1, cleared), strict=True):
        assert measure.value == (None if value is None else pytest.approx(value))
        assert bool(measure.reason) == (value is None)


def test_confusion_equals_the_reference() -> None:
    chance = np.random.default_rng(1)
    names = ["0_none", "1_not", "4_fail", "9_never"]
    gold, said = (["" + names[i] for i in chance.integers(0, 3, 200)] for _ in range(2))
    table = confusion(gold, said)
    matrix = reference.confusion_matrix(gold, said, labels=names)
    assert {pair: n for pair, n in table.items() if n} == {
        (a, b): matrix[i, j] for i, a in enumerate(names) for j, b in enumerate(names) if matrix[i, j]
    }
    by_category = counts_by_category(table)
    for name in names[:3]:
        want = reference.f1_score(gold, said, labels=[name], average=None)[0]
        assert by_category[name].f1.value == pytest.approx(want, abs=CLOSE)
        one = by_category[name]
        assert one.tp + one.fp + one.fn + one.tn == 200


def test_the_reliability_table_equals_the_reference() -> None:
    chance = np.random.default_rng(2)
    probabilities = np.append(chance.random(500), [0.0, 0.1, 0.2, 1.0])
    gold = chance.random(504) < probabilities**2
    rows = reliability(gold, probabilities)
    observed, predicted = calibration_curve(gold, probabilities, n_bins=10)
    assert [r.observed for r in rows] == pytest.approx(observed.tolist(), abs=CLOSE)
    assert [r.predicted for r in rows] == pytest.approx(predicted.tolist(), abs=CLOSE)
    assert sum(r.items for r in rows) == 504
    gap = sum(r.items * abs((r.observed or 0) - (r.predicted or 0)) for r in rows) / 504
    assert calibration_error(gold, probabilities).value == pytest.approx(gap, abs=CLOSE)


def test_an_empty_bin_has_no_share() -> None:
    rows = reliability([True, False], [0.95, 0.05], bins=4)
    assert [(r.items, r.observed) for r in rows] == [(1, 0.0), (0, None), (0, None), (1, 1.0)]
    assert calibration_error([], []).value is None
    assert brier([], []).reason == "no item"


def test_average_precision_of_many_weightings_at_once() -> None:
    chance = np.random.default_rng(3)
    gold, scores = chance.random(80) < 0.3, chance.integers(0, 9, 80) / 9
    weights = chance.integers(0, 3, (20, 80)).astype(float)
    weights[7] = np.where(gold, 0, weights[7])
    rows = average_precisions(ranking(gold, scores), weights)
    assert np.isnan(rows[7])
    for n in set(range(20)) - {7}:
        assert rows[n] == pytest.approx(reference.average_precision_score(gold, scores, sample_weight=weights[n]), abs=CLOSE)


@pytest.mark.parametrize(
    "call",
    [
        lambda: counts([True], [True, False]),
        lambda: average_precision([True], [float("nan")]),
        lambda: average_precision([True], [0.5], [-1.0]),
        lambda: brier([True], [7.0]),
        lambda: reliability([True], [0.5], bins=0),
        lambda: threshold_at([True], [0.5], 0.0),
        lambda: threshold_at([False], [0.5], 1.5),
        lambda: weights_of([0.0]),
        lambda: weights_of([1.5]),
    ],
)
def test_nonsense_is_refused(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError):
        call()


def test_weights_are_inverse_chances() -> None:
    assert weights_of([1.0, 0.1]).tolist() == [1.0, 10.0]
    # Ten score picks, all cases but two, and one audited miss that stands for ten.
    gold, said = [True] * 8 + [False] * 2 + [True], [True] * 10 + [False]
    assert counts(gold, said, weights_of([1.0] * 10 + [0.1])).recall.value == pytest.approx(8 / 18)
