"""The voice bank on a real database and object store: enrol, rename, forget and expire keep their promises."""

import io
import json
import os
import subprocess
import sys
import uuid
import wave
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest

from climate_assets.failures import Permanent, Transient
from climate_assets.speech.enrolment import Enrolment
from climate_assets.speech.identities import Measured, identities
from climate_assets.speech.reattribution import bank_version, erasure_proof, vector_hash
from climate_assets.speech.records import (
    Clip,
    Identity,
    SpeakerName,
    Turn,
    Utterance,
    Voice,
    VoiceAccess,
    VoiceErasure,
    VoiceSample,
)
from climate_assets.states import StageState
from climate_assets.voice_commands import voices as command_line
from climate_assets.voice_enrolment import Audio, checked, clip_sample, enrol, imported, sample_file
from resources.diarizer import Diarizer
from resources.postgres import Barometre
from resources.s3 import Lake
from resources.voice_bank import STAGE, VoiceBank
from sensors.voices import voices_changed
from tests.conftest import SHARED_DATA
from tests.diarization_models import pcm_of

RATE = 16_000
TODAY = datetime.now(UTC).date()
DAY = date(2026, 11, 20)
AT = datetime(2026, 11, 20, 6, tzinfo=UTC)
CLAIRE = Enrolment(
    "Claire Dumont", "politician", "Les Riverains", "GDPR art. 9(2)(e), assessment 2026-04", "debate of May",
    TODAY + timedelta(days=300),
)  # fmt: skip
JEAN = replace(CLAIRE, name="Jean Petit", role="journalist", organisation="Canal Un")


class Bands:
    """Stands in for an encoder: how loud a stretch is in each of eight bands. Real audio in, a vector out."""

    model = "bands-8"
    dimensions = 8

    def embed(self, pcm: Path, spans: Sequence[tuple[float, float]]) -> list[list[float] | None]:
        sound = np.fromfile(pcm, dtype="<i2").astype(float)
        return [self._one(sound[int(start * RATE) : int(end * RATE)]) for start, end in spans]

    def _one(self, part: Any) -> list[float] | None:
        if len(part) < RATE // 2:
            return None
        power = np.abs(np.fft.rfft(part)) ** 2
        bands = np.array([band.sum() for band in np.array_split(power[: len(power) // 2], self.dimensions)])
        return [float(x) for x in bands / np.linalg.norm(bands)]


def tone(hertz: float, seconds: float = 4.0, at: float = 0.0) -> Any:
    """A voice of sorts: one pitch with a little noise."""
    time = np.arange(int(seconds * RATE)) / RATE + at
    noise = np.random.default_rng(int(hertz * 100 + at)).normal(0, 200, len(time))
    return (8000 * np.sin(2 * np.pi * hertz * time) + noise).astype("<i2")


def pause(seconds: float = 0.6) -> Any:
    return np.zeros(int(seconds * RATE), "<i2")


def wav(*parts: Any) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.concatenate(parts).tobytes())
    return content.getvalue()


def speech(hertz: float) -> bytes:
    return wav(tone(hertz), pause(), tone(hertz, 3.0, 9.0))


def audio(hertz: float) -> Audio:
    return Audio(speech(hertz), "wav", f"{hertz} Hz")


@pytest.fixture
def bank(barometre: Barometre, lake: Lake) -> VoiceBank:
    """A bank that is on, in a bucket of its own."""
    bucket = f"voices-{uuid.uuid4().hex[:12]}"
    lake.ensure_bucket(bucket)
    return VoiceBank(barometre=barometre, lake=lake, enabled=True, bucket=bucket)


def out_of_order(bank: VoiceBank) -> VoiceBank:
    """The same bank beside an object store that does not answer."""
    dead = Lake(endpoint_url="http://127.0.0.1:9", access_key="x", secret_key="x")
    return VoiceBank(barometre=bank.barometre, lake=dead, enabled=True, bucket=bank.bucket)


def claire(bank: VoiceBank) -> Voice:
    done = enrol(bank, Bands(), CLAIRE, [audio(220)], "reader")
    assert done.voice is not None
    return done.voice


def jean(bank: VoiceBank) -> Voice:
    done = enrol(bank, Bands(), JEAN, [audio(1500)], "reader")
    assert done.voice is not None
    return done.voice


def objects(bank: VoiceBank) -> list[str]:
    return list(bank.lake.listing(bank.bucket, ""))


def heard(hertz: float, folder: Path) -> Measured:
    pcm = folder / "heard.pcm"
    tone(hertz, 4.0, 31.0).tofile(pcm)
    [vector] = Bands().embed(pcm, [(0, 4)])
    assert vector is not None
    return Measured("SPEAKER_00", (tuple(vector),), (4.0,))


def clip(number: int) -> Clip:
    return Clip(
        f"france/canal-un/2026-11-20T06:{number:02d}:00Z", "france", DAY, "canal-un", "french", AT, 0.0, 120.0,
        "climate-lake", f"clips/{number}", "0" * 64, 1, "wav", "pcm", RATE, 1, "export",
    )  # fmt: skip


def identity(number: int, speaker: str, decision: str, voice: Voice | None = None) -> Identity:
    person, name, role = (voice.person_id, voice.name, voice.role) if voice else (None, "unknown", "")
    return Identity(
        clip(number).clip_id,
        "france",
        DAY,
        speaker,
        person,
        name,
        role,
        0.7,
        None,
        None,
        1,
        4.0,
        decision,
        "why",
        "bands-8",
        "v",
    )


def utterance(number: int, voice: Voice) -> Utterance:
    return Utterance(
        clip(number).clip_id, "france", DAY, "canal-un", 0, 0.0, 2.0, "SPEAKER_00", voice.person_id, voice.name, voice.role,
        "il fait chaud", 3, False, [], 2.0, 2.0,
    )  # fmt: skip


def turn(number: int, speaker: str, start: float, end: float) -> Turn:
    return Turn(clip(number).clip_id, "france", DAY, start, end, speaker, False, False, "div", "0" * 64)


def marked(barometre: Barometre) -> dict[str, str]:
    return {s.item_id: s.reason for s in barometre.read(StageState, stage=STAGE, state="pending")}


def ids(*numbers: int) -> set[str]:
    return {clip(n).clip_id for n in numbers}


def tables_with(barometre: Barometre, text: str) -> set[str]:
    """Every table that has the text in any column of any row."""
    names = barometre.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    query = "SELECT 1 FROM {t} AS r WHERE r::text ILIKE %(text)s LIMIT 1"
    return {n["tablename"] for n in names if barometre.rows(query.format(t=n["tablename"]), {"text": f"%{text}%"})}


def test_an_enrolled_voice_is_recognised(bank: VoiceBank, tmp_path: Path) -> None:
    voice, other = claire(bank), jean(bank)
    entries = bank.entries("reader")
    assert [(e.voice, e.samples, e.vectors) for e in entries] == [(voice, 1, 2), (other, 1, 2)]
    assert entries[0].seconds == pytest.approx(7.6)
    assert [v.quality for v in bank.vectors(voice.person_id)] == [1.0, pytest.approx(1.0, abs=0.01)]
    known = bank.gallery("bands-8", 8, TODAY, "named_speakers")
    rows = [identities(clip(1), [heard(h, tmp_path)], known)[0] for h in (220, 1500, 3000)]
    assert [r.name for r in rows] == ["Claire Dumont", "Jean Petit", "unknown"]
    assert {r.bank for r in rows} == {bank.version()}
    assert bank.gallery("another", 8, TODAY, "x").ids == ()
    assert bank.gallery("bands-8", 8, CLAIRE.expires_on + timedelta(days=1), "x").ids == ()
    [row] = bank.barometre.read(VoiceSample, person_id=voice.person_id)
    assert bank.lake.get(row.bucket, row.object_key) == speech(220)
    assert row.object_key == f"voices/person={voice.person_id}/sha256={row.sha256}.wav"


def test_every_look_and_change_is_logged(bank: VoiceBank) -> None:
    voice = claire(bank)
    bank.entries("lister")
    bank.rename("claire dumont", "renamer", organisation="Les Verts d'Eau")
    bank.gallery("bands-8", 8, TODAY, "named_speakers")
    bank.forget(voice.person_id, "forgetter")
    rows = [(a.who, a.action, a.person_id) for a in bank.barometre.read(VoiceAccess, order_by=["at"])]
    assert rows == [
        ("reader", "add", voice.person_id),
        ("lister", "list", ""),
        ("renamer", "rename", voice.person_id),
        ("named_speakers", "match", ""),
        ("forgetter", "forget", voice.person_id),
    ]


def test_enrolling_again_changes_nothing_and_more_samples_add(bank: VoiceBank) -> None:
    voice, version = claire(bank), bank.version()
    before = objects(bank)
    assert claire(bank) == voice
    assert (bank.version(), objects(bank)) == (version, before)
    more = replace(CLAIRE, source="interview of June", legal_basis="GDPR art. 9(2)(e), assessment 2026-09")
    added = enrol(bank, Bands(), more, [audio(221)], "reader").voice
    assert added is not None
    assert (added.person_id, added.source) == (voice.person_id, "debate of May; interview of June")
    assert added.legal_basis.endswith("2026-09")
    assert [(e.samples, e.vectors) for e in bank.entries("x")] == [(2, 4)]
    assert bank.version() != version


def test_an_enrolment_that_is_interrupted_is_completed(bank: VoiceBank) -> None:
    with pytest.raises(Transient):
        claire(out_of_order(bank))
    [entry] = bank.entries("x")
    assert (entry.samples, entry.vectors, objects(bank)) == (1, 0, [])
    assert claire(bank).person_id == entry.voice.person_id
    assert [(e.samples, e.vectors, len(objects(bank))) for e in bank.entries("x")] == [(1, 2, 1)]


@pytest.mark.parametrize(
    ("asked", "content", "word"),
    [
        (replace(CLAIRE, role="minister"), speech(220), "write one of"),
        (replace(CLAIRE, legal_basis=" "), speech(220), "--legal-basis is empty"),
        (replace(CLAIRE, expires_on=TODAY), speech(220), "not in the future"),
        (CLAIRE, wav(tone(220, 3.0)), "6 s are needed"),
        (CLAIRE, wav(tone(220), pause(), tone(3000)), "sound like two people"),
        (CLAIRE, wav(pause(20.0)), "6 s are needed"),
        (CLAIRE, b"not audio at all", "here.wav: "),
        (CLAIRE, b"", "here.wav: "),
    ],
)
def test_what_is_refused_leaves_nothing(bank: VoiceBank, asked: Enrolment, content: bytes, word: str) -> None:
    with pytest.raises(Permanent) as refusal:
        enrol(bank, Bands(), asked, [Audio(content, "wav", "here.wav")], "reader")
    assert word in str(refusal.value)
    assert (bank.voices(), bank.vectors(), objects(bank)) == ([], [], [])


def test_a_namesake_and_a_double_are_told(bank: VoiceBank) -> None:
    claire(bank)
    with pytest.raises(Permanent, match="enrolled already as politician of Les Riverains"):
        enrol(bank, Bands(), replace(CLAIRE, role="guest"), [audio(220)], "reader")
    alike = enrol(bank, Bands(), JEAN, [audio(225)], "reader")
    assert "sounds like Claire Dumont" in alike.said
    with pytest.raises(Permanent, match="enrolled already"):
        bank.rename("Jean Petit", "reader", name="claire dumont")
    with pytest.raises(Permanent, match="unknown: write one of"):
        bank.rename("Jean Petit", "reader", role="minister")
    with pytest.raises(Permanent, match="climate voices list"):
        bank.rename("Paul Grand", "reader", role="guest")


def test_a_bank_that_is_off_enrols_and_matches_nobody_and_still_forgets(bank: VoiceBank) -> None:
    voice = claire(bank)
    off = VoiceBank(barometre=bank.barometre, lake=bank.lake, bucket=bank.bucket)
    assert not bank.off
    for refused in (
        lambda: claire(off),
        lambda: checked(off, CLAIRE),
        lambda: off.gallery("bands-8", 8, TODAY, "x"),
    ):
        with pytest.raises(Permanent, match="the voice bank is off; switch it on by VOICE_BANK=on"):
            refused()
    assert off.version() == ""
    assert (off.names().ids, set(off.names().persons)) == ((), {voice.person_id})
    assert off.forget(voice.person_id, "reader").vectors == 2


@pytest.fixture
def past(bank: VoiceBank) -> tuple[Voice, Voice]:
    """Claire in clips 1 and 2 (in 2 only the utterances still say so), Jean in 3, strangers in 4 and 5."""
    first, second = claire(bank), jean(bank)
    rows = [
        identity(1, "SPEAKER_00", "auto", first),
        identity(1, "SPEAKER_01", "unknown"),
        identity(2, "SPEAKER_00", "human", second),
        identity(3, "SPEAKER_00", "auto", second),
        identity(4, "SPEAKER_00", "unknown"),
        identity(5, "SPEAKER_00", "ambiguous"),
    ]
    bank.barometre.upsert(rows, Identity)
    bank.barometre.upsert([utterance(1, first), utterance(2, first), utterance(3, second)], Utterance)
    bank.barometre.upsert([turn(n, "SPEAKER_00", 0, 4) for n in range(1, 6)], Turn)
    done = [StageState(STAGE, clip(n).clip_id, "france", DAY, "ok", "", 0) for n in range(1, 6)]
    bank.barometre.upsert(done, StageState)
    return first, second


def test_a_forgotten_voice_is_gone_and_proven(bank: VoiceBank, past: tuple[Voice, Voice]) -> None:
    voice, other = past
    said = SpeakerName(clip(1).clip_id, "SPEAKER_00", voice.person_id, "reader", AT)
    bank.barometre.upsert([said], SpeakerName)
    [sample] = bank.barometre.read(VoiceSample, person_id=voice.person_id)
    hashes = [vector_hash(v.vector) for v in bank.vectors(voice.person_id)]

    erasure = bank.forget("Claire Dumont", "reader")

    assert (erasure.samples, erasure.objects, erasure.vectors) == (1, 1, 2)
    assert erasure.proof == erasure_proof([sample.sha256], hashes)
    assert bank.barometre.read(VoiceErasure) == [erasure]
    assert set(erasure.clips) == set(marked(bank.barometre)) == ids(1, 2)
    assert bank.vectors(voice.person_id) == []
    assert [v.person_id for v in bank.voices()] == [other.person_id]
    assert bank.barometre.read(VoiceSample, person_id=voice.person_id) == bank.barometre.read(SpeakerName) == []
    assert all(voice.person_id not in key for key in objects(bank))
    assert len(objects(bank)) == 1
    # The name waits in what is to be made again, and nowhere else.
    assert tables_with(bank.barometre, "Claire") == {"identities", "utterances"}
    for record in (Identity, Utterance):
        assert {r.clip_id for r in bank.barometre.read(record) if r.name == "Claire Dumont"} <= ids(1, 2)
    assert tables_with(bank.barometre, sample.sha256) == set()
    assert marked(bank.barometre)[clip(1).clip_id] == "voice bank changed: 1 forgotten"


def test_forgetting_again_gives_the_same_proof_and_removes_what_came_late(bank: VoiceBank) -> None:
    voice = claire(bank)
    erasure = bank.forget(voice.person_id, "reader")
    bank.lake.put(bank.bucket, f"voices/person={voice.person_id}/late.wav", b"late")
    assert bank.forget(voice.person_id, "reader") == erasure
    assert objects(bank) == []
    with pytest.raises(Permanent, match="nobody enrolled or forgotten"):
        bank.forget("Claire Dumont", "reader")


def test_an_interrupted_forgetting_matches_nobody_and_is_finished_by_a_rerun(bank: VoiceBank) -> None:
    voice = claire(bank)
    with pytest.raises(Transient):
        out_of_order(bank).forget(voice.person_id, "reader")
    assert bank.barometre.read(VoiceErasure) == []
    assert len(bank.vectors(voice.person_id)) == 2
    assert bank.gallery("bands-8", 8, TODAY, "x").ids == ()
    erasure = bank.forget(voice.person_id, "reader")
    assert (erasure.samples, erasure.objects, erasure.vectors, objects(bank)) == (1, 1, 2, [])


def test_every_version_of_a_sample_goes(bank: VoiceBank) -> None:
    client: Any = bank.lake._client
    client.put_bucket_versioning(Bucket=bank.bucket, VersioningConfiguration={"Status": "Enabled"})
    voice = claire(bank)
    [key] = objects(bank)
    for content in (b"older", b"newer"):
        client.put_object(Bucket=bank.bucket, Key=key, Body=content)
    client.delete_object(Bucket=bank.bucket, Key=key)
    kept = client.list_object_versions(Bucket=bank.bucket)
    assert len(kept.get("Versions", [])) >= 2, "the object store keeps versions"
    assert bank.forget(voice.person_id, "reader").objects == 1
    left = client.list_object_versions(Bucket=bank.bucket)
    assert (left.get("Versions", []), left.get("DeleteMarkers", [])) == ([], [])


def test_a_renamed_voice_keeps_its_vectors(bank: VoiceBank) -> None:
    voice, vectors = claire(bank), bank.vectors()
    new = bank.rename(voice.person_id, "reader", name="Claire Dumont-Petit", role="guest")
    assert (new.person_id, new.name, new.role, new.organisation) == (
        voice.person_id, "Claire Dumont-Petit", "guest", "Les Riverains",
    )  # fmt: skip
    assert bank.vectors() == vectors
    assert bank.version() == bank_version([new], vectors)
    assert tables_with(bank.barometre, "Claire Dumont") == {"voices"}


def test_what_a_person_says_of_a_speaker_is_kept_and_marks_the_clip(bank: VoiceBank, past: tuple[Voice, Voice]) -> None:
    bank.name_speaker(clip(4).clip_id, "SPEAKER_00", "Jean Petit", "reader")
    bank.name_speaker(clip(5).clip_id, "SPEAKER_00", None, "reader")
    said = {s.clip_id: s.person_id for s in bank.barometre.read(SpeakerName)}
    assert said == {clip(4).clip_id: past[1].person_id, clip(5).clip_id: None}
    assert set(marked(bank.barometre)) == ids(4, 5)
    bank.name_speaker(clip(4).clip_id, "SPEAKER_00", "Claire Dumont", "second reader")
    assert [s.said_by for s in bank.barometre.read(SpeakerName, clip_id=clip(4).clip_id)] == ["second reader"]
    for where, label, word in ((4, "SPEAKER_07", "it has SPEAKER_00"), (9, "SPEAKER_00", "has no speaker turns")):
        with pytest.raises(Permanent, match=word):
            bank.name_speaker(clip(where).clip_id, label, None, "reader")


def tick(bank: VoiceBank, cursor: str | None) -> tuple[str, str, set[str]]:
    """One look of the sensor: what it says, its new cursor, and the clips that are marked; the marks are then worked off."""
    with dg.build_sensor_context(cursor=cursor, resources={"voice_bank": bank}) as context:
        result = voices_changed(context)
    assert isinstance(result, dg.SensorResult)
    found = set(marked(bank.barometre))
    bank.barometre.execute("UPDATE stage_states SET state = 'ok', reason = '' WHERE stage = %(s)s", {"s": STAGE})
    return str(result.skip_reason), str(result.cursor), found


def test_the_sensor_marks_what_a_change_concerns_and_nothing_else(bank: VoiceBank, past: tuple[Voice, Voice]) -> None:
    other = past[1]
    said, cursor, found = tick(bank, None)
    assert (found, "2 enrolled" in said) == (ids(1, 4, 5), True)
    assert tick(bank, cursor)[2] == set()
    assert "Claire" not in cursor
    bank.rename(other.person_id, "reader", name="Jean Petit-Grand")
    _, cursor, found = tick(bank, cursor)
    assert found == ids(2, 3)
    enrol(bank, Bands(), replace(CLAIRE, name="Paul Grand"), [audio(2400)], "reader")
    said, cursor, found = tick(bank, cursor)
    assert (found, "1 enrolled" in said) == (ids(1, 4, 5), True)
    # Off: nobody is newly heard; whoever is enrolled meanwhile elsewhere is heard once it is on again.
    off = VoiceBank(barometre=bank.barometre, lake=bank.lake, bucket=bank.bucket)
    assert tick(off, cursor)[2] == set()
    # A day passes and a voice with it: what a model said is made again, what a person said stays.
    day = {"person": other.person_id, "day": TODAY - timedelta(days=1)}
    bank.barometre.execute("UPDATE voices SET expires_on = %(day)s WHERE person_id = %(person)s", day)
    said, cursor, found = tick(bank, cursor)
    assert (found, "1 expired" in said) == (ids(3), True)
    # The run wrote nothing yet, and the memory is lost: the name is still told.
    assert tick(bank, "{")[2] >= ids(3)
    bank.barometre.execute("DELETE FROM identities WHERE clip_id = %(c)s", {"c": clip(3).clip_id})
    assert tick(bank, cursor)[2] == set()


def test_a_name_that_a_late_run_writes_after_forgetting_is_found(bank: VoiceBank, past: tuple[Voice, Voice]) -> None:
    _, cursor, _ = tick(bank, None)
    bank.forget(past[0].person_id, "reader")
    _, cursor, found = tick(bank, cursor)
    assert found == ids(1, 2)
    bank.barometre.execute("DELETE FROM identities WHERE clip_id = %(c)s", {"c": clip(1).clip_id})
    assert tick(bank, cursor)[2] == set()
    bank.barometre.upsert([identity(5, "SPEAKER_01", "auto", past[0])], Identity)
    assert tick(bank, cursor)[2] == ids(5)


def test_a_speaker_of_a_clip_is_enrolled_from_where_nobody_else_speaks(bank: VoiceBank, tmp_path: Path) -> None:
    sound = wav(tone(220, 6.0), tone(1500, 3.0), tone(220, 4.0, 40.0))
    stored = replace(clip(1), bucket=bank.bucket, object_key="clips/one/audio.wav")
    bank.lake.put(bank.bucket, stored.object_key, sound)
    bank.barometre.upsert([stored], Clip)
    turns = [turn(1, "SPEAKER_00", 0, 6.5), turn(1, "SPEAKER_01", 5.5, 9.2), turn(1, "SPEAKER_00", 9, 13)]
    bank.barometre.upsert(turns, Turn)
    taken = clip_sample(bank, stored.clip_id, "SPEAKER_00")
    done = enrol(bank, Bands(), CLAIRE, [taken], "reader")
    assert done.voice is not None
    [row] = identities(stored, [heard(220, tmp_path)], bank.gallery("bands-8", 8, TODAY, "x"))
    assert (row.name, len(bank.vectors())) == ("Claire Dumont", 3)
    assert row.score is not None
    assert row.score > 0.99
    for where, label, word in ((1, "SPEAKER_05", "it has SPEAKER_00, SPEAKER_01"), (2, "SPEAKER_00", "there is no clip")):
        with pytest.raises(Permanent, match=word):
            clip_sample(bank, clip(where).clip_id, label)


def test_the_flat_legacy_bank_is_imported(bank: VoiceBank, tmp_path: Path) -> None:
    folder = tmp_path / "voice_bank"
    folder.mkdir()
    (folder / "Claire_Dumont.wav").write_bytes(speech(220))
    (folder / "Jean Petit.wav").write_bytes(speech(1500))
    (folder / "Short One.wav").write_bytes(wav(tone(900, 2.0)))
    (folder / "notes.txt").write_text("x")
    for _ in range(2):
        done, aside = imported(bank, Bands(), folder, replace(CLAIRE, role="guest", organisation=""), "reader")
        assert [(d.name, d.voice is not None) for d in done] == [
            ("Claire Dumont", True), ("Jean Petit", True), ("Short One", False),
        ]  # fmt: skip
        assert "6 s are needed" in done[2].said
        assert [a.split(":")[0] for a in aside] == ["notes.txt"]
    assert [(e.voice.name, e.voice.legal_basis, e.vectors) for e in bank.entries("x")] == [
        ("Claire Dumont", CLAIRE.legal_basis, 2), ("Jean Petit", CLAIRE.legal_basis, 2),
    ]  # fmt: skip
    assert {a.action for a in bank.barometre.read(VoiceAccess)} == {"import", "list"}


def test_the_tree_of_the_legacy_identity_bank_is_imported(bank: VoiceBank, tmp_path: Path) -> None:
    for person, name, hertz in (("9f2c", "Claire Dumont", 220), ("77aa", "Jean Petit", 1500), ("0001", None, 900)):
        home = tmp_path / "default" / person
        (home / "voice").mkdir(parents=True)
        (home / "voice" / "sample.wav").write_bytes(speech(hertz))
        if name:
            profile = {"name": name, "created_at": "2026-01-18T10:00:00", "type": "person"}
            (home / "profile.json").write_text(json.dumps(profile))
    done, aside = imported(bank, Bands(), tmp_path, replace(CLAIRE, role="guest"), "reader")
    assert sorted(d.name for d in done if d.voice) == ["Claire Dumont", "Jean Petit"]
    assert aside == ["default/0001/voice/sample.wav: default/0001/profile.json is not there, and the name stands in it"]
    assert len(bank.vectors()) == 4
    with pytest.raises(Permanent, match="is no folder"):
        imported(bank, Bands(), tmp_path / "elsewhere", CLAIRE, "reader")


def test_a_sample_is_a_file_of_a_bearable_size(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.wav"):
        with pytest.raises(Permanent, match="give a sample"):
            sample_file(path)
    large = tmp_path / "large.wav"
    with large.open("wb") as file:
        file.truncate(201 * 1024 * 1024)
    with pytest.raises(Permanent, match="at most 200 MiB"):
        sample_file(large)


def test_the_command_line_says_what_it_needs() -> None:
    from typer.testing import CliRunner

    stated = ["--role", "guest", "--legal-basis", "b", "--source", "s", "--expires", "2027-06-30"]
    runner = CliRunner()
    assert "--legal-basis" in runner.invoke(command_line, ["add", "--help"], env={"COLUMNS": "200"}).output
    assert runner.invoke(command_line, ["add", "Claire"]).exit_code == 2
    for extra in ([], ["--clip", "c"], ["--speaker", "s"], ["--sample", "a.wav", "--clip", "c", "--speaker", "s"]):
        refusal = runner.invoke(command_line, ["add", "Claire", *stated, *extra]).exception
        assert isinstance(refusal, Permanent)
        assert "either --sample FILE" in str(refusal)
    assert "nothing would change" in str(runner.invoke(command_line, ["rename", "Claire"]).exception)


# By the reference of sample.wav: where each of its two speakers is alone, apart for enrolment and for recognition.
ENROLLED = {"Anna": [(10.9, 14.45), (28.5, 29.95), (8.35, 9.9)], "Berta": [(14.75, 17.95), (21.8, 24.9)]}
MET = {"Anna": [(18.6, 21.4)], "Berta": [(24.9, 27.8)]}


def test_real_voices_are_told_apart_by_the_real_encoder(bank: VoiceBank, diarization_folder: Path, tmp_path: Path) -> None:
    sample, stranger = (pcm_of(SHARED_DATA / "audio" / name, tmp_path) for name in ("sample.wav", "jfk.flac"))
    sound = np.fromfile(sample, dtype="<i2")
    both = sample_file(SHARED_DATA / "audio" / "sample.wav")
    with Diarizer(model=str(diarization_folder)).encoder(bank.barometre, "voice enrolment") as encoder:
        with pytest.raises(Permanent, match="sound like two people"):
            enrol(bank, encoder, replace(CLAIRE, name="Both"), [both], "reader")
        for name, spans in ENROLLED.items():
            parts = [p for start, end in spans for p in (sound[int(start * RATE) : int(end * RATE)], pause())]
            enrol(bank, encoder, replace(CLAIRE, name=name), [Audio(wav(*parts), "wav", name)], "reader")
        known = bank.gallery(encoder.model, encoder.dimensions, TODAY, "named_speakers")
        measured = []
        for label, pcm, spans in (*((n, sample, MET[n]) for n in MET), ("stranger", stranger, [(0.3, 2.9), (3.3, 7.2)])):
            vectors = [tuple(v) for v in encoder.embed(pcm, spans) if v is not None]
            measured.append(Measured(label, tuple(vectors), tuple(end - start for start, end in spans)))
    rows = identities(clip(1), measured, known)
    for row in rows:
        print(f"{row.speaker}: {row.decision} {row.name}, {row.score:.2f}, second {row.second_score or 0:.2f}; {row.reason}")
    assert [(r.speaker, r.name, r.decision) for r in rows] == [
        ("Anna", "Anna", "auto"), ("Berta", "Berta", "auto"), ("stranger", "unknown", "unknown"),
    ]  # fmt: skip
    erasure = bank.forget("Anna", "reader")
    assert (erasure.vectors > 1, erasure.objects) == (True, 1)
    left = bank.gallery(known.model, 192, TODAY, "named_speakers")
    assert [r.name for r in identities(clip(1), measured, left)] == ["unknown", "Berta", "unknown"]


def test_the_commands_work_on_the_platform_that_the_environment_names(bank: VoiceBank) -> None:
    voice = claire(bank)
    named = {
        "DATABASE_URL": bank.barometre.url,
        "S3_ENDPOINT_URL": bank.lake.endpoint_url,
        "AWS_ACCESS_KEY_ID": bank.lake.access_key,
        "AWS_SECRET_ACCESS_KEY": bank.lake.secret_key,
        "VOICE_BANK": "",
    }

    def said(*words: str) -> str:
        command = [sys.executable, "-m", "climate_assets.cli", "voices", *words]
        done = subprocess.run(command, env={**os.environ, **named}, capture_output=True, text=True, check=False, timeout=120)
        return done.stdout + done.stderr

    [entry] = json.loads(said("list", "--json"))
    assert (entry["voice"]["name"], entry["vectors"]) == ("Claire Dumont", 2)
    assert "is Claire Petit, politician" in said("rename", "Claire Dumont", "--name", "Claire Petit")
    stated = ["--role", "guest", "--legal-basis", "b", "--source", "s", "--expires", "2099-06-30", "--sample", "a.wav"]
    assert "the voice bank is off" in " ".join(said("add", "Jean", *stated).split())
    # Samples lie in the bucket their rows name, whatever bucket the platform keeps voices in now.
    assert "1 samples and 1 objects are gone" in said("forget", voice.person_id)
    assert (bank.voices(), objects(bank)) == ([], [])
