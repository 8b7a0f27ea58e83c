"""Which spans stand: the rule by table, the post as a whole, sentences, and properties over any marks of any people."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.labelling.findings import Rule
from climate_assets.labelling.records import Annotation, GoldLabel, LabellingTask
from climate_assets.labelling.span_gold import Mark, canonical_spans, marks_of, span_gold_labels

BEGIN = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
TEXT = "🌊 Maud Kerviel veut 2,5 GW d'e\u0301olien\nen mer à Brest"
ITEM, TWIN = "ecume/p1", "ecume/p7"
ADJUDICATION = 9


def mark(text: str, label: str, start: int | None = None) -> Mark:
    place = TEXT.index(text) if start is None else start
    return Mark(place, place + len(text), label, text)


M, F, P = mark("Maud Kerviel", "person"), mark("2,5 GW", "figure"), mark("Brest", "place")
SHORT, LONG = mark("Kerviel", "person"), mark("Maud Kerviel veut", "person")
ORG = M._replace(label="organisation")
NIL: tuple[Mark, ...] = ()


def answer(number: int, marks: Sequence[Mark] | None, item: str = ITEM, **changes: Any) -> Annotation:
    """What somebody marks; nothing by the box, and for none an answer that says nothing."""
    base = Annotation(
        project_id=6,
        annotation_id=number,
        updated_at=BEGIN + timedelta(minutes=number),
        task_id=1,
        item_id=item,
        country="borealie",
        task_kind="ner",
        annotator=number,
        state="submitted",
        assessment=None,
        categories=[],
        spans=canonical_spans(marks or ()),
        texts='{"nothing":["nothing"]}' if marks is not None and not marks else "{}",
        guideline="g1",
        suggested_by="",
        lead_seconds=30.0,
        created_at=BEGIN,
        source="api",
        result="[]",
    )
    return replace(base, **changes)


def asked(item: str = ITEM, key: str = "k", **changes: Any) -> LabellingTask:
    row = LabellingTask(
        item, "borealie", date(2026, 11, 20), "ecume", "b", key, "0", "all", 1.0, 0.5, "m", "", "g1", 6, 1, "ok", "", "ner"
    )
    return replace(row, **changes)


def one(said: Sequence[Annotation], wanted: int = 1, **more: Any) -> GoldLabel:
    [label] = span_gold_labels(said, [asked()], wanted={ITEM: wanted}, **more)
    return label


def stands(label: GoldLabel) -> list[tuple[str, str]] | None:
    return None if label.value is None else [(s["text"], s["label"]) for s in json.loads(label.value)]


@pytest.mark.parametrize(
    ("said", "wanted", "standing", "marks"),
    [
        ([], 1, "waiting", None),
        ([(M, F)], 1, "single", (M, F)),
        ([NIL], 1, "single", NIL),
        ([(M,)], 2, "waiting", None),
        ([None], 1, "waiting", None),
        ([None, (M,)], 1, "single", (M,)),
        ([(M, F), (F, M)], 2, "agreed", (M, F)),
        ([NIL, NIL], 2, "agreed", NIL),
        ([(M, F), (M,)], 2, "disputed", None),
        ([NIL, (M,)], 2, "disputed", None),
        ([(M, F), (M,), (M,)], 3, "agreed", (M,)),
        ([(M, F), (M, F), NIL], 3, "agreed", (M, F)),
        ([NIL, NIL, (M,)], 3, "agreed", NIL),
        # Half mark it and half do not.
        ([(M, F), (M, F), (M,), (M,)], 4, "disputed", None),
        # Another boundary or label of a span that stands is outvoted; where none stands, that there is one is agreed.
        ([(M,), (M,), (LONG,)], 3, "agreed", (M,)),
        ([(M,), (M,), (ORG,)], 3, "agreed", (M,)),
        ([(M,), (SHORT,), (LONG,)], 3, "disputed", None),
        ([(M, F), (SHORT, F), (F,)], 3, "disputed", None),
        ([(M,), (ORG,)], 2, "disputed", None),
        # Two of three are enough where nothing that the third could say changes it.
        ([(M, F), (M, F)], 3, "agreed", (M, F)),
        ([(M, F), (M,)], 3, "waiting", None),
        ([(M,), (M,)], 4, "waiting", None),
        ([(M,), (M,), (M,)], 4, "agreed", (M,)),
        ([(M, F, P), (M, F, P), (M, P), (M, P), (M, P), (M,)], 6, "agreed", (M, P)),
    ],
)
def test_the_rule(said: list[Any], wanted: int, standing: str, marks: tuple[Mark, ...] | None) -> None:
    label = one([answer(n, marks) for n, marks in enumerate(said, 11)], wanted)
    assert (label.standing, stands(label)) == (standing, None if marks is None else [(m.text, m.label) for m in sorted(marks)])
    assert label.field == "spans"
    assert label.task_kind == "ner"


def test_the_sentence_tells_the_votes_and_the_answers() -> None:
    label = one([answer(11, (M, F)), answer(12, (M,)), answer(13, (M,)), answer(14, None), answer(15, NIL, state="skipped")], 3)
    assert label.why == (
        "of 3 people (annotations 6/11, 6/12, 6/13) 3 mark 2-14 person, 1 marks 20-26 figure; 1 skipped it; "
        "1 sent it without a mark and without the box: 2-14 person."
    )
    assert json.loads(label.votes) == {"2-14 person": 3, "20-26 figure": 1}
    assert (label.people, label.annotations) == (3, ["6/11", "6/12", "6/13"])
    assert one([answer(11, NIL), answer(12, NIL)], 2).why == (
        "of 2 people (annotations 6/11, 6/12) 2 say that nothing is to be marked: nothing is marked."
    )
    disputed = one([answer(11, (M, F)), answer(12, (M,))], 2)
    assert disputed.why.endswith("for 20-26 figure neither marking nor leaving it has 2/3 of the people.")


def test_a_text_of_another_task_is_another_span() -> None:
    """Somebody edited the task between two answers: the same place is not the same span."""
    assert one([answer(11, (M,)), answer(12, (M._replace(text="Maud Kervile"),))], 2).standing == "disputed"


def test_an_adjudicator_decides_and_two_who_differ_do_not() -> None:
    said = [answer(11, (M, F)), answer(12, (M,))]
    first = answer(21, (M, F, P), project_id=ADJUDICATION)
    label = one([*said, first], 2, adjudications=[first])
    assert (label.standing, stands(label), label.people) == ("adjudicated", [(m.text, m.label) for m in (M, F, P)], 2)
    assert label.why.startswith("Decided by adjudication (annotation 9/21): 2-14 person, 20-26 figure, ")
    second = answer(22, (M,), project_id=ADJUDICATION)
    assert one(said, 2, adjudications=[first, second]).standing == "disputed"
    assert one(said, 2, adjudications=[answer(23, None, project_id=ADJUDICATION)]).standing == "disputed"
    assert one([], adjudications=[first]).standing == "adjudicated"


def test_posts_of_the_very_same_text_have_one_label() -> None:
    tasks = [asked(), asked(TWIN, state="skipped"), asked("ecume/p9", key="other")]
    labels = {label.item_id: label for label in span_gold_labels([answer(11, (M,)), answer(12, (M,))], tasks)}
    assert {item: (label.standing, label.group_id) for item, label in labels.items()} == {
        ITEM: ("agreed", ITEM),
        TWIN: ("propagated", ITEM),
        "ecume/p9": ("waiting", "ecume/p9"),
    }
    assert labels[TWIN].value == labels[ITEM].value
    assert labels[TWIN].why.startswith("Nobody labelled this post; the very same text as ecume/p1, where: of 2 people")
    assert labels[TWIN].annotations == ["6/11", "6/12"]
    differing = [answer(11, (M,)), answer(12, NIL, item="ecume/p8")]
    more = span_gold_labels(differing, [*tasks, asked("ecume/p8")])
    assert {label.item_id: label.standing for label in more}[TWIN] == "waiting"


def test_a_dispute_goes_nowhere() -> None:
    labels = span_gold_labels([answer(11, (M,)), answer(12, NIL)], [asked(), asked(TWIN)])
    assert [label.standing for label in labels] == ["disputed", "waiting"]


def test_of_one_person_the_newest_answer_counts_and_none_if_two_at_one_instant_differ() -> None:
    at = {"updated_at": BEGIN, "annotator": 5}
    assert stands(one([answer(11, (M,), **at), answer(12, (F,), annotator=5)])) == [("2,5 GW", "figure")]
    assert one([answer(11, (M,), **at), answer(12, (F,), **at)]).standing == "waiting"
    assert one([answer(11, (M,), **at), answer(12, (M,), **at)]).standing == "single"
    # The newest says nothing: what was marked before is taken back.
    assert one([answer(11, (M,), annotator=5), answer(12, None, annotator=5)]).standing == "waiting"


def test_chunks_are_left_alone() -> None:
    assert span_gold_labels([answer(11, (M,))], [asked(task_kind="misinfo")]) == []
    assert one([answer(11, (M,), task_kind="misinfo")]).standing == "waiting"


@pytest.mark.parametrize(("spans", "texts"), [("{", "{}"), ("[1]", "{}"), ('[{"start":1}]', "{}"), ("[]", "["), ("[]", "[]")])
def test_what_is_no_span_is_told(spans: str, texts: str) -> None:
    with pytest.raises(Permanent, match="annotation 6/11 cannot be read"):
        marks_of(answer(11, (), spans=spans, texts=texts))


def test_a_rule_by_which_two_answers_could_stand_is_refused() -> None:
    with pytest.raises(Permanent, match="beyond a half"):
        Rule(share=Fraction(1, 2))


marks = st.frozensets(st.sampled_from([M, F, P, SHORT, LONG, ORG]), max_size=4)


@given(st.lists(marks, max_size=7), st.integers(1, 7), st.randoms())
def test_what_stands_was_marked_by_two_thirds_and_order_decides_nothing(said: list[Any], wanted: int, chance: Any) -> None:
    answers = [answer(n, tuple(sorted(of))) for n, of in enumerate(said, 11)]
    label = one(answers, wanted)
    mixed = list(answers)
    chance.shuffle(mixed)
    assert one(mixed, wanted) == label
    assert (label.value is None) == (label.standing in ("waiting", "disputed"))
    if label.value is None:
        return
    found = [Mark(**span) for span in json.loads(label.value)]
    assert canonical_spans(found) == label.value
    for each in found:
        assert TEXT[each.start : each.end] == each.text
        assert sum(each in of for of in said) * 3 >= 2 * len(said)
    if len(said) > 1:
        # Whoever is still awaited could not have changed it.
        late = [*said, *[frozenset[Mark]()] * (max(wanted, len(said)) - len(said))]
        for each in {m for of in late for m in of} - set(found):
            if not any(each.meets(one) for one in found):
                assert sum(any(each.meets(m) for m in of) for of in late) * 3 <= len(late)


@given(st.lists(marks, min_size=2, max_size=6))
def test_who_agrees_with_everybody_changes_no_label_that_stands(said: list[Any]) -> None:
    answers = [answer(n, tuple(sorted(of))) for n, of in enumerate(said, 11)]
    label = one(answers, len(said))
    if label.standing == "agreed":
        agreeing = tuple(Mark(**span) for span in json.loads(label.value or "[]"))
        again = one([*answers, answer(99, agreeing)], len(said) + 1)
        assert (again.standing, again.value) == ("agreed", label.value)
