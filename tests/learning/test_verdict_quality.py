"""Figures of verdicts speak of all chunks that were judged, and leave none out in silence."""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.claims.records import Category
from climate_assets.failures import Permanent
from climate_assets.learning.comparison import MISINFO
from climate_assets.learning.labelled import Labelled
from climate_assets.learning.records import Score, Split
from climate_assets.learning.verdict_quality import UNSURE, Judged, Quality, answer_of, held_out, quality
from tests.learning.cases import chunk

NOT_US, NOT_BAD, NONE = Category.NOT_US.value, Category.NOT_BAD.value, Category.NONE.value
CLOSE = 1e-9


def figures(pairs: list[tuple[Labelled, Judged]]) -> Quality:
    return quality(
        [one for one, _ in pairs],
        {one.item_id: said for one, said in pairs},
        model="student-1",
        round_key="misinfo-french-000",
        split=Split.TEST,
        threshold=6.0,
        seed=1,
    )


def row(found: Quality, label: str = "misinfo", part: str = "all") -> Score:
    [one] = [r for r in found.scores if (r.slice, r.label) == (part, label)]
    return one


@pytest.mark.parametrize(
    ("assessment", "found", "cell"),
    [
        ("unchallenged", True, "tp"),
        ("unchallenged", False, "fn"),
        ("challenged", True, "fp"),
        ("challenged", False, "tn"),
        ("none", True, "fp"),
        ("none", False, "tn"),
    ],
)
def test_where_a_chunk_counts(assessment: str, found: bool, cell: str) -> None:
    one = chunk(item_id="i", group_id="g", assessment=assessment, category=NOT_US, chance=0.2)
    judged = Judged(0.7, found, NOT_US)
    held = held_out(one, judged)
    assert {name: getattr(held, name) for name in ("tp", "fp", "fn", "tn")} == {
        name: int(name == cell) for name in ("tp", "fp", "fn", "tn")
    }
    assert (held.item_id, held.group_id, held.slices, held.probability, held.chance) == ("i", one.block, one.slices, 0.7, 0.2)
    answer = answer_of(one, judged)
    assert answer.counts == {MISINFO: (held.tp, held.fp, held.fn)}
    assert (answer.gold, answer.probability, answer.chance, answer.channel) == (one.case, 0.7, 0.2, "canal-un")
    assert answer.right == (cell in ("tp", "tn"))


PAIRS = st.lists(
    st.tuples(
        st.sampled_from(["unchallenged", "challenged", "none"]),
        st.lists(st.sampled_from([NOT_US, NOT_BAD]), max_size=2, unique=True),
        st.sampled_from([0.05, 0.5, 1.0]),
        st.floats(0, 1),
        st.booleans(),
        st.sampled_from([NOT_US, NOT_BAD, "8_others"]),
    ),
    min_size=1,
    max_size=12,
).map(
    lambda rows: [
        (
            chunk(item_id=f"i{n}", assessment=assessment, category=",".join(categories), chance=chance),
            Judged(probability, found, said),
        )
        for n, (assessment, categories, chance, probability, found, said) in enumerate(rows)
    ]
)


@settings(max_examples=25, deadline=None)
@given(PAIRS)
def test_figures_are_sums_of_inverse_chances(pairs: list[tuple[Labelled, Judged]]) -> None:
    found = figures(pairs)
    cells: dict[str, float] = defaultdict(float)
    table: dict[tuple[str, str], float] = defaultdict(float)
    for one, judged in pairs:
        cells[{(1, 1): "tp", (0, 1): "fp", (1, 0): "fn", (0, 0): "tn"}[one.case, judged.found]] += 1 / one.chance
        gold = one.categories[0].value if one.case else "none"
        named = UNSURE if judged.category == NONE else judged.category
        table[gold, named if judged.found else "none"] += 1 / one.chance
    whole = sum(1 / one.chance for one, _ in pairs)
    made = row(found)
    assert [made.tp, made.fp, made.fn, made.tn] == pytest.approx([cells[name] for name in ("tp", "fp", "fn", "tn")])
    assert (made.items, made.support) == (len(pairs), sum(one.case for one, _ in pairs))
    assert (made.basis, made.match, made.threshold, made.split) == ("weighted", "chunk", 6.0, "test")
    if cells["tp"] + cells["fn"]:
        assert made.f1 == pytest.approx(2 * cells["tp"] / (2 * cells["tp"] + cells["fp"] + cells["fn"]))
    else:
        assert made.f1 is None
        assert made.reason
    assert {pair: weight for pair, weight in found.confusion.items() if weight} == pytest.approx(dict(table))
    assert sum(one.items for one in found.calibration) == pytest.approx(whole)
    squares = sum((one.case - judged.probability) ** 2 / one.chance for one, judged in pairs)
    assert found.brier.value == pytest.approx(squares / whole, abs=CLOSE)
    for category in Category:
        rows = [r for r in found.scores if r.label == category.value]
        assert len(rows) == any(category in one.categories for one, _ in pairs)
        assert all(r.slice == "all" and r.pr_auc is None for r in rows)


def test_a_chunk_rarely_asked_about_weighs_as_many_as_it_stands_for() -> None:
    pairs = [
        (chunk(item_id="flagged", assessment="unchallenged", category=NOT_US), Judged(0.9, True, NOT_US)),
        (chunk(item_id="slice", assessment="unchallenged", category=NOT_US, chance=0.05), Judged(0.1, False, NONE)),
    ]
    assert row(figures(pairs)).recall == pytest.approx(1 / 21)


def test_a_category_is_found_only_under_its_name() -> None:
    both = f"{NOT_US},{NOT_BAD}"
    pairs = [
        (chunk(item_id="a", assessment="unchallenged", category=NOT_US), Judged(0.9, True, NOT_BAD)),
        (chunk(item_id="b", assessment="unchallenged", category=both), Judged(0.9, True, NOT_BAD)),
        (chunk(item_id="c", assessment="unchallenged", category=NOT_US), Judged(0.4, False, NOT_US)),
        (chunk(item_id="d", assessment="challenged", category=NOT_US), Judged(0.9, True, NOT_US)),
        (chunk(item_id="e"), Judged(0.1, False, NONE)),
        (chunk(item_id="f"), Judged(0.2, True, NONE)),
    ]
    found = figures(pairs)
    cells = {r.label: (r.tp, r.fp, r.fn, r.tn) for r in found.scores if r.slice == "all"}
    assert cells == {"misinfo": (2, 2, 1, 1), NOT_US: (0, 1, 3, 2), NOT_BAD: (1, 1, 0, 4)}
    assert {pair for pair, weight in found.confusion.items() if weight} == {
        (NOT_US, NOT_BAD),
        (NOT_US, "none"),
        ("none", NOT_US),
        ("none", "none"),
        ("none", UNSURE),
    }


def test_slices_have_their_own_rows() -> None:
    pairs = [
        (chunk(item_id="a", assessment="unchallenged", category=NOT_US, programme_type="news"), Judged(0.9, True, NOT_US)),
        (chunk(item_id="b", channel="radio-deux", whole=False), Judged(0.9, True, NOT_US)),
    ]
    found = figures(pairs)
    assert {r.slice for r in found.scores if r.label == "misinfo"} == {
        "all",
        "country=borealie",
        "channel=canal-un",
        "channel=radio-deux",
        "text=whole",
        "text=adverts cut",
        "programme=news",
    }
    assert row(found, part="channel=radio-deux").fp == 1


def test_without_a_case_nothing_is_defined_and_it_says_so() -> None:
    made = row(figures([(chunk(), Judged(0.1, False, NONE))]))
    assert (made.f1, made.recall, made.pr_auc, made.f1_low) == (None, None, None, None)
    assert "no case in gold" in made.reason


def test_a_chunk_without_an_answer_is_not_passed_over() -> None:
    with pytest.raises(KeyError, match="missing"):
        quality(
            [chunk(item_id="missing")],
            {"other": Judged(0.5, True, NOT_US)},
            model="m",
            round_key="misinfo-french-000",
            split=Split.TEST,
            threshold=None,
            seed=1,
        )


def test_nothing_and_what_was_learnt_from_are_refused() -> None:
    with pytest.raises(Permanent, match="wait for gold labels"):
        figures([])
    with pytest.raises(Permanent, match="learnt from"):
        quality(
            [chunk()],
            {chunk().item_id: Judged(0.5, True, NOT_US)},
            model="m",
            round_key="misinfo-french-000",
            split=Split.TRAIN,
            threshold=None,
            seed=1,
        )
