"""Getting the sound: of a day's chunks from the broadcaster's archive, of a recording from the lake.

What is fetched is stored as it came, by content hash, before anything reads it. Which chunks are worth it is `selection.py`;
asking and downloading is `resources/media.py`, decoding in a bounded process `resources/decoder.py`.
"""

import math
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from climate_assets.broadcast.records import CHUNK_SECONDS, Chunk, CleanChunk
from climate_assets.claims.in_use import in_use
from climate_assets.claims.records import Verdict
from climate_assets.countries import Country
from climate_assets.failures import Permanent, Transient
from climate_assets.speech.clip_states import ClipStates, Item
from climate_assets.speech.records import RECORDINGS, Clip, Recording
from climate_assets.speech.selection import selection
from climate_assets.states import StageState
from resources.decoder import AudioInfo, decoded
from resources.media import AudioExport, Exported
from resources.postgres import Barometre
from resources.s3 import Lake

CLIPS: Final = "audio_clips"
# A clip is two minutes and its margins; an archive that sends an hour has misunderstood.
LONGEST_CLIP: Final = 600.0
LONGEST_RECORDING: Final = 6 * 3600.0


def fetch_clips(country: Country, day: date, barometre: Barometre, lake: Lake, audio: AudioExport) -> ClipStates:
    """Fetch the clips that a day's verdicts call for and that are not there yet."""
    scope: dict[str, Any] = {"country": country.code, "day": day}
    clean = {c.chunk_id: c for c in barometre.read(CleanChunk, **scope)}
    models = in_use(barometre)
    verdicts = models.standing(barometre.read(Verdict, **scope), clean)
    wanted = selection(verdicts, country.threshold, country.audit_share, country.speech.clips_per_day, own=models.thresholds)
    stored = {c.clip_id: c for c in barometre.read(Clip, **scope)}
    chunks = {c.chunk_id: c for c in barometre.read(Chunk, **scope)}
    items = {v.chunk_id: Item(v.chunk_id, country.code, day) for v in (*wanted.chosen, *wanted.over)}
    # A verdict may have changed since: what was heard stays.
    items.update({i: Item(i, country.code, day) for i in stored})
    states = ClipStates.of(CLIPS, items.values(), barometre)
    for verdict in wanted.over:
        reason = f"over the day's limit of {country.speech.clips_per_day} clips (speech: clips_per_day of {country.code})"
        states.skipped(items[verdict.chunk_id], reason)
    for chunk_id in sorted(stored):
        states.ok(items[chunk_id])
    for verdict in wanted.chosen:
        item = items[verdict.chunk_id]
        if verdict.chunk_id in stored:
            continue
        if not country.channel(verdict.channel).audio:
            states.skipped(item, f"the source has no sound of {verdict.channel} (audio: false)")
        elif states.is_dead(item):
            states.keep(item)
        else:
            _fetch(chunks[verdict.chunk_id], country, item, states, lake, audio)
    # What is no longer called for, and has no sound, has no state.
    states.changes[country.code, day] += barometre.replace(list(states.now.values()), StageState, stage=CLIPS, **scope)
    return states


def _fetch(chunk: Chunk, country: Country, item: Item, states: ClipStates, lake: Lake, audio: AudioExport) -> None:
    """One clip: asked for, checked by decoding, stored, and only then said to be there."""
    start = datetime.fromtimestamp(math.floor(chunk.start.timestamp()) - country.speech.seconds_before, UTC)
    end = chunk.start + timedelta(seconds=CHUNK_SECONDS + country.speech.seconds_after)
    with TemporaryDirectory(prefix="clip-") as folder:
        source = Path(folder, "source")
        try:
            got = audio.export(country.channel(chunk.channel), chunk.day, start, end, source)
            # Half of what was asked for is a broken archive, not a short chunk.
            least = (end - start).total_seconds() / 2
            info = decoded(source, Path(folder, "pcm"), max_seconds=LONGEST_CLIP, least_seconds=least)
            key = f"clips/sha256={got.sha256}/audio.{got.container}"
            # Beside the country's tasks: who may open a labelling project reaches the bucket it plays from, so no other.
            lake.upload(country.bucket, key, source)
        except (Permanent, Transient) as trouble:
            states.failed(item, trouble)
            return
    clip = _clip(chunk, country, start, key, got, info)
    states.wrote(item, states.barometre.upsert([clip], Clip))
    states.ok(item)


def _clip(chunk: Chunk, country: Country, start: datetime, key: str, got: Exported, info: AudioInfo) -> Clip:
    return Clip(
        clip_id=chunk.chunk_id,
        country=country.code,
        day=chunk.day,
        channel=chunk.channel,
        language=country.language,
        start=start,
        chunk_offset=(chunk.start - start).total_seconds(),
        seconds=info.seconds,
        bucket=country.bucket,
        object_key=key,
        sha256=got.sha256,
        bytes=got.bytes,
        container=got.container,
        codec=info.codec,
        sample_rate=info.sample_rate,
        audio_channels=info.audio_channels,
        source="export",
    )


def take_recordings(recordings: list[Recording], barometre: Barometre, lake: Lake) -> ClipStates:
    """The clips of recordings: each is decoded once, to know that it is sound and how long."""
    items = {r.recording_id: Item(r.recording_id, RECORDINGS, r.day) for r in recordings}
    states = ClipStates.of(CLIPS, items.values(), barometre)
    stored = {c.clip_id for c in barometre.read(Clip, clip_id=list(items))} if items else set()
    for recording in recordings:
        item = items[recording.recording_id]
        if recording.recording_id in stored:
            states.ok(item)
        elif states.is_dead(item):
            states.keep(item)
        else:
            _take(recording, item, states, lake)
    return states


def _take(recording: Recording, item: Item, states: ClipStates, lake: Lake) -> None:
    with TemporaryDirectory(prefix="recording-") as folder:
        source = Path(folder, "source")
        try:
            lake.download(recording.bucket, recording.object_key, source, recording.bytes)
            info = decoded(source, Path(folder, "pcm"), max_seconds=LONGEST_RECORDING)
        except (Permanent, Transient) as trouble:
            states.failed(item, trouble)
            return
    clip = Clip(
        clip_id=recording.recording_id,
        country=RECORDINGS,
        day=recording.day,
        channel=recording.title,
        language=recording.language,
        start=datetime(recording.day.year, recording.day.month, recording.day.day, tzinfo=UTC),
        chunk_offset=0.0,
        seconds=info.seconds,
        bucket=recording.bucket,
        object_key=recording.object_key,
        sha256=recording.recording_id,
        bytes=recording.bytes,
        container=info.container,
        codec=info.codec,
        sample_rate=info.sample_rate,
        audio_channels=info.audio_channels,
        source="recording",
    )
    states.wrote(item, states.barometre.upsert([clip], Clip))
    states.ok(item)
