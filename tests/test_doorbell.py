"""The doorbell over HTTP: who knows the secret rings, what is sent along counts for nothing, and nothing breaks it."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import pytest

from climate_assets.failures import Permanent
from climate_assets.labelling.records import Annotation, LabellingTask, Ring
from resources.doorbell import HEADER, Doorbell
from resources.postgres import Barometre
from tests.broadcast.served import served

SECRET = "a-secret-of-the-suite"


def task(project_id: int) -> LabellingTask:
    where = ("france/canal-un/2026-11-20T18:04:00Z", "france", date(2026, 11, 20), "canal-un")
    return LabellingTask(*where, "b", "k", "s", "score", 1.0, 0.5, "m", "p", "g", project_id, 3, "ok", "")


@pytest.fixture
def bell(barometre: Barometre) -> Iterator[httpx.Client]:
    barometre.upsert([task(7)], LabellingTask)
    app = Doorbell(url="http://bell.example", secret=SECRET).app(barometre)
    with served(app) as url, httpx.Client(base_url=url, headers={HEADER: SECRET}) as client:
        yield client


def test_a_ring_is_noted_and_a_later_one_takes_its_place(bell: httpx.Client, barometre: Barometre) -> None:
    assert bell.get("/health").status_code == 200
    assert bell.post("/rings/7", json={"action": "ANNOTATION_CREATED"}).status_code == 204
    [first] = barometre.read(Ring)
    assert bell.post("/rings/7", json={"action": "ANNOTATION_CREATED"}).status_code == 204
    [second] = barometre.read(Ring)
    assert (first.project_id, second.project_id) == (7, 7)
    assert second.rung_at > first.rung_at


def test_what_a_ring_carries_reaches_no_table(bell: httpx.Client, barometre: Barometre) -> None:
    forged = {"action": "ANNOTATION_CREATED", "annotation": {"id": 1, "task": 3, "result": []}, "task": {"id": 3}}
    for body in (forged, [], "not an object"):
        assert bell.post("/rings/7", json=body).status_code == 204
    assert bell.post("/rings/7", content=b"\xff\x00{").status_code == 204
    assert barometre.read(Annotation) == []


@pytest.mark.parametrize(
    ("path", "headers", "content", "answer"),
    [
        ("/rings/7", {HEADER: ""}, b"{}", 401),
        ("/rings/7", {HEADER: SECRET + "x"}, b"{}", 401),
        ("/rings/7", {HEADER: SECRET[:-1]}, b"{}", 401),
        ("/rings/7", {HEADER: "é" * 21}, b"{}", 401),
        # Who does not know the secret does not learn which projects there are.
        ("/rings/8", {HEADER: "wrong"}, b"{}", 401),
        ("/rings/8", {}, b"{}", 404),
        ("/rings/99999999999999999999", {}, b"{}", 404),
        (f"/rings/{'9' * 5000}", {}, b"{}", 404),
        (f"/rings/{'9' * 5000}", {HEADER: "wrong"}, b"{}", 401),
        ("/rings/٣", {}, b"{}", 404),
        ("/rings/0", {}, b"{}", 404),
        ("/rings/-7", {}, b"{}", 404),
        ("/rings/seven", {}, b"{}", 404),
        ("/rings/7", {}, b"x" * (4 * 1024 * 1024 + 1), 413),
    ],
)
def test_a_ring_that_is_none_leaves_no_trace(
    bell: httpx.Client, barometre: Barometre, path: str, headers: dict[str, Any], content: bytes, answer: int
) -> None:
    encoded = {name: value.encode() for name, value in headers.items()}
    assert bell.post(path, headers=encoded, content=content).status_code == answer
    assert bell.get("/rings/7").status_code == 405
    assert barometre.read(Ring) == []


def test_a_doorbell_without_a_good_secret_does_not_open(barometre: Barometre) -> None:
    assert not Doorbell().configured
    with pytest.raises(Permanent, match="DOORBELL_URL"):
        Doorbell().app(barometre)
    for secret in ("", "short"):
        with pytest.raises(Permanent, match="DOORBELL_SECRET"):
            Doorbell(url="http://bell.example", secret=secret).app(barometre)
    assert SECRET not in repr(Doorbell(url="http://bell.example", secret=SECRET))


def test_each_project_rings_at_its_own_address() -> None:
    assert Doorbell(url="http://bell.example/", secret=SECRET).address(7) == "http://bell.example/rings/7"
