"""Alpha and the interval against the reference and against a direct computation; spans by hand."""

import json
from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.labelling.agreement import agreement, agreements, disagreements, label_votes
from climate_assets.labelling.span_agreement import Marked, Span, marked_of, span_agreement
from climate_assets.labelling.votes import Vote
from tests.labelling.test_gold import ITEM, answer

VALUES = ("challenged", "none", "unchallenged", "unsure")
# The nominal example of Krippendorff (2011): 12 units, 4 observers; alpha 0.743.
TEXTBOOK = ["1  2 3 3 2 1 4 1 2 . . .", "1  2 3 3 2 2 4 1 2 5 . 3", ".  3 3 3 2 3 4 2 2 5 1 .", "1  2 3 3 2 4 4 1 2 5 1 ."]
tables = st.lists(st.dictionaries(st.integers(1, 5), st.sampled_from(VALUES), min_size=0, max_size=5), min_size=1, max_size=30)


def votes(table: list[dict[int, str]]) -> list[Vote]:
    return [Vote(f"item-{n:03}", person, value) for n, row in enumerate(table) for person, value in row.items()]


def textbook() -> list[Vote]:
    rows = [line.split() for line in TEXTBOOK]
    return [Vote(f"{u:02}", p, value) for p, row in enumerate(rows) for u, value in enumerate(row) if value != "."]


def reference(cast: list[Vote]) -> float:
    krippendorff = pytest.importorskip("krippendorff", reason="package krippendorff (requirements/tests.in) is not installed")
    items = sorted({v.item for v in cast})
    people = sorted({v.annotator for v in cast})
    said = {(v.annotator, v.item): v.value for v in cast}
    code = {value: n for n, value in enumerate(sorted({v.value for v in cast}))}
    data = [[code[said[p, i]] if (p, i) in said else np.nan for i in items] for p in people]
    return float(krippendorff.alpha(reliability_data=data, level_of_measurement="nominal"))


def direct_alpha(units: list[list[str]]) -> float | None:
    """Alpha from all pairs, straight from its definition."""
    units = [unit for unit in units if len(unit) > 1]
    said = Counter(value for unit in units for value in unit)
    n = sum(said.values())
    observed = sum(sum(2 for a, b in combinations(unit, 2) if a != b) / (len(unit) - 1) for unit in units) / n
    expected = sum(said[a] * said[b] for a in said for b in said if a != b) / (n * (n - 1))
    return None if expected == 0 else 1 - observed / expected


def test_the_textbook_example() -> None:
    found = agreement(textbook(), "assessment")
    assert found.alpha == pytest.approx(0.743, abs=5e-4)
    assert (found.units, found.raters, found.votes, found.reason) == (11, 4, 40, "")
    assert dict(found.values) == {"1": 9, "2": 13, "3": 10, "4": 5, "5": 3}
    assert found.alpha == pytest.approx(reference(textbook()), abs=1e-9)


@settings(max_examples=150, deadline=None)
@given(tables)
def test_alpha_equals_the_reference(table: list[dict[int, str]]) -> None:
    found = agreement(votes(table), "assessment", resamples=2)
    said = {value for row in table if len(row) > 1 for value in row.values()}
    if len(said) < 2:
        assert found.alpha is None
        assert found.reason
        assert found.interval_reason
        assert (found.low, found.high) == (None, None)
        return
    assert found.alpha == pytest.approx(reference(votes(table)), abs=1e-9)
    assert found.alpha == pytest.approx(direct_alpha([list(row.values()) for row in table]), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(tables, st.integers(0, 2**32 - 1))
def test_the_interval_equals_a_direct_computation_with_the_same_seed(table: list[dict[int, str]], seed: int) -> None:
    found = agreement(votes(table), "assessment", seed=seed, resamples=40)
    units = [list(row.values()) for row in table if len(row) > 1]
    if found.alpha is None or len(units) == 1:
        assert found.low is None
        assert found.interval_reason
        return
    rng = np.random.default_rng(seed)
    alphas = [direct_alpha([units[i] for i in rng.integers(0, len(units), len(units))]) for _ in range(40)]
    defined = [a for a in alphas if a is not None]
    assert found.undefined_resamples == 40 - len(defined)
    if len(defined) < 38:
        assert found.low is None
        assert found.interval_reason
        return
    low, high = np.percentile(defined, [2.5, 97.5])
    assert found.low == pytest.approx(low, abs=1e-9)
    assert found.high == pytest.approx(high, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(tables, st.randoms())
def test_the_order_of_the_votes_plays_no_part(table: list[dict[int, str]], dice) -> None:  # type: ignore[no-untyped-def]
    cast = votes(table)
    mixed = list(cast)
    dice.shuffle(mixed)
    assert agreement(mixed, "assessment", resamples=5) == agreement(cast, "assessment", resamples=5)
    assert disagreements(mixed) == disagreements(cast)


@settings(max_examples=80, deadline=None)
@given(tables)
def test_a_reader_can_compute_it_again_from_what_is_told(table: list[dict[int, str]]) -> None:
    found = agreement(votes(table), "assessment", resamples=2)
    if found.units == 0:
        assert disagreements(votes(table)) == []
        return
    told = disagreements(votes(table))
    differing = sum(row.weight for row in told if row.one != row.other)
    assert found.observed == pytest.approx(differing / (found.votes / 2), abs=1e-9)
    same = sum(count * (count - 1) for _, count in found.values)
    assert found.expected == pytest.approx(1 - same / (found.votes * (found.votes - 1)), abs=1e-9)
    assert sum(count for _, count in found.values) == found.votes
    if found.alpha is not None and found.observed is not None and found.expected:
        assert found.alpha == pytest.approx(1 - found.observed / found.expected, abs=1e-12)


def test_what_is_not_defined_has_a_reason_and_no_figure() -> None:
    alone = agreement([Vote("a", 1, "none"), Vote("b", 2, "challenged")], "assessment")
    assert (alone.alpha, alone.units, alone.observed, alone.expected) == (None, 0, None, None)
    assert alone.reason == "no item has answers of two people"
    same = agreement([Vote(i, p, "none") for i in "abc" for p in (1, 2)], "assessment")
    assert (same.alpha, same.units, same.observed, same.expected) == (None, 3, 0.0, 0.0)
    assert "same answer" in same.reason
    one = agreement([Vote("a", 1, "none"), Vote("a", 2, "challenged")], "assessment")
    assert one.alpha == 0.0
    assert one.interval_reason == "one item alone cannot be resampled"
    assert agreement([], "assessment").reason


def test_a_rare_label_has_no_interval() -> None:
    cast = [Vote(f"{n:02}", p, "none") for n in range(40) for p in (1, 2)]
    cast = [Vote("39", 2, "challenged") if vote == Vote("39", 2, "none") else vote for vote in cast]
    found = agreement(cast, "assessment")
    assert found.alpha is not None
    assert found.low is None
    assert found.undefined_resamples > 50
    assert "too few items differ" in found.interval_reason


def test_each_label_is_there_or_not() -> None:
    cast = [
        *(Vote("a", 1, "2_us,4_costs"), Vote("a", 2, "4_costs")),
        *(Vote("b", 1, ""), Vote("b", 2, "")),
        *(Vote("c", 1, "2_us"), Vote("c", 2, "2_us")),
    ]
    whole, us, costs = agreements(cast, "categories")
    assert (whole.label, us.label, costs.label) == ("", "2_us", "4_costs")
    assert costs.alpha == 1.0
    assert us.alpha == agreement(label_votes(cast, "2_us"), "categories", resamples=1).alpha
    assert dict(us.values) == {"no": 3, "yes": 3}
    assert {v.value for v in label_votes(cast, "2")} == {"no"}


def test_disagreements_are_told_with_their_weight() -> None:
    cast = [*(Vote("a", p, v) for p, v in ((1, "none"), (2, "none"), (3, "challenged"))), Vote("b", 1, "x"), Vote("b", 2, "x")]
    told = {(d.one, d.other): (d.pairs, d.items, d.weight) for d in disagreements(cast)}
    assert told == {("challenged", "none"): (2, 1, 1.0), ("none", "none"): (1, 1, 0.5), ("x", "x"): (1, 1, 1.0)}
    assert disagreements(cast)[0].pairs == 2


def test_two_votes_of_one_person_are_refused() -> None:
    with pytest.raises(Permanent, match="person 7 votes twice on a"):
        agreement([Vote("a", 7, "none"), Vote("a", 7, "none")], "assessment")


def test_ten_thousand_units_give_an_interval_that_shrinks() -> None:
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 3, 10_000)
    cast = [
        Vote(f"{n:05}", p, VALUES[t if rng.random() < 0.8 else int(rng.integers(0, 3))])
        for n, t in enumerate(truth.tolist())
        for p in (1, 2, 3)
    ]
    found = agreement(cast, "assessment", seed=1)
    assert found.alpha is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.alpha < found.high
    # Two answers agree beyond chance if neither is a guess: 0.8 squared.
    assert found.low < 0.64 < found.high
    assert found.high - found.low < 0.03
    few = agreement(cast[:900], "assessment", seed=1)
    assert few.low is not None
    assert few.high is not None
    assert few.high - few.low > 3 * (found.high - found.low)


ONE = Marked("a", 1, (Span(0, 10, "misinformation"), Span(20, 30, "misleading")))
TWO = Marked("a", 2, (Span(0, 10, "misinformation"), Span(25, 40, "misleading"), Span(50, 60, "misleading")))


def test_span_f1_of_two_people_by_hand() -> None:
    exact = span_agreement([ONE, TWO], "exact")
    assert (exact.f1, exact.matched, exact.spans, exact.pairs, exact.items) == (2 / 5, 2, 5, 1, 1)
    overlap = span_agreement([TWO, ONE], "overlap")
    assert (overlap.f1, overlap.matched) == (4 / 5, 4)
    assert span_agreement([ONE, TWO], "exact", "misinformation").f1 == 1.0
    assert exact.low is None


def test_spans_that_only_touch_or_carry_another_label_do_not_match() -> None:
    other = Marked("a", 2, (Span(10, 20, "misinformation"), Span(20, 30, "misinformation")))
    assert span_agreement([ONE, other], "overlap").f1 == 0.0


def test_spans_that_nobody_marked_are_no_agreement() -> None:
    nothing = span_agreement([Marked("a", 1, ()), Marked("a", 2, ())], "exact")
    assert (nothing.f1, nothing.items) == (None, 1)
    assert "nobody marked" in nothing.reason
    assert span_agreement([ONE], "exact").reason == "no item has answers of two people"
    half = span_agreement([ONE, Marked("a", 2, ())], "exact")
    assert half.f1 == 0.0


def test_the_interval_of_spans_equals_a_direct_computation() -> None:
    rng = np.random.default_rng(8)
    marked = [
        Marked(f"{n:02}", p, tuple(Span(s, s + 5, "misleading") for s in sorted(rng.choice(20, 2, replace=False).tolist())))
        for n in range(25)
        for p in (1, 2, 3)
    ]
    found = span_agreement(marked, "overlap", seed=3, resamples=60)
    per_item = [span_agreement(marked[3 * n : 3 * n + 3], "overlap") for n in range(25)]
    dice = np.random.default_rng(3)
    drawn = [[per_item[i] for i in dice.integers(0, 25, 25)] for _ in range(60)]
    shares = [sum(r.matched for r in rows) / sum(r.spans for r in rows) for rows in drawn]
    low, high = np.percentile(shares, [2.5, 97.5])
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


def test_span_matches_are_a_closed_list_and_people_answer_once() -> None:
    with pytest.raises(Permanent, match="exact"):
        span_agreement([ONE, TWO], "near")
    with pytest.raises(Permanent, match="twice"):
        span_agreement([ONE, ONE], "exact")


def test_what_people_marked_is_read_from_their_standing_answers() -> None:
    kept = {"start": 0, "end": 4, "label": "suggested", "text": "abcd"}
    own = {"start": 2, "end": 9, "label": "misleading", "text": "cdefghi"}
    said = [
        answer(11, "none", who=5, spans=json.dumps([kept, own])),
        answer(12, "none", who=6),
        answer(13, None, who=7, state="skipped"),
    ]
    assert marked_of(said) == [Marked(ITEM, 5, (Span(2, 9, "misleading"),)), Marked(ITEM, 6, ())]
    with pytest.raises(Permanent, match="annotation 6/11"):
        marked_of([answer(11, "none", spans='[{"start": 1}]')])


def test_an_interval_of_spans_needs_spans_in_most_resamples() -> None:
    empty = [Marked(f"{n:02}", p, ()) for n in range(30) for p in (1, 2)]
    found = span_agreement([*empty, ONE, TWO], "exact")
    assert found.f1 == 2 / 5
    assert found.low is None
    assert "too few items have one" in found.interval_reason
