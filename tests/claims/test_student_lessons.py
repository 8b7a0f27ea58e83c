"""What people labelled is learnt as a shipped statement is, and never crosses an advert."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.broadcast.cleaning import BARRIER
from climate_assets.claims.records import Category
from climate_assets.claims.statements import LONGEST, SHORTEST, Kind, Statement, statements_from_csv
from climate_assets.claims.student_lessons import Lesson, as_statements, lessons_version
from climate_assets.failures import Permanent

NOT_US, NONE = Category.NOT_US, Category.NONE
SAID = "l' homme n' y est pour rien"


def lesson(
    *passages: str, category: Category = NOT_US, challenged: bool = False, item_id: str = "i", group: str = "g"
) -> Lesson:
    return Lesson(item_id, group, " ".join(passages), category, challenged, passages)


def words(number: int, start: int = 0) -> str:
    return " ".join(f"mot{n}" for n in range(start, start + number))


@pytest.mark.parametrize(
    ("passages", "texts"),
    [
        ((), []),
        (("",), []),
        ((BARRIER,), []),
        ((SAID,), [SAID]),
        ((f"  {SAID}\n",), [SAID]),
        ((words(SHORTEST - 1),), []),
        ((words(SHORTEST),), [words(SHORTEST)]),
        ((words(LONGEST),), [words(LONGEST)]),
        ((words(LONGEST + 1),), [words(60), words(61, 60)]),
        ((f"{words(6)} {BARRIER} {words(4)} {BARRIER} {words(7)}",), [words(6), words(7)]),
        # A word that an advert's mark sticks to is no word that anybody said.
        ((f"{words(6)} a{BARRIER}b {words(7)}",), [words(6), words(7)]),
        ((SAID, SAID), [SAID, SAID]),
    ],
)
def test_passages_become_statements(passages: tuple[str, ...], texts: list[str]) -> None:
    assert [s.text for s in as_statements(lesson(*passages))] == texts


@pytest.mark.parametrize(
    ("category", "challenged", "kind"),
    [
        (NOT_US, False, Kind.CLAIM),
        (NOT_US, True, Kind.REBUTTED),
        (NONE, False, Kind.OTHER),
        (Category.OTHER, False, Kind.CLAIM),
    ],
)
def test_labels_of_a_lesson_are_those_of_its_statements(category: Category, challenged: bool, kind: Kind) -> None:
    one = lesson(SAID, category=category, challenged=challenged)
    assert as_statements(one) == [Statement(SAID, category, challenged, kind)]
    assert one.claims == (category is not NONE)
    # As one that is shipped would have to be labelled.
    row = f"text,category,challenged,kind\n{SAID},{category.value},{str(challenged).lower()},{kind.value}\n"
    assert statements_from_csv(row, "here") == as_statements(one)


def test_what_is_contradicted_claims_something() -> None:
    with pytest.raises(Permanent, match="i is contradicted and claims nothing; look at its gold label"):
        as_statements(lesson(SAID, category=NONE, challenged=True))


@given(st.lists(st.text(alphabet=f"ab {BARRIER}", max_size=900) | st.integers(0, 900).map(words), max_size=4))
def test_nothing_is_said_that_was_not_and_nothing_crosses_an_advert(passages: list[str]) -> None:
    found = as_statements(lesson(*passages))
    for statement in found:
        assert SHORTEST <= len(statement.text.split()) <= LONGEST
        assert BARRIER not in statement.text
        assert any(f" {statement.text} " in f" {' '.join(passage.split())} " for passage in passages)
    runs = [run for passage in passages for run in stretches_of(passage)]
    # No word of a run that is long enough is lost, and none is learnt twice.
    assert [word for s in found for word in s.text.split()] == [w for run in runs if len(run) >= SHORTEST for w in run]


def stretches_of(passage: str) -> list[list[str]]:
    marked = [BARRIER if BARRIER in word else word for word in passage.split()]
    return [run.split() for run in " ".join(marked).split(BARRIER)]


LESSONS = st.lists(
    st.builds(
        lambda item, group, category, passages: lesson(*passages, item_id=item, group=group, category=category),
        st.sampled_from("abc"),
        st.sampled_from("gh"),
        st.sampled_from([NOT_US, NONE]),
        st.lists(st.text(max_size=4), max_size=3),
    ),
    max_size=6,
)


@given(LESSONS, st.randoms())
def test_the_version_hangs_on_no_order(lessons: list[Lesson], random: object) -> None:
    mixed = list(lessons)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert lessons_version(iter(mixed)) == lessons_version(lessons)


def test_the_version_hangs_on_everything_that_is_learnt() -> None:
    some = [
        lesson("a", "b"),
        lesson("a b"),
        lesson("b", "a"),
        lesson("a", "b", item_id="j"),
        lesson("a", "b", group="h"),
        lesson("a", "b", challenged=True),
        lesson("a", "b", category=NONE),
        Lesson("i", "g", "other", NOT_US, False, ("a", "b")),
    ]
    versions = [lessons_version([x]) for x in some] + [lessons_version([]), lessons_version(some)]
    assert len(set(versions)) == len(versions)
    assert all(len(version) == 12 for version in versions)
