"""Dividing by speaker: how right it is, against the bare pipeline, and what a four-hour recording takes of memory.

The pipeline is the one that comes in packages. The bare side is pyannote's pipeline from the same folder, in a process of
its own, over the same clips in memory; both load once, before time is taken, and take turns at going first. The recording
is quiet but for some speech every half hour and one stretch that fills several windows; Whisper and the pipeline hear it
one after the other, as the assets do, and all processes of the run are watched together.
"""

import multiprocessing
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final

import numpy as np

from benchmarks.servers import database, watched
from embedded.diarization_weights import pipeline_folder
from embedded.weights import whisper_base
from resources.diarizer import Diarizer, Divider
from resources.postgres import Barometre
from resources.whisper import Whisper
from tests.diarization_models import error_rate, pcm_of, sample_folder

RATE: Final = 16_000
HOURS: Final = 4
CLIPS: Final = 3
ROUNDS: Final = 3
# Seconds at which the sample is heard in the recording: now and then, and without a break from the second hour on.
DENSE: Final = tuple(3600.0 + 30 * number for number in range(42))
SPARSE: Final = tuple(900.0 + 1800 * number for number in range(2 * HOURS) if number != 2)
# What a switched-off microphone hands on.
NOISE: Final = 4.0
DER_TARGET: Final = 8.0
RATIO_TARGET: Final = 0.95
MEMORY_TARGET: Final = 4.0

Figure = dict[str, Any]


def measure() -> list[Figure]:
    """The lines of this benchmark."""
    with tempfile.TemporaryDirectory() as name, database() as (barometre, server):
        folder = Path(name)
        pipeline = pipeline_folder(folder)
        sample = pcm_of(sample_folder() / "sample.wav", folder)
        with _bare(pipeline) as bare, Diarizer(model=str(pipeline)).loaded(barometre, "benchmark") as divider:
            rate = error_rate(divider.divide(sample))
            ratio, seconds = _against_bare(bare, divider, _clips(sample, folder))
        # A process of its own for what is watched: nothing of the measures before is in it.
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, spawn) as process:
            peak, said = process.submit(_long_file, folder, pipeline, sample, barometre.url, server).result()
    return [
        {
            "name": "speech.sample_der",
            "value": round(rate, 2),
            "unit": "%",
            "baseline": "reference of pyannote's sample.wav: no collar, overlap counted, number of speakers not told",
            "target": f"<= {DER_TARGET:g}",
            "ok": rate <= DER_TARGET,
        },
        {
            "name": "speech.diarize_vs_bare",
            "value": round(ratio, 3),
            "unit": "x",
            "baseline": f"bare pyannote.audio over {CLIPS} clips of 30 s: {seconds:.2f} s",
            "target": f">= {RATIO_TARGET}",
            "ok": ratio >= RATIO_TARGET,
        },
        {
            "name": "speech.long_file_memory",
            "value": round(peak, 2),
            "unit": "GiB",
            "baseline": said,
            "target": f"<= {MEMORY_TARGET:g}",
            "ok": peak <= MEMORY_TARGET,
        },
    ]


def _clips(sample: Path, folder: Path) -> list[Path]:
    """Clips that differ: the sample, begun at another place each time."""
    sound = np.fromfile(sample, dtype="<i2")
    paths = [folder / f"clip-{number}.pcm" for number in range(CLIPS)]
    for number, path in enumerate(paths):
        np.roll(sound, number * len(sound) // CLIPS).tofile(path)
    return paths


def _against_bare(bare: ProcessPoolExecutor, divider: Divider, clips: Sequence[Path]) -> tuple[float, float]:
    """Seconds of the bare pipeline over ours, and its seconds; both median of rounds."""

    def ours() -> float:
        began = perf_counter()
        for clip in clips:
            if not divider.divide(clip):
                raise RuntimeError("nobody was found in a clip; the measure would compare unlike things")
        return perf_counter() - began

    def theirs() -> float:
        return bare.submit(_bare_seconds, clips).result()

    ours(), theirs()  # what is done once is done
    rounds = []
    for number in range(ROUNDS):
        if number % 2:
            mine = ours()
            rounds.append((mine, theirs()))
        else:
            other = theirs()
            rounds.append((ours(), other))
    return median(theirs / ours for ours, theirs in rounds), median(theirs for _, theirs in rounds)


@contextmanager
def _bare(pipeline: Path) -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _load_bare, (str(pipeline),)) as process:
        yield process


_loaded: list[Any] = []


def _load_bare(pipeline: str) -> None:
    os.environ["PYANNOTE_METRICS_ENABLED"] = "false"
    from pyannote.audio import Pipeline

    _loaded.append(Pipeline.from_pretrained(pipeline))


def _bare_seconds(clips: Sequence[Path]) -> float:
    import torch

    began = perf_counter()
    for clip in clips:
        sound = np.fromfile(clip, dtype="<i2").astype(np.float32) / 32768
        found = _loaded[0]({"waveform": torch.from_numpy(sound)[None], "sample_rate": RATE})
        if not found.speaker_diarization.labels():
            raise RuntimeError("nobody was found in a clip; the measure would compare unlike things")
    return perf_counter() - began


def _long_file(folder: Path, pipeline: Path, sample: Path, database_url: str, server: int) -> tuple[float, str]:
    """Highest GiB of this process, both workers and the database while a long recording is heard and divided; and where."""
    recording = _recording(sample, folder / "recording.pcm")
    barometre, model = Barometre(url=database_url), whisper_base(folder)
    with watched(database=server) as memory:
        began = perf_counter()
        with Whisper(model=str(model)).loaded(barometre, "whisper_transcripts") as recogniser:
            words = sum(len(segment.words) for segment in recogniser.hear(recording, "english", "").segments)
        heard, heard_peak = perf_counter() - began, memory.peak
        with Diarizer(model=str(pipeline)).loaded(barometre, "speaker_turns") as divider:
            spans = divider.divide(recording)
        divided = perf_counter() - began - heard
    rate = error_rate(spans, *SPARSE, *DENSE)
    said = (
        f"{HOURS} h, {len(DENSE) / 2:.0f} min without a break; Whisper base {heard_peak / 2**30:.2f} GiB, {heard:.0f} s, "
        f"{words} words; speakers {divided:.0f} s, {len({span.speaker for span in spans})} found, error rate {rate:.1f} %"
    )
    return memory.peak / 2**30, said


def _recording(sample: Path, path: Path) -> Path:
    """Four hours as raw sound, written hour by hour."""
    sound = np.fromfile(sample, dtype="<i2")
    hour, chance = 3600 * RATE, np.random.default_rng(20261121)
    starts = [round(start * RATE) for start in (*SPARSE, *DENSE)]
    with path.open("wb") as file:
        for number in range(HOURS):
            part = chance.normal(0, NOISE, hour).astype("<i2")
            for start in starts:
                if number * hour <= start < (number + 1) * hour:
                    place = start - number * hour
                    part[place : place + len(sound)] = sound[: hour - place]
            part.tofile(file)
    return path


if __name__ == "__main__":
    for line in measure():
        print(line)
