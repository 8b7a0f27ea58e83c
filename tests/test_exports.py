"""The broadcaster's export of sound: what is recorded, what a stretch gets, signatures, ranges, faults."""

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.broadcaster import DEMO_PASSWORD, DEMO_USER, Broadcaster
from demo.exports import OTHER_HOST, REDIRECTED_TO
from demo.faults import EXPORT, KINDS, MEDIA, SOUND, Faults
from demo.sound.archive import CLIPS, LONGEST_SECONDS, Archive, clip_name
from demo.sound.record import RATE, Sound, encoded
from demo.sound.script import MARGIN, SECONDS, Line, lines, read, written
from tests.broadcast.air import Air
from tests.broadcast.served import served

SIGN_IN = {"grant_type": "password", "username": DEMO_USER, "password": DEMO_PASSWORD}
CHUNK = datetime(2026, 11, 16, 6, 40, tzinfo=UTC)
START = CHUNK.timestamp() - MARGIN
PITCH = 440.0


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recordings: tones for the whole of a chunk and of the next but one."""
    made = tmp_path_factory.mktemp("clips")
    tone = (0.3 * np.sin(2 * np.pi * PITCH * np.arange(int(SECONDS * RATE)) / RATE)).astype(np.float32)
    for minute in (40, 44):
        encoded(tone, made / clip_name("canal-un", CHUNK.replace(minute=minute)))
    return made


@pytest.fixture(scope="module")
def archive(folder: Path) -> Archive:
    return Archive(folder)


@pytest.fixture
def broadcaster(archive: Archive) -> Broadcaster:
    return Broadcaster(Air(words=2), archive=archive)


@pytest.fixture
def http(broadcaster: Broadcaster) -> Iterator[httpx.Client]:
    with served(broadcaster.app()) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def question(http: httpx.Client, **change: Any) -> dict[str, Any]:
    token = http.post("/api/auth/token/", data=SIGN_IN).json()["data"]["access_token"]
    asked = {"token": token, "channel": "canal-un", "cts_in": START, "cts_out": START + SECONDS, "media_format": "mp3"}
    return {name: value for name, value in {**asked, **change}.items() if value is not None}


def src(http: httpx.Client, **change: Any) -> str:
    answer = http.get("/api/export/single/", params=question(http, **change))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["src"])


def heard(content: bytes) -> tuple[str, str, Sound]:
    """Container, codec and samples."""
    import av

    with av.open(io.BytesIO(content)) as container:
        resampler = av.AudioResampler("flt", "mono", RATE)
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
        name, codec = container.format.name, container.streams.audio[0].codec.name
    return name, codec, np.concatenate([frame.to_ndarray().ravel() for frame in frames])


def loud(sound: Sound, first: float, last: float) -> bool:
    return bool(np.sqrt(np.mean(sound[int(first * RATE) : int(last * RATE)] ** 2)) > 0.05)


@pytest.mark.parametrize("path", ["/api/export/single", "/api/export/single/"])
@pytest.mark.parametrize("how", ["get", "post"])
def test_the_sound_of_a_chunk_is_exported(http: httpx.Client, path: str, how: str) -> None:
    asked = question(http)
    answer = http.get(path, params=asked) if how == "get" else http.post(path, json=asked)
    media = http.get(answer.json()["src"])
    assert (media.status_code, media.headers["content-type"]) == (200, "audio/mpeg")
    assert int(media.headers["content-length"]) == len(media.content)
    name, codec, sound = heard(media.content)
    assert (name, codec) == ("mp3", "mp3float")
    assert abs(len(sound) / RATE - SECONDS) < 0.2
    assert loud(sound, 1, SECONDS - 1)
    assert http.get("/stats").json()["asked"] == {"token": 1, "export": 1, "media": 1}


@pytest.mark.parametrize("name", ["media_format", "format"])
def test_video_containers_are_exported(http: httpx.Client, name: str) -> None:
    media = http.get(src(http, **{"media_format": None, name: "mp4"}))
    container, codec, sound = heard(media.content)
    assert media.headers["content-type"] == "video/mp4"
    assert ("mp4" in container, codec) == (True, "aac")
    assert abs(len(sound) / RATE - SECONDS) < 0.2


def test_a_stretch_is_cut_and_padded(archive: Archive) -> None:
    """From half a minute before the first recording to the middle of it."""
    _, _, sound = heard(archive.audio("canal-un", START - 30, START + 60, "mp3"))
    assert abs(len(sound) / RATE - 90) < 0.2
    assert not loud(sound, 0, 29)
    assert loud(sound, 31, 89)


def test_two_recordings_make_one_stretch_with_a_gap(archive: Archive) -> None:
    _, _, sound = heard(archive.audio("canal-un", START, START + 2 * SECONDS, "mp3"))
    assert loud(sound, 1, SECONDS - 1)
    assert not loud(sound, SECONDS + 1, 239)
    assert loud(sound, 241, 2 * SECONDS - 1)


@pytest.mark.parametrize(
    ("channel", "start", "end", "has"),
    [
        ("canal-un", 0, SECONDS, True),
        ("canal-un", -SECONDS, SECONDS, True),
        ("canal-un", -SECONDS - 1, SECONDS, False),
        ("canal-un", SECONDS / 2, SECONDS * 1.5, True),
        ("canal-un", SECONDS / 2 + 1, SECONDS * 1.5, False),
        ("canal-un", -10, 0, False),
        ("canal-un", 10, 10, False),
        ("canal-un", 20, 10, False),
        ("radio-littoral", 0, SECONDS, False),
    ],
)
def test_at_least_half_has_to_be_recorded(archive: Archive, channel: str, start: float, end: float, has: bool) -> None:
    assert archive.has(channel, START + start, START + end) is has


def test_what_is_not_recorded_has_no_address(http: httpx.Client) -> None:
    assert src(http, channel="no-such-channel") == ""
    assert src(http, cts_in=START - 5000, cts_out=START - 4900) == ""


def test_what_is_not_over_has_no_address(archive: Archive) -> None:
    now = datetime.fromtimestamp(START + SECONDS - 1, UTC)
    with (
        served(Broadcaster(Air(words=2), archive=archive, until=lambda: now).app()) as url,
        httpx.Client(base_url=url, timeout=60) as http,
    ):
        assert src(http) == ""
        assert src(http, cts_out=START + SECONDS - 1) != ""


@pytest.mark.parametrize(
    "change",
    [
        {"channel": None},
        {"channel": ""},
        {"cts_in": None},
        {"cts_in": "noon"},
        {"cts_in": "nan"},
        {"cts_out": "inf"},
        {"cts_out": START},
        {"cts_out": START - 1},
        {"cts_out": START + LONGEST_SECONDS + 1},
        {"media_format": "exe"},
    ],
)
def test_a_broken_question_is_refused(http: httpx.Client, change: dict[str, Any]) -> None:
    answer = http.get("/api/export/single", params=question(http, **change))
    assert (answer.status_code, "error" in answer.json()) == (400, True)
    assert http.post("/api/export/single", content=b"[1]").status_code == 400


def test_a_token_is_needed(http: httpx.Client) -> None:
    for token in (None, "forged", ""):
        assert http.get("/api/export/single", params=question(http, token=token)).status_code == 401


def test_an_address_is_signed_and_expires(archive: Archive) -> None:
    from starlette.applications import Starlette

    from demo.exports import Exports

    clock = Clock()
    exports = Exports(archive, lambda token, withdrawn=False: True, Faults(), Counter(), clock=clock)
    with served(Starlette(routes=exports.routes())) as url, httpx.Client(base_url=url, timeout=60) as http:
        asked = {"channel": "canal-un", "cts_in": START, "cts_out": START + 60}
        address = http.get("/api/export/single", params=asked).json()["src"]
        other = http.get("/api/export/single", params=asked | {"cts_out": START + 61}).json()["src"]
        assert http.get(address).status_code == 200
        for changed in (
            re.sub(r"signature=.", "signature=x", address),
            re.sub(r"expires=\d+", "expires=99999999999", address),
            address.replace(".mp3?", ".mp4?"),
            address.split("?")[0],
            other.split("?")[0] + "?" + address.split("?")[1],
        ):
            assert http.get(changed).status_code == 403
        clock.now = 601
        assert http.get(address).status_code == 403


@pytest.mark.parametrize(
    ("wanted", "status", "first", "last"),
    [
        ("bytes=0-99", 206, 0, 99),
        ("bytes=100-", 206, 100, -1),
        ("bytes=-50", 206, -50, -1),
        ("bytes=10-99999999", 206, 10, -1),
        ("bytes=99999999-", 416, 0, 0),
        ("bytes=5-2", 416, 0, 0),
        ("bytes=-0", 416, 0, 0),
        ("bytes=0-1,5-9", 200, 0, -1),
        ("pages=1-2", 200, 0, -1),
    ],
)
def test_ranges(http: httpx.Client, wanted: str, status: int, first: int, last: int) -> None:
    address = src(http)
    whole = http.get(address).content
    answer = http.get(address, headers={"Range": wanted})
    assert answer.status_code == status
    if status == 416:
        assert (answer.content, answer.headers["content-range"]) == (b"", f"bytes */{len(whole)}")
        return
    first, last = first % len(whole), last % len(whole)
    assert answer.content == whole[first : last + 1]
    if status == 206:
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(whole)}"


def struck(http: httpx.Client, broadcaster: Broadcaster, fault: str) -> str:
    """An address, with that fault dialled from now on."""
    address = src(http)
    broadcaster.faults.dial({fault: 1.0}, seed=1, slow_seconds=0.5)
    return address


def test_faults_of_the_answer(http: httpx.Client, broadcaster: Broadcaster) -> None:
    asked = question(http)
    seen = {}
    for fault in EXPORT:
        broadcaster.faults.dial({fault: 1.0}, seed=1)
        seen[fault] = http.get("/api/export/single", params=asked).json()["src"]
    assert seen["empty_src"] == ""
    assert seen["other_host"].startswith(OTHER_HOST + "/media/")
    for fault, status in (("500", 500), ("429_seconds", 429), ("expired_token", 401)):
        broadcaster.faults.dial({fault: 1.0}, seed=1)
        assert http.get("/api/export/single", params=asked).status_code == status
    assert broadcaster.faults.struck == {"empty_src": 1, "other_host": 1, "500": 1, "429_seconds": 1, "expired_token": 1}


def test_sound_that_is_elsewhere_or_no_sound(http: httpx.Client, broadcaster: Broadcaster) -> None:
    address = struck(http, broadcaster, "media_redirect")
    redirect = http.get(address)
    assert (redirect.status_code, redirect.headers["location"]) == (302, REDIRECTED_TO)
    broadcaster.faults.dial({"media_500": 1.0}, seed=1)
    assert http.get(address).status_code == 500
    broadcaster.faults.dial({"media_html": 1.0}, seed=1)
    assert http.get(address).headers["content-type"].startswith("text/html")
    broadcaster.faults.dial({"media_empty": 1.0}, seed=1)
    assert (http.get(address).status_code, http.get(address).content) == (200, b"")


def test_sound_that_is_cut_or_late(http: httpx.Client, broadcaster: Broadcaster) -> None:
    address = src(http)
    whole = http.get(address).content
    broadcaster.faults.dial({"media_cut": 1.0}, seed=1)
    assert http.get(address).content == whole[: len(whole) // 2]
    broadcaster.faults.dial({"media_length": 1.0}, seed=1)
    with pytest.raises(httpx.RemoteProtocolError):
        http.get(address)
    broadcaster.faults.dial({"media_slow": 1.0}, seed=1, slow_seconds=0.5)
    assert http.get(address).content == whole


def test_sound_without_an_end_stops_when_the_client_hangs_up(http: httpx.Client, broadcaster: Broadcaster) -> None:
    address = src(http)
    whole = http.get(address).content
    broadcaster.faults.dial({"media_endless": 1.0}, seed=1)
    read = 0
    with http.stream("GET", address) as answer:
        assert "content-length" not in answer.headers
        for part in answer.iter_bytes():
            read += len(part)
            if read > 3 * len(whole):
                break
    assert read > 3 * len(whole)
    # The server is not busy with it any more.
    assert http.get("/health").status_code == 200


def test_faults_of_sound_leave_the_other_questions_alone(http: httpx.Client, broadcaster: Broadcaster) -> None:
    broadcaster.faults.dial({"all_sound": 1.0}, seed=1)
    asked = {"channel": "canal-un", "start_gte": START, "start_lte": START + 600, **question(http)}
    answer = http.post("/api/subtitle/", json=asked | {"start_gte": int(START), "start_lte": int(START) + 600})
    assert answer.status_code == 200
    assert answer.json()["data"]
    assert not broadcaster.faults.struck


def test_faults_are_named_once_and_shared_evenly() -> None:
    assert len({*KINDS, *SOUND}) == len(KINDS) + len(SOUND)
    faults = Faults()
    faults.dial({"all_sound": 0.5, "all": 0.5}, seed=1)
    assert faults.probabilities == pytest.approx(
        {**dict.fromkeys(SOUND, 0.5 / len(SOUND)), **dict.fromkeys(KINDS, 0.5 / len(KINDS))}
    )
    assert set(MEDIA) < set(SOUND)
    with pytest.raises(ValueError, match="media_endless"):
        faults.dial({"media_none": 1.0}, seed=1)


def test_a_file_that_names_no_time_is_refused(tmp_path: Path) -> None:
    (tmp_path / "canal-un.opus").touch()
    with pytest.raises(ValueError, match="CHANNEL_YYYYMMDDTHHMMSSZ"):
        Archive(tmp_path)


@given(
    st.lists(
        st.builds(
            Line,
            st.floats(-30, 140).map(lambda x: round(x, 2)),
            st.floats(141, 200).map(lambda x: round(x, 2)),
            st.sampled_from(["HOST", "GUEST", "SOUND"]),
            st.lists(st.text("abcéè'-", min_size=1, max_size=8), min_size=1, max_size=40).map(tuple),
        )
    )
)
def test_a_written_script_holds_what_lies_within(said: list[Line]) -> None:
    again = read(written(said))
    assert written(again) == written(said)
    assert all(-0.01 <= line.start <= line.end <= SECONDS for line in again)
    assert [line.words for line in again] == [inside.words for line in said if (inside := line.within(SECONDS))]


COMMITTED = Archive().clips


def test_the_demo_has_recordings_of_all_its_days_and_channels() -> None:
    # Which passages are heard is the policy's choice; here it is four for each day.
    assert set(Counter(clip.chunk_start.date() for clip in COMMITTED).values()) == {4}
    voices = [{line.speaker for line in read(clip.script.read_text(encoding="utf-8"))} - {"SOUND"} for clip in COMMITTED]
    assert sum(len(speakers) >= 2 for speakers in voices) >= 8
    assert {clip.channel for clip in COMMITTED} == {"canal-un", "radio-littoral", "info-plein-jour"}
    assert sum(clip.file.stat().st_size for clip in COMMITTED) <= 3_000_000
    assert {file.stem for file in CLIPS.iterdir()} == {clip.file.stem for clip in COMMITTED}


@pytest.mark.parametrize("clip", COMMITTED, ids=lambda clip: clip.file.stem)
def test_a_recording_lasts_as_long_as_its_script_and_says_what_was_on_the_air(clip: Any) -> None:
    name, codec, sound = heard(clip.file.read_bytes())
    assert (name, codec) == ("ogg", "opus")
    assert abs(len(sound) / RATE - SECONDS) < 0.2
    said = read(clip.script.read_text(encoding="utf-8"))
    assert written(lines(clip.channel, clip.chunk_start)) == clip.script.read_text(encoding="utf-8")
    assert {line.speaker for line in said} - {"SOUND"}
    spoken = [line for line in said if line.speaker != "SOUND" and line.end - line.start > 1]
    assert all(np.abs(sound[int(line.start * RATE) : int(line.end * RATE)]).max() > 0.05 for line in spoken)


def test_a_script_is_near_what_the_recogniser_made_of_it() -> None:
    """The truth and the machine text of the demo world are two views of the same minutes."""
    from rapidfuzz.distance import Indel

    from demo.world import World

    clip = COMMITTED[0]
    (item,) = World().items(clip.channel, clip.chunk_start, clip.chunk_start.replace(second=1))
    said = " ".join(" ".join(line.words) for line in read(clip.script.read_text(encoding="utf-8"))).split()
    assert Indel.normalized_similarity(str(item["plaintext"]).split(), said) > 0.85
    assert json.dumps(said)
