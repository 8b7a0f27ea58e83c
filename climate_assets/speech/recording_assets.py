"""Recordings that people upload, through the same joins as the clips of chunks; a partition is a recording, by its hash.

A sensor asks for all of them together when a file arrives, so none has an automation condition of its own.
"""

from typing import Any

import dagster as dg

from climate_assets import policies
from climate_assets.partitions import recording
from climate_assets.speech import attributing, hearing, intake, speaking
from climate_assets.speech.clip_states import ClipStates
from climate_assets.speech.records import RECORDINGS, AttributedClip, Clip, Identity, Recording, Transcript, Turn
from climate_assets.tables import columns_of, report_partition
from resources.diarizer import Diarizer
from resources.postgres import Barometre, Change
from resources.reference import ReferenceFiles
from resources.s3 import Lake
from resources.voice_bank import VoiceBank
from resources.whisper import Whisper

# Reported by a sensor when somebody puts a file into the inbox.
uploaded_recordings = dg.AssetSpec(
    "uploaded_recordings", description="Recordings: files that people put into `inbox/recordings/`.", kinds={"s3"}
)


@dg.asset(
    partitions_def=recording,
    backfill_policy=policies.whole_range,
    deps=[uploaded_recordings],
    pool="audio",
    kinds={"s3", "postgres"},
    code_version="1",
    metadata=columns_of(Clip),
)
def recording_clips(context: dg.AssetExecutionContext, barometre: Barometre, lake: Lake) -> dg.MaterializeResult[Any]:
    """The sound of a recording: decoded once in a bounded process, to know that it is sound and how long."""
    rows = barometre.read(Recording, recording_id=list(context.partition_keys))
    _report(context, intake.take_recordings(rows, barometre, lake), barometre, Clip)
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=recording,
    backfill_policy=policies.whole_range,
    deps=[recording_clips],
    pool="gpu",
    kinds={"s3", "postgres", "whisper"},
    code_version="1",
    metadata=columns_of(Transcript),
)
def recording_transcripts(
    context: dg.AssetExecutionContext, reference: ReferenceFiles, barometre: Barometre, lake: Lake, whisper: Whisper
) -> dg.MaterializeResult[Any]:
    """What is heard in a recording, window by window; without a language given, several are possible."""
    states = hearing.transcribe("whisper_transcripts", _clips(context, barometre), barometre, lake, whisper, reference)
    _report(context, states, barometre, Transcript)
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=recording,
    backfill_policy=policies.whole_range,
    deps=[recording_clips],
    pool="gpu",
    kinds={"postgres", "pytorch"},
    code_version="1",
    metadata=columns_of(Turn),
)
def recording_turns(
    context: dg.AssetExecutionContext, barometre: Barometre, lake: Lake, diarizer: Diarizer
) -> dg.MaterializeResult[Any]:
    """Who speaks from when to when in a recording, linked over its windows."""
    states = speaking.divide("speaker_turns", _clips(context, barometre), barometre, lake, diarizer, {})
    _report(context, states, barometre, Turn)
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=recording,
    backfill_policy=policies.whole_range,
    deps=[recording_turns],
    pool="gpu",
    kinds={"postgres", "pytorch"},
    code_version="1",
    metadata=columns_of(Identity),
)
def recording_speakers(
    context: dg.AssetExecutionContext, barometre: Barometre, lake: Lake, diarizer: Diarizer, voice_bank: VoiceBank
) -> dg.MaterializeResult[Any]:
    """Who each speaker of a recording is, if the voice bank is on and knows the voice."""
    states = speaking.name("named_speakers", _clips(context, barometre), barometre, lake, diarizer, voice_bank)
    _report(context, states, barometre, Identity)
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=recording,
    backfill_policy=policies.whole_range,
    deps=[recording_transcripts, recording_speakers],
    kinds={"s3", "postgres"},
    code_version="1",
    metadata=columns_of(AttributedClip),
)
def attributed_recordings(
    context: dg.AssetExecutionContext, reference: ReferenceFiles, barometre: Barometre, lake: Lake
) -> dg.MaterializeResult[Any]:
    """Each word of a recording with its speaker; as rows, legacy JSON, WebVTT, Markdown and PDF."""
    states = attributing.attribute("attributed_transcripts", _clips(context, barometre), barometre, lake, reference)
    _report(context, states, barometre, AttributedClip)
    return dg.MaterializeResult()


def _clips(context: dg.AssetExecutionContext, barometre: Barometre) -> list[Clip]:
    return barometre.read(Clip, clip_id=list(context.partition_keys), country=RECORDINGS)


def _report(context: dg.AssetExecutionContext, states: ClipStates, barometre: Barometre, record: type) -> None:
    """Rows and states of each recording; one that failed stops here, for what comes after it has nothing to work on."""
    for key in context.partition_keys:
        rows: list[Any] = barometre.read(record, clip_id=key)
        state = states.now.get(key)
        change = states.changes[RECORDINGS, state.day] if state else Change()
        said = {"state": state.state, "reason": state.reason or None} if state else {"state": "no clip"}
        report_partition(context, key, change, len(rows), **said)
    states.raise_trouble()
