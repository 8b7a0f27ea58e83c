"""Statuses as lines: what a reader sees of their HTML, and places that are kept."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.posts.statuses import id_at, id_order, lines_of_statuses, newest_id, statuses_of, text_of_html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Un parc <b>éolien</b></p>", "Un parc éolien"),
        ("<p>un</p><p>deux</p>", "un\n\ndeux"),
        ("un<br>deux<br/>trois", "un\ndeux\ntrois"),
        ("&lt;script&gt; &amp;amp; &eacute;", "<script> &amp; é"),
        ("a<script>alert('x')</script>b<style>p{}</style>c", "abc"),
        ('<a href="javascript:x" onclick="y">lien</a>', "lien"),
        ('<a href="#"><span class="invisible">https://</span>a.example</a>', "https://a.example"),
        ("  a\t \xa0 b  ", "a b"),
        ("a < b", "a < b"),
        ("<!-- a -->b", "b"),
        ("<ul><li>un</li><li>deux</li></ul>", "un\n\ndeux"),
        ("", ""),
    ],
)
def test_text_of_html(html: str, text: str) -> None:
    assert text_of_html(html) == text


@given(st.text(max_size=200))
def test_any_html_is_read_and_ends_without_white_space(html: str) -> None:
    text = text_of_html(html)
    assert text == text.strip()
    assert "\n\n\n" not in text


@given(st.text(alphabet=st.characters(exclude_characters="<&\xa0", exclude_categories=["C", "Z"]), max_size=80))
def test_text_without_markup_is_left_alone(text: str) -> None:
    assert text_of_html(text) == text.strip()


def test_what_is_no_status_keeps_its_place() -> None:
    page = [1, None, {"id": "7", "account": {"acct": "a@b"}, "content": "<p>x</p>", "language": None, "created_at": "t"}]
    lines = [orjson.loads(line) for line in lines_of_statuses(orjson.dumps(page)).splitlines()]
    assert lines[:2] == [1, None]
    assert lines[2] == {"id": "7", "author": "a@b", "published_at": "t", "lang": "und", "text": "x", "url": None}


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"null", b"[" * 5000, b"[1" + b",1" * 1000 + b"]"])
def test_what_is_no_page_is_refused(content: bytes) -> None:
    with pytest.raises(Permanent):
        statuses_of(content)


@given(st.datetimes(datetime(2007, 1, 1), datetime(2090, 1, 1)), st.timedeltas(timedelta(milliseconds=2), timedelta(days=9)))
def test_numbers_are_in_the_order_of_time(at: datetime, later: timedelta) -> None:
    at = at.replace(tzinfo=UTC)
    assert id_order(id_at(at)) < id_order(id_at(at + later))


@pytest.mark.parametrize(
    ("ids", "newest"),
    [([], "50"), (["9", "100"], "100"), (["7"], "50"), (["../../x", 900, None, "1" * 50], "50"), (["51"], "51")],
)
def test_newest_id(ids: list[object], newest: str) -> None:
    assert newest_id([{"id": one} for one in ids] + [5], "50") == newest
