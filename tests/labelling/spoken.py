"""Speech of a fictional chunk: what was recorded, heard, divided and attributed, to build tasks from."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

from climate_assets.broadcast.records import Chunk
from climate_assets.labelling.heard import STAGES, Speech
from climate_assets.labelling.labelling_config import guideline, guideline_version, labelling_config
from climate_assets.labelling.tasks import task_json
from climate_assets.speech.records import UNKNOWN, AttributedClip, Clip, Transcript, Utterance
from climate_assets.states import StageState
from tests.labelling.cases import CHANNEL, COUNTRY, QUOTE, TEXT, chunk, clean, picked, programme, verdict

SOUND = b"ID3 not really a sound, but bytes that come back"
OFFSET, SECONDS = 5.0, 131.0
JEANNE, PAUL = "person-jeanne", "person-paul"
WORDS = TEXT.split(" ")
QUOTE_AT = OFFSET + WORDS.index("climat") * 120 / len(WORDS)


def clip(of: Chunk, sound: bytes = SOUND, bucket: str = "climate-lake") -> Clip:
    digest = hashlib.sha256(sound).hexdigest()
    return Clip(
        clip_id=of.chunk_id,
        country=of.country,
        day=of.day,
        channel=of.channel,
        language="french",
        start=of.start - timedelta(seconds=OFFSET),
        chunk_offset=OFFSET,
        seconds=SECONDS,
        bucket=bucket,
        object_key=f"clips/sha256={digest}/audio.mp3",
        sha256=digest,
        bytes=len(sound),
        container="mp3",
        codec="mp3",
        sample_rate=24_000,
        audio_channels=1,
        source="export",
    )


def transcript(of: Clip, text: str = TEXT, **changes: Any) -> Transcript:
    made = Transcript(
        clip_id=of.clip_id,
        country=of.country,
        day=of.day,
        channel=of.channel,
        audio_sha256=of.sha256,
        model="whisper-base int8",
        settings="guards-1",
        language="fr",
        origin="asr",
        text=text,
        words=len(text.split()),
        gated=0,
        gate_reasons="",
        seconds=of.seconds,
        speech_seconds=118.0,
        word_error_rate=0.084,
        difference="le climat a [toujours → encore] changé",
        object_key="transcripts/x.json",
        sha256="1" * 64,
    )
    return replace(made, **changes)


def utterances(of: Clip) -> list[Utterance]:
    """A journalist, who is known, twice; then a voice without a name that says the quote; then nobody's words."""
    parts = [
        (0, 33, "SPEAKER_00", JEANNE, "Jeanne Durand", "journalist", False),
        (33, 38, "SPEAKER_00", JEANNE, "Jeanne Durand", "journalist", True),
        (38, 80, "SPEAKER_01", None, "SPEAKER_01", "", False),
        (80, len(WORDS), UNKNOWN, None, UNKNOWN, "", False),
    ]
    step = 120 / len(WORDS)
    return [
        Utterance(
            clip_id=of.clip_id,
            country=of.country,
            day=of.day,
            channel=of.channel,
            number=number,
            start=OFFSET + first * step,
            end=OFFSET + last * step,
            speaker=speaker,
            person_id=person,
            name=name,
            role=role,
            text=" ".join(WORDS[first:last]),
            words=last - first,
            overlap=overlap,
            others=["SPEAKER_01"] if overlap else [],
            overlap_seconds=1.0,
            margin=1.0,
        )
        for number, (first, last, speaker, person, name, role, overlap) in enumerate(parts)
    ]


def attributed(of: Clip, **changes: Any) -> AttributedClip:
    made = AttributedClip(
        clip_id=of.clip_id,
        country=of.country,
        day=of.day,
        audio_sha256=of.sha256,
        folder="results/20261120/x/",
        speakers=2,
        utterances=4,
        quote_start=QUOTE_AT,
        quote_end=QUOTE_AT + 10,
        quote_heard=QUOTE,
        quote_speaker="SPEAKER_01",
        answered_by="SPEAKER_00",
        challenged_hint=True,
        challenge_cue="vous n êtes pas d accord",
        sha256="2" * 64,
    )
    return replace(made, **changes)


def speech(of: Chunk, **changes: Any) -> Speech:
    """All of it; `changes` are fields of `Speech`."""
    sound = clip(of)
    return replace(Speech(sound, transcript(sound), utterances(sound), attributed(sound)), **changes)


def states(of: Chunk, **told: str) -> list[StageState]:
    """States of the chunk at the stages of speech, ok unless told; a reason says its state."""
    return [
        StageState(
            stage, of.chunk_id, of.country, of.day, told.get(stage, "ok"), told.get(stage, "") and f"it is {told[stage]}", 0
        )
        for stage in STAGES
        if told.get(stage) != "absent"
    ]


def spoken_task(minute: int = 4, of: Speech | None = None, **changes: Any) -> dict[str, Any]:
    """A whole task with sound; `of` is the speech of the chunk at that minute, `changes` are for `verdict`."""
    source = chunk(minute=minute)
    cleaned = clean(source)
    version = guideline_version(labelling_config(), guideline())
    told = speech(source) if of is None else of
    asked = verdict(cleaned, **changes)
    return task_json(asked, source, cleaned, programme(source), COUNTRY, CHANNEL, picked(source), "a" * 64, version, told)
