"""Scores equal tables counted by hand and references; what is not defined is none; intervals follow posts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.posts.span_scores import (
    ALL,
    Match,
    SpanScore,
    counts_by_label,
    pairs,
    span_scores,
    task_accuracy,
    unpredicted,
)
from climate_assets.posts.spans import Span
from climate_assets.posts.vocabulary import Label

P, E, F = Label.PERSON, Label.ENERGY, Label.FIGURE
GOLD = {
    "a": [Span(0, 5, P), Span(6, 10, P), Span(20, 30, E)],
    "b": [Span(0, 4, E)],
    "c": [],
    "d": [Span(3, 9, F)],
}
PREDICTED = {
    "a": [Span(0, 5, P), Span(6, 11, P), Span(20, 30, E)],
    "b": [Span(0, 4, F)],
    "c": [Span(1, 2, P)],
    "d": [],
    "elsewhere": [Span(0, 1, P)],
}


def chance() -> np.random.Generator:
    return np.random.default_rng(7)


def scores(gold: dict[str, list[Span]], predicted: dict[str, list[Span]]) -> dict[tuple[str, Match], SpanScore]:
    return {(s.label, s.match): s for s in span_scores(gold, predicted, chance(), rounds=200)}


@pytest.mark.parametrize(
    ("label", "match", "tp", "fp", "fn", "precision", "recall", "f1"),
    [
        ("person", Match.EXACT, 1, 2, 1, 1 / 3, 1 / 2, 2 / 5),
        ("person", Match.OVERLAP, 2, 1, 0, 2 / 3, 1, 4 / 5),
        ("energy_source", Match.EXACT, 1, 0, 1, 1, 1 / 2, 2 / 3),
        ("figure", Match.EXACT, 0, 1, 1, 0, 0, 0),
        (ALL, Match.EXACT, 2, 3, 3, 2 / 5, 2 / 5, 2 / 5),
        (ALL, Match.OVERLAP, 3, 2, 2, 3 / 5, 3 / 5, 3 / 5),
    ],
)
def test_the_table_counted_by_hand(
    label: str, match: Match, tp: int, fp: int, fn: int, precision: float, recall: float, f1: float
) -> None:
    score = scores(GOLD, PREDICTED)[label, match]
    assert (score.tp, score.fp, score.fn, score.support) == (tp, fp, fn, tp + fn)
    assert (score.precision.value, score.recall.value, score.f1.value) == pytest.approx((precision, recall, f1), abs=1e-12)


def test_what_is_not_defined_is_none_with_its_reason() -> None:
    silent = scores({"a": [Span(0, 4, E)]}, {"a": []})["energy_source", Match.EXACT]
    assert (silent.recall.value, silent.precision.value, silent.f1.value) == (0, None, None)
    assert (silent.precision.reason, silent.f1.reason) == ("no predicted span", "no predicted span")
    invented = scores({"a": []}, {"a": [Span(0, 4, E)]})["energy_source", Match.OVERLAP]
    assert (invented.precision.value, invented.recall.value, invented.f1.value) == (0, None, None)
    assert invented.recall.reason == "no gold span"
    empty = scores({"a": []}, {"a": []})[ALL, Match.EXACT]
    assert (empty.f1.value, empty.f1.reason) == (None, "no gold span and no predicted span")
    nothing = task_accuracy({}, {}, chance())
    assert (nothing.value, nothing.reason) == (None, "no post in gold")
    assert scores({}, {})[ALL, Match.EXACT].f1.value is None


def test_a_post_the_model_was_not_asked_about_is_no_silence() -> None:
    assert unpredicted(GOLD, {"a": []}) == ["b", "c", "d"]
    with pytest.raises(Permanent, match="3 of 4 gold posts have no prediction, the first is b"):
        span_scores(GOLD, {"a": []}, chance())
    with pytest.raises(Permanent, match="apply the model first"):
        task_accuracy(GOLD, {"a": []}, chance())


def test_order_and_repetition_of_regions_change_nothing() -> None:
    shuffled = {post: [*reversed(spans), *spans] for post, spans in PREDICTED.items()}
    assert span_scores(GOLD, shuffled, chance()) == span_scores(GOLD, PREDICTED, chance())


def test_a_task_is_right_when_its_whole_set_is() -> None:
    gold = {"a": [Span(0, 5, P), Span(6, 9, E)], "b": [], "c": [Span(0, 1, P)]}
    predicted = {"a": [Span(6, 9, E), Span(0, 5, P)], "b": [], "c": [Span(0, 1, E)]}
    found = task_accuracy(gold, predicted, chance())
    assert found.value == 2 / 3
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= 2 / 3 <= found.high <= 1


def test_one_long_prediction_is_one_hit_and_the_largest_overlap_wins() -> None:
    gold = frozenset({Span(0, 3, P), Span(4, 12, P)})
    assert pairs(gold, frozenset({Span(0, 12, P)}), Match.OVERLAP) == [(Span(4, 12, P), Span(0, 12, P))]
    assert pairs(gold, frozenset({Span(0, 12, E)}), Match.OVERLAP) == []
    assert pairs(gold, frozenset({Span(3, 4, P)}), Match.OVERLAP) == []


def test_the_interval_is_the_direct_computation_with_the_same_seed() -> None:
    rng = np.random.default_rng(11)
    gold = {f"p{n:03}": [Span(s, s + 4, E) for s in range(0, 40, 10) if rng.random() < 0.6] for n in range(60)}
    predicted = {k: [s for s in v if rng.random() < 0.7] + [Span(50, 53, E)] * (rng.random() < 0.2) for k, v in gold.items()}
    score = next(s for s in span_scores(gold, predicted, chance(), rounds=500) if s.label == E and s.match is Match.EXACT)
    drawn = np.random.default_rng(7).multinomial(60, np.full(60, 1 / 60), size=500)
    figures = []
    for weights in drawn:
        tp = fp = fn = 0
        for weight, post in zip(weights, sorted(gold), strict=True):
            want, got = set(gold[post]), set(predicted[post])
            tp, fp, fn = tp + weight * len(want & got), fp + weight * len(got - want), fn + weight * len(want - got)
        figures.append(2 * tp / (2 * tp + fp + fn))
    assert (score.f1.low, score.f1.high) == pytest.approx(tuple(np.quantile(figures, [0.025, 0.975])), abs=1e-12)
    assert span_scores(gold, predicted, chance(), rounds=500) == span_scores(gold, predicted, chance(), rounds=500)


def test_groups_are_drawn_whole() -> None:
    gold = {f"p{n}": [Span(0, 4, E)] for n in range(40)}
    predicted = {f"p{n}": [Span(0, 4, E)] if n < 20 else [Span(1, 4, E)] for n in range(40)}
    halves = {post: str(int(post[1:]) // 10) for post in gold}
    apart, together = (
        next(s for s in span_scores(gold, predicted, chance(), groups) if s.match is Match.EXACT).recall
        for groups in (None, halves)
    )
    assert apart.value == together.value == 0.5
    assert None not in (apart.low, apart.high, together.low, together.high)
    assert together.high - together.low > 1.5 * (apart.high - apart.low)  # type: ignore[operator]


def test_thin_support_has_a_figure_and_no_interval() -> None:
    gold = {"a": [Span(0, 4, E)], "b": [], "c": []}
    recall = scores(gold, gold)["energy_source", Match.EXACT].recall
    assert (recall.value, recall.low, recall.high) == (1, None, None)
    assert "support is too thin" in recall.reason


spans = st.builds(lambda s, n, label: Span(s, s + n, label), st.integers(0, 20), st.integers(1, 8), st.sampled_from([P, E, F]))
sets = st.frozensets(spans, max_size=8)


@given(sets, sets)
def test_exact_counts_equal_set_algebra_and_overlap_never_finds_less(gold: frozenset[Span], found: frozenset[Span]) -> None:
    exact, overlap = counts_by_label(gold, found, Match.EXACT), counts_by_label(gold, found, Match.OVERLAP)
    for label, (tp, fp, fn) in exact.items():
        want, got = {s for s in gold if s.label is label}, {s for s in found if s.label is label}
        assert (tp, fp, fn) == (len(want & got), len(got - want), len(want - got))
        assert 0 <= overlap[label][0] <= min(len(want), len(got))
        assert sum(overlap[label][:2]) == len(got)


@given(sets, sets)
def test_a_pair_shares_characters_and_label_and_nobody_is_in_two(gold: frozenset[Span], found: frozenset[Span]) -> None:
    matched = pairs(gold, found, Match.OVERLAP)
    assert all(g.label is p.label and g.overlap(p) for g, p in matched)
    assert len({g for g, _ in matched}) == len({p for _, p in matched}) == len(matched)


@given(sets)
def test_a_model_that_says_gold_is_right_in_everything(gold: frozenset[Span]) -> None:
    for score in span_scores({"a": gold}, {"a": gold}, chance(), rounds=20):
        assert (score.fp, score.fn) == (0, 0)
        assert score.f1.value == (1 if gold else None)


def test_micro_scores_equal_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is the reference and is not installed")
    rng = np.random.default_rng(3)
    gold = {f"p{n}": [Span(10 * k, 10 * k + 4, (P, E, F)[int(rng.integers(3))]) for k in range(5)] for n in range(50)}
    predicted = {
        k: [Span(s.start, s.end, s.label if rng.random() < 0.7 else F) for s in v if rng.random() < 0.8]
        for k, v in gold.items()
    }
    places = [(post, span.start) for post, of in gold.items() for span in of]
    truth = {(post, s.start): s.label.value for post, of in gold.items() for s in of}
    said = {(post, s.start): s.label.value for post, of in predicted.items() for s in of}
    names = [label.value for label in (P, E, F)]
    want = metrics.precision_recall_fscore_support(
        [truth[at] for at in places], [said.get(at, "none") for at in places], labels=names, zero_division=np.nan
    )
    for index, name in enumerate(names):
        score = scores(gold, predicted)[name, Match.EXACT]
        assert (score.precision.value, score.recall.value, score.f1.value) == pytest.approx(
            [w[index] for w in want[:3]], abs=1e-9
        )
