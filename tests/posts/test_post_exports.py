"""Both export shapes give the same answers back; what is hostile or torn is set aside with its reason, alone."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.posts import post_exports
from climate_assets.posts.post_exports import read_export
from climate_assets.posts.post_tasks import Prediction, post_task
from tests.posts.cases import SPANS, entity, post


def region(start: int, end: int, text: str, label: object = "person", **more: Any) -> dict[str, Any]:
    value = {"start": start, "end": end, "text": text, "labels": [label]}
    return {"id": "r", "from_name": "label", "to_name": "text", "type": "labels", "value": value, **more}


NAMED = region(2, 14, "Maud Kerviel", origin="manual")


def answer(number: int = 31, result: Any = (NAMED,), **more: Any) -> dict[str, Any]:
    base = {"id": number, "completed_by": {"id": 5, "email": "x@y.example"}, "was_cancelled": False, "lead_time": 12.5}
    return {
        **base,
        "result": list(result) if isinstance(result, tuple) else result,
        "updated_at": "2026-11-20T20:00:00Z",
        **more,
    }


def asked() -> dict[str, Any]:
    of = post()
    return {"id": 77, **post_task(of, [Prediction("ner-2", 0.5, [entity(of, s) for s in SPANS])], "g")}


def full(*answers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**asked(), "annotations": list(answers), **more}


def stored(one: dict[str, Any]) -> dict[str, Any]:
    task = asked()
    del task["annotations"]
    return {**one, "task": task}


def read(record: Any) -> post_exports.Export:
    return read_export(json.dumps(record).encode())


def test_both_shapes_say_the_same() -> None:
    one, two = answer(), answer(32, (), completed_by=6, was_cancelled=True, lead_time=None)
    of_tasks = read([full(one, two)])
    of_storage = read([stored(one), stored(two)])
    assert of_tasks.refused == of_storage.refused == []
    assert of_tasks.annotations == of_storage.annotations
    first, second = of_tasks.annotations
    assert (first.task_id, first.source_id, first.annotation_id, first.annotator) == (77, "ecume/p1", 31, 5)
    assert (first.completed_at, first.lead_seconds, first.was_cancelled) == ("2026-11-20T20:00:00Z", 12.5, False)
    assert first.spans == {SPANS[0]}
    assert first.model_spans == {"ner-2": frozenset(SPANS)}
    assert first.content_hash == post().content_sha256
    assert (second.was_cancelled, second.lead_seconds, second.spans) == (True, None, frozenset())


def test_one_stored_object_is_read_and_predictions_may_stand_beside_the_task() -> None:
    one = stored(answer())
    one["predictions"] = one["task"].pop("predictions")
    (found,) = read(one).annotations
    assert found.model_spans == {"ner-2": frozenset(SPANS)}


def test_a_task_nobody_answered_gives_nothing() -> None:
    assert read([full()]) == post_exports.Export()
    assert read([]) == post_exports.Export()


def test_the_box_for_nothing_is_an_empty_answer() -> None:
    box = {"from_name": "nothing", "to_name": "text", "type": "choices", "value": {"choices": ["nothing"]}}
    assert read([full(answer(result=[box]))]).annotations[0].spans == frozenset()
    assert "marks something" in read([full(answer(result=[box, NAMED]))]).refused[0].reason


def test_the_same_region_twice_is_one_and_neighbours_are_two() -> None:
    assert read([full(answer(result=[NAMED, NAMED]))]).annotations[0].spans == {SPANS[0]}
    halves = [region(2, 6, "Maud"), region(6, 14, " Kerviel")]
    assert len(read([full(answer(result=halves))]).annotations[0].spans) == 2


@pytest.mark.parametrize(
    ("result", "why"),
    [
        ([region(3, 15, "Maud Kerviel")], "count UTF-16 units"),
        ([region(2, 14, "<script>alert(1)</script>")], "not '<script>"),
        ([region(2, 14, "Maud Kerviel", "PER")], "none of person"),
        ([region(2, 14, "Maud Kerviel", 7)], "texts under"),
        ([region(-1, 3, "x")], "does not lie"),
        ([region(0, 10**30, "x")], ""),
        ([{**NAMED, "from_name": "sentiment"}], "none of this screen"),
        ([{**NAMED, "type": "choices"}], "none of this screen"),
        ([{**NAMED, "value": None}], "not an object"),
        ([{**NAMED, "value": {**NAMED["value"], "labels": ["person", "place"]}}], "needs one label"),
        ([{**NAMED, "value": {**NAMED["value"], "labels": []}}], "needs one label"),
        ([NAMED] * 501, "at most 500"),
        ("drop table", "no list"),
        ([[]], "not an object"),
    ],
)
def test_an_answer_that_cannot_be_read_whole_does_not_count(result: Any, why: str) -> None:
    export = read([full(answer(1, result), answer(2))])
    assert [a.annotation_id for a in export.annotations] == [2]
    (refused,) = export.refused
    assert refused.where == "record 0, annotation 1"
    assert why in refused.reason


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"id": None}, "id of the annotation"),
        ({"id": True}, "id of the annotation"),
        ({"id": 2**63}, "id of the annotation"),
        ({"completed_by": "x@y.example"}, "id of the annotator"),
        ({"was_cancelled": "no"}, "no truth value"),
        ({"updated_at": 5}, "no date"),
        ({"updated_at": "9" * 41}, "no date"),
    ],
)
def test_a_torn_answer_is_refused(changes: dict[str, Any], why: str) -> None:
    export = read([full(answer(**{"number": 1, **changes} if "id" not in changes else {}) | changes)])
    assert export.annotations == []
    assert why in export.refused[0].reason


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (7, "not an object"),
        ({"id": 1}, "neither a task"),
        ({**full(answer()), "data": None}, "`data` is a NoneType"),
        ({**full(answer()), "data": {"text": "x"}}, "belongs to no post"),
        ({**full(answer()), "data": {"text": 5, "source_id": "a"}}, "`data.text`"),
        ({**full(answer()), "data": {"text": "x" * 20_001, "source_id": "a"}}, "`data.text`"),
        ({**full(answer()), "annotations": {}}, "annotations is no list"),
        ({**full(answer()), "predictions": [3]}, "one of predictions"),
        ({"task": 3, "result": []}, "`task` is a int"),
    ],
)
def test_a_torn_record_is_refused_and_the_next_is_read(record: Any, why: str) -> None:
    export = read([record, full(answer())])
    assert len(export.annotations) == 1
    assert why in export.refused[0].reason
    assert export.refused[0].where == "record 0"


def test_a_prediction_that_cannot_be_read_takes_no_answer_with_it() -> None:
    record = full(answer())
    wrong = copy.deepcopy(record["predictions"][0])
    wrong["model_version"] = "ner-0"
    wrong["result"][0]["value"]["text"] = "Maud"
    record["predictions"] += [wrong, {"model_version": 3, "result": []}]
    export = read([record])
    assert export.annotations[0].model_spans == {"ner-2": frozenset(SPANS)}
    assert [r.where for r in export.refused] == ["record 0, prediction 1", "record 0, prediction 2"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": NaN}'])
def test_what_is_no_json_is_refused_whole(content: bytes) -> None:
    with pytest.raises(Permanent, match="no JSON"):
        read_export(content)


def test_sizes_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post_exports, "MOST_RECORDS", 1)
    with pytest.raises(Permanent, match="2 records; 1 are read"):
        read([full(), full()])
    monkeypatch.setattr(post_exports, "MOST_BYTES", 1)
    with pytest.raises(Permanent, match="2 bytes; 1 are read"):
        read([])


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda of: st.lists(of, max_size=3) | st.dictionaries(st.sampled_from([*NAMED, *NAMED["value"], *full()]), of, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("number", ["Infinity", "-Infinity", "NaN"])
def test_a_number_that_json_does_not_know_is_no_export(number: str) -> None:
    with pytest.raises(Permanent, match="no JSON"):
        read_export(f'[{{"id": {number}}}]'.encode())


@given(anything, anything, anything)
def test_nothing_crashes_the_reader(one: Any, two: Any, three: Any) -> None:
    for record in (one, full(answer(1, [{**NAMED, "value": one}]), answer(2, two)), {**stored(answer()), "task": three}):
        export = read_export(json.dumps([record], ensure_ascii=True).encode())
        for found in export.annotations:
            assert all(0 <= s.start < s.end <= len(found.text) for s in found.spans)
