"""The program that holds a diarization pipeline, or only its speaker encoder: `python -m resources.workers.diarizer`.

Belongs here: loading by folder or hub name, finding speech cheaply in a long recording, dividing windows, measuring voices.
How windows are cut and joined is `climate_assets.speech.windows`. No vector of a speaker leaves this process by `divide`.
"""

import hashlib
import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from climate_assets.speech.turns import Span
from climate_assets.speech.windows import Divided, Window, joined, stretches, whole, windows
from resources.workers.loop import Handler, serve

SAMPLE_RATE: Final = 16_000
# Where speech is looked for: one value for so many seconds, in blocks that bound memory.
LOOK_FRAME: Final = 0.1
LOOK_BLOCK: Final = 60.0
# 60 dB under full scale: what never rises above it is no speech that anybody put on air.
LOOK_PEAK: Final = 32
OVERLAP: Final = 10.0
# A shorter stretch gives a vector that says more of its words than of its voice; a longer one says nothing more.
MIN_MEASURED: Final = 0.5
MAX_MEASURED: Final = 30.0


class NotLoadedError(Exception):
    """The model cannot be had; says what to do."""


def start(settings: dict[str, Any]) -> tuple[dict[str, Any], Handler]:
    """Load what `mode` names: `divide`, the whole pipeline, or `encode`, its speaker encoder alone."""
    warnings.filterwarnings("ignore", module="pyannote")
    import torch

    if settings["threads"]:
        torch.set_num_threads(settings["threads"])
    wanted = settings["device"]
    device = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if wanted == "auto" else wanted)
    try:
        made = Divider(settings, device) if settings["mode"] == "divide" else Encoder(settings, device)
    except NotLoadedError:
        raise
    except Exception as error:  # a library's message may quote the token it was given
        text = f"{type(error).__name__}: {error}"
        raise NotLoadedError(text.replace(settings["token"], "***") if settings["token"] else text) from None
    return made.about, made.answer


class Divider:
    """A loaded pipeline."""

    def __init__(self, settings: dict[str, Any], device: Any) -> None:
        from pyannote.audio import Inference, Pipeline, __version__

        name = settings["model"]
        pipeline = Pipeline.from_pretrained(name, token=settings["token"] or None)
        if pipeline is None:
            raise NotLoadedError(f"{name} cannot be fetched; accept its terms on the hub and set the token of that account")
        pipeline.to(device)
        pipeline.legacy = False
        if settings["batch"]:
            pipeline.segmentation_batch_size = pipeline.embedding_batch_size = settings["batch"]
        self._pipeline = pipeline
        self._window = float(settings["window_seconds"])
        self._similarity = float(settings["link_similarity"])
        segmentation = pipeline._segmentation
        # Half of every chunk is heard twice: at its edges the model lacks what comes before and after.
        self._look = Inference(
            segmentation.model,
            duration=segmentation.duration,
            step=segmentation.duration / 2,
            skip_aggregation=True,
            batch_size=segmentation.batch_size,
            device=device,
        )
        parameters = f"{pipeline.parameters(instantiated=True)} {self._window} {self._similarity}"
        mark = weights_mark([segmentation.model, getattr(pipeline._embedding, "model_", None)], parameters)
        self.about = {"model": f"{Path(name).name}@{mark} (pyannote.audio {__version__})"}

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """Spans of a file of PCM: `[start, end, speaker, exclusive]` each."""
        if "pcm" not in question:
            return self.about
        sound = samples(question["pcm"])
        least, most = question["min_speakers"], question["max_speakers"]
        parts = self._windows(sound)
        # Of several windows each may hold few of the speakers; that there are more cannot be asked of any one of them.
        divisions = [self._division(sound, part, least if len(parts) == 1 else None, most) for part in parts]
        spans = joined(divisions, self._similarity, most)
        return {"spans": [[span.start, span.end, span.speaker, span.exclusive] for span in spans]}

    def _windows(self, sound: NDArray[np.int16]) -> list[Window]:
        seconds = len(sound) / SAMPLE_RATE
        if seconds <= self._window:
            return [whole(seconds)] if len(sound) else []
        return windows(stretches(self._active(sound), LOOK_FRAME, seconds), self._window, OVERLAP)

    def _active(self, sound: NDArray[np.int16]) -> NDArray[np.bool_]:
        """Where anybody speaks, as the segmentation model hears it on a fifth of the chunks that a division takes."""
        active = np.zeros(int(np.ceil(len(sound) / SAMPLE_RATE / LOOK_FRAME)) + 1, dtype=np.bool_)
        block, step = int(LOOK_BLOCK * SAMPLE_RATE), int(LOOK_BLOCK * SAMPLE_RATE - self._look.step * SAMPLE_RATE)
        for begin in range(0, len(sound), step):
            part = sound[begin : begin + block]
            if max(int(part.max()), -int(part.min())) <= LOOK_PEAK:
                continue
            heard = self._look({"waveform": waveform([part]), "sample_rate": SAMPLE_RATE})
            frame = heard.sliding_window.duration / heard.data.shape[1]
            for number, chunk in enumerate(heard.data):
                spoken = np.flatnonzero((chunk > 0.5).any(axis=-1)) * frame
                places = (begin / SAMPLE_RATE + number * self._look.step + spoken) / LOOK_FRAME
                active[np.minimum(places.astype(np.int64), len(active) - 1)] = True
        return active

    def _division(self, sound: NDArray[np.int16], part: Window, least: int | None, most: int | None) -> Divided:
        cut = [sound[round(piece.start * SAMPLE_RATE) : round(piece.end * SAMPLE_RATE)] for piece in part]
        file = {"waveform": waveform(cut), "sample_rate": SAMPLE_RATE}
        found = self._pipeline(file, min_speakers=least, max_speakers=most)
        divided = ((found.speaker_diarization, False), (found.exclusive_speaker_diarization, True))
        spans = [
            Span(float(segment.start), float(segment.end), str(label), exclusive)
            for division, exclusive in divided
            for segment, _, label in division.itertracks(yield_label=True)
        ]
        vectors = found.speaker_embeddings
        labels = found.speaker_diarization.labels() if vectors is not None else []
        return Divided(part, spans, {str(label): vectors[row] for row, label in enumerate(labels)})


class Encoder:
    """The speaker encoder of a pipeline, without the rest of it."""

    def __init__(self, settings: dict[str, Any], device: Any) -> None:
        import yaml
        from pyannote.audio.core.pipeline import expand_subfolders
        from pyannote.audio.pipelines.speaker_verification import PretrainedSpeakerEmbedding
        from pyannote.audio.utils.hf_hub import AssetFileName, download_from_hf_hub

        name, token = settings["model"], settings["token"] or None
        file = (
            Path(name) / "config.yaml"
            if os.path.isdir(name)
            else download_from_hf_hub(name, AssetFileName.Pipeline, token=token)
        )
        if file is None:
            raise NotLoadedError(f"{name} cannot be fetched; accept its terms on the hub and set the token of that account")
        config = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
        expand_subfolders(config, name, token=token)
        encoder = config["pipeline"].get("params", {}).get("embedding")
        if encoder is None:
            raise NotLoadedError(f"{name} names no speaker embedding in its config.yaml; write it there")
        self._encoder = PretrainedSpeakerEmbedding(encoder, device=device, token=token)
        network = getattr(self._encoder, "model_", None)
        kind = type(network).__name__ if network is not None else str(encoder)
        # By its weights and not by where they lie: vectors of two models are never compared.
        self.about = {"model": f"{kind}@{weights_mark([network], kind)}", "dimensions": int(self._encoder.dimension)}

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """A vector of length 1 for each `[start, end]` of `spans`; null where the stretch is too short to be measured."""
        if "pcm" not in question:
            return self.about
        sound = samples(question["pcm"])
        return {"vectors": [self._vector(sound, start, end) for start, end in question["spans"]]}

    def _vector(self, sound: NDArray[np.int16], start: float, end: float) -> list[float] | None:
        first, last = max(0, round(start * SAMPLE_RATE)), min(len(sound), round(min(end, start + MAX_MEASURED) * SAMPLE_RATE))
        if last - first < MIN_MEASURED * SAMPLE_RATE:
            return None
        vector = np.asarray(self._encoder(waveform([sound[first:last]])[None])[0], dtype=np.float64)
        length = float(np.linalg.norm(vector))
        return (vector / length).tolist() if np.isfinite(length) and length > 0 else None


def samples(path: str) -> NDArray[np.int16]:
    """The file's samples, read as they are needed."""
    if os.path.getsize(path) < 2:
        return np.zeros(0, dtype="<i2")
    return np.memmap(path, dtype="<i2", mode="r", shape=(os.path.getsize(path) // 2,))


def waveform(parts: Iterable[NDArray[np.int16]]) -> Any:
    """The parts after one another as one channel of numbers from -1 to 1, (1, samples)."""
    import torch

    return torch.from_numpy(np.concatenate([part.astype(np.float32) for part in parts]) / 32768.0)[None]


def weights_mark(models: Iterable[Any], rest: str) -> str:
    """Twelve digits that differ when any weight differs, or `rest` does."""
    import torch

    digest = hashlib.sha256(rest.encode())
    for model in models:
        for name, tensor in sorted(model.state_dict().items()) if model is not None else ():
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:12]


if __name__ == "__main__":
    serve(start)
