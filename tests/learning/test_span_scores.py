"""Counts equal tables counted by hand and references; figures and comparisons of spans come from the common ones."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.learning.comparison import Policy, compared
from climate_assets.learning.records import Score, Split
from climate_assets.learning.scores import ALL, Measured, scores_of
from climate_assets.learning.span_scores import (
    Found,
    Match,
    Worst,
    answers,
    counts_by_label,
    held_out,
    pairs,
    post_accuracy,
    worst_label,
)
from climate_assets.posts.records import GoldPost
from climate_assets.posts.spans import Span
from climate_assets.posts.vocabulary import Label

P, E, F = Label.PERSON, Label.ENERGY, Label.FIGURE
TEXT = "x" * 60


def gold_post(name: str, *spans: Span, group: str = "", lang: str = "fr") -> GoldPost:
    return GoldPost(f"ecume/{name}", lang, TEXT, frozenset(spans), group or f"ecume/{name}")


GOLD = [
    gold_post("a", Span(0, 5, P), Span(6, 10, P), Span(20, 30, E)),
    gold_post("b", Span(0, 4, E)),
    gold_post("c"),
    gold_post("d", Span(3, 9, F)),
]
FOUND = {
    "ecume/a": [Span(0, 5, P), Span(6, 11, P), Span(20, 30, E)],
    "ecume/b": [Span(0, 4, F)],
    "ecume/c": [Span(1, 2, P)],
    "ecume/d": [],
    "elsewhere/1": [Span(0, 1, P)],
}


def measured(label: str, match: Match) -> Measured:
    return Measured("ner-french-000", "entities-1", "ner", Split.TEST, label, match, None, "random", 7, rounds=200)


def score(posts: list[GoldPost], found: Found, label: str, match: Match = Match.EXACT) -> Score:
    rows = scores_of(held_out(posts, found, match)[label], measured(label, match))
    return next(row for row in rows if row.slice == ALL)


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
    row = score(GOLD, FOUND, label, match)
    assert (row.tp, row.fp, row.fn, row.tn, row.support, row.items) == (tp, fp, fn, None, tp + fn, 4)
    assert (row.precision, row.recall, row.f1) == pytest.approx((precision, recall, f1), abs=1e-12)


def test_a_label_never_found_has_f1_0_and_one_never_there_has_none() -> None:
    silent = score([gold_post("a", Span(0, 4, E))], {"ecume/a": []}, E)
    assert (silent.recall, silent.precision, silent.f1) == (0, None, 0)
    invented = score([gold_post("a")], {"ecume/a": [Span(0, 4, E)]}, E)
    assert (invented.precision, invented.recall, invented.f1) == (0, None, None)
    assert "no case in gold" in invented.reason


def test_a_post_the_model_was_not_asked_about_is_no_silence() -> None:
    for of in (held_out, answers):
        with pytest.raises(Permanent, match=r"3 of 4 gold posts have no prediction, the first is ecume/b; apply the model"):
            of(GOLD, {"ecume/a": []})


def test_order_and_repetition_of_regions_change_nothing() -> None:
    shuffled = {post: [*reversed(spans), *spans] for post, spans in FOUND.items()}
    assert held_out(GOLD[::-1], shuffled) == held_out(GOLD, FOUND)
    assert answers(GOLD[::-1], shuffled) == answers(GOLD, FOUND)


def test_every_post_is_an_item_of_every_label_with_its_slices_and_chance() -> None:
    items = held_out(GOLD, FOUND, labels=[P, F], chances={post.post_id: 0.5 for post in GOLD})
    assert set(items) == {"person", "figure", ALL}
    assert [[i.item_id for i in of] for of in items.values()] == [[p.post_id for p in GOLD]] * 3
    assert {(i.slices, i.chance) for i in items[P]} == {(("channel=ecume", "language=fr"), 0.5)}
    # The label that is left out is left out of `all` too.
    assert sum(i.tp + i.fn for i in items[ALL]) == 3


def test_a_post_is_right_when_its_whole_set_is() -> None:
    posts = [gold_post("a", Span(0, 5, P), Span(6, 9, E)), gold_post("b"), gold_post("c", Span(0, 1, P))]
    found = {"ecume/a": [Span(6, 9, E), Span(0, 5, P)], "ecume/b": [], "ecume/c": [Span(0, 1, E)]}
    assert [answer.right for answer in answers(posts, found)] == [True, True, False]
    share, limits = post_accuracy(posts, found, seed=1)
    assert share.value == 2 / 3
    assert limits.low is not None
    assert limits.high is not None
    assert 0 <= limits.low <= 2 / 3 <= limits.high <= 1
    nothing, _ = post_accuracy([], {}, seed=1)
    assert (nothing.value, nothing.reason) == (None, "no post in gold")


def test_one_long_prediction_is_one_hit_and_the_largest_overlap_wins() -> None:
    gold = frozenset({Span(0, 3, P), Span(4, 12, P)})
    assert pairs(gold, frozenset({Span(0, 12, P)}), Match.OVERLAP) == [(Span(4, 12, P), Span(0, 12, P))]
    assert pairs(gold, frozenset({Span(0, 12, E)}), Match.OVERLAP) == []
    assert pairs(gold, frozenset({Span(3, 4, P)}), Match.OVERLAP) == []


def test_groups_are_drawn_whole() -> None:
    apart = [gold_post(f"p{n:02}", Span(0, 4, E)) for n in range(40)]
    together = [dataclasses.replace(post, group_id=str(n // 10)) for n, post in enumerate(apart)]
    found = {post.post_id: [Span(0 if n < 20 else 1, 4, E)] for n, post in enumerate(apart)}
    one, other = score(apart, found, E), score(together, found, E)
    assert one.recall == other.recall == 0.5
    assert (one.groups, other.groups) == (40, 4)
    assert None not in (one.recall_low, one.recall_high, other.recall_low, other.recall_high)
    assert other.recall_high - other.recall_low > 1.5 * (one.recall_high - one.recall_low)  # type: ignore[operator]


def test_a_challenger_that_loses_one_label_shows_it() -> None:
    posts = [gold_post(f"p{n:02}", Span(0, 4, E), Span(10, 14, P)) for n in range(40)]
    champion = {post.post_id: [Span(10, 14, P)] for post in posts}
    challenger = {post.post_id: [Span(0, 4, E), *([Span(10, 14, P)] if n % 2 else [])] for n, post in enumerate(posts)}
    found = compared(answers(posts, champion), answers(posts, challenger), Policy(rounds=200))
    assert [(loss.slice, loss.champion, round(loss.challenger, 3)) for loss in found.slices if loss.lost > 0] == [
        ("label=person", 1.0, 0.667)
    ]
    assert (found.only_challenger, found.only_champion) == (20, 0)


def row(label: str, f1: float | None, support: int, match: Match = Match.EXACT, part: str = ALL) -> Score:
    made = score(GOLD, FOUND, P)
    return dataclasses.replace(made, label=label, f1=f1, support=support, match=match, slice=part, reason="f1: nothing")


@pytest.mark.parametrize(
    ("rows", "worst"),
    [
        ([row(P, 0.9, 30), row(E, 0.8, 20)], Worst("energy_source", 0.8, 20, ("figure",))),
        ([row(P, 0.9, 30), row(E, 0.1, 19)], Worst("person", 0.9, 30, ("energy_source", "figure"))),
        (
            [row(P, 0.9, 30), row(F, None, 25)],
            Worst("figure", 0.0, 25, ("energy_source",), "F1 is not defined (f1: nothing) and 25 spans are there"),
        ),
        ([row(P, 0.5, 30), row(E, 0.5, 40)], Worst("energy_source", 0.5, 40, ("figure",))),
        # Neither the sum of all labels, nor another way to match, nor one source decides.
        (
            [row(P, 0.9, 30), row(ALL, 0.1, 99), row(E, 0.1, 99, Match.OVERLAP), row(F, 0.1, 99, part="channel=ecume")],
            Worst("person", 0.9, 30, ("energy_source", "figure")),
        ),
        (
            [row(P, None, 0)],
            Worst(
                "", None, 0, ("energy_source", "figure", "person"), "no label has 20 spans in held-out gold: label more posts"
            ),
        ),
    ],
)
def test_the_label_that_a_gate_reads(rows: list[Score], worst: Worst) -> None:
    assert worst_label(rows, (P, E, F)) == worst
    assert worst_label(rows[::-1], (F, E, P)) == worst


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


@given(sets, sets)
def test_labels_add_up_to_all_and_to_the_answer(gold: frozenset[Span], found: frozenset[Span]) -> None:
    post, said = gold_post("a", *gold), {"ecume/a": found}
    items = {label: (of[0].tp, of[0].fp, of[0].fn) for label, of in held_out([post], said).items()}
    whole = items.pop(ALL)
    assert tuple(map(sum, zip(*items.values(), strict=True))) == whole
    assert answers([post], said)[0].counts == {label: counts for label, counts in items.items() if any(counts)}


def test_micro_scores_equal_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is the reference and is not installed")
    rng = np.random.default_rng(3)
    posts = [
        gold_post(f"p{n:02}", *(Span(10 * k, 10 * k + 4, (P, E, F)[int(rng.integers(3))]) for k in range(5))) for n in range(50)
    ]
    found = {
        post.post_id: [
            Span(s.start, s.end, s.label if rng.random() < 0.7 else F) for s in sorted(post.spans) if rng.random() < 0.8
        ]
        for post in posts
    }
    places = [(post.post_id, span.start) for post in posts for span in post.spans]
    truth = {(post.post_id, s.start): s.label.value for post in posts for s in post.spans}
    said = {(post_id, s.start): s.label.value for post_id, of in found.items() for s in of}
    names = [label.value for label in (P, E, F)]
    want = metrics.precision_recall_fscore_support(
        [truth[at] for at in places], [said.get(at, "none") for at in places], labels=names, zero_division=np.nan
    )
    for index, name in enumerate(names):
        row = score(posts, found, name)
        assert (row.precision, row.recall, row.f1) == pytest.approx([w[index] for w in want[:3]], abs=1e-9)
