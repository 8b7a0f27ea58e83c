"""Hosted models are shown gold of the train split only, in the shape they are asked in, the same bytes from the same gold."""

import random
from dataclasses import replace

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.claims.prompts import MAX_TEXT, PROMPTS
from climate_assets.claims.records import Category, Judgement, Unusable
from climate_assets.claims.verdicts import read_answer
from climate_assets.failures import Permanent
from climate_assets.learning import examples
from climate_assets.learning.examples import few_shots, fine_tuning, judgement_of, messages_with_shots, training_set_hash
from climate_assets.learning.leakage import likeness, runs_of
from climate_assets.learning.records import TrainingExample
from tests.learning.texts import heard_again, said

PROMPT = PROMPTS["v1"]
CATEGORIES = ("", Category.NOT_US.value, Category.SOLUTIONS_FAIL.value)


def example(n: int, split: str = "train", category: str | None = None, text: str = "", **changes: str) -> TrainingExample:
    named = CATEGORIES[n % 3] if category is None else category
    made = TrainingExample(
        item_id=f"france/canal-un/{n:03d}",
        text=text or said(random.Random(n), 60),
        label="unchallenged" if named else "none",
        category=named,
        split=split,
        group_id=f"g{n}",
        week="2026-W47",
        source="gold",
        sampling="score",
        probability=1.0,
        marked=[],
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def answer(of: TrainingExample) -> Judgement:
    category = Category(of.category or Category.NONE)
    return judgement_of(of.label, category, " ".join(of.text.split()[5:15]), "")


TRAIN = [example(n) for n in range(12)]
ANSWERS = {e.item_id: answer(e) for e in TRAIN}


def test_each_line_is_a_chat_that_asks_and_answers_as_the_prompt_does() -> None:
    made = fine_tuning(TRAIN, ANSWERS, PROMPT)
    lines = [orjson.loads(line) for line in made.lines.splitlines()]
    assert made.lines.endswith(b"}\n")
    assert len(lines) == len(made.items) == 12
    assert made.left_out == []
    for item, line in zip(made.items, lines, strict=True):
        [one] = [e for e in TRAIN if e.item_id == item]
        assert set(line) == {"messages"}
        system, user, assistant = line["messages"]
        assert [m["role"] for m in line["messages"]] == ["system", "user", "assistant"]
        assert system["content"].startswith(PROMPT.system)
        fence = user["content"].split("\n")[0].removeprefix("BEGIN ")
        assert user["content"].startswith(f"BEGIN {fence}\n{one.text}\nEND {fence}\n")
        assert f"BEGIN {fence}" in system["content"]
        read = read_answer(assistant["content"])
        assert not isinstance(read, Unusable)
        assert read == ANSWERS[item]
    fences = [line["messages"][1]["content"].split("\n")[0] for line in lines]
    assert len(set(fences)) == 12


def test_the_same_gold_gives_the_same_bytes() -> None:
    made, mixed = fine_tuning(TRAIN, ANSWERS, PROMPT), fine_tuning(TRAIN[::-1], ANSWERS, PROMPT)
    assert (made.lines, made.sha256) == (mixed.lines, mixed.sha256)
    assert training_set_hash(TRAIN) == training_set_hash(TRAIN[::-1])
    assert training_set_hash(TRAIN) != training_set_hash([*TRAIN[:-1], replace(TRAIN[-1], split="test")])


CLAIM = Judgement(9, Category.NOT_US, "words that nobody said at all", False, "Why.")


@pytest.mark.parametrize(
    ("changes", "gold", "says"),
    [
        ({"split": "test"}, None, "held out (test)"),
        ({"split": "dev"}, None, "held out (dev)"),
        ({"text": " \u200b\n "}, None, "blank"),
        ({"text": "x" * (MAX_TEXT + 1)}, None, "longer than"),
        ({}, None, "no gold answers it"),
        ({}, CLAIM, "not in its text"),
        ({}, replace(CLAIM, quote=""), "contradicts itself"),
        ({}, Judgement(0, Category.NONE, "some words", False, "Why."), "contradicts itself"),
        ({}, Judgement(0, Category.NONE, "", True, "Why."), "contradicts itself"),
        ({}, Judgement(8, Category.NONE, "", False, "Why."), "score of 8 contradicts"),
        ({}, Judgement(0, Category.NONE, "", False, " "), "gives no reason"),
    ],
)
def test_what_cannot_be_shown_is_left_out_with_its_reason(changes: dict[str, str], gold: Judgement | None, says: str) -> None:
    odd = replace(example(99), **changes)  # type: ignore[arg-type]
    answers = dict(ANSWERS) if gold is None and not changes else {**ANSWERS, odd.item_id: gold or answer(example(99))}
    made = fine_tuning([*TRAIN, odd], answers, PROMPT)
    assert odd.item_id not in made.items
    [left] = made.left_out
    assert left.item_id == odd.item_id
    assert says in left.reason


def test_sets_of_impossible_sizes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        Permanent, match=r"9 examples are fit for fine-tuning, 10 are needed; 1 are left out, the first: no gold"
    ):
        fine_tuning(TRAIN[:10], {e.item_id: ANSWERS[e.item_id] for e in TRAIN[:9]}, PROMPT)
    monkeypatch.setattr(examples, "MOST_EXAMPLES", 11)
    with pytest.raises(Permanent, match="take fewer"):
        fine_tuning(TRAIN, ANSWERS, PROMPT)


def test_gold_becomes_an_answer_on_the_prompts_scale() -> None:
    stands = judgement_of("unchallenged", Category.NOT_US, "a b c", "It is us.")
    assert stands == Judgement(9, Category.NOT_US, "a b c", False, "It is us.")
    contradicted = judgement_of("challenged", Category.NOT_US, "a b c", " ")
    assert (contradicted.score, contradicted.challenged) == (7, True)
    assert contradicted.rationale == "Somebody makes a false claim (humans are not the cause), and somebody contradicts it."
    assert judgement_of("none", Category.NOT_US, "a b c", "").quote == ""
    with pytest.raises(Permanent, match="no assessment 'maybe'"):
        judgement_of("maybe", Category.NONE, "", "")
    with pytest.raises(Permanent, match="no category"):
        judgement_of("challenged", Category.NONE, "", "")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["train", "dev", "test"]), st.integers(0, 9), st.sampled_from(["gold", "shipped"])),
        max_size=30,
    ),
    st.integers(0, 8),
    st.integers(0, 99),
)
def test_shots_are_never_held_out(rows: list[tuple[str, int, str]], number: int, seed: int) -> None:
    given_set = [example(n, split, source=source, group_id=f"g{group}") for n, (split, group, source) in enumerate(rows)]
    chosen = few_shots(given_set, number, seed=seed)
    assert chosen == few_shots(given_set[::-1], number, seed=seed)
    held_out = {e.group_id for e in given_set if e.split != "train"}
    assert all(e.split == "train" and e.source == "gold" and e.group_id not in held_out for e in chosen)
    assert len({e.group_id for e in chosen}) == len(chosen)
    fit = {e.group_id for e in given_set if e.split == "train" and e.source == "gold"} - held_out
    assert len(chosen) == min(number, len(fit))


def test_shots_are_spread_over_categories_and_texts() -> None:
    chance = random.Random(5)
    first = said(chance, 60)
    crowd = [example(n, category=CATEGORIES[1], text=heard_again(chance, first, 0.02)) for n in range(40)]
    apart = [example(50 + n, category=CATEGORIES[1]) for n in range(2)]
    others = [example(60 + n, category=category) for n, category in enumerate([CATEGORIES[0], CATEGORIES[2]])]
    for seed in range(5):
        chosen = few_shots([*crowd, *apart, *others], 5, seed=seed)
        assert {e.category for e in chosen[:3]} == set(CATEGORIES)
        same = [e for e in chosen if e.category == CATEGORIES[1]]
        assert len(same) == 3
        assert max(likeness(runs_of(a.text), runs_of(b.text)) for a in same for b in same if a is not b) < 0.1
    long_one = example(80, category=CATEGORIES[0], text="mot " * 3000)
    assert few_shots([long_one], 3, seed=1) == []
    for number in (-1, 21):
        with pytest.raises(ValueError, match="shots"):
            few_shots([], number, seed=1)


def test_shots_are_earlier_turns_in_the_same_fence() -> None:
    fence = "a1" * 16
    made = messages_with_shots(PROMPT, [(e.text, ANSWERS[e.item_id]) for e in TRAIN[:2]], "il fait très beau", fence)
    assert [m["role"] for m in made] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert all(m["content"].startswith(f"BEGIN {fence}\n") for m in made if m["role"] == "user")
    assert read_answer(made[2]["content"]) == ANSWERS[TRAIN[0].item_id]
    with pytest.raises(ValueError, match="fence stands in the text"):
        messages_with_shots(PROMPT, [(f"mot {fence} mot", ANSWERS[TRAIN[0].item_id])], "il fait beau", fence)
