"""Who speaks when, and how a voice sounds: the pipeline of `DIARIZATION_MODEL`, in a process of its own.

Belongs here: which model, where and how patiently; whether it can run at all; questions and answers in records.
Does not: the model (`workers/diarizer.py`), rows (`climate_assets.speech.turns`), whose voice it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from typing import Any, Final

from dagster import ConfigurableResource
from pydantic import Field

from climate_assets.failures import Permanent, Transient
from climate_assets.speech.turns import Span
from resources.model_process import Worker, WorkerFailed, resident
from resources.postgres import Barometre

_BYTES_A_SECOND: Final = 32_000
_MOST_SPEAKERS: Final = 1_000
_OUT_OF_MEMORY: Final = {"MemoryError", "OutOfMemoryError"}
_ENVIRONMENT: Final = {
    # pyannote tells its maker the length of every file unless this is said before it is imported.
    "PYANNOTE_METRICS_ENABLED": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


class Divider:
    """A loaded pipeline, while its block lasts."""

    def __init__(self, worker: Worker, diarizer: "Diarizer") -> None:
        """`worker` has loaded it."""
        self._worker, self._diarizer = worker, diarizer
        self.model = str(worker.ask({}, diarizer.load_seconds)["ok"]["model"])

    def divide(self, pcm: Path, min_speakers: int | None = None, max_speakers: int | None = None) -> list[Span]:
        """Spans of the full division and of the exclusive one, in order of time; none where nobody speaks.

        `pcm`: raw 16 kHz mono 16-bit. Of a recording longer than a window the least number of speakers is not asked for.
        Raises `Permanent` for audio or hints that cannot be used, `Transient` when the worker died or took too long.
        """
        least = 1 if min_speakers is None else min_speakers
        if not 1 <= least <= (_MOST_SPEAKERS if max_speakers is None else max_speakers) <= _MOST_SPEAKERS:
            raise Permanent(
                f"{min_speakers} to {max_speakers} speakers is no range; give two numbers from 1, the smaller first"
            )
        question = {"pcm": str(pcm), "min_speakers": min_speakers, "max_speakers": max_speakers}
        spans = self._diarizer.answer(self._worker, question, pcm)["spans"]
        return [Span(float(start), float(end), str(speaker), bool(exclusive)) for start, end, speaker, exclusive in spans]


class Encoder:
    """A loaded speaker encoder, while its block lasts."""

    def __init__(self, worker: Worker, diarizer: "Diarizer") -> None:
        """`worker` has loaded it."""
        self._worker, self._diarizer = worker, diarizer
        about = worker.ask({}, diarizer.load_seconds)["ok"]
        self.model = str(about["model"])
        self.dimensions = int(about["dimensions"])

    def embed(self, pcm: Path, spans: Sequence[tuple[float, float]]) -> list[list[float] | None]:
        """How the voice sounds in each span: a vector of length 1, or None where there is under half a second of audio.

        Of a span longer than 30 s the first 30 s are measured. Raises as `Divider.divide` does.
        """
        if not all(isfinite(start) and isfinite(end) and start >= 0 for start, end in spans):
            raise Permanent(f"a span of {pcm.name} is no stretch of time")
        answer = self._diarizer.answer(self._worker, {"pcm": str(pcm), "spans": [list(span) for span in spans]}, pcm)
        return [None if vector is None else [float(value) for value in vector] for vector in answer["vectors"]]


class Diarizer(ConfigurableResource):  # type: ignore[type-arg]
    """The diarization pipeline of pyannote.audio, by hub name or local folder."""

    model: str = Field(default="", description="Hub name such as owner/pipeline, or a folder with config.yaml; empty: none.")
    token: str = Field(default="", repr=False, description="Token for gated models of the hub.")
    device: str = Field(default="auto", description="auto, cpu or cuda.")
    batch: int = Field(default=0, ge=0, le=1024, description="Chunks a batch; 0: what the pipeline says of itself.")
    # Its layers are small: on two cores a second thread made a clip take 1.2 times as long, on two busy ones 9 times.
    threads: int = Field(default=1, ge=0, le=256, description="Threads on a cpu; 0: as many as torch takes.")
    window_seconds: float = Field(default=600.0, ge=22.0, le=3600.0, description="A longer recording is divided in windows.")
    link_similarity: float = Field(default=0.6, ge=-1.0, le=1.0, description="Cosine from which voices of two windows are one.")
    load_seconds: float = Field(default=600.0, gt=0, description="Longest wait for the model to be loaded.")
    fixed_seconds: float = Field(default=300.0, gt=0, description="Longest wait for an answer, whatever the audio's length ...")
    patience: float = Field(default=6.0, gt=0, description="... and so many seconds more for each second of audio.")
    max_hours: float = Field(default=8.0, gt=0, description="Longest recording taken.")

    @property
    def missing(self) -> str:
        """Why it cannot run, and what to do; empty if it can. Imports nothing."""
        if absent := [name for name in ("torch", "pyannote.audio") if not _installed(name)]:
            return f"the extra `speakers` is not installed ({', '.join(absent)}); run `make speakers`"
        if not self.model:
            return "no diarization model is configured; set DIARIZATION_MODEL to a hub name or a folder"
        if self.model.startswith(("/", ".", "~")) and not (Path(self.model) / "config.yaml").is_file():
            return f"DIARIZATION_MODEL names {self.model}, which is no folder with a config.yaml"
        return ""

    @contextmanager
    def loaded(self, barometre: Barometre, stage: str) -> Iterator[Divider]:
        """The pipeline, alone in memory until the block ends; raises `Permanent` if it is missing."""
        with self._resident("divide", barometre, stage) as worker:
            yield Divider(worker, self)

    @contextmanager
    def encoder(self, barometre: Barometre, stage: str) -> Iterator[Encoder]:
        """Its speaker encoder, alone in memory until the block ends; raises `Permanent` if it is missing."""
        with self._resident("encode", barometre, stage) as worker:
            yield Encoder(worker, self)

    def answer(self, worker: Worker, question: Mapping[str, Any], pcm: Path) -> dict[str, Any]:
        """What the worker says of a file, within the time its length allows."""
        try:
            size = pcm.stat().st_size
        except OSError as error:
            raise Permanent(f"{pcm.name} cannot be read: {error.strerror}") from None
        seconds = size / _BYTES_A_SECOND
        if size % 2 or seconds > self.max_hours * 3600:
            raise Permanent(f"{pcm.name} is no raw 16-bit audio of at most {self.max_hours:g} hours ({size} bytes)")
        try:
            found: dict[str, Any] = worker.ask(question, self.fixed_seconds + self.patience * seconds)["ok"]
        except WorkerFailed as error:
            if error.kind in _OUT_OF_MEMORY:
                raise Transient(
                    f"out of memory over {seconds:.0f} s of audio; set a smaller batch or window: {error}"
                ) from error
            raise Permanent(f"{seconds:.0f} s of audio cannot be divided or measured: {error}") from error
        return found

    @contextmanager
    def _resident(self, mode: str, barometre: Barometre, stage: str) -> Iterator[Worker]:
        if self.missing:
            raise Permanent(self.missing)
        settings = {
            "mode": mode,
            "model": self.model,
            "token": self.token,
            "device": self.device,
            "batch": self.batch,
            "threads": self.threads,
            "window_seconds": self.window_seconds,
            "link_similarity": self.link_similarity,
        }
        with resident(
            "diarizer", settings, stage, barometre, environment=_ENVIRONMENT, load_seconds=self.load_seconds
        ) as worker:
            yield worker


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # the package it would lie in is absent
        return False
