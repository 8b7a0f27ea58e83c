"""What is learnt from: negatives stay, groups stay whole and on their side, the old is rehearsed, chance is a seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.posts.ner_training import (
    Example,
    Split,
    data_hash,
    group_ids,
    groups_of,
    leaks,
    rehearsal_mix,
    sides,
    split_of,
    training_examples,
)
from climate_assets.posts.records import GoldPost
from climate_assets.posts.spans import Span
from climate_assets.posts.vocabulary import FRENCH, OURS, Label
from tests.posts.cases import SPANS, TEXT, post

LONG = "le charbon a encore fourni deux térawattheures en octobre, on nous avait dit que c'était fini"


def gold(number: int, spans: tuple[Span, ...] = (), group: str = "") -> GoldPost:
    name = f"ecume/{number:04}"
    return GoldPost(name, "fr", TEXT, frozenset(spans), group or name)


def examples(first: int, last: int) -> list[Example]:
    return [Example(f"ecume/{n:04}", f"post {n}", ()) for n in range(first, last)]


def test_an_example_speaks_the_models_names_and_keeps_negatives() -> None:
    made = training_examples([gold(2), gold(1, SPANS)], FRENCH)
    assert [(e.post_id, e.entities) for e in made] == [
        ("ecume/0001", ((2, 14, "PER"), (20, 26, "figure"), (29, 42, "energy_source"), (45, 50, "LOC"))),
        ("ecume/0002", ()),
    ]
    assert training_examples([gold(1, SPANS[:1])], OURS)[0].entities == ((2, 14, "person"),)


def test_an_example_never_overlaps_and_never_points_outside() -> None:
    nested = (*SPANS, Span(2, 26, Label.LAW))
    assert [name for *_, name in training_examples([gold(1, nested)], FRENCH)[0].entities] == [
        "law_or_policy",
        "energy_source",
        "LOC",
    ]
    with pytest.raises(Permanent, match="does not lie"):
        training_examples([gold(1, (Span(45, 51, Label.PLACE),))], FRENCH)


def test_a_group_is_on_one_side_for_ever() -> None:
    assert [split_of(f"ecume/{n}") for n in range(6)] == [split_of(f"ecume/{n}") for n in range(6)]
    assert split_of("ecume/1", 0.0) is Split.TRAINING
    assert split_of("ecume/1", 1.0) is Split.HELD_OUT
    held = sum(split_of(f"ecume/{n}") is Split.HELD_OUT for n in range(5000)) / 5000
    assert held == pytest.approx(0.3, abs=0.03)
    assert any(split_of(f"ecume/{n}") is not split_of(f"ecume/{n}", salt="other") for n in range(50))


def test_the_side_is_this_one_today_and_tomorrow() -> None:
    """A changed rule moves held-out posts into training: it needs a new salt."""
    assert "".join(split_of(f"ecume/{n}").value[0] for n in range(20)) == "thhttthttttttttthttt"


def test_no_group_is_on_both_sides() -> None:
    posts = [gold(n, group=f"ecume/{n // 3:04}") for n in range(300)]
    parts = sides(posts)
    assert sum(map(len, parts.values())) == 300
    assert not {p.group_id for p in parts[Split.TRAINING]} & {p.group_id for p in parts[Split.HELD_OUT]}


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        (LONG, LONG, True),
        (LONG, f"RT @lou : {LONG.upper()} !!!", True),
        (LONG, f"voilà : {LONG[:50]} https://x.example/1 😡", True),
        ("Il pleut", "il pleut 🐸", True),
        ("Il pleut", "il pleut encore", False),
        (LONG, "le gaz a encore fourni trois fois plus en novembre", False),
        ("🤡", "😂😂", False),
    ],
)
def test_near_duplicates(one: str, other: str, near: bool) -> None:
    assert groups_of([("a", one), ("b", other)]) == {"a": "a", "b": "a" if near else "b"}


def test_a_duplicate_of_a_duplicate_is_in_the_group_and_the_first_post_names_it() -> None:
    words = [f"mot{n}" for n in range(24)]
    texts = [" ".join(words[:10]), " ".join(words[12:]), " ".join(words[1:21])]
    assert set(groups_of(list(zip("abc", texts, strict=True))).values()) == {"a"}
    late = post(text=LONG, post_id="ecume/a")
    early = post(text=LONG, post_id="ecume/z", published_at=late.published_at.replace(hour=1))
    assert group_ids([late, early]) == {"ecume/a": "ecume/z", "ecume/z": "ecume/z"}


def test_a_planted_near_duplicate_across_the_split_is_found() -> None:
    texts = {"ecume/1": LONG, "ecume/2": "Il pleut", "ecume/3": f"RT : {LONG}"}
    split = dict.fromkeys(texts, Split.TRAINING)
    assert leaks(texts, split) == []
    assert leaks(texts, {**split, "ecume/3": Split.HELD_OUT}) == [("ecume/1", "ecume/3")]


@pytest.mark.parametrize(("share", "old"), [(0.0, 0), (0.5, 20), (0.25, 7), (0.9, 100)])
def test_the_old_has_its_share(share: float, old: int) -> None:
    mixed = rehearsal_mix(examples(0, 20), examples(20, 120), share, np.random.default_rng(1))
    assert len(mixed) == len({e.post_id for e in mixed}) == 20 + old
    assert {e.post_id for e in examples(0, 20)} <= {e.post_id for e in mixed}


def test_the_mix_is_a_function_of_the_seed_and_not_of_the_order() -> None:
    new, old = examples(0, 20), examples(10, 120)
    one = rehearsal_mix(new, old, 0.5, np.random.default_rng(1))
    assert rehearsal_mix(new[::-1], old[::-1], 0.5, np.random.default_rng(1)) == one
    assert rehearsal_mix(new, old, 0.5, np.random.default_rng(2)) != one
    assert len({e.post_id for e in one}) == len(one)
    assert rehearsal_mix([], old, 0.5, np.random.default_rng(1)) == []


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_without_room_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="leaves no room"):
        rehearsal_mix([], [], share, np.random.default_rng(1))


@given(st.permutations(examples(0, 6)))
def test_the_data_hash_names_what_is_learnt(order: list[Example]) -> None:
    assert data_hash(order) == data_hash(examples(0, 6))
    assert data_hash(order[1:]) != data_hash(order)
    assert data_hash([*order[1:], Example("x", order[0].text, ((0, 4, "PER"),))]) != data_hash(order)
