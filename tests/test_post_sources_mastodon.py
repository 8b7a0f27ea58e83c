"""The client of Mastodon's protocol against a real server: order, pauses, refusals, limits."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from climate_assets.countries import is_here
from climate_assets.failures import Permanent, Transient
from climate_assets.posts.source_lines import Asked
from resources.post_sources import Piece
from resources.post_sources_mastodon import Limits, MastodonSource, pause_after
from tests.fake_time import START, FakeTime
from tests.mastodon_server import Served, serving, status

AT = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)
ASKED = Asked("pouet", "borealie", UTC, ("éolien",), AT - timedelta(hours=10), AT + timedelta(hours=14))


@pytest.fixture
def served() -> Iterator[Served]:
    with serving(Served()) as server:
        server.statuses["eolien"] = [status(AT + timedelta(seconds=n), f"<p>#eolien {n}</p>") for n in range(100)]
        yield server


def source(served: Served, time: FakeTime | None = None, **limits: Any) -> MastodonSource:
    return MastodonSource(served.url, Limits(**limits), (time or FakeTime()).clock())


def texts(pieces: Iterator[Piece]) -> list[str]:
    return [one["content"] for piece in pieces for one in reversed(json.loads(piece.content()))]


EVERY = [f"<p>#eolien {n}</p>" for n in range(100)]


def test_every_post_of_the_period_comes_once_and_in_order(served: Served) -> None:
    outside = [status(AT - timedelta(days=2), "<p>before</p>"), status(AT + timedelta(days=2), "<p>after</p>")]
    served.statuses["eolien"] += outside
    assert texts(source(served).posts(ASKED, "eolien", "")) == EVERY


def test_a_reading_goes_on_after_the_cursor_of_any_page(served: Served) -> None:
    pages = list(source(served).posts(ASKED, "eolien", ""))
    for number, page in enumerate(pages, 1):
        assert texts(source(served).posts(ASKED, "eolien", page.cursor)) == EVERY[40 * number :]


def test_keywords_are_asked_for_as_hashtags() -> None:
    assert MastodonSource("https://pouet.example").streams(["Énergie verte", "énergie-verte", "éolien"]) == [
        "energieverte",
        "eolien",
    ]


def iso(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def test_the_limit_of_a_server_is_waited_for(served: Served) -> None:
    time = FakeTime()
    served.headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": iso(30)}
    assert texts(source(served, time).posts(ASKED, "eolien", "")) == EVERY
    assert time.sleeps == [30.0]
    served.faults = [(429, {"Retry-After": "50"}, b"")]
    served.headers, time = {}, FakeTime()
    assert texts(source(served, time).posts(ASKED, "eolien", "")) == EVERY
    assert time.sleeps == [50.0]


def test_a_long_pause_ends_the_reading_and_is_told(served: Served) -> None:
    time = FakeTime()
    served.headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": iso(300)}
    reading = source(served, time).posts(ASKED, "eolien", "")
    assert next(reading).cursor
    with pytest.raises(Transient, match="pause of 300 s") as told:
        next(reading)
    assert told.value.retry_after == 300
    assert len(served.asked) == 1
    assert not time.sleeps


@pytest.mark.parametrize(
    ("code", "headers", "seconds"),
    [
        (200, {}, 0.0),
        (200, {"x-ratelimit-remaining": "7", "x-ratelimit-reset": iso(30)}, 0.0),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": iso(-5)}, 0.0),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, 60.0),
        (429, {}, 60.0),
        (429, {"retry-after": "7", "x-ratelimit-reset": iso(9)}, 9.0),
        (429, {"retry-after": "-1"}, 0.0),
        (429, {"retry-after": "nan"}, 60.0),
        (503, {"retry-after": "12"}, 12.0),
    ],
)
def test_the_pause_a_server_wants(code: int, headers: dict[str, str], seconds: float) -> None:
    assert pause_after(code, headers, START) == seconds


LATER, NEVER = Transient, Permanent


@pytest.mark.parametrize(
    ("code", "headers", "body", "raised", "said", "questions"),
    [
        (503, {}, b"", LATER, "HTTP 503", 3),
        (500, {}, b"<html>", LATER, "HTTP 500", 3),
        (404, {}, b'{"error": "a secret of theirs"}', NEVER, "HTTP 404", 1),
        (401, {}, b'{"error": "no"}', NEVER, "without an account", 1),
        (200, {}, b"<html>hello</html>", LATER, "no JSON", 3),
        (200, {}, b'{"a": 1}', LATER, "no list", 3),
        (200, {}, b"[" * 100_000, LATER, "no JSON", 3),
        (200, {}, b"[1" + b",1" * 5000 + b"]", LATER, "no list", 3),
        (302, {"Location": "http://169.254.169.254/latest/meta-data/"}, b"", NEVER, "redirects to '169.254.169.254'", 1),
        (307, {"Location": "http://127.0.0.1:1/"}, b"", NEVER, "not followed", 1),
        (200, {"Content-Encoding": "gzip"}, b"[]", NEVER, "packed", 1),
        (200, {}, b"[" + b" " * 2_000_000 + b"]", NEVER, "bytes", 1),
        (200, {"X-RateLimit-Reset": "x" * 5000, "Link": "<" * 5000}, b"[]", None, "", 1),
    ],
)
def test_trouble_is_told_and_never_quoted(
    served: Served, code: int, headers: dict[str, str], body: bytes, raised: type[Exception] | None, said: str, questions: int
) -> None:
    served.fails_after, served.failing = 0, (code, headers, body)
    reading: Callable[[], list[Piece]] = lambda: list(source(served, page_bytes=1_000_000).posts(ASKED, "eolien", ""))  # noqa: E731
    if raised is None:
        assert reading() == []
    else:
        with pytest.raises(raised, match=said) as told:
            reading()
        assert "secret" not in str(told.value)
    assert len(served.asked) == questions


def test_a_server_that_gives_the_same_for_ever_is_left(served: Served) -> None:
    served.ignores_min_id = True
    reading = source(served).posts(replace(ASKED, since=AT), "eolien", "")
    assert len(json.loads(next(reading).content())) == 40
    with pytest.raises(Transient, match="not newer"):
        next(reading)


@pytest.mark.parametrize("limits", [{"pages": 2}, {"bytes": 20_000}])
def test_a_reading_has_limits_and_goes_on_later(served: Served, limits: dict[str, Any]) -> None:
    reading, seen = source(served, **limits).posts(ASKED, "eolien", ""), list[Piece]()
    with pytest.raises(Transient, match="a later run goes on"):
        # What came before the trouble is kept.
        seen.extend(iter(reading))
    assert 0 < len(seen) <= 2
    assert texts(iter(seen)) + texts(source(served).posts(ASKED, "eolien", seen[-1].cursor)) == EVERY


def test_what_is_no_status_stops_nothing(served: Served) -> None:
    hostile = [{"id": str(int(served.statuses["eolien"][3]["id"]) + 1), "created_at": {"a": []}, "account": 5}]
    served.statuses["eolien"] += hostile
    assert len([one for piece in source(served).posts(ASKED, "eolien", "") for one in json.loads(piece.content())]) == 101


@pytest.mark.parametrize("inside", ["10.0.0.7", "127.0.0.1", "169.254.169.254", "::1", "fd00::1"])
def test_a_name_that_leads_inside_is_not_connected_to(inside: str) -> None:
    time = FakeTime()
    trapped = MastodonSource("https://pouet.example", clock=time.clock(), resolver=lambda host, port: [inside])
    with pytest.raises(Permanent, match=r"pouet\.example is at"):
        list(trapped.posts(ASKED, "eolien", ""))


@pytest.mark.parametrize(("host", "here"), [("localhost", True), ("127.0.0.9", True), ("::1", True), ("pouet.example", False)])
def test_this_machine_is_known_by_its_names(host: str, here: bool) -> None:
    assert is_here(host) is here
