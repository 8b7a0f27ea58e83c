import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.broadcast.transcripts import decode
from climate_assets.countries import Country
from climate_assets.failures import Permanent
from demo.broadcaster import DEMO_PASSWORD, DEMO_USER, Broadcaster, source_named
from demo.faults import BENT, KINDS, Faults
from demo.fixed_items import FixedItems
from tests.broadcast.air import Air
from tests.broadcast.served import served

SIGN_IN = {"grant_type": "password", "username": DEMO_USER, "password": DEMO_PASSWORD}
NOON = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())
QUESTION: dict[str, Any] = {"channel": "canal-un", "start_gte": NOON, "start_lte": NOON + 3600, "type": "s2t", "size": "1000"}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def http(clock: Clock) -> Iterator[httpx.Client]:
    on_air = datetime.fromtimestamp(NOON + 7200, UTC)
    with (
        served(Broadcaster(Air(words=2), until=lambda: on_air, clock=clock).app()) as url,
        httpx.Client(base_url=url) as client,
    ):
        yield client


def signed_in(http: httpx.Client) -> str:
    return str(http.post("/api/auth/token/", data=SIGN_IN).json()["data"]["access_token"])


def asked(http: httpx.Client, **change: Any) -> httpx.Response:
    return http.post("/api/subtitle/", json={"token": signed_in(http), **QUESTION, **change})


def test_the_question_can_be_asked_in_all_four_ways(http: httpx.Client) -> None:
    question = {**QUESTION, "token": signed_in(http)}
    answers = [http.post(path, json=question).json() for path in ("/api/subtitle/", "/api/v2/subtitle/")]
    answers += [http.get(path, params=question).json() for path in ("/api/subtitle/", "/api/v2/subtitle/")]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["total_results"] == len(answers[0]["data"]) == 31
    assert answers[0]["number_pages"] == 1
    assert http.get("/health").json() == {"healthy": True}
    assert http.get("/stats").json()["asked"] == {"token": 1, "POST": 2, "GET": 2}


@pytest.mark.parametrize("change", [{"password": "x"}, {"username": "x"}, {"grant_type": "x"}, {"password": ""}])
def test_a_wrong_account_is_refused(http: httpx.Client, change: dict[str, str]) -> None:
    assert http.post("/api/auth/token/", data=SIGN_IN | change).status_code == 401


def test_tokens_expire(http: httpx.Client, clock: Clock) -> None:
    token = signed_in(http)
    assert asked(http, token=token).status_code == 200
    clock.now = 3601
    assert asked(http, token=token).status_code == 401
    assert asked(http, token="forged").status_code == 401
    assert asked(http).status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"channel": ""}, 400, "channel"),
        ({"channel": None}, 400, "channel"),
        ({"size": 0}, 400, "size"),
        ({"size": "1001"}, 400, "size"),
        ({"size": "many"}, 400, "size"),
        ({"type": "ocr"}, 400, "type"),
        ({"start_gte": "soon"}, 400, "soon"),
        ({"start_lte": None}, 400, "None"),
        ({"start_gte": 10**20}, 400, "time"),
    ],
)
def test_a_wrong_question_says_what_is_wrong(http: httpx.Client, change: dict[str, Any], status: int, said: str) -> None:
    answer = asked(http, **change)
    assert answer.status_code == status
    assert said in answer.json()["error"]


def test_both_ends_of_a_range_are_inclusive_and_may_be_local_times(http: httpx.Client) -> None:
    starts = [
        row["start"] for row in asked(http, start_gte="2026-11-20T13:00:00", start_lte="2026-11-20T13:04:00").json()["data"]
    ]
    assert starts == [NOON, NOON + 120, NOON + 240]


def test_size_cuts_and_the_counts_tell(http: httpx.Client) -> None:
    answer = asked(http, size=10).json()
    assert (len(answer["data"]), answer["total_results"], answer["number_pages"]) == (10, 31, 4)


def test_what_is_not_over_is_not_on_the_air(http: httpx.Client) -> None:
    answer = asked(http, start_lte=NOON + 100_000).json()
    assert max(row["start"] for row in answer["data"]) == NOON + 7200 - 120


def test_an_unknown_channel_of_a_world_is_not_found() -> None:
    class Strict:
        def items(self, channel: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
            raise Permanent(f"no channel {channel!r}")

    with served(Broadcaster(Strict()).app()) as url, httpx.Client(base_url=url) as http:
        assert asked(http).status_code == 404


# --- faults


def dial(http: httpx.Client, **settings: Any) -> httpx.Response:
    return http.post("/faults", json=settings)


@pytest.mark.parametrize(
    ("kind", "status", "retry_after"), [("429_seconds", 429, "9"), ("429_date", 429, "GMT"), ("500", 500, ""), ("504", 504, "")]
)
def test_statuses_can_be_dialled(http: httpx.Client, kind: str, status: int, retry_after: str) -> None:
    token = signed_in(http)
    dial(http, probabilities={kind: 1.0}, retry_after=9)
    answer = asked_with(http, token)
    assert answer.status_code == status
    assert answer.headers.get("Retry-After", "").endswith(retry_after)
    assert http.get("/stats").json()["struck"] == {kind: 1}
    dial(http, probabilities={})
    assert asked_with(http, token).status_code == 200


def asked_with(http: httpx.Client, token: str) -> httpx.Response:
    return http.post("/api/subtitle/", json={"token": token, **QUESTION})


def test_the_line_can_break(http: httpx.Client) -> None:
    token = signed_in(http)
    dial(http, probabilities={"html_200": 1.0})
    assert asked_with(http, token).text.startswith("<html>")
    dial(http, probabilities={"truncated_json": 1.0})
    with pytest.raises(ValueError):
        asked_with(http, token).json()
    dial(http, probabilities={"reset": 1.0})
    with pytest.raises(httpx.RemoteProtocolError):
        asked_with(http, token)
    dial(http, probabilities={"slow_body": 1.0}, slow_seconds=0.2)
    assert asked_with(http, token).elapsed.total_seconds() >= 0
    dial(http, probabilities={"expired_token": 1.0})
    assert "expired" in asked_with(http, token).text
    dial(http, probabilities={})
    assert asked_with(http, token).status_code == 401


@pytest.mark.parametrize("kind", BENT)
def test_answers_can_be_bent(kind: str) -> None:
    rows: list[Any] = Air().items("canal-un", datetime.fromtimestamp(NOON, UTC), datetime.fromtimestamp(NOON + 3600, UTC))
    reply = {"total_results": 30, "number_pages": 1, "data": rows}
    bent = Faults(1).bent(kind, reply, ["neighbour"])
    data = bent.get("data", [])
    assert bent != reply
    assert reply["data"] == rows
    expected = {
        "no_data": ("data" not in bent, 0),
        "duplicates": (all(row in rows for row in data), 40),
        "overlapping": ("neighbour" in data, 31),
        "capped": (bent["total_results"] > len(data), 15),
        "out_of_order": (sorted(row["start"] for row in data if row != "neighbour") == [row["start"] for row in rows], 30)
        if kind == "out_of_order"
        else (True, 0),
        "empty_outage": (bent["total_results"] == 0, 0),
        "extra_fields": (kind != "extra_fields" or all("score" in row for row in data), 30),
    }
    assert expected[kind] == (True, len(data))


def test_the_same_seed_strikes_the_same_way() -> None:
    one, two, other = Faults(), Faults(), Faults()
    for faults, seed in ((one, 7), (two, 7), (other, 8)):
        faults.dial({"all": 0.3}, seed)
    draws = [[faults.drawn() for _ in range(400)] for faults in (one, two, other)]
    assert draws[0] == draws[1] != draws[2]
    assert {kind for kind in draws[0] if kind} == set(KINDS)
    assert 80 < sum(kind is not None for kind in draws[0]) < 160


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"probabilities": {"fire": 1}}, "no fault fire"),
        ({"probabilities": {"500": 0.7, "502": 0.7}}, "sum to 1"),
        ({"probabilities": {"500": -1}}, "0 or more"),
        ({"unknown": 1}, "unknown"),
        ({"seed": "x"}, "invalid literal"),
        ({"probabilities": []}, "items"),
    ],
)
def test_a_wrong_dial_is_refused(http: httpx.Client, settings: dict[str, Any], said: str) -> None:
    answer = dial(http, **settings)
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert http.get("/faults").json()["probabilities"] == {}


def test_only_this_machine_may_dial() -> None:
    from starlette.testclient import TestClient

    stranger = TestClient(Broadcaster(Air()).app(), client=("192.0.2.7", 4711))
    assert (
        stranger.post("/faults", json={"probabilities": {"500": 1}}, headers={"X-Forwarded-For": "127.0.0.1"}).status_code
        == 403
    )
    assert stranger.get("/stats").status_code == 403
    assert stranger.get("/health").status_code == 200


# --- sources


def test_fixed_items_are_spread_evenly() -> None:
    source = FixedItems(
        [{"channel_name": "canal-un", "start": "2026-11-20T13:00:00+01:00", "plaintext": "un deux trois quatre"}]
    )
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    (row,) = source.items("canal-un", noon, noon + timedelta(seconds=1))
    assert row["start"] == NOON
    assert [(w["text"], w["cts_in_ms"] - NOON * 1000, w["duration_ms"]) for w in row["srt"]] == [
        ("un", 0, 30_000),
        ("deux", 30_000, 30_000),
        ("trois", 60_000, 30_000),
        ("quatre", 90_000, 30_000),
    ]
    assert source.items("canal-un", noon + timedelta(seconds=1), noon + timedelta(hours=1)) == []
    assert source.items("radio-deux", noon, noon + timedelta(hours=1)) == []


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"channel_name": "a", "start": "2026-11-20T13:00:00", "plaintext": "x"},
        {"channel_name": "a", "start": "x", "plaintext": ""},
        3,
    ],
)
def test_a_wrong_row_is_named(row: Any) -> None:
    with pytest.raises(Permanent, match="row 1"):
        FixedItems([{"channel_name": "a", "start": "2026-11-20T13:00:00Z", "plaintext": "x"}, row])


REAL = Path(__file__).parents[2] / "shared" / "data" / "broadcast" / "fr_chunks.json"


@pytest.mark.skipif(not REAL.exists(), reason="the development data is not beside the repository")
def test_real_texts_are_served_and_decoded_word_for_word() -> None:
    source = FixedItems.of_file(REAL)
    rows = json.loads(REAL.read_text())
    paris = Country.model_validate(
        {"code": "real", "iso3": "fra", "language": "french", "zone": "Europe/Paris", "bucket": "real", "project": "real"}
        | {"channels": [{"name": name, "title": name} for name in sorted({row["channel_name"] for row in rows})]}
    )
    for row in rows:
        day = datetime.fromisoformat(row["start"]).date()
        channel = paris.channel(row["channel_name"])
        chunks = decode(source.items(channel.name, *paris.day_bounds(day)), paris, channel, day, "v").chunks
        said = {chunk.start.timestamp(): chunk.text for chunk in chunks}
        words = said[datetime.fromisoformat(row["start"]).timestamp()].split()
        assert words == row["plaintext"].replace("<unk>", " ").split()


def test_a_wrong_file_or_world_is_named(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text('{"a": 1}')
    for path in (tmp_path / "rows.json", tmp_path / "absent.json"):
        with pytest.raises(Permanent, match=str(path)):
            FixedItems.of_file(path)
    for name in ("nowhere:World", "demo.faults:Nothing", "demo.faults", "demo.faults:KINDS"):
        with pytest.raises(Permanent, match=r"demo\.faults|nowhere"):
            source_named(name)
    assert source_named("tests.broadcast.air:Air").items(
        "a", datetime.fromtimestamp(NOON, UTC), datetime.fromtimestamp(NOON + 120, UTC)
    )


def test_the_command_serves_and_says_where(tmp_path: Path) -> None:
    rows = [{"channel_name": "canal-un", "start": "2026-11-20T13:00:00+01:00", "plaintext": "un deux"}]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    command = [
        sys.executable,
        "-m",
        "demo.broadcaster",
        "--port",
        "0",
        "--items",
        str(tmp_path / "rows.json"),
        "--until",
        "now",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            with httpx.Client(base_url=url) as http:
                assert http.get("/health").json() == {"healthy": True}
                token = signed_in(http)
                answer = http.post("/api/subtitle/", json={**QUESTION, "token": token}).json()
                # on the air only once it is over by the clock of the machine
                assert answer["total_results"] in (0, 1)
        finally:
            process.terminate()
            assert process.wait(10) in (0, -15)


@given(st.dictionaries(st.sampled_from(KINDS), st.floats(0, 0.05)), st.integers(0, 2**32))
def test_a_fault_that_is_not_dialled_never_strikes(probabilities: dict[str, float], seed: int) -> None:
    faults = Faults()
    faults.dial(probabilities, seed)
    struck = {faults.drawn() for _ in range(50)} - {None}
    assert struck <= {kind for kind, p in probabilities.items() if p > 0}
