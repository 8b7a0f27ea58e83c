"""A day's tasks in the real Label Studio: with their sound, once it is there, and without a name that was forgotten."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx
import pytest

from climate_assets.broadcast.records import Chunk, CleanChunk
from climate_assets.claims.records import Verdict
from climate_assets.countries import Country
from climate_assets.labelling.handover import Handover, hand_over
from climate_assets.labelling.records import LabellingTask
from climate_assets.labelling.tasks import canonical_bytes
from climate_assets.speech.records import AttributedClip, Clip, Transcript, Utterance, VoiceErasure
from climate_assets.states import StageState
from resources.label_studio import LabelStudio
from resources.postgres import Barometre
from resources.s3 import Lake
from tests.label_studio_server import Running
from tests.labelling.cases import COUNTRY, DAY, chunk, clean, verdict
from tests.labelling.spoken import JEANNE, SOUND, attributed, clip, states, transcript, utterances

NUMBERS = count(1)
DOWN = LabelStudio(url="http://127.0.0.1:9", api_key="f" * 40, timeout_seconds=1)


@pytest.fixture
def country() -> Country:
    number = next(NUMBERS)
    changes = {"project": f"Handover {number}", "bucket": f"climateguard-handover-{number}", "audit_share": 0.0}
    return COUNTRY.model_copy(update=changes)


@pytest.fixture
def server(label_studio_server: Running) -> Running:
    return label_studio_server


@pytest.fixture
def label_studio(server: Running) -> LabelStudio:
    return LabelStudio(url=server.url, api_key=server.token)


@pytest.fixture
def day(country: Country, barometre: Barometre, lake: Lake) -> list[Chunk]:
    """Three judged chunks: one heard and attributed, one whose archive has no sound, one that nobody has heard."""
    lake.ensure_bucket("climate-lake")
    lake.ensure_bucket(country.bucket)
    chunks = [chunk(minute=minute) for minute in (4, 6, 8)]
    barometre.upsert(chunks, Chunk)
    barometre.upsert([clean(c) for c in chunks], CleanChunk)
    barometre.upsert([verdict(clean(c)) for c in chunks], Verdict)
    spoken = clip(chunks[0])
    lake.put("climate-lake", spoken.object_key, SOUND)
    barometre.upsert([spoken], Clip)
    barometre.upsert([transcript(spoken)], Transcript)
    barometre.upsert(utterances(spoken), Utterance)
    barometre.upsert([attributed(spoken)], AttributedClip)
    barometre.upsert([*states(chunks[0]), *states(chunks[1], audio_clips="dead", whisper_transcripts="absent")], StageState)
    return chunks


def rows(barometre: Barometre) -> dict[str, LabellingTask]:
    return {t.chunk_id: t for t in barometre.read(LabellingTask)}


def written(lake: Lake, row: LabellingTask) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(lake.get(row.bucket, row.object_key))
    return made


def seen(server: Running, row: LabellingTask) -> dict[str, Any]:
    head = {"Authorization": f"Token {server.token}"}
    answer = httpx.get(f"{server.url}/api/tasks/{row.task_id}/", headers=head, timeout=30)
    answer.raise_for_status()
    made: dict[str, Any] = answer.json()
    return made


def changes(done: Handover) -> int:
    return done.change.inserted + done.change.updated + done.change.deleted


def test_tasks_go_with_their_sound_or_with_the_reason_for_none(
    day: list[Chunk],
    country: Country,
    barometre: Barometre,
    lake: Lake,
    label_studio: LabelStudio,
    server: Running,
) -> None:
    done = hand_over(country, DAY, barometre, lake, label_studio)
    assert (done.trouble, done.waiting_for_sound, dict(done.states)) == ("", 0, {"ok": 3})
    shown = [seen(server, rows(barometre)[c.chunk_id])["data"] for c in day]
    assert [bool(data["sound"]) for data in shown] == [True, False, False]
    assert [data["item"]["sound_note"] for data in shown][1:] == ["No sound: it is dead", "No sound: nobody has asked for it"]
    head = {"Authorization": f"Token {server.token}"}
    assert httpx.get(f"{server.url}{shown[0]['sound']}", headers=head).content == SOUND
    again = hand_over(country, DAY, barometre, lake, label_studio)
    assert (changes(again), again.objects, dict(again.states)) == (0, 0, {"ok": 3})


@pytest.mark.parametrize("state", ["pending", "failed"])
def test_a_chunk_whose_sound_may_still_come_waits_and_then_goes_with_it(
    day: list[Chunk], country: Country, barometre: Barometre, lake: Lake, label_studio: LabelStudio, state: str
) -> None:
    barometre.upsert(states(day[0], whisper_transcripts=state, attributed_transcripts="pending"), StageState)
    first = hand_over(country, DAY, barometre, lake, label_studio)
    assert (first.waiting_for_sound, set(rows(barometre))) == (1, {day[1].chunk_id, day[2].chunk_id})
    barometre.upsert(states(day[0]), StageState)
    second = hand_over(country, DAY, barometre, lake, label_studio)
    assert (second.waiting_for_sound, second.objects, dict(second.states)) == (0, 1, {"ok": 3})
    assert written(lake, rows(barometre)[day[0].chunk_id])["data"]["item"]["sounds"]


def test_a_task_that_is_written_stays_as_it_is_when_sound_comes_late(
    day: list[Chunk], country: Country, barometre: Barometre, lake: Lake, label_studio: LabelStudio
) -> None:
    hand_over(country, DAY, barometre, lake, label_studio)
    late = clip(day[2])
    barometre.upsert([late], Clip)
    barometre.upsert(states(day[2]), StageState)
    done = hand_over(country, DAY, barometre, lake, label_studio)
    assert (changes(done), done.objects) == (0, 0)
    assert written(lake, rows(barometre)[day[2].chunk_id])["data"]["sound"] == ""


def forget(barometre: Barometre, clips: list[str]) -> None:
    erasure = VoiceErasure(
        person_id=JEANNE,
        erased_at=datetime(2026, 11, 21, tzinfo=UTC),
        samples=1,
        objects=1,
        vectors=1,
        clips=clips,
        proof="0" * 64,
    )
    barometre.upsert([erasure], VoiceErasure)


def test_a_forgotten_name_goes_from_bucket_server_and_row_and_answers_stay(
    day: list[Chunk],
    country: Country,
    barometre: Barometre,
    lake: Lake,
    label_studio: LabelStudio,
    server: Running,
) -> None:
    hand_over(country, DAY, barometre, lake, label_studio)
    before = rows(barometre)
    named = before[day[0].chunk_id]
    assert "Jeanne Durand" in json.dumps(seen(server, named))
    head = {"Authorization": f"Token {server.token}"}
    choice = {"from_name": "assessment", "to_name": "source_text", "type": "choices", "value": {"choices": ["none"]}}
    answer = f"{server.url}/api/tasks/{named.task_id}/annotations/"
    httpx.post(answer, json={"result": [choice]}, headers=head, timeout=30).raise_for_status()

    forget(barometre, [c.chunk_id for c in day])
    # While Label Studio is down the bucket is clean already, and the row still says that something is to be done.
    down = hand_over(country, DAY, barometre, lake, DOWN)
    assert "does not answer" in down.trouble
    assert (down.objects, rows(barometre)[day[0].chunk_id].sha256) == (1, named.sha256)
    assert "Jeanne" not in json.dumps(written(lake, named))
    assert "Jeanne Durand" in json.dumps(seen(server, named))

    done = hand_over(country, DAY, barometre, lake, label_studio)
    shown, row = seen(server, named), rows(barometre)[day[0].chunk_id]
    assert (done.trouble, changes(done), done.objects) == ("", 1, 0)
    assert "Jeanne" not in json.dumps(shown)
    assert JEANNE not in json.dumps(shown)
    assert shown["data"]["sound"].startswith(f"/projects/{named.project_id}/resolve/")
    assert shown["annotations"][0]["result"][0]["value"] == {"choices": ["none"]}
    assert row == replace(named, sha256=hashlib.sha256(canonical_bytes(written(lake, named))).hexdigest())
    assert {i: r for i, r in rows(barometre).items() if i != named.chunk_id} == {
        i: r for i, r in before.items() if i != named.chunk_id
    }
    again = hand_over(country, DAY, barometre, lake, label_studio)
    assert (changes(again), again.objects) == (0, 0)


def test_a_name_that_is_forgotten_before_delivery_never_gets_there(
    day: list[Chunk],
    country: Country,
    barometre: Barometre,
    lake: Lake,
    label_studio: LabelStudio,
    server: Running,
) -> None:
    assert hand_over(country, DAY, barometre, lake, DOWN).states == {"pending": 3}
    forget(barometre, [day[0].chunk_id])
    done = hand_over(country, DAY, barometre, lake, label_studio)
    row = rows(barometre)[day[0].chunk_id]
    assert dict(done.states) == {"ok": 3}
    assert "Jeanne" not in json.dumps(seen(server, row))
    assert row.sha256 == hashlib.sha256(lake.get(row.bucket, row.object_key)).hexdigest()


def test_a_country_that_delivers_by_storage_plays_through_the_same_door(
    day: list[Chunk],
    country: Country,
    barometre: Barometre,
    lake: Lake,
    label_studio: LabelStudio,
    server: Running,
) -> None:
    of = country.model_copy(update={"delivery": "storage"})
    done = hand_over(of, DAY, barometre, lake, label_studio)
    assert (done.trouble, dict(done.states)) == ("", {"ok": 3})
    row = rows(barometre)[day[0].chunk_id]
    sound = seen(server, row)["data"]["sound"]
    head = {"Authorization": f"Token {server.token}"}
    assert f"/tasks/{row.task_id}/resolve/" in sound
    assert httpx.get(sound, headers=head).content == SOUND
    forget(barometre, [day[0].chunk_id])
    assert changes(hand_over(of, DAY, barometre, lake, label_studio)) == 1
    assert "Jeanne" not in json.dumps(seen(server, row))
