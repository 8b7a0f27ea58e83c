"""Answers on the real Label Studio: whatever people do, the read equals what the server has, also through a broken line."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import httpx
import pytest

from climate_assets.claims.records import Category
from climate_assets.failures import Permanent, Transient
from climate_assets.labelling.answer_versions import deletions, new_versions, standing, version_of, with_gone_tasks
from climate_assets.labelling.answers import Reading, SetAside, answers_of_task
from climate_assets.labelling.labelling_config import labelling_config
from climate_assets.labelling.records import Annotation
from resources import label_studio_annotations as answers
from resources.label_studio import LabelStudio
from tests.label_studio_people import People
from tests.label_studio_server import Running
from tests.labelling.cases import QUOTE, TEXT, task

TITLES = (f"Boréalie, answers {number}" for number in count(1))
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
SECRET = "a-secret-of-the-suite"
START = TEXT.index(QUOTE)


class Books:
    """What is kept of one project's answers: rows that are only added."""

    def __init__(self, label_studio: LabelStudio, project: int) -> None:
        self.label_studio, self.reading = label_studio, Reading(project, "borealie", "api")
        self.rows: list[Annotation] = []
        self.aside: list[SetAside] = []
        self.until = LONG_AGO

    def read(self, full: bool = False) -> int:
        """One read, as the platform does it; how many rows it added."""
        project, before = self.reading.project_id, len(self.rows)
        newest = answers.summary(self.label_studio, project).newest or LONG_AGO
        tasks = list(
            answers.all_tasks(self.label_studio, project)
            if full
            else answers.tasks_changed(self.label_studio, project, self.until)
        )
        seen = [row for one_task in tasks for row in answers_of_task(one_task, self.reading)]
        self.aside = [row for row in seen if isinstance(row, SetAside)]
        known = {version_of(row): row.result for row in self.rows}
        self.rows += new_versions((row for row in seen if isinstance(row, Annotation)), known)
        read = {one_task["id"]: datetime.fromisoformat(one_task["updated_at"]) for one_task in tasks}
        if full:
            read = with_gone_tasks(read, self.standing(), newest)
        present = {raw["id"] for one_task in tasks for raw in one_task["annotations"]}
        self.rows += deletions(self.standing(), present, read, datetime.now(UTC))
        self.until = max([self.until, newest])
        return len(self.rows) - before

    def standing(self) -> list[Annotation]:
        return list(standing(self.rows).values())

    def says(self) -> dict[int, tuple[str, bool]]:
        """The standing answers that are not deleted: result, and whether skipped."""
        kept = [row for row in self.standing() if row.state != "deleted"]
        return {row.annotation_id: (json.dumps(json.loads(row.result), sort_keys=True), row.state == "skipped") for row in kept}


@pytest.fixture
def server(label_studio_server: Running) -> Running:
    return label_studio_server


@pytest.fixture
def label_studio(server: Running) -> LabelStudio:
    return LabelStudio(url=server.url, api_key=server.token)


@pytest.fixture
def project(label_studio: LabelStudio) -> int:
    return label_studio.ensure_project(next(TITLES), labelling_config(), "Tests").project_id


@pytest.fixture
def people(server: Running, project: int) -> People:
    return People(server, project)


@pytest.fixture
def tasks(label_studio: LabelStudio, project: int) -> list[int]:
    return list(label_studio.push(project, [task(minute=2 * n) for n in range(8)]).arrived.values())


def agree(books: Books, people: People) -> bool:
    return books.says() == {number: (result, skipped) for number, (result, _, skipped) in people.has().items()}


def test_after_each_thing_people_do_the_read_equals_what_the_server_has(
    label_studio: LabelStudio, project: int, people: People, tasks: list[int]
) -> None:
    books, made = Books(label_studio, project), dict[str, int]()
    assert books.read() == 0
    pulses = [label_studio.pulse(project)]

    def steps() -> Iterator[tuple[str, Callable[[], Any], int, bool]]:
        """What is done, the rows that it adds, and whether only a full read finds it."""
        yield "first answer", lambda: made.update(first=people.answer(tasks[0], remark="À vérifier 😀")), 1, False
        yield "second person", lambda: made.update(second=people.answer(tasks[0], "none")), 1, False
        yield "edit", lambda: people.edit(made["first"], "challenged"), 1, False
        yield "skip", lambda: made.update(skipped=people.answer(tasks[1], skip=True)), 1, False
        yield "delete", lambda: people.call("DELETE", f"annotations/{made['second']}/"), 1, False
        yield "delete a skipped one", lambda: people.call("DELETE", f"annotations/{made['skipped']}/"), 1, False
        yield "answer many", lambda: [people.answer(number) for number in tasks[2:6]], 4, False
        yield "rename a label", lambda: people.act("rename_labels", tasks, **RENAME), 1, False
        yield "delete the answers of many", lambda: people.act("delete_tasks_annotations", tasks[2:4]), 2, False
        yield (
            "copy an answer",
            lambda: people.act("propagate_annotations", tasks[2:3], source_annotation_id=made["first"]),
            1,
            True,
        )
        yield "accept predictions", lambda: people.act("predictions_to_annotations", tasks[6:7]), 1, False
        yield "back to a draft", lambda: people.call("POST", f"annotations/{made['first']}/convert-to-draft"), 1, False
        yield "delete a task", lambda: people.call("DELETE", f"tasks/{tasks[4]}/"), 1, True
        yield "delete tasks", lambda: people.act("delete_tasks", tasks[5:6]), 1, True

    for what, do, added, needs_full in steps():
        do()
        pulses.append(label_studio.pulse(project))
        assert pulses[-1] not in pulses[:-1], what
        assert books.read(full=needs_full) == added, what
        assert books.aside == []
        assert agree(books, people), what
        assert books.read() + books.read(full=True) == 0, what
        assert label_studio.pulse(project) == pulses[-1], what
    (first,) = [row for row in books.standing() if row.annotation_id == made["first"]]
    assert first.state == "deleted"


RENAME = {"control_tag": "assessment", "old_label_name": "challenged", "new_label_name": "none"}


def test_an_answer_is_read_with_all_that_the_person_said(
    label_studio: LabelStudio, project: int, people: People, tasks: list[int]
) -> None:
    number = people.answer(tasks[0], remark="À vérifier 😀")
    books = Books(label_studio, project)
    books.read()
    (row,) = books.rows
    assert (row.annotation_id, row.task_id, row.project_id, row.annotator) == (number, tasks[0], project, 1)
    assert (row.assessment, row.state, row.lead_seconds, row.suggested_by) == ("unchallenged", "submitted", 4.5, "")
    assert json.loads(row.spans) == [{"start": START, "end": START + len(QUOTE), "label": "misleading", "text": QUOTE}]
    assert json.loads(row.texts) == {"remarks": ["À vérifier 😀"]}
    assert row.item_id.startswith("borealie/canal-un/")
    # To the microsecond, so that no two saves are one.
    assert row.updated_at.isoformat().replace("+00:00", "Z") == people.has()[number][1]


def test_an_accepted_prediction_says_which_model_it_began_from(
    label_studio: LabelStudio, project: int, people: People, tasks: list[int]
) -> None:
    people.act("predictions_to_annotations", tasks[:1])
    books = Books(label_studio, project)
    books.read()
    (row,) = books.rows
    assert (row.suggested_by, row.assessment, row.categories) == ("student-2/training-7", None, [Category.NOT_US.value])
    # What the machine marked is no span of the person's.
    assert row.spans == "[]"


def test_a_draft_is_no_answer_and_changes_no_pulse(
    label_studio: LabelStudio, project: int, people: People, tasks: list[int]
) -> None:
    number = people.answer(tasks[0])
    books, pulse = Books(label_studio, project), label_studio.pulse(project)
    books.read()
    for path in (f"tasks/{tasks[1]}/drafts", f"tasks/{tasks[0]}/annotations/{number}/drafts"):
        people.call("POST", path, json={"result": [], "lead_time": 1})
    assert label_studio.pulse(project) == pulse
    assert books.read() == 0


@pytest.mark.parametrize("page", [1, 2, 3, 8, 100])
def test_pages_of_any_size_hold_each_task_once(
    label_studio: LabelStudio, project: int, people: People, tasks: list[int], page: int
) -> None:
    for number in tasks[:5]:
        people.answer(number)
    # All at one instant, which is more than a page may hold.
    people.act("delete_tasks_annotations", tasks[:5])
    people.answer(tasks[6])
    changed = [one_task["id"] for one_task in answers.tasks_changed(label_studio, project, LONG_AGO, page)]
    assert sorted(changed) == tasks
    assert changed[-1] == tasks[6]
    assert sorted(changed[-6:-1]) == tasks[:5]
    assert [one_task["id"] for one_task in answers.all_tasks(label_studio, project, 0, page)] == tasks
    assert [one_task["id"] for one_task in answers.all_tasks(label_studio, project, tasks[3], page)] == tasks[4:]


def test_work_that_goes_on_meanwhile_loses_and_repeats_nothing(
    label_studio: LabelStudio, project: int, people: People, tasks: list[int]
) -> None:
    reading = answers.tasks_changed(label_studio, project, LONG_AGO, 2)
    met = [next(reading)]
    people.answer(tasks[0])  # met already: comes again, as it is now
    people.answer(tasks[5])  # not met yet: comes once
    people.call("DELETE", f"tasks/{tasks[1]}/")  # in the page that is being read
    people.call("DELETE", f"tasks/{tasks[3]}/")  # not met yet
    met += list(reading)
    times = {number: [one_task for one_task in met if one_task["id"] == number] for number in tasks}
    assert {number: len(states) for number, states in times.items()} == dict(zip(tasks, [2, 1, 1, 0, 1, 1, 1, 1], strict=True))
    assert len(times[tasks[0]][-1]["annotations"]) == len(times[tasks[5]][0]["annotations"]) == 1
    whole = answers.all_tasks(label_studio, project, 0, 2)
    first = next(whole)
    people.call("DELETE", f"tasks/{tasks[0]}/")
    added = list(label_studio.push(project, [task(minute=40)]).arrived.values())
    assert [first["id"], *(one_task["id"] for one_task in whole)] == [tasks[n] for n in (0, 2, 4, 5, 6, 7)] + added


class _Line(BaseHTTPRequestHandler):
    """Passes everything on to Label Studio, and breaks as it is told."""

    server_url = token = ""
    asked = 0
    broken: Callable[[int], str] = staticmethod(lambda number: "")

    def do_GET(self) -> None:
        type(self).asked += 1
        how = self.broken(self.asked)
        if how == "drop":
            self.connection.close()
            return
        head = {"Authorization": f"Token {self.token}"}
        answer = httpx.get(f"{self.server_url}{self.path}", headers=head, timeout=60)
        body = answer.content if how != "starting" else b"<html>starting</html>"
        self.send_response(502 if how == "starting" else answer.status_code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if how == "half" else body)
        if how == "half":
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def line(server: Running, broken: Callable[[int], str]) -> Iterator[LabelStudio]:
    handler = type("Handler", (_Line,), {"server_url": server.url, "token": server.token, "broken": staticmethod(broken)})
    listener = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    try:
        yield LabelStudio(url=f"http://127.0.0.1:{listener.server_port}", api_key=server.token, timeout_seconds=20)
    finally:
        listener.shutdown()
        listener.server_close()


@pytest.mark.parametrize("how", ["drop", "half", "starting"])
def test_a_page_that_breaks_once_is_asked_for_again(server: Running, project: int, tasks: list[int], how: str) -> None:
    with line(server, lambda number: how if number in (2, 5) else "") as through:
        assert [one_task["id"] for one_task in answers.all_tasks(through, project, 0, 3)] == tasks


def test_a_restart_in_mid_read_is_transient_and_the_next_call_goes_on(
    server: Running, project: int, people: People, tasks: list[int]
) -> None:
    down = {"from": 2}
    with line(server, lambda number: "drop" if number >= down["from"] else "") as through:
        reading = answers.all_tasks(through, project, 0, 3)
        met = [next(reading)["id"] for _ in range(3)]
        with pytest.raises(Transient, match="does not answer"):
            next(reading)
        down["from"] = 10**9
        rest = [one_task["id"] for one_task in answers.all_tasks(through, project, met[-1], 3)]
        assert met + rest == tasks


def test_what_is_too_large_is_told_of_and_keeps_nothing_back(
    label_studio: LabelStudio, project: int, people: People, tasks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "PAGE_BYTES", 20_000)
    huge = [{"id": str(n), "from_name": "remarks", "type": "textarea", "value": {"text": ["x" * 4000]}} for n in range(10)]
    people.call("POST", f"tasks/{tasks[3]}/annotations/", json={"result": huge})
    people.answer(tasks[4])
    for read in (answers.all_tasks(label_studio, project), answers.tasks_changed(label_studio, project, LONG_AGO)):
        met = list(read)
        assert sorted(one_task["id"] for one_task in met) == tasks
        rows = [row for one_task in met for row in answers_of_task(one_task, Reading(project, "borealie", "api"))]
        assert [row.task_id for row in rows if isinstance(row, Annotation)] == [tasks[4]]
        (aside,) = [row.row for row in rows if isinstance(row, SetAside)]
        assert (aside.task_id, aside.annotation_id) == (tasks[3], 0)
        assert "'20000' bytes" in aside.reason


def test_a_project_that_is_gone_is_permanent(label_studio: LabelStudio) -> None:
    for ask in (lambda: label_studio.pulse(987_654), lambda: list(answers.all_tasks(label_studio, 987_654))):
        with pytest.raises(Permanent, match="404"):
            ask()


def test_a_poisoned_answer_is_set_aside_and_the_ones_beside_it_are_read(
    label_studio: LabelStudio, project: int, people: People, tasks: list[int]
) -> None:
    bad = people.answer(tasks[0], remark="<script>alert(1)</script>")
    people.answer(tasks[0], remark="Rien à dire")
    books = Books(label_studio, project)
    assert books.read() == 1
    (aside,) = books.aside
    assert (aside.row.annotation_id, aside.row.task_id) == (bad, tasks[0])
    assert "remarks" in aside.row.reason
    assert b"@" not in aside.content
    # Put right, it is read as a version like any other.
    people.edit(bad, "none")
    assert books.read() == 1
    assert agree(books, people)


class _Ear(BaseHTTPRequestHandler):
    """A receiver of webhooks that keeps what comes."""

    heard: list[tuple[str, dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.heard.append((self.headers["X-Climate-Secret"], body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def ear() -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    heard: list[tuple[str, dict[str, Any]]] = []
    listener = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Ear,), {"heard": heard}))
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listener.server_port}/rings", heard
    listener.shutdown()
    listener.server_close()


def test_the_webhook_rings_for_answers_that_are_given_changed_and_deleted(
    label_studio: LabelStudio, project: int, people: People, tasks: list[int], ear: Any
) -> None:
    url, heard = ear
    assert answers.webhook_active(label_studio, project, url) is None
    assert answers.ensure_webhook(label_studio, project, url, SECRET) is True
    assert answers.ensure_webhook(label_studio, project, url, SECRET) is False
    assert answers.webhook_active(label_studio, project, url) is True
    number = people.answer(tasks[0], remark="Vu")
    people.edit(number, "none")
    people.call("DELETE", f"annotations/{number}/")
    assert [body["action"] for _, body in heard] == ["ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED"]
    assert {secret for secret, _ in heard} == {SECRET}
    assert all("annotation" not in body for _, body in heard), "a ring carries nothing but that there is something to read"


def test_a_webhook_that_was_switched_off_is_noticed_and_switched_on(
    label_studio: LabelStudio, project: int, people: People, ear: Any
) -> None:
    url, _ = ear
    answers.ensure_webhook(label_studio, project, url, SECRET)
    (hook,) = people.call("GET", f"webhooks/?project={project}")
    people.call("PATCH", f"webhooks/{hook['id']}/", json={"url": url, "is_active": False})
    assert answers.webhook_active(label_studio, project, url) is False
    assert answers.ensure_webhook(label_studio, project, url, SECRET) is True
    assert answers.ensure_webhook(label_studio, project, url, SECRET) is False
    (again,) = people.call("GET", f"webhooks/?project={project}")
    unchanged = ("id", "headers", "send_payload", "send_for_all_actions", "is_active")
    assert {name: again[name] for name in unchanged} == {name: hook[name] for name in unchanged}
    assert answers.ensure_webhook(label_studio, project, url, "another-secret-of-it") is True
    (renewed,) = people.call("GET", f"webhooks/?project={project}")
    assert (renewed["id"], renewed["headers"]) == (hook["id"], {"X-Climate-Secret": "another-secret-of-it"})
    # Hung elsewhere, the old one is taken down; somebody else's is left alone.
    people.call("POST", "webhooks/", json={"url": f"{url}/of-somebody-else", "project": project})
    assert answers.ensure_webhook(label_studio, project, f"{url}/new", SECRET) is True
    hooks = {hook["url"]: hook["is_active"] for hook in people.call("GET", f"webhooks/?project={project}")}
    assert hooks == {url: False, f"{url}/new": True, f"{url}/of-somebody-else": True}


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("ftp://rings.example/x", SECRET),
        ("http://user:word@rings.example/x", SECRET),
        ("http://rings.example/x?secret=1", SECRET),
        ("http://rings.example/x", "short"),
        ("http://rings.example/x", "a secret with spaces in it"),
        ("http://rings.example/x", "a-secret\r\nX-Other: 1"),
    ],
)
def test_an_address_or_a_secret_that_cannot_be_used_is_refused_unsaid(
    label_studio: LabelStudio, project: int, url: str, secret: str
) -> None:
    with pytest.raises(Permanent) as caught:
        answers.ensure_webhook(label_studio, project, url, secret)
    assert secret not in str(caught.value)


def test_reads_go_back_a_little_behind_their_mark(
    label_studio: LabelStudio, project: int, people: People, tasks: list[int]
) -> None:
    people.answer(tasks[2])
    newest = answers.summary(label_studio, project).newest
    assert newest is not None
    assert [t["id"] for t in answers.tasks_changed(label_studio, project, newest + timedelta(seconds=60))]
    assert not list(answers.tasks_changed(label_studio, project, newest + answers.OVERLAP + timedelta(microseconds=1)))
    assert [t["id"] for t in answers.tasks_changed(label_studio, project, newest + answers.OVERLAP)] == [tasks[2]]
