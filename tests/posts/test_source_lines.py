"""Every line is a post, passed over, or refused with its number and reason; no author's name gets in."""

import dataclasses
import json
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.posts import source_lines
from climate_assets.posts.source_lines import Asked, Lines, keywords_in, plain_text, posts_of_lines, pseudonym
from demo.posts.written import source_lines as written_lines
from demo.posts.written import written_posts

KEY = b"sixteen bytes or more"
FETCHED = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
ASKED = Asked("ecume", "borealie", ZoneInfo("Europe/Paris"))
GOOD = {
    "id": "p1",
    "author": "lou_des_dunes",
    "published_at": "2026-11-20T23:30:00Z",
    "lang": "fr-FR",
    "text": "L'éolien 🌊 à Brest",
    "url": "https://ecume.example/p/p1?a=1#x",
    "likes": 4,
}


def lines(*said: Any, asked: Asked = ASKED) -> Lines:
    rows = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in said]
    return posts_of_lines(b"\n".join(rows), asked, FETCHED, KEY)


def test_a_post_says_all_it_is() -> None:
    (post,) = lines(GOOD, asked=dataclasses.replace(ASKED, keywords=["eolien", "gaz"])).posts
    assert (post.post_id, post.source, post.country, post.lang) == ("ecume/p1", "ecume", "borealie", "fr")
    assert post.published_at == datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert post.day == date(2026, 11, 21), "days are the country's own"
    assert (post.keywords, post.text, post.url) == (["eolien"], GOOD["text"], GOOD["url"])
    assert (post.fetched_at, len(post.content_sha256)) == (FETCHED, 64)


def test_an_author_is_a_pseudonym_that_needs_the_key() -> None:
    (post,) = lines(GOOD).posts
    assert "lou" not in repr(dataclasses.replace(post, text=""))
    assert post.author == pseudonym("ecume", "lou_des_dunes", KEY)
    assert len({pseudonym("ecume", "lou", KEY), pseudonym("autre", "lou", KEY), pseudonym("ecume", "lou", KEY * 2)}) == 3


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"id": None}, "`id` is missing"),
        ({"id": 12}, "`id` is 12"),
        ({"id": "a b"}, "printable ASCII"),
        ({"id": "x" * 201}, "201 characters"),
        ({"author": ""}, "`author` is ''"),
        ({"author": ["lou"]}, "where a text is needed"),
        ({"lang": "français"}, "no language"),
        ({"text": "\u202e \n"}, "empty"),
        ({"text": "x" * 10_001}, "10001 characters"),
        ({"text": {"fr": "x"}}, "where a text is needed"),
        ({"published_at": 1700000000}, "no ISO 8601"),
        ({"published_at": "2026-11-20T10:00:00"}, "no offset"),
        ({"published_at": "20 novembre"}, "no ISO 8601"),
        ({"published_at": "2026-02-30T10:00:00Z"}, "no ISO 8601"),
        ({"published_at": "0001-01-01T00:00:00+14:00"}, "no ISO 8601"),
        ({"published_at": "1970-01-01T00:00:00Z"}, "outside 2006"),
        ({"published_at": "2026-11-22T05:00:01Z"}, "outside 2006"),
        ({"url": "javascript:alert(1)"}, "no public http"),
        ({"url": 'https://x.example/"onload'}, "no address"),
        ({"url": "https://user:secret@x.example/"}, "no public http"),
        ({"url": "https://[x"}, ""),
        ({"url": "https://x.example/" + "a" * 2000}, "no address"),
    ],
)
def test_a_wrong_field_refuses_its_line_and_no_other(change: dict[str, Any], why: str) -> None:
    found = lines({**GOOD, "id": "first"}, {**GOOD, **change}, {**GOOD, "id": "third"})
    assert [post.post_id for post in found.posts] == ["ecume/first", "ecume/third"]
    (refused,) = found.refused
    assert refused.number == 2
    assert why in refused.reason
    assert len(refused.reason) < 300


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "no JSON"),
        (b"[1]", "a list, not an object"),
        (b"\xff\xfe", "no JSON"),
        (b'{"id": "\\ud800"}', "no JSON"),
        (b'"' + b"x" * 70_000 + b'"', "70002 bytes"),
        (b"[" * 60_000, "no JSON"),
    ],
)
def test_a_line_that_is_no_object_is_refused(line: bytes, why: str) -> None:
    found = lines(line, GOOD)
    assert (len(found.posts), found.refused[0].number) == (1, 1)
    assert why in found.refused[0].reason


def test_a_second_post_of_one_id_is_refused_and_says_which_came_first() -> None:
    found = lines(GOOD, GOOD, {**GOOD, "text": "autre chose"})
    assert [r.reason for r in found.refused] == [
        "ecume/p1 stands on line 1 already, with the same text",
        "ecume/p1 stands on line 1 already, with another text",
    ]


def test_keywords_and_period_pass_over_and_count() -> None:
    period = dataclasses.replace(
        ASKED,
        keywords=["éolien"],
        since=datetime(2026, 11, 20, tzinfo=UTC),
        until=datetime(2026, 11, 20, 23, 30, tzinfo=UTC),
    )
    found = lines(
        {**GOOD, "published_at": "2026-11-20T23:29:59Z"},
        {**GOOD, "id": "p2"},
        {**GOOD, "id": "p3", "published_at": "2026-11-19T23:59:59Z"},
        {**GOOD, "id": "p4", "published_at": "2026-11-20T12:00:00Z", "text": "le gaz"},
        b"",
        b"{",
        asked=period,
    )
    assert [post.post_id for post in found.posts] == ["ecume/p1"]
    assert (found.passed_over, found.blank, len(found.refused)) == (3, 1, 1)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("L'ÉOLIEN, en mer !", ["eolien", "éolien en mer"]),
        ("#eolien", ["eolien"]),
        ("éoliennes", []),
        ("eolien\nen mer", ["eolien", "éolien en mer"]),
        ("🌊", []),
    ],
)
def test_keywords_are_whole_words(text: str, found: list[str]) -> None:
    assert keywords_in(text, ["éolien en mer", "eolien", "eolien", "", "🌊"]) == found


def test_a_plain_text_is_harmless_and_keeps_its_letters() -> None:
    assert plain_text("a\r\nb\rc\x00\x1b[31m\u202ed\ufeff👩🏽‍🔬e\u0301") == "a\nb\nc  [31md👩🏽‍🔬e\u0301"


@given(st.text(max_size=60))
def test_plain_is_plain_already(text: str) -> None:
    once = plain_text(text)
    assert plain_text(once) == once
    once.encode("utf-8")


@given(st.lists(st.one_of(st.binary(max_size=40), st.just(json.dumps(GOOD).encode()), st.just(b" ")), max_size=12))
def test_no_line_is_lost(rows: list[bytes]) -> None:
    content = b"\n".join(row.replace(b"\n", b"") for row in rows) + b"\n"
    found = posts_of_lines(content, ASKED, FETCHED, KEY)
    counted = len(found.posts) + len(found.refused) + found.passed_over + found.blank
    assert counted == (content.removeprefix(b"\xef\xbb\xbf").count(b"\n"))


@pytest.mark.parametrize(
    ("asked", "key", "fetched_at", "why"),
    [
        (dataclasses.replace(ASKED, source="A/B"), KEY, FETCHED, "no short name"),
        (ASKED, b"short", FETCHED, "5 bytes"),
        (ASKED, KEY, datetime(2026, 11, 21), "no UTC"),
    ],
)
def test_what_cannot_be_used_at_all_is_refused(asked: Asked, key: bytes, fetched_at: datetime, why: str) -> None:
    with pytest.raises(Permanent, match=why):
        posts_of_lines(b"", asked, fetched_at, key)


def test_a_file_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_lines, "MOST_BYTES", 3)
    with pytest.raises(Permanent, match="4 bytes; 3 are read"):
        posts_of_lines(b"{}\n\n", ASKED, FETCHED, KEY)


def test_the_written_posts_are_all_read_with_their_text() -> None:
    written = written_posts()
    found = posts_of_lines(written_lines(written), ASKED, FETCHED, KEY)
    assert (found.refused, found.passed_over, found.blank) == ((), 0, 0)
    assert [(p.post_id, p.lang, p.text) for p in found.posts] == [(w.post_id, w.lang, w.text) for w in written]
