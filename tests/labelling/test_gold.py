"""Which answer stands: the rule by table, sentences word for word, and properties over any history of answers."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.labelling.gold import Rule, gold_labels
from climate_assets.labelling.records import Annotation, GoldLabel, LabellingTask
from climate_assets.labelling.votes import standing_annotations, votes_of

BEGIN = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
ITEM = "borealie/canal-un/2026-11-20T18:04:00Z"
RERUN = "borealie/canal-un/2026-11-27T18:04:00Z"
THIRD = "borealie/radio-nord/2026-11-28T09:00:00Z"
ADJUDICATION = 9


def answer(number: int, assessment: str | None, who: int | None = None, item: str = ITEM, **changes: Any) -> Annotation:
    base = Annotation(
        project_id=6,
        annotation_id=number,
        updated_at=BEGIN + timedelta(minutes=number),
        task_id=1,
        item_id=item,
        country="borealie",
        task_kind="misinfo",
        annotator=who or number,
        state="submitted",
        assessment=assessment,
        categories=[],
        spans="[]",
        texts="{}",
        guideline="g1",
        suggested_by="",
        lead_seconds=30.0,
        created_at=BEGIN,
        source="api",
        result="[]",
    )
    return replace(base, **changes)


def decision(number: int, assessment: str, **changes: Any) -> Annotation:
    return answer(number, assessment, who=100 + number, project_id=ADJUDICATION, **changes)


def asked(item: str = ITEM, sampling: str = "score", probability: float = 1.0) -> LabellingTask:
    return LabellingTask(
        chunk_id=item,
        country="borealie",
        day=date(2026, 11, 20),
        channel=item.split("/")[1],
        bucket="b",
        object_key="k",
        sha256="0",
        sampling=sampling,
        probability=probability,
        priority=0.5,
        model="m",
        prompt="p",
        guideline="g1",
        project_id=6,
        task_id=1,
        state="ok",
        reason="",
    )


def one(said: Sequence[Annotation], wanted: int = 1, field: str = "assessment", **more: Any) -> GoldLabel:
    labels = gold_labels(said, [asked()], wanted={ITEM: wanted}, **more)
    return next(label for label in labels if label.field == field)


def people(*assessments: str) -> list[Annotation]:
    return [answer(n, assessment) for n, assessment in enumerate(assessments, 11)]


U, C, N = "unchallenged", "challenged", "none"


@pytest.mark.parametrize(
    ("said", "wanted", "standing", "value"),
    [
        ([], 1, "waiting", None),
        ([N], 1, "single", N),
        ([N], 2, "waiting", None),
        ([N, N], 2, "agreed", N),
        ([N, C], 2, "disputed", None),
        ([N, N], 1, "agreed", N),
        ([N, C], 1, "disputed", None),
        ([C, C, N], 3, "agreed", C),
        ([C, C], 3, "agreed", C),
        ([C, N], 3, "waiting", None),
        ([C, C], 4, "waiting", None),
        ([C, C, C], 4, "agreed", C),
        ([C, N, U], 3, "disputed", None),
        ([C, C, N, N], 4, "disputed", None),
        ([C, C, C, N, N], 5, "disputed", None),
        ([C, C, C, C, N, N], 6, "agreed", C),
        ([U, C], 2, "disputed", None),
    ],
)
def test_the_rule_by_table(said: list[str], wanted: int, standing: str, value: str | None) -> None:
    label = one(people(*said), wanted)
    assert (label.standing, label.value, label.people) == (standing, value, len(said))


@pytest.mark.parametrize(
    ("label", "why"),
    [
        (
            one([answer(12, C), answer(15, C), answer(19, N)], 3),
            "2 of 3 people say challenged (annotations 6/12, 6/15); 1 says none (annotation 6/19).",
        ),
        (one([answer(12, N)]), "One person was asked: 1 person says none (annotation 6/12)."),
        (one([answer(12, N)], 2), "1 of 2 people wanted has answered: 1 person says none (annotation 6/12)."),
        (one([], 2), "0 of 2 people wanted have answered."),
        (
            one([answer(12, N), answer(13, C)], 2),
            "1 of 2 people says challenged (annotation 6/13); 1 says none (annotation 6/12): "
            "no answer has 2/3 of the people, and nobody has decided.",
        ),
        (
            one([answer(12, N), answer(13, C)], 2, adjudications=[decision(3, C)]),
            "The adjudicator says challenged (annotation 9/3). Before that: 1 of 2 people says challenged (annotation 6/13); "
            "1 says none (annotation 6/12).",
        ),
        (
            one([answer(12, N), answer(13, C, state="skipped")], 1),
            "One person was asked: 1 person says none (annotation 6/12); 1 skipped it.",
        ),
    ],
)
def test_the_reason_is_a_sentence_with_its_answers(label: GoldLabel, why: str) -> None:
    assert label.why == why


def test_a_label_says_what_it_rests_on() -> None:
    task = asked(sampling="audit", probability=0.05)
    (label, *_) = gold_labels(people(N, N, C), [task], wanted={ITEM: 3}, probabilities={ITEM: {N: 0.97, C: 0.03}})
    assert json.loads(label.votes) == {N: 2, C: 1}
    assert list(json.loads(label.votes)) == [N, C]
    assert label.annotations == ["6/11", "6/12", "6/13"]
    assert (label.sampling, label.probability, label.confidence, label.group_id) == ("audit", 0.05, 0.97, ITEM)
    assert (label.country, label.channel, label.day, label.task_kind) == ("borealie", "canal-un", date(2026, 11, 20), "misinfo")


def test_the_newest_version_counts_and_a_deleted_answer_does_not() -> None:
    first = answer(11, N)
    edited = replace(first, assessment=C, updated_at=BEGIN + timedelta(hours=2))
    assert one([edited, first]).value == C
    gone = replace(edited, state="deleted", updated_at=BEGIN + timedelta(hours=3))
    assert one([gone, first, edited]).standing == "waiting"
    same_instant = replace(edited, state="deleted")
    assert one([same_instant, edited]).standing == one([edited, same_instant]).standing == "waiting"


def test_a_person_has_one_vote_the_newest_even_if_it_is_a_skip() -> None:
    early, late = answer(11, N, who=5), answer(12, C, who=5)
    assert one([late, early]).value == C
    skip = answer(13, None, who=5, state="skipped")
    assert one([early, skip, late]).standing == "waiting"
    withdrawn = replace(skip, state="deleted", updated_at=BEGIN + timedelta(hours=9))
    assert one([early, skip, withdrawn, late]).value == C


def test_somebody_who_says_two_things_at_once_has_no_vote() -> None:
    both = [answer(11, N, who=5), answer(12, C, who=5, updated_at=BEGIN + timedelta(minutes=11))]
    assert one(both).standing == "waiting"
    assert standing_annotations(both) == []
    agreeing = [answer(11, N, who=5), answer(12, N, who=5, updated_at=BEGIN + timedelta(minutes=11))]
    assert one(agreeing).standing == "single"


def test_an_adjudicator_wins_and_two_who_differ_settle_nothing() -> None:
    said = people(N, N, N)
    label = one(said, 3, adjudications=[decision(3, U)])
    assert (label.standing, label.value, label.people) == ("adjudicated", U, 3)
    assert label.annotations == ["6/11", "6/12", "6/13", "9/3"]
    differing = one(said, 3, adjudications=[decision(3, U), decision(4, C)])
    assert (differing.standing, differing.value) == ("disputed", None)
    assert one(said, 3, adjudications=[decision(3, U), decision(4, U)]).why.startswith("2 adjudicators say unchallenged")
    skipped = one(people(N, C), 2, adjudications=[decision(3, U, state="skipped")])
    assert skipped.standing == "disputed"


def test_an_adjudicator_does_not_vote_as_well() -> None:
    decided = [decision(3, U)]
    assert one([*people(N, C), *decided], 2, adjudications=decided) == one(people(N, C), 2, adjudications=decided)


def test_a_category_stands_where_most_of_those_who_call_it_misinformation_chose_it() -> None:
    said = [
        answer(11, C, categories=["2_humans_are_not_the_cause", "5_science_is_uncertain"]),
        answer(12, C, categories=["5_science_is_uncertain"]),
        answer(13, C, categories=["5_science_is_uncertain", "8_others"]),
        answer(14, N, categories=["8_others"]),
    ]
    label = one(said, 4, "categories")
    assert (label.value, label.standing, label.people) == ("5_science_is_uncertain", "agreed", 3)
    assert label.annotations == ["6/11", "6/12", "6/13"]
    assert label.why == (
        "Of 3 people who call it misinformation, 3 name 5_science_is_uncertain (annotations 6/11, 6/12, 6/13); "
        "1 names 2_humans_are_not_the_cause (annotation 6/11); 1 names 8_others (annotation 6/13)."
    )


@pytest.mark.parametrize(
    ("chosen", "value", "standing"),
    [
        ([["a"], ["b"]], None, "disputed"),
        ([["a"], []], None, "disputed"),
        ([[], []], None, "waiting"),
        ([["b", "a"], ["a", "b"]], "a,b", "agreed"),
        ([["a"]], "a", "single"),
        ([[]], None, "waiting"),
    ],
)
def test_categories_by_table(chosen: list[list[str]], value: str | None, standing: str) -> None:
    said = [answer(n, U, categories=names) for n, names in enumerate(chosen, 11)]
    label = one(said, len(said), "categories")
    assert (label.value, label.standing) == (value, standing)


def test_categories_are_told_of_misinformation_only_and_an_adjudicators_win() -> None:
    assert [label.field for label in gold_labels(people(N, N), [asked()], wanted={ITEM: 2})] == ["assessment"]
    assert [label.field for label in gold_labels(people(U, C), [asked()], wanted={ITEM: 2})] == ["assessment"]
    label = one(
        [answer(11, U, categories=["a"]), answer(12, N)],
        2,
        "categories",
        adjudications=[decision(3, U, categories=["b"])],
    )
    assert (label.value, label.standing, label.annotations) == ("b", "adjudicated", ["9/3"])
    assert label.why == "Of 1 adjudicator who calls it misinformation, 1 names b (annotation 9/3)."


GROUPS = {ITEM: ITEM, RERUN: ITEM, THIRD: ITEM}


def all_three(said: Sequence[Annotation], wanted: int = 1, **more: Any) -> dict[tuple[str, str], GoldLabel]:
    tasks = [asked(item) for item in GROUPS]
    labels = gold_labels(said, tasks, wanted=dict.fromkeys(GROUPS, wanted), groups=GROUPS, **more)
    return {(label.item_id, label.field): label for label in labels}


def test_a_label_goes_to_airings_of_the_same_words_that_nobody_labelled() -> None:
    said = [answer(11, U, item=RERUN, categories=["a"]), answer(12, U, item=RERUN, categories=["a"])]
    labels = all_three(said, 2, probabilities={RERUN: {U: 0.9}})
    moved = labels[ITEM, "assessment"]
    assert (moved.value, moved.standing, moved.people, moved.votes) == (U, "propagated", 0, "{}")
    assert moved.why == (
        f"Nobody labelled this airing; nearly the same words as {RERUN}, where: "
        "2 of 2 people say unchallenged (annotations 6/11, 6/12)."
    )
    assert (moved.annotations, moved.confidence, moved.group_id) == (["6/11", "6/12"], 0.9, ITEM)
    assert labels[THIRD, "categories"].value == "a"
    assert labels[THIRD, "categories"].standing == "propagated"
    assert RERUN in labels[THIRD, "categories"].why
    assert labels[RERUN, "assessment"].standing == "agreed"


def test_no_label_goes_from_a_disputed_or_waiting_airing_or_to_one_that_has_answers() -> None:
    disputed = all_three([answer(11, U, item=RERUN), answer(12, N, item=RERUN)], 2)
    assert [label.standing for label in disputed.values()] == ["waiting", "disputed", "waiting"]
    waiting = all_three([answer(11, U, item=RERUN)], 2)
    assert {label.standing for label in waiting.values()} == {"waiting"}
    own = all_three([answer(11, U, item=RERUN), answer(12, U, item=RERUN), answer(13, N, item=ITEM)], 2)
    assert own[ITEM, "assessment"].standing == "waiting"
    skipped = all_three([answer(11, N, item=RERUN), answer(13, None, item=ITEM, state="skipped")])
    assert skipped[ITEM, "assessment"].standing == "propagated"


def test_of_several_labelled_airings_the_best_founded_is_named_and_none_if_they_differ() -> None:
    said = [answer(11, N, item=ITEM), answer(12, N, item=RERUN), answer(13, N, item=RERUN)]
    moved = all_three(said)[THIRD, "assessment"]
    assert f"nearly the same words as {RERUN} (1 more airing has it too), where: 2 of 2" in moved.why
    differing = all_three([answer(11, N, item=ITEM), answer(12, U, item=RERUN)])
    third = differing[THIRD, "assessment"]
    assert (third.value, third.standing, third.confidence) == (None, "waiting", None)
    assert f"{ITEM} is none; {RERUN} is unchallenged" in third.why
    assert (THIRD, "categories") not in differing


def test_an_airing_without_a_group_is_alone() -> None:
    labels = gold_labels([answer(11, N)], [asked(), asked(RERUN)], groups={})
    assert [(label.item_id, label.standing, label.group_id) for label in labels] == [
        (ITEM, "single", ITEM),
        (RERUN, "waiting", RERUN),
    ]


def test_answers_of_another_kind_or_to_what_was_not_asked_make_no_label() -> None:
    said = [answer(11, N, task_kind="ner"), answer(12, N, item="borealie/canal-un/never")]
    assert [label.standing for label in gold_labels(said, [asked()])] == ["waiting"]


def test_a_rule_under_which_two_answers_could_stand_is_refused() -> None:
    with pytest.raises(Permanent, match="beyond a half"):
        gold_labels([], [], rule=Rule(share=Fraction(1, 2)))
    assert one(people(C, C, N), 3, rule=Rule(share=Fraction(3, 4))).standing == "disputed"


def test_votes_are_those_of_the_standing_answers() -> None:
    said = [answer(11, U, categories=["b", "a"]), answer(12, C), answer(13, N), answer(14, None, state="skipped")]
    assert [vote.value for vote in votes_of(said, "assessment")] == [U, C, N]
    assert [vote.value for vote in votes_of(said, "categories")] == ["a,b", ""]
    with pytest.raises(Permanent, match="spans"):
        votes_of(said, "spans")


histories = st.lists(
    st.builds(
        lambda number, who, item, said, state, minute, chosen: answer(
            number,
            said if state == "submitted" else None,
            who=who,
            item=item,
            state=state,
            updated_at=BEGIN + timedelta(minutes=minute),
            categories=sorted(chosen) if said != N and state == "submitted" else [],
        ),
        st.integers(1, 12),
        st.integers(1, 5),
        st.sampled_from(list(GROUPS)),
        st.sampled_from([U, C, N]),
        st.sampled_from(["submitted", "submitted", "submitted", "skipped", "deleted"]),
        st.integers(0, 4),
        st.sets(st.sampled_from("ab")),
    ),
    max_size=16,
)
decisions = st.lists(
    st.builds(
        lambda n, item, said: decision(n, said, item=item),
        st.integers(1, 3),
        st.sampled_from(list(GROUPS)),
        st.sampled_from([U, N]),
    ),
    max_size=2,
)


@settings(max_examples=200, deadline=None)
@given(histories, decisions, st.integers(1, 3), st.integers(0, 10**6))
def test_the_order_of_what_comes_in_plays_no_part(
    said: list[Annotation], decided: list[Annotation], wanted: int, seed: int
) -> None:
    dice = random.Random(seed)
    mixed, turned = list(said), list(decided)
    dice.shuffle(mixed)
    dice.shuffle(turned)
    tasks = [asked(item) for item in GROUPS]
    people_wanted = dict.fromkeys(GROUPS, wanted)
    straight = gold_labels(said, tasks, wanted=people_wanted, groups=GROUPS, adjudications=decided)
    again = gold_labels([*mixed, *mixed], tasks[::-1], wanted=people_wanted, groups=GROUPS, adjudications=turned)
    assert straight == again


@settings(max_examples=200, deadline=None)
@given(histories, decisions, st.integers(1, 3))
def test_whatever_was_said_a_label_keeps_its_word(said: list[Annotation], decided: list[Annotation], wanted: int) -> None:
    labels = all_three(said, wanted, adjudications=decided)
    for (item, field), label in labels.items():
        votes = json.loads(label.votes)
        assert (label.value is None) == (label.standing in ("disputed", "waiting"))
        assert label.why.endswith(".")
        assert label.confidence is None
        for name in label.annotations:
            assert name in label.why
        if field == "categories":
            assert labels[item, "assessment"].value in (U, C)
            continue
        assert sum(votes.values()) == label.people
        if label.standing == "agreed":
            assert votes[label.value] >= 2
            assert 3 * votes[label.value] >= 2 * label.people
        if label.standing == "single":
            assert (label.people, wanted) == (1, 1)
        if label.standing == "propagated":
            assert label.people == 0
            sources = [labels[other, "assessment"] for other in GROUPS if other in label.why]
            assert {source.standing for source in sources} <= {"adjudicated", "agreed", "single"}
            assert {source.value for source in sources} == {label.value}
    assert {item for item, field in labels if field == "assessment"} == set(GROUPS)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([U, C, N]), min_size=2, max_size=6), st.permutations(range(6)), st.permutations(range(6)))
def test_neither_time_nor_numbers_decide_between_people(said: list[str], numbers: list[int], minutes: list[int]) -> None:
    told = [answer(n, value, who=n + 1) for n, value in enumerate(said)]
    other = [
        answer(10 + numbers[n], value, who=50 - n, updated_at=BEGIN + timedelta(minutes=minutes[n]))
        for n, value in enumerate(said)
    ]
    one_way, another = one(told, len(said)), one(other, len(said))
    assert (one_way.value, one_way.standing, one_way.votes) == (another.value, another.standing, another.votes)
