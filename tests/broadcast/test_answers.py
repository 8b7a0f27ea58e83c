import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.broadcast.answers import Items, Unreadable, items_of, read_answer
from climate_assets.broadcast.records import Answer
from climate_assets.failures import Permanent


def body(**fields: object) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"<html>maintenance</html>", "not a JSON object"),
        (b"[1, 2]", "not a JSON object"),
        (b'{"total_results": 3, "data": [{"start": 1', "not whole JSON"),
        (b'{"data": "\xc3', "not whole JSON"),
        (b"{" + b'"a":[' * 200_000, "not whole JSON"),
        (body(total_results=0), "`data` is missing"),
        (body(data=None), "`data` is missing"),
        (body(data={"0": {}}), "`data` is dict"),
        (body(data=[], total_results=[1]), "whole number"),
        (body(data=[], number_pages=-1), "whole number"),
        (body(data=[], total_results=True), "whole number"),
    ],
)
def test_what_is_no_answer_says_why(payload: bytes, said: str) -> None:
    read = read_answer(payload)
    assert isinstance(read, Unreadable)
    assert said in read.reason
    assert not read.token_refused


def test_an_empty_day_is_an_answer() -> None:
    assert read_answer(body(data=[], total_results=0, number_pages=0)) == Items([], 0, 0)


@pytest.mark.parametrize(
    "said", [{"error": "token expired"}, {"detail": "Unauthorized"}, {"message": "invalid TOKEN", "code": 7}]
)
def test_a_refused_token_is_noticed_behind_status_200(said: dict[str, object]) -> None:
    read = read_answer(body(**said))
    assert isinstance(read, Unreadable)
    assert read.token_refused


@pytest.mark.parametrize(
    ("total", "pages", "rows", "cut"),
    [
        (3, 1, 3, False),
        (None, None, 3, False),
        (4, 1, 3, True),
        ("4", 1, 3, True),
        (2, 1, 3, False),
        (3, 2, 3, True),
        (1000, 1, 1000, True),
    ],
)
def test_a_cut_answer_is_noticed(total: object, pages: object, rows: int, cut: bool) -> None:
    read = read_answer(body(data=[{}] * rows, total_results=total, number_pages=pages))
    assert isinstance(read, Items)
    assert read.is_cut(1000) is cut


@pytest.mark.parametrize(
    ("word", "kept"),
    [(b'"\\ud800x"', "\ud800x"), (b'"a\xe9b"', "a\udce9b"), (b'"\\u0000"', "\x00")],
)
def test_one_bad_word_does_not_cost_the_answer(word: bytes, kept: str) -> None:
    read = read_answer(b'{"data": [{"plaintext": ' + word + b'}, {"plaintext": "fine"}], "unknown": {"field": NaN}}')
    assert isinstance(read, Items)
    assert [item["plaintext"] for item in read.items] == [kept, "fine"]


@given(st.binary(max_size=300))
def test_any_bytes_are_an_answer_or_a_reason(payload: bytes) -> None:
    assert isinstance(read_answer(payload), Items | Unreadable)


def test_a_stored_payload_that_is_no_answer_is_never_an_empty_list() -> None:
    with pytest.raises(Permanent, match="fetch the day again"):
        items_of([Answer("{}", datetime(2026, 1, 1, tzinfo=UTC), "00", b"<html>")])
