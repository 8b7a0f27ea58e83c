"""The program that holds a Whisper model: hears files of raw sound (16 kHz, mono, 16 bit), answers words with times.

Belongs here: loading, windows that bound memory, voice activity and level before the model, decoding in batches, hearing
again what came out badly, a smaller compute type when a card is full. Does not belong here: which words are believed
(`climate_assets/speech/guards.py`), how sentences are cut, residency (`resources/model_process.py`).
"""

import gc
import hashlib
import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import ctranslate2
import numpy as np
import numpy.typing as npt
from faster_whisper import BatchedInferencePipeline, WhisperModel
from faster_whisper.utils import download_model
from faster_whisper.vad import VadOptions, get_speech_timestamps

from climate_assets.speech.chunks import CHUNK_SECONDS, GAP_SECONDS, PIECE_GAP_SECONDS, PIECE_SECONDS, Span, joined, settled
from climate_assets.speech.guards import is_doubtful
from resources.workers.loop import Handler, serve

RATE: Final = 16_000
BLIP_MILLISECONDS: Final = 100
"""Voice activity shorter than this is a drum or a click: the shortest word takes longer."""
SHORT_SECONDS: Final = 10.0
"""Chunks up to here may not be long-winded: at most `32 + 15` tokens a second, twice what the fastest speech needs."""
TEMPERATURE: Final = 0.0
"""Never sampled: a clip that is heard again, after a worker was killed, gives the same words."""

SMALLER: Final = "int8_float16"
"""Compute type for a card that has no room for the one wanted."""

Sound = npt.NDArray[np.float32]


class Listener:
    """A loaded model and how it is used."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Raises when there is no such model, or no room for it even in a smaller compute type."""
        self._settings = settings
        cuda = settings["device"] == "cuda" or (settings["device"] == "auto" and ctranslate2.get_cuda_device_count() > 0)
        self._device = "cuda" if cuda else "cpu"
        name = settings["model"] or ("large-v3-turbo" if cuda else "small")
        self._folder = _folder(name)
        self._name = f"whisper-{Path(name).name.removeprefix('whisper-').removeprefix('faster-whisper-')}"
        self._digest = _digest(self._folder / "model.bin")
        self._compute_type = settings["compute_type"] or ("float16" if cuda else "int8")
        self._batch_size = int(settings["batch_size"])
        self._model: Any = None
        self._pipeline: Any = None
        try:
            self._load()
        except RuntimeError as error:
            if not self._may_shrink(error):
                raise
            self._shrink()

    @property
    def model(self) -> str:
        """Name, compute type and hash of the weights: two models never share it."""
        return f"{self._name}-{self._compute_type}-{self._digest}"

    def hear(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """What is said in a file, window by window; without a question, which model hears.

        A full card is answered once with a smaller compute type.
        """
        if not question:
            return {"model": self.model}
        if question["language"] not in ("", *self._model.supported_languages):
            raise ValueError(f"{self.model} knows no {question['language']}; set WHISPER_MODEL to one that does")
        try:
            return self._heard(question)
        except RuntimeError as error:
            if not self._may_shrink(error):
                raise
        # Outside of the handler: the error's traceback holds what fills the card.
        self._shrink()
        return self._heard(question)

    def _heard(self, question: Mapping[str, Any]) -> dict[str, Any]:
        path = Path(question["pcm"])
        samples = np.memmap(path, dtype="<i2", mode="r") if path.stat().st_size > 1 else np.zeros(0, "<i2")
        speech: list[Span] = []
        segments: list[dict[str, Any]] = []
        for offset, sound, spans in self._windows(samples):
            speech += [(offset + start, offset + end) for start, end in spans]
            for language, chunks in self._chunks(sound, spans, question["language"]):
                segments += self._decoded(sound, chunks, language, question["hotwords"], offset)
        return {
            "model": self.model,
            "seconds": len(samples) / RATE,
            "speech": speech,
            "segments": segments,
            "language": question["language"] or _most_spoken(segments),
        }

    def _windows(self, samples: npt.NDArray[Any]) -> Iterator[tuple[float, Sound, list[Span]]]:
        """Where a window starts, its sound, and its stretches of speech in seconds from there; cut in a pause."""
        length = int(self._settings["window_seconds"] * RATE)
        options = VadOptions(
            min_silence_duration_ms=160, min_speech_duration_ms=BLIP_MILLISECONDS, max_speech_duration_s=CHUNK_SECONDS
        )
        at = 0
        while at < len(samples):
            sound = samples[at : at + length].astype(np.float32) / 32768.0
            found = get_speech_timestamps(sound, options)
            # The last stretch may go on behind the window: it is heard with the next one, from its start.
            goes_on = at + len(sound) < len(samples) and len(found) > 1
            loud = [f for f in (found[:-1] if goes_on else found) if self._is_loud(sound[f["start"] : f["end"]])]
            yield at / RATE, sound, [(f["start"] / RATE, f["end"] / RATE) for f in loud]
            at += found[-1]["start"] if goes_on else len(sound)

    def _is_loud(self, sound: Sound) -> bool:
        """Whether a stretch is louder than the noise of a quiet line (root mean square, dB of full scale)."""
        level = float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))) if len(sound) else 0.0
        return level > 10 ** (float(self._settings["quiet_decibels"]) / 20)

    def _chunks(self, sound: Sound, spans: list[Span], language: str) -> Iterator[tuple[str, list[Span]]]:
        """Chunks to decode together, with their language; told piece by piece unless it is given."""
        if language or not self._model.model.is_multilingual:
            yield language or "en", joined(spans, CHUNK_SECONDS, GAP_SECONDS)
            return
        pieces = joined(spans, PIECE_SECONDS, PIECE_GAP_SECONDS)
        told = [self._model.detect_language(_cut(sound, piece))[:2] for piece in pieces]
        for language, group in groupby(zip(settled(told), pieces, strict=True), key=itemgetter(0)):
            yield language, joined([piece for _, piece in group], CHUNK_SECONDS, GAP_SECONDS)

    def _decoded(self, sound: Sound, chunks: list[Span], language: str, hotwords: str, offset: float) -> list[dict[str, Any]]:
        """Segments of some chunks of one language; what came out badly is heard again, and the better of both kept."""
        segments = []
        for chunk, heard in zip(chunks, self._transcribed(sound, chunks, language, hotwords or None), strict=True):
            better = heard
            if _is_doubtful(heard):
                # Without names: what doubtful sound and a list of names make together is no evidence of either.
                [again] = self._transcribed(sound, [chunk], language, None, no_repeat_ngram_size=3)
                better = heard if _is_doubtful(again) else again
            if better:
                segments.append(_answer(better, language, offset))
        return segments

    def _transcribed(
        self, sound: Sound, chunks: list[Span], language: str, hotwords: str | None, **options: Any
    ) -> list[list[Any]]:
        """The segments of each chunk."""
        if not chunks:
            return []
        longest = max(end - start for start, end in chunks)
        heard, _ = self._pipeline.transcribe(
            sound,
            language=language,
            clip_timestamps=[{"start": start, "end": end} for start, end in chunks],
            batch_size=self._batch_size,
            beam_size=self._settings["beam_size"],
            temperature=TEMPERATURE,
            word_timestamps=True,
            # Told to time its phrases, a model goes on to the end of a chunk; otherwise it may stop at a pause.
            without_timestamps=False,
            hotwords=hotwords,
            max_new_tokens=32 + int(15 * longest) if longest < SHORT_SECONDS else None,
            **options,
        )
        of_chunk: dict[int, list[Any]] = {_seek(chunk): [] for chunk in chunks}
        for segment in heard:
            of_chunk[segment.seek].append(segment)
        return list(of_chunk.values())

    def _load(self) -> None:
        threads = int(self._settings["threads"]) or len(os.sched_getaffinity(0))
        self._model = WhisperModel(
            str(self._folder), device=self._device, compute_type=self._compute_type, cpu_threads=threads, local_files_only=True
        )
        self._pipeline = BatchedInferencePipeline(self._model)

    def _may_shrink(self, error: RuntimeError) -> bool:
        full = "out of memory" in str(error).lower()
        return full and self._device == "cuda" and self._compute_type != SMALLER

    def _shrink(self) -> None:
        """The model again, smaller, once the first is gone."""
        self._model = self._pipeline = None
        gc.collect()
        self._compute_type, self._batch_size = SMALLER, 1
        self._load()


def _cut(sound: Sound, span: Span) -> Sound:
    return sound[int(span[0] * RATE) : int(span[1] * RATE)]


def _seek(chunk: Span) -> int:
    """By what the library names the chunk that a segment is of: hundredths of a second, counted in whole samples."""
    return int(int(chunk[0] * RATE) / RATE * 100)


def _is_doubtful(segments: Sequence[Any]) -> bool:
    """Whether what a chunk gave is worth a second try; nothing at all is not."""
    if not segments:
        return False
    text = " ".join(segment.text for segment in segments)
    ratio = max(segment.compression_ratio for segment in segments)
    return is_doubtful(text, min(segment.avg_logprob for segment in segments), ratio)


def _most_spoken(segments: Sequence[Mapping[str, Any]]) -> str:
    words = Counter[str]()
    for segment in segments:
        words[segment["language"]] += len(segment["words"])
    return words.most_common(1)[0][0] if words else ""


def _answer(chunk: Sequence[Any], language: str, offset: float) -> dict[str, Any]:
    """A chunk's segments as one: where a sentence ends is told by its words, not by where a model put a time."""
    probability = min(segment.avg_logprob for segment in chunk)
    silence = max(segment.no_speech_prob for segment in chunk)
    return {
        "start": offset + float(chunk[0].start),
        "end": offset + float(chunk[-1].end),
        "words": [
            (offset + float(word.start), offset + float(word.end), word.word, float(word.probability))
            for segment in chunk
            for word in segment.words or ()
        ],
        # A figure that is none is as bad as figures get.
        "avg_logprob": float(probability) if math.isfinite(probability) else -99.0,
        "no_speech_prob": float(silence) if math.isfinite(silence) else 1.0,
        "compression_ratio": float(max(segment.compression_ratio for segment in chunk)),
        "temperature": TEMPERATURE,
        "language": language,
    }


def _folder(name: str) -> Path:
    """Folder of a model, fetched from its hub if it is not here; raises with what to do if it cannot be had."""
    folder = Path(name)
    remedy = (
        "set WHISPER_MODEL to a folder with a CTranslate2 Whisper model, or to the name of one where its hub can be reached"
    )
    if folder.is_absolute() or folder.is_dir():
        if not (folder / "model.bin").is_file():
            raise FileNotFoundError(f"{folder} holds no model.bin; {remedy}")
        return folder
    try:
        return Path(download_model(name))
    except Exception as error:  # whatever its client raises, no model has come
        raise FileNotFoundError(f"no model {name!r:.80} ({type(error).__name__}); {remedy}") from error


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:8]


def _start(settings: dict[str, Any]) -> tuple[dict[str, Any], Handler]:
    listener = Listener(settings)
    return {"model": listener.model}, listener.hear


if __name__ == "__main__":
    serve(_start)
