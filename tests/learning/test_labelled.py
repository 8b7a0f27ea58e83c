"""A labelled chunk counts, and teaches, what people said of it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.claims.records import Category
from climate_assets.claims.student_lessons import Lesson, as_statements
from climate_assets.learning.labelled import example_of, lesson_of, marked_words
from climate_assets.learning.records import Split, TrainingExample
from climate_assets.learning.splits import Item
from tests.learning.cases import chunk, example

NOT_US, NOT_BAD = Category.NOT_US, Category.NOT_BAD
TWO = f"{NOT_US.value},{NOT_BAD.value}"


@pytest.mark.parametrize(
    ("assessment", "category", "case", "categories"),
    [
        ("unchallenged", NOT_US.value, True, (NOT_US,)),
        ("unchallenged", TWO, True, (NOT_US, NOT_BAD)),
        ("unchallenged", "", True, (Category.OTHER,)),
        ("unchallenged", ",", True, (Category.OTHER,)),
        ("challenged", NOT_US.value, False, (NOT_US,)),
        ("challenged", "", False, (Category.OTHER,)),
        # What is claimed is asked beside the assessment, and counts only with it.
        ("none", NOT_US.value, False, ()),
        ("none", "", False, ()),
    ],
)
def test_what_counts_as_a_case(assessment: str, category: str, case: bool, categories: tuple[Category, ...]) -> None:
    made = chunk(assessment=assessment, category=category)
    assert (made.case, made.categories) == (case, categories)


def test_a_category_that_nobody_knows_is_no_other() -> None:
    with pytest.raises(ValueError, match="9_new"):
        _ = chunk(assessment="unchallenged", category="9_new").categories


def test_what_a_chunk_counts_for() -> None:
    assert chunk().slices == ("country=borealie", "channel=canal-un", "text=whole")
    cut = chunk(whole=False, programme_type="news", channel="radio-deux")
    assert cut.slices == ("country=borealie", "channel=radio-deux", "text=adverts cut", "programme=news")
    assert chunk(item_id="i", group_id="g", day=date(2026, 1, 2)).item == Item(
        "i", date(2026, 1, 2), "borealie/canal-un/2026-01-02"
    )


def test_a_row_of_a_training_set() -> None:
    made = chunk(
        item_id="i", group_id="g", assessment="challenged", category=TWO, marked=("a b c",), chance=0.25, text="a b c d"
    )
    assert example_of(made, Split.DEV) == TrainingExample(
        item_id="i",
        text="a b c d",
        label="challenged",
        category=TWO,
        split="dev",
        group_id="borealie/canal-un/2026-11-20",
        week="2026-W47",
        source="gold",
        sampling="score",
        probability=0.25,
        marked=["a b c"],
    )
    assert example_of(chunk(assessment="none", category=NOT_US.value), Split.TRAIN).category == ""


def claimed(text: str) -> str:
    """What a champion would point at."""
    return f"claimed in {text}"


@pytest.mark.parametrize(
    ("label", "category", "marked", "learnt", "challenged", "passages"),
    [
        ("unchallenged", NOT_US.value, ["a", "b"], NOT_US, False, ("a", "b")),
        ("unchallenged", TWO, [], NOT_US, False, ("claimed in x",)),
        ("challenged", NOT_BAD.value, ["a", ""], NOT_BAD, True, ("a",)),
        ("challenged", "8_others", [], Category.OTHER, True, ("claimed in x",)),
        # Nobody claims anything: what somebody marked all the same is not learnt.
        ("none", "", ["a"], Category.NONE, False, ("claimed in x",)),
        ("none", "", [], Category.NONE, False, ("claimed in x",)),
    ],
)
def test_what_a_row_teaches(
    label: str, category: str, marked: list[str], learnt: Category, challenged: bool, passages: tuple[str, ...]
) -> None:
    row = example(item_id="i", group_id="g", text="x", label=label, category=category, marked=marked)
    assert lesson_of(row, claimed) == Lesson("i", "g", "x", learnt, challenged, passages)


def test_a_champion_that_finds_nothing_leaves_a_lesson_without_a_passage() -> None:
    assert lesson_of(example(text="x"), lambda _: "").passages == ()


@given(
    st.sampled_from(["unchallenged", "challenged", "none"]),
    st.lists(st.sampled_from([c.value for c in Category if c is not Category.NONE]), max_size=3, unique=True),
    st.lists(st.text(max_size=60), max_size=3),
)
def test_every_label_can_be_learnt(assessment: str, categories: list[str], marked: list[str]) -> None:
    made = chunk(assessment=assessment, category=",".join(categories), marked=tuple(marked))
    lesson = lesson_of(example_of(made, Split.TRAIN), claimed)
    assert lesson.claims == (assessment != "none")
    assert lesson.challenged == (assessment == "challenged")
    for statement in as_statements(lesson):
        assert statement.misleading == made.case


def span(start: object, text: object, label: object = "misinformation") -> dict[str, object]:
    return {"start": start, "end": 0, "label": label, "text": text}


@pytest.mark.parametrize(
    ("spans", "words"),
    [
        ([], ()),
        ([span(90, "neuf"), span(100, "cent"), span(9, "un")], ("un", "neuf", "cent")),
        ([span("90", "neuf"), span("100", "cent")], ("neuf", "cent")),
        ([span(1, "a  b\n c")], ("a b c",)),
        ([span(1, "même"), span(1, "même"), span(50, "même")], ("même",)),
        ([span(1, "faux"), span(2, "trompeur", "misleading"), span(3, "réponse", "rebuttal")], ("faux", "trompeur")),
        ([span(1, "x", None), {"start": 1, "text": "x"}, {}], ()),
        ([span(1, None), span(2, 7), span(3, " "), span(4, "reste")], ("reste",)),
        ([span(None, "sans place"), {"label": "misleading", "text": "ni là"}], ("ni là", "sans place")),
    ],
)
def test_what_people_marked(spans: list[dict[str, object]], words: tuple[str, ...]) -> None:
    assert marked_words(spans) == words


@given(st.lists(st.tuples(st.integers(0, 20_000), st.text(max_size=8)), max_size=8), st.randoms())
def test_marks_are_in_order_of_place_whatever_order_they_come_in(rows: list[tuple[int, str]], random: object) -> None:
    spans = [span(start, text) for start, text in rows]
    found = marked_words(spans)
    random.shuffle(spans)  # type: ignore[attr-defined]
    assert marked_words(spans) == found
    assert len(set(found)) == len(found)
    first = {}
    for start, text in sorted((s, " ".join(t.split())) for s, t in rows):
        first.setdefault(text, start)
    assert [first[text] for text in found] == sorted(first[text] for text in found)
