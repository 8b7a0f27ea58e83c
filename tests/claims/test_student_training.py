"""A student that learns labelled chunks beside the shipped statements is the same each time, and is tried on nothing it has
learnt.
"""

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import climate_assets
from climate_assets.claims.records import Category
from climate_assets.claims.statements import Kind, Statement, statements_from_csv, statements_version
from climate_assets.claims.student_counts import counted
from climate_assets.claims.student_lessons import Lesson, as_statements, lessons_version
from climate_assets.claims.student_training import (
    FOLDS,
    SEED,
    folds_of,
    heads_of,
    material_of,
    near_twins,
    rehearse,
    train,
    trained_on,
    version_of,
)
from climate_assets.failures import Permanent

STATEMENTS = Path(climate_assets.__file__).parent / "reference" / "statements" / "french.csv"
NOT_US, NOT_BAD, NONE = Category.NOT_US, Category.NOT_BAD, Category.NONE
SUN = "le réchauffement c' est le soleil et rien d' autre"
FEW_OF_THREE = [
    Statement(SUN, NOT_US, False, Kind.CLAIM),
    Statement("non c' est faux le soleil n' y est pour rien", NOT_US, True, Kind.REBUTTED),
    Statement("demain il fera froid sur tout le nord du pays", NONE, False, Kind.WEATHER),
]


@pytest.fixture(scope="module")
def shipped() -> list[Statement]:
    return statements_from_csv(STATEMENTS.read_text(encoding="utf-8"), STATEMENTS.name)


@pytest.fixture(scope="module")
def few(shipped: list[Statement]) -> list[Statement]:
    """Statements enough for a quick training: up to 10 of each category and answer."""
    seen: dict[tuple[Category, bool], list[Statement]] = {}
    for statement in shipped:
        seen.setdefault((statement.category, statement.challenged), []).append(statement)
    return [s for group in seen.values() for s in group[:10]]


def lesson(
    item_id: str, *passages: str, group: str = "", category: Category = NOT_US, challenged: bool = False, text: str = ""
) -> Lesson:
    """A lesson alone in its group if no other is said; its text are its passages if no other is said."""
    return Lesson(item_id, group or item_id, text or " ".join(passages), category, challenged, passages)


def invented(number: int, seed: int, length: int = 12) -> str:
    """Words that no statement has."""
    chance = random.Random(f"{seed}/{number}")
    return " ".join("".join(chance.choice("bdfglmnprtv") + chance.choice("aeiou") for _ in range(3)) for _ in range(length))


# --- versions


def test_a_version_that_was_given_stands() -> None:
    # Verdicts of before lessons were learnt carry these versions (they are what the code gave then): the same statements
    # learnt by the same rules must not come under another name. They change with RULES or a parameter, and only with them.
    assert version_of(FEW_OF_THREE) == "ae945df0fbf8"
    assert version_of(FEW_OF_THREE, seed=2) == "450595ca8c16"
    assert version_of(FEW_OF_THREE[::-1], []) == "ae945df0fbf8"


def test_the_version_of_the_shipped_statements_stands(shipped: list[Statement]) -> None:
    # As above; whoever edits the statements makes another student and writes both new versions here.
    assert (statements_version(shipped), version_of(shipped)) == ("7d186f65a6d2", "bccdc49bf9c9")
    assert trained_on(shipped) == "7d186f65a6d2"


def test_lessons_are_part_of_the_version() -> None:
    lessons = [lesson("i", SUN), lesson("j", SUN, category=NONE)]
    versions = [version_of(FEW_OF_THREE, some) for some in ([], lessons, lessons[:1], lessons[1:])]
    assert len(set(versions)) == 4
    assert version_of(FEW_OF_THREE, lessons[::-1]) == versions[1]
    assert trained_on(FEW_OF_THREE, lessons) == f"{statements_version(FEW_OF_THREE)}+{lessons_version(lessons)}"


# --- what belongs together


@pytest.mark.parametrize(
    ("texts", "owners", "together"),
    [
        (["a b c d e f", "g h i j k l"], [], []),
        (["a b c d e f", "x a b c d e f y"], [], [(0, 1)]),
        (["a b c d e f", "a b c d e x f"], [], []),
        (["a b c d e f", "g h i j k l"], [["p"], ["p"]], [(0, 1)]),
        (["a b c d e f", "g h i j k l"], [["p"], ["q"]], []),
        (["a b c d e f", "g h i j k l"], [[], []], []),
        (["a b c d e", "g h i j k", "m n o p q"], [["p"], ["p", "q"], ["q"]], [(0, 1), (1, 2)]),
        (["a b c d e f", "g h i j k l", "z a b c d e f"], [["p"], ["p"], []], [(0, 1), (0, 2)]),
        # A word is no owner.
        (["a b c d e f", "owner p i j k l"], [["p"], []], []),
    ],
)
def test_near_twins_and_owners_make_groups(texts: list[str], owners: list[list[str]], together: list[tuple[int, int]]) -> None:
    groups = near_twins([Statement(text, NONE, False, Kind.OTHER) for text in texts], owners)
    for one in range(len(texts)):
        for other in range(one):
            joined = groups[one] == groups[other]
            assert joined == ({(other, one)} <= set(together) or (len(together) == 2 and one != other))


def test_without_lessons_the_material_is_what_is_shipped(shipped: list[Statement]) -> None:
    material = material_of(shipped, [])
    assert (material.statements, material.shipped, material.lessons) == (shipped, len(shipped), [])
    assert material.groups == near_twins(shipped)


def test_what_was_heard_before_is_learnt_once_and_is_one_group() -> None:
    said = invented(1, 1)
    one, other, third = lesson("a", SUN.upper()), lesson("b", said), lesson("c", said)
    material = material_of(FEW_OF_THREE, [one, other, third])
    assert [s.text for s in material.statements[3:]] == [said]
    assert {x.item_id: g for x, g in material.lessons} == {
        "a": material.groups[0],
        "b": material.groups[3],
        "c": material.groups[3],
    }
    assert len({material.groups[0], material.groups[1], material.groups[2], material.groups[3]}) == 4


def test_lessons_of_one_group_are_one_group_whatever_they_say() -> None:
    lessons = [
        lesson("a", invented(1, 1), group="g"),
        lesson("b", invented(2, 1), category=NONE, group="g"),
        lesson("c", group="g"),
    ]
    material = material_of(FEW_OF_THREE, lessons)
    assert len({group for _, group in material.lessons}) == 1
    assert material.groups[3] == material.groups[4] == material.lessons[0][1]


def test_a_lesson_without_a_passage_stands_in_a_group_of_its_own() -> None:
    lessons = [lesson("a", text="x"), lesson("b", "trop court", group="g"), lesson("c", group="g", text="y")]
    material = material_of(FEW_OF_THREE, lessons)
    assert material.statements == FEW_OF_THREE
    groups = [group for _, group in material.lessons]
    assert groups[0] != groups[1] == groups[2]
    assert min(groups) >= len(material.statements)


SPOKEN = [s.text for s in FEW_OF_THREE] + [invented(n, 2) for n in range(4)] + ["court"]
LESSONS = st.lists(
    st.tuples(
        st.sampled_from("ghijk"),
        st.sampled_from([(NOT_US, False), (NOT_US, True), (NOT_BAD, False), (NONE, False)]),
        st.lists(st.sampled_from(SPOKEN), max_size=2),
    ),
    max_size=10,
).map(
    lambda rows: [
        Lesson(f"i{n}", group, f"texte {n}", category, challenged, tuple(said))
        for n, (group, (category, challenged), said) in enumerate(rows)
    ]
)


@settings(max_examples=100, deadline=None)
@given(LESSONS)
def test_a_lesson_is_in_the_group_of_all_it_says(lessons: list[Lesson]) -> None:
    material = material_of(FEW_OF_THREE, lessons)
    keys = [(s.text, s.category, s.challenged) for s in material.statements]
    assert len(set(keys)) == len(keys)
    assert [x for x, _ in material.lessons] == lessons
    by_group: dict[str, set[int]] = {}
    for one, group in material.lessons:
        by_group.setdefault(one.group, set()).add(group)
        for said in as_statements(one):
            assert group == material.groups[keys.index((said.text, said.category, said.challenged))]
    assert all(len(groups) == 1 for groups in by_group.values())


@pytest.fixture(scope="module")
def lessons(few: list[Statement]) -> list[Lesson]:
    """Labelled chunks of every label: some repeat what is shipped or each other, some have no passage."""
    found = []
    for n in range(20):
        category, challenged = [(NOT_US, False), (NOT_BAD, True), (NONE, False), (NOT_BAD, False)][n % 4]
        said = invented(n // 2, 3)
        around = few[-1 - n].text
        found.append(
            lesson(f"i{n:02}", said, group=f"g{n // 3}", category=category, challenged=challenged, text=f"{around} {said}")
        )
    shipped_claim = next(s for s in few if s.category is NOT_US and not s.challenged)
    found.append(lesson("repeats", shipped_claim.text))
    return [*found, lesson("silent", category=NONE, text=f"{few[-1].text} {few[-2].text}")]


@pytest.mark.parametrize("seed", [SEED, 1, 2])
def test_no_group_is_on_both_sides_of_a_fold(few: list[Statement], lessons: list[Lesson], seed: int) -> None:
    material = material_of(few, lessons)
    tried: Counter[int] = Counter()
    for learn, held in folds_of(material, seed):
        assert sorted([*learn, *held]) == list(range(len(material.statements)))
        learnt = {material.groups[i] for i in learn}
        assert not learnt & {material.groups[i] for i in held}
        heard = {(material.statements[i].text.casefold(), material.statements[i].category) for i in learn}
        for one, group in material.lessons:
            if group in {material.groups[i] for i in held}:
                assert not heard & {(said.text.casefold(), said.category) for said in as_statements(one)}
        tried.update(held)
    assert set(tried.values()) == {1}


def test_each_lesson_is_rehearsed_once(few: list[Statement], lessons: list[Lesson]) -> None:
    material = material_of(few, lessons)
    rehearsed = rehearse(material, counted(material.statements), SEED)
    heard = Counter(r.rehearsal.text for r in rehearsed)
    assert {heard[x.text] for x in lessons} == {1}
    labels = {r.rehearsal.text: (r.rehearsal.claims, r.rehearsal.challenged) for r in rehearsed}
    assert all(labels[x.text] == (x.claims, x.challenged) for x in lessons)
    assert {r.fold for r in rehearsed} == set(range(FOLDS))


# --- training


def test_a_student_with_lessons_is_the_same_whatever_their_order_and_has_learnt_them(
    few: list[Statement], lessons: list[Lesson]
) -> None:
    made = train(few, lessons)
    mixed = train(random.Random(1).sample(few, len(few)), random.Random(2).sample(lessons, len(lessons)))
    assert mixed.to_bytes() == made.to_bytes()
    assert (made.version, made.trained_on) == (version_of(few, lessons), trained_on(few, lessons))
    assert made.version != version_of(few)
    assert np.isfinite(made.positives).all()
    # What people called a claim weighs as one now, among words that it knew nothing of.
    said = f"{few[-1].text} {invented(0, 3)} {few[-3].text}"
    before, after = heads_of(few).find(said), made.heads.find(said)
    assert before
    assert after
    assert after.claim[0] > before.claim[0]


def test_lessons_do_not_stand_in_for_statements(few: list[Statement], lessons: list[Lesson]) -> None:
    with pytest.raises(Permanent, match=r"too few statements to train on: 2_humans_are_not_the_cause \(0\)"):
        train([s for s in few if s.category is not NOT_US], lessons)
