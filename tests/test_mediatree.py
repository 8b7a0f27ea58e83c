"""The client against real HTTP: the broadcaster with dialled faults, and scripted answers where it must be exact."""

import asyncio
import json
import logging
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from climate_assets.broadcast.answers import Fetched, items_of
from climate_assets.broadcast.completeness import completeness
from climate_assets.broadcast.dumps import dump_version
from climate_assets.broadcast.transcripts import decode
from climate_assets.countries import Country
from climate_assets.failures import Permanent, Transient
from demo.broadcaster import DEMO_PASSWORD, DEMO_USER, Broadcaster
from demo.faults import KINDS
from resources.mediatree import Conversation, Mediatree
from tests.broadcast.air import Air, countries, nordland, starts_of
from tests.broadcast.served import served

DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
COUNTRY, CHANNEL = nordland()
SECRET = "a-password-nobody-may-see"


class Waits:
    """Stands in for `sleep`: notes the seconds, waits none."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def talk(url: str, waits: Waits | None = None, **settings: Any) -> Conversation:
    defaults: dict[str, Any] = {
        "user": DEMO_USER,
        "password": DEMO_PASSWORD,
        "slice_seconds": 86_400 * 2,
        "answer_timeout": 5.0,
    }
    return Conversation(
        Mediatree(**{"url": url, **defaults, **settings}), sleep=waits or Waits(), now=lambda: NOW, jitter=lambda: 0.0
    )


def ranges(missing: tuple[str, ...]) -> list[tuple[datetime, datetime]]:
    found = []
    for entry in missing:
        since, until = entry.split(": ")[0].split("/")
        found.append((datetime.fromisoformat(since), datetime.fromisoformat(until)))
    return found


def lost_outside_missing(fetched: Fetched, country: Country, name: str, day: date) -> list[datetime]:
    channel = country.channel(name)
    chunks = decode(items_of(fetched.answers), country, channel, day, "v").chunks
    starts = [chunk.start for chunk in chunks]
    assert len(set(starts)) == len(starts), "a chunk came twice"
    there = {chunk.start: chunk.text for chunk in chunks}
    air = Air(words=3)
    for start, text in there.items():
        assert text == air.at(name, int(start.timestamp()))["plaintext"]
    away = ranges(fetched.missing)
    lost = set(starts_of(country, day)) - set(starts)
    return sorted(start for start in lost if not any(since <= start <= until for since, until in away))


# --- against the broadcaster


@pytest.fixture(scope="module")
def broadcaster() -> Iterator[tuple[Broadcaster, str]]:
    server = Broadcaster(Air(words=3))
    with served(server.app()) as url:
        yield server, url


@pytest.mark.parametrize(
    ("country", "channel", "day", "chunks"),
    [
        ("nordland", "canal-un", DAY, 720),
        ("nordland", "canal-un", date(2026, 3, 29), 690),
        ("nordland", "canal-un", date(2026, 10, 25), 750),
        ("westland", "canal-oeste", DAY, 720),
    ],
)
def test_a_whole_local_day_in_one_question(
    broadcaster: tuple[Broadcaster, str], country: str, channel: str, day: date, chunks: int
) -> None:
    server, url = broadcaster
    server.faults.dial({}, 1)
    there = countries()[country]
    fetched = talk(url).fetch_day(there, there.channel(channel), day)
    assert fetched.missing == ()
    (answer,) = fetched.answers
    start, end = (int(instant.timestamp()) for instant in there.day_bounds(day))
    asked = json.loads(answer.request)
    assert (asked["start_gte"], asked["start_lte"]) == (start - 300, end + 300)
    assert (asked["channel"], asked["type"], asked["size"]) == (channel, "s2t", "1000")
    assert answer.fetched_at == NOW
    assert lost_outside_missing(fetched, there, channel, day) == []
    assert len(decode(items_of(fetched.answers), there, there.channel(channel), day, "v").chunks) == chunks


def test_slices_give_the_same_version(broadcaster: tuple[Broadcaster, str]) -> None:
    server, url = broadcaster
    server.faults.dial({}, 1)
    whole, sliced = (talk(url, slice_seconds=s).fetch_day(COUNTRY, CHANNEL, DAY) for s in (172_800, 7_000))
    assert len(sliced.answers) == 13
    assert dump_version(whole.answers) == dump_version(sliced.answers)


def test_more_rows_than_a_page_are_split_until_they_fit(broadcaster: tuple[Broadcaster, str]) -> None:
    server, url = broadcaster
    server.faults.dial({}, 1)
    fetched = talk(url, page_size=100).fetch_day(COUNTRY, CHANNEL, DAY)
    assert fetched.missing == ()
    assert lost_outside_missing(fetched, COUNTRY, "canal-un", DAY) == []
    assert len(fetched.answers) > 8


def test_a_channel_is_asked_by_the_name_it_had(broadcaster: tuple[Broadcaster, str]) -> None:
    server, url = broadcaster
    server.faults.dial({}, 1)
    radio = COUNTRY.channel("radio-deux")
    for day, name in ((date(2026, 6, 30), "radio-deux"), (date(2026, 7, 1), "radiodeux")):
        fetched = talk(url).fetch_day(COUNTRY, radio, day)
        assert json.loads(fetched.answers[0].request)["channel"] == name
        assert len(decode(items_of(fetched.answers), COUNTRY, radio, day, "v").chunks) == 720


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_alone_ends_complete_or_named(broadcaster: tuple[Broadcaster, str], kind: str) -> None:
    server, url = broadcaster
    server.faults.dial({kind: 0.5}, 3, slow_seconds=8)
    server.faults.struck.clear()
    fetched = talk(url, slice_seconds=21_600, answer_timeout=0.6).fetch_day(COUNTRY, CHANNEL, DAY)
    assert lost_outside_missing(fetched, COUNTRY, "canal-un", DAY) == []
    assert server.faults.struck[kind] > 0


@pytest.mark.parametrize("seed", range(8))
def test_a_day_under_thirty_percent_faults_ends_complete_or_named(broadcaster: tuple[Broadcaster, str], seed: int) -> None:
    server, url = broadcaster
    server.faults.dial({"all": 0.3}, seed, slow_seconds=8)
    conversation = talk(url, slice_seconds=14_400, answer_timeout=1.0)
    with ThreadPoolExecutor(2) as pool:
        days = list(pool.map(lambda day: (day, conversation.fetch_day(COUNTRY, CHANNEL, day)), (DAY, date(2026, 10, 25))))
    for day, fetched in days:
        assert lost_outside_missing(fetched, COUNTRY, "canal-un", day) == []
        found = decode(items_of(fetched.answers), COUNTRY, CHANNEL, day, "v")
        assert found.refused == []
        complete = completeness(COUNTRY, CHANNEL, day, found.chunks, found.refused, fetched.missing)
        assert bool(complete.gaps) <= bool(complete.missing), "a gap that nothing explains"


def test_few_attempts_under_heavy_faults_name_what_they_lost(broadcaster: tuple[Broadcaster, str]) -> None:
    server, url = broadcaster
    server.faults.dial({"500": 0.3, "reset": 0.2, "truncated_json": 0.1, "capped": 0.1}, 5)
    fetched = talk(url, slice_seconds=7_200, max_attempts=1).fetch_day(COUNTRY, CHANNEL, DAY)
    assert fetched.missing
    assert fetched.answers
    assert lost_outside_missing(fetched, COUNTRY, "canal-un", DAY) == []
    assert any("HTTP 500 (1 attempts)" in entry for entry in fetched.missing)


def test_a_dead_server_names_the_day_not_an_empty_one(broadcaster: tuple[Broadcaster, str]) -> None:
    waits = Waits()
    fetched = talk("http://127.0.0.1:9", waits, max_attempts=4).fetch_day(COUNTRY, CHANNEL, DAY)
    assert fetched.answers == ()
    assert [entry.split(": ")[0] for entry in fetched.missing] == ["2026-11-19T22:55:00Z/2026-11-20T23:05:00Z"]
    assert "ConnectError" in fetched.missing[0]
    assert waits.seconds == [1, 2, 4]


def test_an_account_that_is_refused_stops_at_once(broadcaster: tuple[Broadcaster, str]) -> None:
    server, url = broadcaster
    server.faults.dial({}, 1)
    waits = Waits()
    with pytest.raises(Permanent, match="MEDIATREE_PASSWORD") as refused:
        talk(url, waits, password=SECRET).fetch_day(COUNTRY, CHANNEL, DAY)
    assert waits.seconds == []
    assert SECRET not in "".join(traceback.format_exception(refused.value))


def test_the_doctor_sees_whether_a_token_can_be_had(broadcaster: tuple[Broadcaster, str]) -> None:
    server, url = broadcaster
    server.faults.dial({}, 1)
    assert Mediatree(url=url, user=DEMO_USER, password=DEMO_PASSWORD).check().ok
    refused = Mediatree(url=url, user=DEMO_USER, password=SECRET).check()
    assert not refused.ok
    assert "401" in refused.found
    assert "MEDIATREE_URL" in refused.remedy
    assert SECRET not in repr(refused)
    assert not Mediatree(url="http://127.0.0.1:9", user="a", password="b").check().ok


def test_the_resource_itself_fetches(broadcaster: tuple[Broadcaster, str]) -> None:
    server, url = broadcaster
    server.faults.dial({}, 1)
    fetched = Mediatree(url=url, user=DEMO_USER, password=DEMO_PASSWORD).fetch_day(COUNTRY, CHANNEL, DAY)
    assert len(fetched.answers) == 5
    assert lost_outside_missing(fetched, COUNTRY, "canal-un", DAY) == []


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(Permanent, match="MEDIATREE_URL"):
        Mediatree(url="ftp://there", user="a", password="b").fetch_day(COUNTRY, CHANNEL, DAY)


# --- against scripted answers


class Script:
    """A server that answers question n with `answers[n]` (the last one for ever) and gives tokens token-0001, token-0002 ..."""

    def __init__(
        self, *answers: Callable[[dict[str, Any]], Response], refuse: Callable[[str], bool] = lambda token: False
    ) -> None:
        self.answers, self.refuse = answers, refuse
        self.questions: list[dict[str, Any]] = []
        self.tokens = 0
        self.sign_ins: list[Any] = []
        self.lock = threading.Lock()

    def app(self) -> Starlette:
        paths = (("/api/auth/token/", self.token), ("/api/subtitle/", self.subtitle))
        return Starlette(routes=[Route(path, answer, methods=["POST"]) for path, answer in paths])

    async def token(self, request: Request) -> Response:
        with self.lock:
            if self.sign_ins:
                return JSONResponse(self.sign_ins.pop())
            self.tokens += 1
            return JSONResponse({"data": {"access_token": f"token-{self.tokens:04}"}})

    async def subtitle(self, request: Request) -> Response:
        assert not request.url.query, "nothing may travel in the address"
        question = json.loads(await request.body())
        with self.lock:
            if self.refuse(question["token"]):
                return JSONResponse({"detail": f"no such token {question['token']}"}, 401)
            self.questions.append(question)
            return self.answers[min(len(self.questions), len(self.answers)) - 1](question)


def rows(question: dict[str, Any]) -> Response:
    since, until = (datetime.fromtimestamp(question[side], UTC) for side in ("start_gte", "start_lte"))
    found = Air(words=3).items("canal-un", since, until)
    return JSONResponse({"total_results": len(found), "number_pages": 1, "data": found})


def refusing(status: int, **headers: str) -> Callable[[dict[str, Any]], Response]:
    return lambda question: JSONResponse({"detail": "not now"}, status, headers)


def empty(question: dict[str, Any]) -> Response:
    return JSONResponse({"total_results": 0, "number_pages": 0, "data": []})


def fetched_from(script: Script, waits: Waits | None = None, **settings: Any) -> Fetched:
    with served(script.app()) as url:
        return talk(url, waits, **settings).fetch_day(COUNTRY, CHANNEL, DAY)


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "100000"}, 120),
        ({"Retry-After": format_datetime(NOW + timedelta(seconds=33), usegmt=True)}, 33),
        ({"Retry-After": format_datetime(NOW - timedelta(seconds=33), usegmt=True)}, 1),
        ({"Retry-After": "soon"}, 1),
        ({}, 1),
    ],
)
def test_retry_after_is_obeyed_within_reason(headers: dict[str, str], waited: float) -> None:
    waits = Waits()
    fetched = fetched_from(Script(refusing(429, **headers), rows), waits)
    assert (len(fetched.answers), fetched.missing) == (1, ())
    assert waits.seconds == [waited]


def test_retries_are_one_level_deep() -> None:
    script, waits = Script(refusing(503)), Waits()
    fetched = fetched_from(script, waits, max_attempts=5)
    assert len(script.questions) == 5
    assert waits.seconds == [1, 2, 4, 8]
    assert "HTTP 503 (5 attempts)" in fetched.missing[0]


@pytest.mark.parametrize("status", [400, 404, 302, 410])
def test_what_a_rerun_cannot_cure_is_asked_once_and_names_its_remedy(status: int) -> None:
    script = Script(refusing(status), rows)
    fetched = fetched_from(script, slice_seconds=29_000)
    assert len(script.questions) == 3
    assert len(fetched.answers) == 2
    assert f"HTTP {status}" in fetched.missing[0]
    assert "check" in fetched.missing[0]


def test_a_token_that_expires_in_mid_work_is_renewed_once_for_all_threads() -> None:
    refused = {"token-0001"}
    script = Script(rows, refuse=refused.__contains__)
    with served(script.app()) as url, ThreadPoolExecutor(6) as pool:
        conversation = talk(url)
        days = list(pool.map(lambda n: conversation.fetch_day(COUNTRY, CHANNEL, DAY + timedelta(days=n)), range(-6, 0)))
    assert all(len(day.answers) == 1 and not day.missing for day in days)
    assert script.tokens == 2


def test_a_token_that_is_always_refused_ends_in_missing() -> None:
    script = Script(rows, refuse=lambda token: True)
    fetched = fetched_from(script, max_attempts=3)
    assert "the token was refused (HTTP 401) (3 attempts)" in fetched.missing[0]
    assert script.tokens == 4  # the first one and one renewal a failure
    assert "token-0" not in repr(fetched)


def test_an_empty_answer_is_believed_only_when_repeated() -> None:
    script = Script(empty, rows)
    assert len(items_of(fetched_from(script).answers)) == 725
    script = Script(empty)
    fetched = fetched_from(script)
    assert (len(fetched.answers), fetched.missing) == (1, ())
    assert len(script.questions) == 3
    script = Script(empty, refusing(500), empty, refusing(500))
    assert "could not be confirmed" not in fetched_from(script, max_attempts=4).missing[0]
    assert "could not be confirmed" in fetched_from(Script(refusing(500), empty), max_attempts=2).missing[0]


def test_where_no_speech_is_expected_silence_is_believed_at_once() -> None:
    script = Script(empty)
    radio = COUNTRY.channel("radio-deux")
    with served(script.app()) as url:
        talk(url, slice_seconds=3_600).fetch_day(COUNTRY, radio, DAY)
    nights = [q for q in script.questions if q["start_lte"] < COUNTRY.monitored(radio, DAY)[0].timestamp()]
    assert len(nights) == len({q["start_gte"] for q in nights})
    script = Script(empty)
    with served(script.app()) as url:
        talk(url).fetch_day(COUNTRY, CHANNEL, NOW.date() + timedelta(days=3))
    assert len(script.questions) == 1


def test_an_answer_that_stays_cut_is_kept_and_named() -> None:
    def boasting(question: dict[str, Any]) -> Response:
        found = json.loads(bytes(rows(question).body))
        return JSONResponse({**found, "total_results": 437_000})

    script = Script(boasting)
    fetched = fetched_from(script)
    assert all("of 437000" in entry for entry in fetched.missing)
    assert lost_outside_missing(fetched, COUNTRY, "canal-un", DAY) == []
    assert len(script.questions) < 400
    away = sorted(ranges(fetched.missing))
    assert away[0][0] == datetime(2026, 11, 19, 22, 55, tzinfo=UTC)
    assert away[-1][1] == datetime(2026, 11, 20, 23, 5, tzinfo=UTC)
    assert all(one[1] == two[0] for one, two in pairwise(away))


def test_a_body_without_end_is_refused() -> None:
    fetched = fetched_from(Script(rows), max_bytes=10_000)
    assert "longer than 10000 bytes; lower slice_seconds" in fetched.missing[0]


def test_a_dripping_body_meets_one_deadline() -> None:
    async def drops() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" "
            await asyncio.sleep(0.05)

    fetched = fetched_from(Script(lambda question: StreamingResponse(drops())), max_attempts=2, answer_timeout=0.4)
    assert "the body was not whole after 0.4 s (2 attempts)" in fetched.missing[0]


@pytest.mark.parametrize("reply", [{}, {"data": None}, {"data": {"access_token": ""}}, {"data": {"access_token": 5}}, []])
def test_a_sign_in_without_token_is_tried_again(reply: Any) -> None:
    script, waits = Script(rows), Waits()
    script.sign_ins.append(reply)
    assert len(fetched_from(script, waits).answers) == 1
    assert waits.seconds == [1]


# --- the secret


def test_no_secret_leaves(caplog: pytest.LogCaptureFixture) -> None:
    def echo(question: dict[str, Any]) -> Response:
        return JSONResponse({"detail": f"bad question {json.dumps(question)} token={question['token']}&x=1 {SECRET}"}, 400)

    def echo_200(question: dict[str, Any]) -> Response:
        return JSONResponse({**json.loads(bytes(rows(question).body)), "question": question})

    with caplog.at_level(logging.DEBUG):
        refused = fetched_from(Script(echo), password=SECRET)
        echoed = fetched_from(Script(echo_200), password=SECRET)
    assert "HTTP 400" in refused.missing[0]
    for text in (repr(refused), repr(echoed), caplog.text):
        assert "token-0001" not in text
        assert SECRET not in text
    assert b"[redacted]" in echoed.answers[0].payload
    assert len(items_of(echoed.answers)) == 725
    settings = Mediatree(url="http://there", user="somebody", password=SECRET)
    assert SECRET not in repr(settings) + str(settings) + repr(Conversation(settings).__class__)


def test_a_broken_connection_does_not_carry_the_request() -> None:
    def reset(question: dict[str, Any]) -> Response:
        return Response(b"{", headers={"Content-Length": "500"})

    script = Script(reset)
    with served(script.app()) as url:
        conversation = talk(url, max_attempts=1)
        assert "RemoteProtocolError" in conversation.fetch_day(COUNTRY, CHANNEL, DAY).missing[0]
        with pytest.raises(Transient) as broken:
            conversation._once({"channel": "canal-un", "start_gte": 0, "start_lte": 1})
    assert broken.value.__cause__ is None
    assert broken.value.__context__ is None


ANYBODY = talk("http://there")


@given(st.from_regex(r"[A-Za-z0-9._~+/=%-]+", fullmatch=True))
def test_a_token_in_an_address_is_taken_out(token: str) -> None:
    cleaned = ANYBODY._clean(f"GET https://there/api/?channel=a&token={token}&x=1 failed")
    assert cleaned == "GET https://there/api/?channel=a&token=[redacted]&x=1 failed"
