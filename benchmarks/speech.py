"""Hearing clips: how right a known speech comes out, and what the stage costs over bare faster-whisper.

Ours is what `whisper_transcripts` does: the clips come from the lake, are decoded, heard by one model in a process of its own,
guarded, compared with the source's text, written. Bare is a process that loads one model and reads the same files, with the
same weights, names, chunks, batches and threads. Both start from nothing each time and take turns at going first.
"""

import multiprocessing
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final

from benchmarks.servers import database, object_store
from climate_assets.speech.chunks import CHUNK_SECONDS
from climate_assets.speech.differences import difference
from climate_assets.speech.guards import guarded
from climate_assets.speech.hearing import transcribe
from climate_assets.speech.records import Clip, Transcript
from embedded.weights import whisper_base
from resources.decoder import decoded
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.s3 import LAKE, Lake
from resources.whisper import Whisper

SPEECH: Final = Path(__file__).parents[2] / "shared" / "data" / "audio" / "jfk.flac"
SAID: Final = "And so my fellow Americans ask not what your country can do for you ask what you can do for your country"
CLIPS: Final = sorted((Path(__file__).parents[1] / "demo" / "sound" / "clips").glob("*.opus"))[:3]
ROUNDS: Final = 3
WER_TARGET: Final = 5.0
RATIO_TARGET: Final = 0.95
_DAY: Final = date(2026, 11, 16)

Figure = dict[str, Any]


def measure() -> list[Figure]:
    """The lines of this benchmark."""
    if not SPEECH.exists():
        raise RuntimeError(f"{SPEECH} is not there; the word error rate is measured on it")
    with tempfile.TemporaryDirectory() as name, database() as (barometre, _), object_store() as (store, _):
        folder = Path(name)
        whisper = Whisper(model=str(whisper_base(folder)), device="cpu")
        lake = Lake(**store)
        lake.ensure_bucket(LAKE)
        for path in CLIPS:
            lake.put(LAKE, path.name, path.read_bytes())
        rate = _rate(whisper, barometre, folder / "speech.pcm")
        rounds = [_round(number, whisper, barometre, lake) for number in range(ROUNDS)]
    ratio = median(theirs / ours for ours, theirs in rounds)
    return [
        {
            "name": "speech.jfk_wer",
            "value": round(100 * rate, 2),
            "unit": "%",
            "baseline": f"what is said in jfk.flac, {len(SAID.split())} words; Whisper base, int8",
            "target": f"<= {WER_TARGET:g}",
            "ok": 100 * rate <= WER_TARGET,
        },
        {
            "name": "speech.transcribe_vs_bare",
            "value": round(ratio, 3),
            "unit": "x",
            "baseline": f"bare faster-whisper, one load, {len(CLIPS)} clips of 2 min: {median(t for _, t in rounds):.1f} s",
            "target": f">= {RATIO_TARGET}",
            "ok": ratio >= RATIO_TARGET,
        },
    ]


def _rate(whisper: Whisper, barometre: Barometre, pcm: Path) -> float:
    """Word error rate of what is believed of a known speech."""
    reference = ReferenceFiles()
    decoded(SPEECH, pcm, max_seconds=60)
    with whisper.loaded(barometre, "benchmark") as recogniser:
        heard = guarded(recogniser.hear(pcm, "english", reference.glossary("english").hotwords), reference.invented_phrases())
    text = " ".join(segment.text for segment in heard.segments if not segment.gate)
    rate = difference(SAID, text).word_error_rate
    return 1.0 if rate is None else rate


def _round(number: int, whisper: Whisper, barometre: Barometre, lake: Lake) -> tuple[float, float]:
    if number % 2:
        ours = _ours(number, whisper, barometre, lake)
        return ours, _theirs(whisper)
    theirs = _theirs(whisper)
    return _ours(number, whisper, barometre, lake), theirs


def _ours(number: int, whisper: Whisper, barometre: Barometre, lake: Lake) -> float:
    clips = [_clip(f"{path.stem}-{number}", path) for path in CLIPS]
    began = perf_counter()
    transcribe(f"round-{number}", clips, barometre, lake, whisper, ReferenceFiles())
    seconds = perf_counter() - began
    made = barometre.read(Transcript, clip_id=[clip.clip_id for clip in clips])
    if len(made) != len(clips) or min(row.words for row in made) < 100:
        raise RuntimeError(f"{len(made)} of {len(clips)} clips were heard; the measure would compare unlike things")
    return seconds


def _theirs(whisper: Whisper) -> float:
    began = perf_counter()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        words = process.submit(_bare, whisper.model, whisper.batch_size, whisper.beam_size, CLIPS).result()
    if min(words) < 100:
        raise RuntimeError("a clip was not heard; the measure would compare unlike things")
    return perf_counter() - began


def _bare(model: str, batch_size: int, beam_size: int, paths: Sequence[Path]) -> list[int]:
    """Words of each file, as the library's own documentation has it."""
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    threads = len(os.sched_getaffinity(0))
    pipeline = BatchedInferencePipeline(WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=threads))
    hotwords = ReferenceFiles().glossary("french").hotwords
    words = []
    for path in paths:
        segments, _ = pipeline.transcribe(
            str(path),
            language="fr",
            batch_size=batch_size,
            beam_size=beam_size,
            word_timestamps=True,
            hotwords=hotwords,
            chunk_length=int(CHUNK_SECONDS),
            without_timestamps=False,
            temperature=0.0,
        )
        words.append(sum(len(segment.words or ()) for segment in segments))
    return words


def _clip(clip_id: str, path: Path) -> Clip:
    content = path.read_bytes()
    return Clip(
        clip_id=clip_id,
        country="france",
        day=_DAY,
        channel=path.stem,
        language="french",
        start=datetime(2026, 11, 16, tzinfo=UTC),
        chunk_offset=0.0,
        seconds=130.0,
        bucket=LAKE,
        object_key=path.name,
        sha256=sha256(content).hexdigest(),
        bytes=len(content),
        container="ogg",
        codec="opus",
        sample_rate=16_000,
        audio_channels=1,
        source="export",
    )


if __name__ == "__main__":
    for line in measure():
        print(line)
