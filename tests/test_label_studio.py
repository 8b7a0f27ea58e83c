"""The real Label Studio: what is pushed twice is there once, what is refused is alone, what is hostile is text."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import httpx
import pytest

from climate_assets.claims.records import Category
from climate_assets.failures import Permanent, Transient
from climate_assets.labelling.heard import with_player
from climate_assets.labelling.labelling_config import guideline, labelling_config
from climate_assets.labelling.shown import shown
from climate_assets.labelling.tasks import canonical_bytes, object_key
from resources.label_studio import LabelStudio
from resources.s3 import Lake
from tests.label_studio_server import Running
from tests.labelling.cases import COUNTRY, DAY, TEXT, chunk, task
from tests.labelling.spoken import SOUND, clip, spoken_task

TITLES = (f"Boréalie {number}" for number in count(1))


@pytest.fixture
def server(label_studio_server: Running) -> Running:
    return label_studio_server


@pytest.fixture
def label_studio(server: Running) -> LabelStudio:
    return LabelStudio(url=server.url, api_key=server.token)


@pytest.fixture
def project(label_studio: LabelStudio) -> int:
    return label_studio.ensure_project(next(TITLES), labelling_config(), "Tests", guideline()).project_id


def api(server: Running, path: str) -> Any:
    answer = httpx.get(f"{server.url}/api/{path}", headers={"Authorization": f"Token {server.token}"}, timeout=30)
    answer.raise_for_status()
    return answer.json()


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server of that handler; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def some(number: int) -> list[dict[str, Any]]:
    return [task(minute=2 * index, priority=1 - index / number) for index in range(number)]


def ids(tasks: list[dict[str, Any]]) -> list[str]:
    return [made["data"]["item"]["id"] for made in tasks]


def test_label_studio_takes_the_screen_and_says_so_once(label_studio: LabelStudio, server: Running) -> None:
    title = next(TITLES)
    first = label_studio.ensure_project(title, labelling_config(), "Tests", guideline())
    again = label_studio.ensure_project(title, labelling_config(), "Tests", guideline())
    changed = label_studio.ensure_project(title, labelling_config().replace("Remarks", "Notes"), "Tests", guideline())
    assert (first.created, again.created, changed.created) == (True, False, False)
    assert (first.config_changed, again.config_changed, changed.config_changed) == (False, False, True)
    assert first.project_id == again.project_id == changed.project_id
    stored = api(server, f"projects/{first.project_id}/")
    assert 'placeholder="Notes"' in stored["label_config"]
    assert "<h1>Guideline for fact-checkers</h1>" in stored["expert_instruction"]
    (view,) = api(server, f"dm/views/?project={first.project_id}")
    assert view["data"]["ordering"] == ["-tasks:data.priority"]


def test_two_projects_of_one_name_are_an_error(label_studio: LabelStudio, server: Running) -> None:
    title = next(TITLES)
    for _ in range(2):
        made = httpx.post(
            f"{server.url}/api/projects/", json={"title": title}, headers={"Authorization": f"Token {server.token}"}
        )
        made.raise_for_status()
    with pytest.raises(Permanent, match="several projects"):
        label_studio.ensure_project(title, labelling_config(), "Tests")


def test_a_screen_that_label_studio_refuses_is_named(label_studio: LabelStudio) -> None:
    with pytest.raises(Permanent, match="nowhere"):
        label_studio.ensure_project(
            next(TITLES), labelling_config().replace('toName="source_text"', 'toName="nowhere"'), "Tests"
        )


def test_pushing_twice_adds_nothing(label_studio: LabelStudio, project: int, server: Running) -> None:
    tasks = some(30)
    first = label_studio.push(project, tasks[:20])
    second = label_studio.push(project, tasks)
    third = label_studio.push(project, tasks)
    assert (len(first.arrived), len(second.arrived), len(third.arrived)) == (20, 10, 0)
    assert second.already_there == first.arrived
    assert third.already_there == {**first.arrived, **second.arrived} == label_studio.existing(project, ids(tasks))
    assert label_studio.count(project) == 30
    assert label_studio.push(project, []).arrived == {}


def test_tasks_keep_their_order_and_their_prediction(label_studio: LabelStudio, project: int, server: Running) -> None:
    tasks = some(5)
    arrived = label_studio.push(project, tasks).arrived
    assert list(arrived) == ids(tasks)
    assert list(arrived.values()) == sorted(arrived.values())
    stored = api(server, f"tasks/{arrived[ids(tasks)[0]]}/")
    assert stored["data"] == tasks[0]["data"]
    (prediction,) = stored["predictions"]
    assert (prediction["score"], prediction["model_version"]) == (0.9, "student-2/training-7")
    value = prediction["result"][0]["value"]
    assert stored["data"]["item"]["plaintext"][value["start"] : value["end"]] == value["text"]
    assert prediction["result"] == tasks[0]["predictions"][0]["result"]


def test_other_days_and_strangers_do_not_count(label_studio: LabelStudio, project: int) -> None:
    other = [task(minute=2 * 720 + index) for index in range(2)]
    label_studio.push(project, other)
    tasks = some(3)
    assert label_studio.existing(project, ids(tasks)) == {}
    assert len(label_studio.push(project, tasks).arrived) == 3
    assert set(label_studio.existing(project, [*ids(tasks)[:1], *ids(other)])) == {ids(tasks)[0], *ids(other)}


def test_a_refused_task_is_alone_and_named(label_studio: LabelStudio, project: int) -> None:
    tasks = some(9)
    del tasks[3]["data"]["item"]["plaintext"]
    tasks[7]["data"]["item"]["plaintext"] = {"not": "text"}
    pushed = label_studio.push(project, tasks)
    assert set(pushed.refused) == {ids(tasks)[3], ids(tasks)[7]}
    assert "plaintext" in pushed.refused[ids(tasks)[3]]
    assert all(TEXT[:40] not in reason for reason in pushed.refused.values())
    assert len(pushed.arrived) == label_studio.count(project) == 7


def test_one_chunk_twice_in_a_push_is_refused_before_anything_is_sent(label_studio: LabelStudio, project: int) -> None:
    with pytest.raises(Permanent, match="twice"):
        label_studio.push(project, [*some(2), *some(1)])
    assert label_studio.count(project) == 0


class _Meddler(BaseHTTPRequestHandler):
    """Passes every call on to the real server, and does one thing more with an import."""

    server_url, token = "", ""

    def meddle(self, body: bytes, answer: httpx.Response) -> None:
        """Which of the two below."""

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length")}
        answer = httpx.request(self.command, f"{self.server_url}{self.path}", content=body, headers=kept, timeout=60)
        if "/import" in self.path:
            self.meddle(body, answer)
        self.send_response(answer.status_code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def again(self, body: bytes, _: httpx.Response) -> None:
        """As another push at the same moment does."""
        head = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        httpx.post(f"{self.server_url}{self.path}", content=body, headers=head, timeout=60).raise_for_status()

    def lose(self, _: bytes, answer: httpx.Response) -> None:
        """As a server that says more than it keeps."""
        lost = answer.json()["task_ids"][1]
        httpx.delete(
            f"{self.server_url}/api/tasks/{lost}/", headers={"Authorization": f"Token {self.token}"}
        ).raise_for_status()

    do_GET = do_POST = _pass  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("meddle", "failure", "message"),
    [(_Meddler.again, Permanent, "4 chunks with two tasks"), (_Meddler.lose, Transient, "lacks 1")],
)
def test_what_did_not_arrive_as_sent_is_noticed(
    label_studio: LabelStudio, project: int, server: Running, meddle: Any, failure: type[Exception], message: str
) -> None:
    handler = type("Handler", (_Meddler,), {"server_url": server.url, "token": server.token, "meddle": meddle})
    tasks = some(4)
    with listening(handler) as url, pytest.raises(failure, match=message):
        LabelStudio(url=url, api_key=server.token).push(project, tasks)
    if failure is Transient:
        assert len(label_studio.push(project, tasks).arrived) == 1
        assert label_studio.count(project) == len(tasks)


HOSTILE = [
    "</span><img src=x onerror=alert(1)> fin",
    "<script>alert(1)</script> et &amp; &lt;b&gt;",
    "$item.id {{secret}} ${7*7} #{x}",
    "s3://seau/secret gs://seau/secret https://exemple.org/x",
    "nul\x00 cloche\x07 échap\x1b[31m",
    "\u202eenvers\u2069 \ufeff caché",
    '"; DROP TABLE task; -- \' " \\ \\u0000',
    "]]> <!-- --> <?xml?> <View/>",
    "moitié \ud83d seule 😀 entière",
    "javascript:alert(1) data:text/html,x",
]


def test_hostile_texts_arrive_as_the_text_that_is_shown(label_studio: LabelStudio, project: int, server: Running) -> None:
    tasks = [task(text=text, minute=2 * n, quote=text.split(" ")[-1], rationale=text) for n, text in enumerate(HOSTILE)]
    arrived = label_studio.push(project, tasks).arrived
    assert len(arrived) == len(HOSTILE)
    for made, text in zip(tasks, HOSTILE, strict=True):
        stored = api(server, f"tasks/{arrived[made['data']['item']['id']]}/?resolve_uri=true")
        assert stored["data"]["item"]["plaintext"] == " ".join(shown(word) for word in text.split(" "))
        assert stored["data"] == made["data"]
        value = stored["predictions"][0]["result"][0]["value"]
        assert stored["data"]["item"]["plaintext"][value["start"] : value["end"]] == value["text"]


def test_the_token_is_reported_and_a_wrong_one_named(label_studio: LabelStudio, server: Running) -> None:
    good = label_studio.check()
    assert (good.kind, good.valid, good.remedy) == ("legacy", True, "")
    assert good.version.count(".") == 2
    assert "@" in good.user
    wrong = "f" * 40
    expired = "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjEwMDAwMDAwMDB9.c2lnbmF0dXJl"
    unsigned = "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjk5OTk5OTk5OTl9.c2lnbmF0dXJl"
    for key, kind in ((wrong, "legacy"), (expired, "personal"), (unsigned, "personal")):
        bad = LabelStudio(url=server.url, api_key=key)
        report = bad.check()
        assert (report.kind, report.valid, report.user) == (kind, False, "")
        assert f"refuses the {kind} token" in report.remedy
        assert "LABEL_STUDIO_API_KEY" in report.remedy
        with pytest.raises(Permanent, match=f"{kind} token") as caught:
            bad.count(1)
        assert key not in f"{caught.value} {report} {bad!r} {bad}"


def test_a_personal_access_token_is_taken(label_studio: LabelStudio, server: Running) -> None:
    made = httpx.post(f"{server.url}/api/token/", headers={"Authorization": f"Token {server.token}"})
    made.raise_for_status()
    report = LabelStudio(url=server.url, api_key=made.json()["token"]).check()
    assert (report.kind, report.valid) == ("personal", True)


def test_a_project_that_is_gone_is_permanent(label_studio: LabelStudio) -> None:
    with pytest.raises(Permanent, match="404"):
        label_studio.push(987_654, some(1))


@pytest.mark.parametrize("chunk_id", ["", "x", "borealie/canal-un/2026-11-20 18:04", "bor.*/a/2026-11-20T18:04:00Z"])
def test_a_strange_chunk_id_is_refused(label_studio: LabelStudio, project: int, chunk_id: str) -> None:
    with pytest.raises(Permanent, match="no chunk id"):
        label_studio.existing(project, [chunk_id])


def test_a_server_that_is_down_is_transient() -> None:
    down = LabelStudio(url="http://127.0.0.1:9", api_key="f" * 40, timeout_seconds=2)
    for ask in (down.check, lambda: down.push(1, some(1)), lambda: down.ensure_project("abc", "", ""), lambda: down.count(1)):
        with pytest.raises(Transient, match=r"does not answer.*pending"):
            ask()


class _Scripted(BaseHTTPRequestHandler):
    """A server that answers every call alike: a broken Label Studio, or the proxy before it."""

    status, body, headers_sent, hang = 200, b"", {}, threading.Event()
    imports = 0

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "/import" in self.path:
            type(self).imports += 1
        if self.status == 0:
            self.hang.wait(5)
            return
        self.send_response(self.status)
        for name, value in {**self.headers_sent, "Content-Length": str(len(self.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.body)

    do_GET = do_POST = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def scripted() -> Iterator[Any]:
    handler: Any = type("Handler", (_Scripted,), {"hang": threading.Event(), "imports": 0})
    with listening(handler) as handler.url:
        yield handler
        handler.hang.set()


@pytest.mark.parametrize(
    ("status", "body", "headers", "wait"),
    [
        (400 + 29, b"{}", {"Retry-After": "1"}, 1.0),
        (502, b"<html>starting</html>", {}, None),
        (200, b"<html>please log in</html>", {}, None),
        (0, b"", {}, None),
    ],
)
def test_a_server_that_is_out_of_order_is_transient(
    scripted: Any, status: int, body: bytes, headers: dict[str, str], wait: float | None
) -> None:
    scripted.status, scripted.body, scripted.headers_sent = status, body, headers
    broken = LabelStudio(url=scripted.url, api_key="f" * 40, timeout_seconds=0.3)
    with pytest.raises(Transient) as caught:
        broken.count(1)
    assert caught.value.retry_after == wait
    assert "f" * 40 not in str(caught.value)


def test_an_import_is_never_repeated_by_itself(scripted: Any) -> None:
    scripted.status, scripted.body = 503, b"{}"
    broken = LabelStudio(url=scripted.url, api_key="f" * 40, timeout_seconds=2)
    with pytest.raises(Transient):
        broken._import(1, some(2), broken.push(1, []))
    assert scripted.imports == 1


def test_storage_sync_delivers_each_file_once(
    label_studio: LabelStudio, project: int, lake: Lake, server: Running, object_store_url: str
) -> None:
    bucket, tasks = "climateguard-sync", some(6)
    lake.ensure_bucket(bucket)
    for made in tasks[:4]:
        lake.put(bucket, object_key(COUNTRY.code, DAY, "canal-un", made["data"]["item"]["id"]), canonical_bytes(made))
    place = (bucket, "country=borealie/", object_store_url, lake.access_key, lake.secret_key)
    first = label_studio.sync_storage(project, *place)
    assert (first.created, first.added, label_studio.count(project)) == (True, 4, 4)
    for made in tasks[4:]:
        lake.put(bucket, object_key(COUNTRY.code, DAY, "canal-un", made["data"]["item"]["id"]), canonical_bytes(made))
    second = label_studio.sync_storage(project, *place)
    assert (second.storage_id, second.created, second.added) == (first.storage_id, False, 2)
    assert label_studio.sync_storage(project, *place).added == 0
    known = label_studio.existing(project, ids(tasks))
    assert len(known) == label_studio.count(project) == 6
    stored = api(server, f"tasks/{known[ids(tasks)[0]]}/")
    assert stored["predictions"][0]["result"] == tasks[0]["predictions"][0]["result"]
    assert json.dumps(stored["data"], sort_keys=True) == json.dumps(tasks[0]["data"], sort_keys=True)


def test_a_bucket_that_cannot_be_read_is_named(
    label_studio: LabelStudio, project: int, lake: Lake, object_store_url: str
) -> None:
    with pytest.raises(Transient, match=r"no-such-bucket.*check that it has a file"):
        label_studio.sync_storage(project, "no-such-bucket", "country=x/", object_store_url, lake.access_key, lake.secret_key)


def test_a_category_of_none_makes_an_empty_prediction(label_studio: LabelStudio, project: int, server: Running) -> None:
    made = task(score=0, quote="", category=Category.NONE)
    (task_id,) = label_studio.push(project, [made]).arrived.values()
    assert api(server, f"tasks/{task_id}/")["predictions"][0]["result"] == []


def sounding(label_studio: LabelStudio, project: int, lake: Lake, object_store_url: str) -> tuple[str, str, str, str, str]:
    """The lake holds the cases' sound; the place that a project's storage of sound is for."""
    lake.ensure_bucket("climate-lake")
    lake.put("climate-lake", clip(chunk()).object_key, SOUND)
    place = ("climate-lake", "clips/", object_store_url, lake.access_key, lake.secret_key)
    label_studio.ensure_sound(project, *place)
    return place


def test_a_storage_of_sound_is_made_once_and_brings_no_task(
    label_studio: LabelStudio, project: int, lake: Lake, server: Running, object_store_url: str
) -> None:
    place = sounding(label_studio, project, lake, object_store_url)
    assert label_studio.ensure_sound(project, *place) is False
    (storage,) = api(server, f"storages/s3/?project={project}")
    assert (storage["bucket"], storage["prefix"], storage["presign"]) == ("climate-lake", "clips/", False)
    assert lake.secret_key not in json.dumps(storage)
    # Somebody presses Sync all the same.
    head = {"Authorization": f"Token {server.token}"}
    httpx.post(f"{server.url}/api/storages/s3/{storage['id']}/sync", headers=head, timeout=60).raise_for_status()
    assert label_studio.count(project) == 0


def test_sound_under_an_empty_folder_is_named(
    label_studio: LabelStudio, project: int, lake: Lake, object_store_url: str
) -> None:
    lake.ensure_bucket("climate-lake")
    with pytest.raises((Permanent, Transient), match=r"nothing-here.*check that it has a file"):
        label_studio.ensure_sound(project, "climate-lake", "nothing-here/", object_store_url, lake.access_key, lake.secret_key)


@pytest.mark.parametrize("sent_as", ["pushed", "stored"])
def test_the_sound_of_a_task_comes_through_label_studio(
    label_studio: LabelStudio, project: int, lake: Lake, server: Running, object_store_url: str, sent_as: str
) -> None:
    sounding(label_studio, project, lake, object_store_url)
    made = spoken_task()
    sent = with_player(made, project) if sent_as == "pushed" else made
    (task_id,) = label_studio.push(project, [sent]).arrived.values()
    stored = api(server, f"tasks/{task_id}/")
    address = stored["data"]["sound"]
    if sent_as == "pushed":
        assert address == sent["data"]["sound"]
        address = f"{server.url}{address}"
    head = {"Authorization": f"Token {server.token}"}
    whole = httpx.get(address, headers=head)
    part = httpx.get(address, headers={**head, "Range": "bytes=4-9"})
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, SOUND, "audio/mpeg")
    assert (part.status_code, part.content) == (206, SOUND[4:10])
    assert httpx.get(address).status_code in (302, 401, 403)
    # What is beside the sound is as it was written: an address inside `item` is resolved by nobody.
    assert stored["data"]["item"] == made["data"]["item"]
    assert stored["predictions"][0]["result"] == made["predictions"][0]["result"]


def test_a_screen_with_sound_takes_tasks_that_were_written_before_there_was_any(
    label_studio: LabelStudio, server: Running
) -> None:
    title, old = next(TITLES), task()
    before = labelling_config()
    first = before.index("<Repeater")
    before = before[:first] + before[before.index("</Repeater>") + len("</Repeater>") :]
    before = before.replace("$item.sound_note", "$item.start_local")
    number = label_studio.ensure_project(title, before, "Tests").project_id
    del old["data"]["sound"]
    for name in (
        "sounds",
        "sound_note",
        "dialogue",
        "heard_note",
        "difference",
        "quote_speaker_label",
        "challenged_hint_label",
    ):
        del old["data"]["item"][name]
    label_studio.push(number, [old])
    assert label_studio.ensure_project(title, labelling_config(), "Tests").config_changed
    assert len(label_studio.push(number, [spoken_task(minute=6), task(minute=8)]).arrived) == 2


def test_other_data_leaves_what_people_answered(label_studio: LabelStudio, project: int, server: Running) -> None:
    made = spoken_task()
    (task_id,) = label_studio.push(project, [made]).arrived.values()
    head = {"Authorization": f"Token {server.token}"}
    answer = {
        "result": [{"from_name": "assessment", "to_name": "source_text", "type": "choices", "value": {"choices": ["none"]}}]
    }
    httpx.post(f"{server.url}/api/tasks/{task_id}/annotations/", json=answer, headers=head).raise_for_status()
    before = api(server, f"tasks/{task_id}/")
    made["data"]["item"]["dialogue"][0]["speaker"] = "SPEAKER_00"
    for _ in range(2):
        label_studio.update_data(task_id, made["data"])
    after = api(server, f"tasks/{task_id}/?resolve_uri=false")
    assert after["data"] == made["data"]
    assert (after["annotations"], after["predictions"]) == (before["annotations"], before["predictions"])
    assert after["annotations"][0]["result"][0]["value"] == {"choices": ["none"]}


def test_a_task_that_is_gone_is_permanent(label_studio: LabelStudio) -> None:
    with pytest.raises(Permanent, match="404"):
        label_studio.update_data(987_654, {})
