"""Whisper: raw sound to words with times, in a process of its own that is loaded once for many clips.

Belongs here: what is configured, how long an answer may take, the answer as records. Does not belong here: decoding
(`workers/whisper.py`), which words are believed (`climate_assets/speech/guards.py`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from dagster import ConfigurableResource
from pydantic import Field

from climate_assets.failures import Permanent
from climate_assets.speech.languages import code
from climate_assets.speech.records import Heard, Segment, Word
from climate_assets.speech.stretches import sentences, written_words
from resources.model_process import Worker, WorkerFailed, resident
from resources.postgres import Barometre

BYTES_A_SECOND: Final = 32_000
"""Of raw sound: 16 kHz, mono, 16 bit."""
_ENVIRONMENT: Final = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_ETAG_TIMEOUT": "10",
}


class Recogniser:
    """A loaded model; `hear` it out clip by clip."""

    def __init__(self, worker: Worker, whisper: "Whisper") -> None:
        """`worker` has loaded it."""
        self._worker, self._whisper = worker, whisper
        self._model = str(worker.ask({}, whisper.patience_seconds)["ok"]["model"])

    @property
    def model(self) -> str:
        """Model, compute type and hash of the weights; of the last clip heard, since a full card may have changed it."""
        return self._model

    @property
    def pid(self) -> int:
        """Number of the process that holds the model."""
        return self._worker.pid

    def hear(self, pcm: Path, language: str, hotwords: str) -> Heard:
        """What is said in a file of raw sound, cut into sentences, not yet judged.

        `language`: a word of the countries file; empty: told piece by piece. Raises `Permanent` for a clip longer than
        allowed or one the model cannot hear, `Transient` when the worker dies or exceeds the time that the clip allows it.
        """
        seconds = pcm.stat().st_size / BYTES_A_SECOND
        if seconds > self._whisper.longest_seconds:
            raise Permanent(f"{seconds:.0f} s of sound; {self._whisper.longest_seconds:.0f} s at most are heard")
        question = {"pcm": str(pcm), "language": code(language), "hotwords": hotwords}
        try:
            answer = self._worker.ask(question, self._whisper.patience_seconds + seconds * self._whisper.patience_factor)["ok"]
        except WorkerFailed as error:
            raise Permanent(f"{self._model} cannot hear the clip: {error}") from error
        self._model = str(answer["model"])
        return _heard(answer)


class Whisper(ConfigurableResource):  # type: ignore[type-arg]
    """Recogniser of speech (faster-whisper)."""

    model: str = Field(
        default="", description="Folder, or name at the hub; empty: large-v3-turbo on a graphics card, small without one."
    )
    device: Literal["auto", "cpu", "cuda"] = "auto"
    compute_type: str = Field(default="", description="Of CTranslate2; empty: float16 on a graphics card, int8 without one.")
    batch_size: int = Field(default=8, ge=1, le=64, description="Stretches of 20 s decoded at once.")
    beam_size: int = Field(default=5, ge=1, le=20, description="Hypotheses followed at once.")
    threads: int = Field(default=0, ge=0, description="Processor threads; 0: as many as there are processors.")
    window_seconds: float = Field(default=600.0, ge=60.0, description="Sound in memory at once, whatever a clip's length.")
    quiet_decibels: float = Field(default=-60.0, le=0.0, description="Level below which nothing is heard, dB of full scale.")
    longest_seconds: float = Field(default=6 * 3600.0, gt=0, description="Longest clip.")
    load_seconds: float = Field(default=1800.0, gt=0, description="For loading, the first time with the transfer from the hub.")
    patience_seconds: float = Field(default=120.0, gt=0, description="For the answer to a clip of no length.")
    patience_factor: float = Field(default=20.0, gt=0, description="More for each second of sound.")

    @property
    def decoding(self) -> str:
        """Version of the decoding: what, beside the names, the words hang on. A model of the same name may be another one."""
        model = "-".join((Path(self.model).name or "default", self.compute_type or "auto"))
        return f"{model}-batched-1-beam{self.beam_size}-level{self.quiet_decibels:g}-window{self.window_seconds:g}"

    @contextmanager
    def loaded(self, barometre: Barometre, stage: str) -> Iterator[Recogniser]:
        """The model in memory, alone, for the asset `stage`; gone when the block is left, however that is."""
        settings = self.model_dump(
            include={
                "model",
                "device",
                "compute_type",
                "batch_size",
                "beam_size",
                "threads",
                "window_seconds",
                "quiet_decibels",
            }
        )
        with resident(
            "whisper", settings, stage, barometre, environment=_ENVIRONMENT, load_seconds=self.load_seconds
        ) as worker:
            yield Recogniser(worker, self)


def _heard(answer: dict[str, Any]) -> Heard:
    seconds = float(answer["seconds"])
    segments = tuple(sentence for segment in answer["segments"] for sentence in sentences(_segment(segment, seconds)))
    speech = tuple((float(start), float(end)) for start, end in answer["speech"])
    return Heard(segments, str(answer["language"]), seconds, sum(end - start for start, end in speech), speech)


def _segment(answer: dict[str, Any], seconds: float) -> Segment:
    """A decoding as the worker tells it; alignment may place a last word behind the end of the sound."""
    pieces = (
        Word(min(start, seconds), min(end, seconds), text, probability) for start, end, text, probability in answer["words"]
    )
    words = written_words(pieces)
    return Segment(
        start=min(answer["start"], seconds),
        end=min(answer["end"], seconds),
        text=" ".join(word.text for word in words),
        words=words,
        avg_logprob=answer["avg_logprob"],
        no_speech_prob=answer["no_speech_prob"],
        compression_ratio=answer["compression_ratio"],
        temperature=answer["temperature"],
        language=answer["language"],
    )
