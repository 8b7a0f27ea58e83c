"""One answer in every shape it comes in is the same row; what is hostile is set aside with its place; versions never mix."""

import hashlib
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.labelling.answer_fields import REGIONS, RESULT_BYTES, TEXT_LENGTH, safe
from climate_assets.labelling.answer_screens import LEGACY_CHOICE, NER, legacy_screen
from climate_assets.labelling.answers import (
    EPOCH,
    KEPT_BYTES,
    TOO_LARGE,
    Reading,
    SetAside,
    annotation_of,
    answers_of_export,
    answers_of_task,
)
from climate_assets.labelling.labelling_config import LEGACY_FIELDS
from climate_assets.labelling.records import Annotation
from tests.labelling.cases import QUOTE, TEXT, task

PROJECT = 7
READING = Reading(PROJECT, "borealie", "api")
AT = datetime(2026, 11, 21, 9, 30, 0, 123456, tzinfo=UTC)
START = TEXT.index(QUOTE)
LEGACY = "rien ne bouge sur le climat depuis mille ans"


def region(name: str, key: str, value: Any, **more: Any) -> dict[str, Any]:
    kind = {"choices": "choices", "text": "textarea", "labels": "labels"}[key]
    return {"id": f"{name}-1", "from_name": name, "to_name": "source_text", "type": kind, "value": {key: value, **more}}


def marked(start: int = START, text: str = QUOTE, label: str = "misinformation", name: str = "spans") -> dict[str, Any]:
    return region(name, "labels", [label], start=start, end=start + len(text), text=text)


CATEGORIES = [part.value for name, value in LEGACY_FIELDS for part in LEGACY_FIELDS[(name, value)] if part.field == "cards"][:2]
RESULT: list[dict[str, Any]] = [
    {**marked(label="suggested"), "origin": "prediction"},
    marked(label="misleading"),
    marked(),
    {"id": "h", "from_name": "heard", "to_name": "dialogue", "type": "paragraphlabels", "value": {"start": "0", "end": "1"}},
    region("assessment", "choices", ["challenged"]),
    region("category", "choices", CATEGORIES[::-1]),
    region("remarks", "text", ["À revoir 😀 :\nligne deux, 3 < 4 & on = off"]),
    region("sources", "text", ["https://exemple.org/a?b=1", "Le journal"]),
    region("debunk", "text", "Un seul texte"),
]


def made_task(**item: Any) -> dict[str, Any]:
    made = task()
    made["data"]["item"].update(item)
    return {
        "id": 41,
        "project": PROJECT,
        "data": made["data"],
        "predictions": [{"id": 5, "model_version": "student-2/training-7", "result": []}],
    }


def raw(result: Any = None, **changes: Any) -> dict[str, Any]:
    return {
        "id": 301,
        "task": 41,
        "project": PROJECT,
        "completed_by": 3,
        "created_username": "Ana Ribeau ana@redaction.example, 3",
        "created_ago": "2 minutes",
        "was_cancelled": False,
        "created_at": "2026-11-21T09:00:00Z",
        "updated_at": "2026-11-21T09:30:00.123456Z",
        "lead_time": 61.5,
        "parent_prediction": 5,
        "result": deepcopy(RESULT) if result is None else result,
        **changes,
    }


def row(result: Any = None, of: Any = None, **changes: Any) -> Annotation:
    made = annotation_of(raw(result, **changes), of or made_task(), READING)
    assert isinstance(made, Annotation), made
    return made


def aside(made: Annotation | SetAside) -> SetAside:
    assert isinstance(made, SetAside), made
    return made


def person() -> dict[str, Any]:
    return {"id": 3, "email": "ana@redaction.example", "first_name": "Ana", "last_name": "Ribeau"}


SHAPES: dict[str, Callable[[], Iterator[Annotation | SetAside]]] = {
    "API": lambda: answers_of_task({**made_task(), "annotations": [raw()]}, READING),
    "API, whole person": lambda: answers_of_task({**made_task(), "annotations": [raw(completed_by=person())]}, READING),
    "JSON export": lambda: answers_of_task({**made_task(), "drafts": [], "annotations": [raw(unique_id="u")]}, READING),
    "storage export": lambda: answers_of_export({**raw(completed_by=person()), "task": made_task()}, READING),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_an_answer_is_the_same_row_in_every_shape(shape: str) -> None:
    assert list(SHAPES[shape]()) == [row()]


def test_a_row_says_what_the_person_said_and_leaves_out_what_the_machine_did() -> None:
    made = row()
    assert (made.project_id, made.annotation_id, made.task_id, made.annotator) == (PROJECT, 301, 41, 3)
    assert made.item_id == "borealie/canal-un/2026-11-20T18:04:00Z"
    assert (made.updated_at, made.created_at) == (AT, datetime(2026, 11, 21, 9, tzinfo=UTC))
    assert (made.state, made.assessment, made.categories) == ("submitted", "challenged", sorted(CATEGORIES))
    spans = [
        {"start": START, "end": START + len(QUOTE), "label": label, "text": QUOTE} for label in ("misinformation", "misleading")
    ]
    assert json.loads(made.spans) == spans
    assert json.loads(made.texts) == {
        "remarks": ["À revoir 😀 :\nligne deux, 3 < 4 & on = off"],
        "sources": ["https://exemple.org/a?b=1", "Le journal"],
        "debunk": ["Un seul texte"],
    }
    assert (made.lead_seconds, made.suggested_by, made.source, made.task_kind) == (
        61.5,
        "student-2/training-7",
        "api",
        "misinfo",
    )
    assert made.guideline == made_task()["data"]["item"]["guideline"]
    assert json.loads(made.result) == RESULT
    assert "ana@" not in repr(made).lower()


@pytest.mark.parametrize(
    ("changes", "suggested"),
    [
        ({"parent_prediction": None}, "student-2/training-7"),  # a region came from the prediction
        ({"parent_prediction": None, "result": []}, ""),
        ({"parent_prediction": 99, "result": []}, "student-2/training-7"),
    ],
)
def test_where_an_answer_began(changes: dict[str, Any], suggested: str) -> None:
    made = annotation_of({**raw(), **changes}, {**made_task(), "predictions": []}, READING)
    assert isinstance(made, Annotation)
    assert made.suggested_by == suggested


def test_a_skipped_answer_says_nothing_and_keeps_its_result() -> None:
    made = row(was_cancelled=True)
    assert (made.state, made.assessment, made.categories, made.spans, made.texts) == ("skipped", None, [], "[]", "{}")
    assert json.loads(made.result) == RESULT


def test_an_empty_answer_is_an_answer() -> None:
    made = row([])
    assert (made.state, made.assessment, made.spans, made.texts, made.result) == ("submitted", None, "[]", "{}", "[]")


def test_offsets_are_characters_also_behind_astral_ones_and_line_breaks() -> None:
    text = "😀😀 on dit\nque le climat va bien 😀 toujours"
    start = text.index("que")
    of = made_task(plaintext=text)
    for told, label in (("que le climat", "misleading"), ("dit\nque", "misinformation"), ("dit\\nque", "misinformation")):
        plain = told.replace("\\n", "\n")
        place = text.index(plain)
        value = {"start": place, "end": place + len(plain), "text": told, "labels": [label]}
        (span,) = json.loads(row([{**marked(), "value": value}], of).spans)
        assert span == {"start": place, "end": place + len(plain), "label": label, "text": plain}
    in_page = {
        "start": "/text()[1]",
        "end": "/text()[1]",
        "globalOffsets": {"start": start, "end": start + 3},
        "labels": ["misleading"],
    }
    assert json.loads(row([{**marked(), "value": in_page}], of).spans)[0]["text"] == "que"


DEEP: Any = "x"
for _ in range(600):
    DEEP = [DEEP]


def remark(text: str) -> list[dict[str, Any]]:
    return [region("remarks", "text", [text])]


HOSTILE: dict[str, tuple[Any, str]] = {
    "script": (remark("<script>alert(1)</script>"), "field 'remarks' holds script"),
    "script in capitals, with a space": (remark("a < ScRiPt src=//x>"), "holds script"),
    "image that fails": (remark("<img src=x onerror=alert(1)>"), "holds script"),
    "handler in any tag": (remark("<b\nonmouseover = 'x'>"), "holds script"),
    "handler without a tag": (remark('" onerror="alert(1)'), "holds script"),
    "address that runs": ([region("sources", "text", ["javascript:alert(1)"])], "field 'sources' holds script"),
    "address with a tab inside": (remark("java\tscript:alert(1)"), "holds script"),
    "address with a zero-width inside": (remark("java\u200bscript:alert(1)"), "holds script"),
    "address in entities": (remark("&#106;avascript&colon;alert(1)"), "holds script"),
    "address in percents": (remark("%6Aavascript%3Aalert(1)"), "holds script"),
    "page in an address": (remark("data:text/html,x"), "holds script"),
    "entities of a script": (remark("&lt;script&gt;"), "holds script"),
    "frame": (remark("<iframe src=//x>"), "holds script"),
    "drawing": (remark("<svg/onload=x>"), "holds script"),
    "script in a note of a region": ([{**marked(), "meta": {"text": ["<script>"]}}], "field 'spans' holds script"),
    "script in the machine's region": ([{**RESULT[3], "value": {"text": "<script>"}}], "field 'heard' holds script"),
    "script in a key": ([{**marked(), "<script>": 1}], "holds script"),
    "script in an arrow": ([{"type": "relation", "from_id": "<script>"}], "field 'relation' holds script"),
    "null character": (remark("a\x00b"), "control character U+0000"),
    "escape character": (remark("a\x1b[31mb"), "control character U+001B"),
    "reordering mark": (remark("a\u202eb"), "control character U+202E"),
    "half a character": (remark("a\ud83db"), "control character U+D83D"),
    "text too long": (remark("x" * (TEXT_LENGTH + 1)), f"{TEXT_LENGTH} are read at most"),
    "result too large": ([region("remarks", "text", ["é" * 4000]) for _ in range(40)], "bytes"),
    "too many regions": ([marked()] * (REGIONS + 1), f"{REGIONS} are read at most"),
    "too many values": ([region("claims", "text", [str(n) for n in range(21)])], "21 values"),
    "too deep": ([{**marked(), "meta": DEEP}], "levels deep"),
    "no number": ([{**marked(), "score": float("nan")}], "JSON does not know"),
    "result is an object": ({"a": 1}, "not a list"),
    "result is a text": ("[]", "not a list"),
    "region is a list": ([[]], "region 0 is a list"),
    "value is a list": ([{**marked(), "value": []}], "not an object"),
    "region without a field": ([{"value": {}}], "names no field"),
    "field that is no text": ([{"from_name": ["spans"], "value": {}}], "names no field"),
    "unknown field": ([region("verdict", "choices", ["x"])], "no question of the screen is called 'verdict'"),
    "unknown value": ([region("assessment", "choices", ["maybe"])], "'assessment' has the value 'maybe'"),
    "unknown category": ([region("category", "choices", ["9_9"])], "'category'"),
    "unknown label": ([marked(label="lie")], "label 'lie'"),
    "two values of one": ([region("assessment", "choices", ["none", "challenged"])], "several values"),
    "two answers of one": (
        [region("assessment", "choices", ["none"]), region("assessment", "choices", ["challenged"])],
        "several",
    ),
    "choice that is a number": ([region("assessment", "choices", [1])], "not a list of texts"),
    "choice that is a text": ([region("assessment", "choices", "none")], "not a list of texts"),
    "text that is an object": ([region("remarks", "text", [{}])], "not a list of texts"),
    "choices where spans are": ([region("spans", "choices", ["none"])], "not a list of texts"),
    "span of other words": ([marked(text="le climat ne change pas du tout, jamais, et l homm")], "and the answer says"),
    "span shifted by one": ([marked(START + 1)], "of the text are"),
    "span behind the end": ([marked(len(TEXT) - 3)], "outside it"),
    "span before the start": ([marked(-5)], "start of a span"),
    "span of nothing": ([marked(text="")], "end of a span"),
    "span that is true": ([{**marked(), "value": {**marked()["value"], "start": True}}], "start of a span"),
    "span as a fraction": ([{**marked(), "value": {**marked()["value"], "start": 1.5}}], "start of a span"),
    "span that is huge": ([{**marked(), "value": {**marked()["value"], "end": 10**30}}], "end of a span"),
    "span as a text": ([{**marked(), "value": {**marked()["value"], "start": "231"}}], "start of a span"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_result_is_set_aside_with_its_place(case: str) -> None:
    result, reason = HOSTILE[case]
    refused = aside(annotation_of(raw(result), made_task(), READING))
    assert reason in refused.row.reason
    assert (refused.row.annotation_id, refused.row.task_id, refused.row.updated_at) == (301, 41, AT)
    assert_safe(refused)


@pytest.mark.parametrize("text", ["<", "< ", "on", "&", "%", "<a on", "&lt;", " onmouse"])
def test_a_long_text_of_signs_is_searched_and_read(text: str) -> None:
    long = (text * TEXT_LENGTH)[: TEXT_LENGTH - 1] + "."
    assert json.loads(row([region("claims", "text", [f"{n}{long[9:]}" for n in range(10)])]).texts)["claims"]


def assert_safe(refused: SetAside) -> None:
    """A reason that is harmless to show, and content that is kept whole under its hash, without people's names."""
    assert len(refused.row.reason) < 400
    assert all(letter.isprintable() for letter in refused.row.reason)
    assert not set(refused.row.reason) & set("<>`[]{}&\\")
    assert len(refused.content) <= KEPT_BYTES
    if len(refused.content) < KEPT_BYTES:
        assert hashlib.sha256(refused.content).hexdigest() == refused.row.sha256
    assert b"redaction.example" not in refused.content


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no id": ({"id": None}, "id of the annotation"),
    "id of zero": ({"id": 0}, "id of the annotation"),
    "id that is true": ({"id": True}, "id of the annotation"),
    "id too large": ({"id": 2**63}, "id of the annotation"),
    "id that is enormous": ({"id": 10**3000}, "id of the annotation"),
    "no time": ({"updated_at": None}, "updated_at"),
    "time without a zone": ({"updated_at": "2026-11-21T09:30:00"}, "updated_at"),
    "time of nowhere": ({"updated_at": "0001-01-01T00:00:00+23:00"}, "updated_at"),
    "time that is a number": ({"created_at": 1.0}, "created_at"),
    "time that is no time": ({"created_at": "<script>"}, "created_at"),
    "nobody": ({"completed_by": None}, "completed_by"),
    "somebody without a number": ({"completed_by": {"email": "a@redaction.example"}}, "completed_by"),
    "skipped, perhaps": ({"was_cancelled": "false"}, "was_cancelled"),
    "time taken below zero": ({"lead_time": -1}, "lead_time"),
    "time taken without end": ({"lead_time": float("inf")}, "lead_time"),
    "time taken as a text": ({"lead_time": "5"}, "lead_time"),
    "task of another": ({"task": 42}, "names task"),
    "project of another": ({"project": 8}, "is of project"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_annotation_is_set_aside(case: str) -> None:
    changes, reason = WRONG[case]
    refused = aside(annotation_of(raw(**changes), made_task(), READING))
    assert reason in refused.row.reason
    assert_safe(refused)


@pytest.mark.parametrize(
    ("of", "reason"),
    [
        (None, "without its task"),
        ([], "without its task"),
        ({"id": 41}, "no data.item"),
        ({**made_task(), "id": None}, "id of the task"),
        ({**made_task(), "data": {"item": "x"}}, "no data.item"),
        (made_task(id=""), "empty data.item.id"),
        (made_task(id=7), "data.item.id"),
        (made_task(id="a\nb"), "data.item.id"),
        (made_task(id="x" * 301), "data.item.id"),
        (made_task(country="outremer"), "of country 'outremer'"),
        (made_task(guideline=["x"]), "data.item.guideline"),
        (made_task(plaintext=None), "of the text"),
        ({**made_task(), "project": 8}, "the task is of project"),
    ],
)
def test_a_wrong_task_sets_its_answers_aside(of: Any, reason: str) -> None:
    refused = aside(annotation_of(raw(), of, READING))
    assert reason in refused.row.reason or "are not in the text" in refused.row.reason
    assert_safe(refused)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (answers_of_task("x", READING), "no task"),
        (answers_of_task({"annotations": {}}, READING), "no task"),
        (answers_of_task({**made_task(), TOO_LARGE: 9}, READING), "more than '9' bytes"),
        (answers_of_task({**made_task(), "annotations": ["x"]}, READING), "no object"),
        (answers_of_export([], READING), "no object"),
        (answers_of_export(raw(), READING), "without its task"),
    ],
)
def test_a_shape_that_is_none_is_one_thing_set_aside(made: Iterator[Annotation | SetAside], reason: str) -> None:
    (refused,) = made
    assert reason in aside(refused).row.reason
    assert_safe(aside(refused))


def test_a_bad_answer_keeps_the_ones_beside_it() -> None:
    bad = raw(remark("<script>"), id=302)
    made = list(answers_of_task({**made_task(), "annotations": [raw(), bad, raw(id=303)]}, READING))
    assert [type(one) for one in made] == [Annotation, SetAside, Annotation]


def test_a_thousand_answers_to_one_task_are_read_and_the_rest_told_of() -> None:
    many = [raw([], id=number) for number in range(1, 1003)]
    made = list(answers_of_task({**made_task(), "annotations": many}, READING))
    assert len(made) == 1001
    assert "1002 annotations" in aside(made[-1]).row.reason


def test_what_is_set_aside_is_the_same_at_each_reading() -> None:
    first = aside(annotation_of(raw(remark("<script>")), made_task(), READING))
    later = aside(annotation_of(raw(remark("<script>"), created_ago="3 hours"), made_task(), READING))
    assert first == later


def test_what_names_no_time_is_of_the_epoch_and_no_number_is_none() -> None:
    refused = aside(annotation_of({"id": "x"}, {"id": -3}, READING)).row
    assert (refused.updated_at, refused.annotation_id, refused.task_id) == (EPOCH, 0, 0)


POST = {"id": 41, "data": {"item": {"id": "ecume/p1", "plaintext": "🌊 Éoline ouvre à Port-Clair"}}}
POSTS = Reading(PROJECT, "borealie", "file", NER)
BOX = region("nothing", "choices", ["nothing"])


def named(start: int, text: str, label: str = "brand") -> dict[str, Any]:
    return marked(start, text, label, "label")


def test_a_post_has_spans_of_its_own_labels_only() -> None:
    made = annotation_of(raw([named(17, "Port-Clair", "place"), named(2, "Éoline")]), POST, POSTS)
    assert isinstance(made, Annotation)
    assert (made.task_kind, made.item_id, made.guideline, made.texts) == ("ner", "ecume/p1", "", "{}")
    assert json.loads(made.spans) == [
        {"start": 2, "end": 8, "label": "brand", "text": "Éoline"},
        {"start": 17, "end": 27, "label": "place", "text": "Port-Clair"},
    ]


@pytest.mark.parametrize(
    ("result", "spans", "texts"),
    [
        ([BOX], [], {"nothing": ["nothing"]}),
        ([], [], {}),  # a slip of the hand, or meant: it is kept and says nothing
        ([{**BOX, "value": {"choices": []}}], [], {}),
        ([named(2, "Éoline"), named(2, "Éoline")], ["Éoline"], {}),
        ([named(2, "Éo"), named(4, "line")], ["Éo", "line"], {}),
    ],
)
def test_a_post_with_nothing_in_it_says_so(result: list[Any], spans: list[str], texts: dict[str, Any]) -> None:
    made = annotation_of(raw(result), POST, POSTS)
    assert isinstance(made, Annotation)
    assert ([span["text"] for span in json.loads(made.spans)], json.loads(made.texts)) == (spans, texts)


@pytest.mark.parametrize(
    ("result", "why"),
    [
        ([named(2, "Éoline", "PERSON")], "PERSON"),
        ([named(2, "Éoline", "PER")], "none of its labels"),
        ([RESULT[4]], "assessment"),
        ([named(3, "Éoline")], "the answer says 'Éoline'"),  # counted in UTF-16 units, as browsers do
        ([BOX, named(2, "Éoline")], "nothing is marked, beside 1 marks"),
        ([region("label", "labels", ["brand", "place"], start=2, end=8, text="Éoline")], "one names one thing"),
        ([{**BOX, "value": {"choices": ["nothing", "all"]}}], "none of its answers"),
    ],
)
def test_what_no_answer_about_a_post_can_say_is_set_aside(result: list[Any], why: str) -> None:
    assert why in aside(annotation_of(raw(result), POST, POSTS)).row.reason


def legacy(dialect: Any, *result: dict[str, Any]) -> Annotation:
    of = {"id": 41, "data": {"item": {"id": "c0ffee", "country": "outremer", "plaintext": TEXT, "plaintext_whisper": LEGACY}}}
    made = annotation_of(raw(list(result), project=1), of, Reading(PROJECT, "borealie", "file", legacy_screen(dialect)))
    assert isinstance(made, Annotation), made
    return made


WAS_CORRECTED = "Was Misinformation Corrected?"


def choice(name: str, value: str) -> dict[str, Any]:
    return region(name, "choices", [value])


@pytest.mark.parametrize(
    ("dialect", "answered", "assessment", "texts"),
    [
        ("international", [("choice", "Correct")], "unchallenged", {}),
        ("international", [("choice", "Incorrect"), (WAS_CORRECTED, "corrected")], "challenged", {}),
        ("international", [("choice", "Incorrect"), (WAS_CORRECTED, "not_corrected")], "none", {}),
        ("international", [("choice", "Incorrect")], None, {LEGACY_CHOICE: ["Incorrect"]}),
        ("international", [("choice", "Correct"), ("Salient choice", "Salient")], "unchallenged", {"importance": ["salient"]}),
        (
            "international",
            [("choice", "Correct"), ("Case relevancy (optional)", "Corrected")],
            "unchallenged",
            {"corrected_live": ["yes"]},
        ),
        ("french", [("choice", "Correct"), (WAS_CORRECTED, "corrected")], "unchallenged", {"corrected_live": ["yes"]}),
        ("french", [("choice", "Correct"), (WAS_CORRECTED, "not_corrected")], "unchallenged", {"corrected_live": ["no"]}),
        ("french", [("choice", "Incorrect")], None, {LEGACY_CHOICE: ["Incorrect"]}),
        ("french", [("Case relevancy (optional)", "Salient")], None, {"importance": ["salient"]}),
        ("french", [("Double Annotation", "not_corrected")], None, {"second_reader": ["disagree"]}),
        ("french", [("speaker_choice", "Guest (not a politician)")], None, {"speaker_role": ["guest"]}),
    ],
)
def test_a_legacy_answer_is_told_in_todays_words(
    dialect: str, answered: list[tuple[str, str]], assessment: str | None, texts: dict[str, list[str]]
) -> None:
    made = legacy(dialect, *(choice(name, value) for name, value in answered))
    assert (made.assessment, json.loads(made.texts)) == (assessment, texts)


def test_legacy_spans_lie_in_either_text_and_cards_are_categories() -> None:
    made = legacy(
        "french",
        marked(LEGACY.index("climat"), "climat", "misleading", "misinformation"),
        marked(START, QUOTE, "misinformation", "misinformation"),
        marked(START, QUOTE, CATEGORIES[0], "cards"),
        region("claim", "text", ["un; deux"]),
        region("explanation", "text", ["parce que"]),
        region("comments_others", "text", ["autre"]),
    )
    assert [(span["label"], span["text"]) for span in json.loads(made.spans)] == [
        ("misleading", "climat"),
        ("misinformation", QUOTE),
    ]
    assert made.categories == [CATEGORIES[0]]
    assert json.loads(made.texts) == {"claims": ["un; deux"], "debunk": ["parce que"], "category_other": ["autre"]}


@pytest.mark.parametrize(
    ("dialect", "result"),
    [
        ("international", choice("Double Annotation", "corrected")),
        ("international", marked(START, QUOTE, CATEGORIES[0], "cards")),
        ("french", choice("Case relevancy (optional)", "Corrected")),
        ("french", choice("assessment", "none")),
    ],
)
def test_an_answer_of_the_other_dialect_is_set_aside(dialect: Any, result: dict[str, Any]) -> None:
    of = {"id": 41, "data": {"item": {"id": "c0ffee", "plaintext": TEXT}}}
    aside(annotation_of(raw([result]), of, Reading(PROJECT, "borealie", "file", legacy_screen(dialect))))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
named_regions = st.fixed_dictionaries(
    {
        "from_name": st.sampled_from(["spans", "assessment", "category", "remarks", "heard"]) | json_values,
        "value": st.fixed_dictionaries(
            {},
            optional={
                "choices": json_values,
                "text": json_values,
                "labels": json_values,
                "start": json_values,
                "end": json_values,
            },
        )
        | json_values,
    }
)


@given(
    st.lists(named_regions, max_size=4) | json_values, st.dictionaries(st.sampled_from(sorted(raw())), json_values, max_size=3)
)
def test_whatever_comes_is_a_row_or_is_set_aside(result: Any, changes: dict[str, Any]) -> None:
    made = annotation_of({**raw(), "result": result, **changes}, made_task(), READING)
    if isinstance(made, SetAside):
        assert made.row.reason
        assert all(letter.isprintable() for letter in made.row.reason)
    else:
        assert len(made.result) <= RESULT_BYTES
        (made.result + made.texts + made.spans).encode()


@given(json_values)
def test_whatever_comes_as_a_shape_raises_nothing(value: Any) -> None:
    for made in (
        answers_of_task(value, READING),
        answers_of_task({"id": 1, "annotations": value}, READING),
        answers_of_export(value, READING),
    ):
        for one in made:
            aside(one)


@given(st.text(max_size=200))
def test_spans_are_always_the_text_at_their_place(text: str) -> None:
    of = made_task(plaintext=text)
    for start in range(0, len(text), 7):
        made = annotation_of(raw([marked(start, text[start : start + 5])]), of, READING)
        for span in json.loads(made.spans) if isinstance(made, Annotation) else []:
            assert text[span["start"] : span["end"]] == span["text"]


@given(st.text(max_size=300))
def test_a_quoted_value_is_short_and_harmless(text: str) -> None:
    quoted = safe(text)
    assert len(quoted) <= 63
    assert quoted.isprintable()
    assert not set(quoted) & set('<>&"`[](){}:\\')
