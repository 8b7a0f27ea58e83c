"""A secret stays in its field: never in a log, an exception, a repr, a snapshot of a run or a stored answer."""

import http.server
import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import dagster as dg
import pytest

from climate_assets.labelling.labelling_config import labelling_config
from demo.broadcaster import Broadcaster
from demo.fixed_items import FixedItems
from resources.bindings import VARIABLES, reference, resources
from resources.mediatree import Conversation, Mediatree
from resources.postgres import Barometre
from tests.broadcast.served import served

SECRETS = {
    "AWS_ACCESS_KEY_ID": "ACCESS-Zq81-lake",
    "AWS_SECRET_ACCESS_KEY": "SECRET-Zq82-lake",
    "MEDIATREE_USER": "USER-Zq83-source",
    "MEDIATREE_PASSWORD": "PASS-Zq84-source",
    "LLM_API_KEY": "sk-Zq85-model",
    "LABEL_STUDIO_API_KEY": "Zq86aaaabbbbccccdddd",
}
DATABASE_PASSWORD = "Zq87-database"
WEBHOOK_PATH = "Zq88-webhook"
ALL = [*SECRETS.values(), DATABASE_PASSWORD, WEBHOOK_PATH]
DOWN = "http://127.0.0.1:9"


def known(address: str) -> dict[str, Any]:
    """Every resource, with secrets of its own, whose outside is at this address."""
    host = address.removeprefix("http://")
    return resources({
        **SECRETS,
        "DATABASE_URL": f"postgresql://climate:{DATABASE_PASSWORD}@{host}/barometre",
        "ALERT_WEBHOOK_URL": f"{address}/hooks/{WEBHOOK_PATH}",
        "LLM_MODEL": "demo-model",
        "LLM_BASE_URL": f"{address}/v1",
        **dict.fromkeys(("S3_ENDPOINT_URL", "MEDIATREE_URL", "LABEL_STUDIO_URL"), address),
    })  # fmt: skip


@contextmanager
def refusing(status: int) -> Iterator[str]:
    """A server that answers every call with a status, and repeats what it was sent, as some do."""

    class Refusal(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = b'{"detail": "refused: %s %s"}' % (str(self.headers).encode("unicode_escape"), sent.replace(b'"', b"'"))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_HEAD = do_PATCH = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def fetch(made: dict[str, Any]) -> Any:
    country = reference({}).countries()["france"]
    source: Mediatree = made["mediatree"]
    return Conversation(source, sleep=lambda _: None).fetch_day(country, country.channels[0], date(2026, 11, 20))


# What each resource does when it is used.
USES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "database": lambda made: made["barometre"].rows("SELECT 1"),
    "object store, look": lambda made: made["lake"].has_bucket("bucket"),
    "object store, read": lambda made: made["lake"].get("bucket", "key"),
    "object store, write": lambda made: made["lake"].put("bucket", "key", b"content"),
    "object store, list": lambda made: list(made["lake"].listing("bucket", "")),
    "source": fetch,
    "source, check": lambda made: made["mediatree"].check(),
    "labelling server": lambda made: made["label_studio"].ensure_project("Title", labelling_config(), "d"),
    "model": lambda made: made["llm"].models(),
    "notifier": lambda made: made["notifier"].tell("title", "body"),
}


def told_by(use: Callable[[], Any], caplog: pytest.LogCaptureFixture) -> str:
    """Everything that a person or a file could get to see: result, exception with its causes, log."""
    caplog.clear()
    caplog.set_level(logging.INFO)
    try:
        said = repr(use())
    except Exception as error:
        said = "".join(traceback.format_exception(error)) + repr(error)
    return said + "\n".join(record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    ("name", "status"),
    [pytest.param(name, status) for name in USES for status in (401, 403, 503, None) if name != "database" or status is None],
)
def test_a_refusal_or_an_outage_tells_no_secret(
    name: str, status: int | None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "labelling server" and status == 503:
        monkeypatch.setattr("label_studio_sdk.core.http_client._retry_timeout", lambda *_, **__: 0.0)
    if name.startswith("object store") and status in (503, None):
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    if status is None:
        said = told_by(lambda: USES[name](known(DOWN)), caplog)
    else:
        with refusing(status) as address:
            said = told_by(lambda: USES[name](known(address)), caplog)
    assert said
    assert [secret for secret in ALL if secret in said] == []


@pytest.mark.parametrize("name", [pytest.param(n) for n in sorted(resources({}))])
def test_no_resource_shows_its_secret(name: str) -> None:
    made = known(DOWN)[name]
    assert [secret for secret in ALL if secret in repr(made) or secret in str(made)] == []


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://climate:{}/x@db/barometre",
        "postgresql://climate:{}@db:port/barometre",
        pytest.param("climate:{}@db"),
    ],
)
def test_a_database_address_that_cannot_be_read_tells_no_password(url: str, caplog: pytest.LogCaptureFixture) -> None:
    said = told_by(lambda: Barometre(url=url.format(DATABASE_PASSWORD)).rows("SELECT 1"), caplog)
    assert DATABASE_PASSWORD not in said


@dg.asset
def asks(lake: dg.ResourceParam[Any], barometre: dg.ResourceParam[Any]) -> None:
    """Uses resources with secrets."""


def test_what_is_stored_of_a_run_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    from dagster_shared.serdes import serialize_value

    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in {**SECRETS, "DATABASE_URL": f"postgresql://climate:{DATABASE_PASSWORD}@db/barometre"}.items():
        monkeypatch.setenv(name, value)
    made = resources()
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize([asks], instance=instance, resources={"lake": made["lake"], "barometre": made["barometre"]})
        assert done.success
        run = instance.get_run_by_id(done.run_id)
        assert run is not None
        job = instance.get_job_snapshot(run.job_snapshot_id)  # type: ignore[arg-type]
        stored = serialize_value(run) + serialize_value(job)
        stored += "".join(entry.to_json() for entry in instance.all_logs(done.run_id))
    assert "lake" in stored
    assert [secret for secret in ALL if secret in stored] == []


def test_a_stored_answer_holds_neither_password_nor_token() -> None:
    broadcaster = Broadcaster(FixedItems([]), SECRETS["MEDIATREE_USER"], SECRETS["MEDIATREE_PASSWORD"])
    with served(broadcaster.app()) as url:
        fetched = fetch(known(url))
        conversation = Conversation(known(url)["mediatree"], sleep=lambda _: None)
        token = conversation._renewed("")
    assert fetched.answers
    assert token
    for answer in fetched.answers:
        assert "token" not in answer.request
        assert [s for s in ALL if s in answer.request or s.encode() in answer.payload] == []
