"""CAM++ as a pyannote model: a pipeline's folder may name it as the architecture of its speaker embedding.

Belongs here: what the network is fed and what it answers. Its layers are those of 3D-Speaker (package `speakerlab-slim`,
Apache 2.0); its weights lie in the folder. torch is imported when the class is first asked for, never with this module.
"""

from functools import cache
from typing import Any, Final

ARCHITECTURE: Final = "CamPlusPlus"
DIMENSIONS: Final = 192
MEL_BINS: Final = 80
SAMPLE_RATE: Final = 16_000
# A quarter of a second of 10 ms frames: below it the network's statistics are over next to nothing.
MIN_FRAMES: Final = 25


def __getattr__(name: str) -> Any:
    """The class, made at first use: a checkpoint names module and class, and pyannote asks for it by that name."""
    if name == ARCHITECTURE:
        return _architecture()
    raise AttributeError(name)


@cache
def _architecture() -> type:
    import torch
    from pyannote.audio.core.model import Model
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from speakerlab.models.campplus.DTDNN import CAMPPlus
    from torchaudio.compliance import kaldi

    class CamPlusPlus(Model):  # type: ignore[misc]
        """(batch, 1, samples) and, if given, (batch, frames) of 0 or 1 for where the speaker talks -> (batch, 192)."""

        def __init__(self, sample_rate: int = SAMPLE_RATE, num_channels: int = 1, task: Any = None) -> None:
            super().__init__(sample_rate=sample_rate, num_channels=num_channels, task=task)
            self.network = CAMPPlus(feat_dim=MEL_BINS, embedding_size=DIMENSIONS)
            self.specifications = Specifications(
                problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=10.0, classes=[]
            )

        @property
        def dimension(self) -> int:
            return DIMENSIONS

        def forward(self, waveforms: Any, weights: Any = None) -> Any:
            """One by one: stretches differ in length, and what pads one would enter its statistics.

            A stretch too short to be measured gives no number when it is masked so; audio too short raises `ValueError`.
            """
            return torch.stack([self._one(wave, None if weights is None else weights[i]) for i, wave in enumerate(waveforms)])

        def _one(self, wave: Any, weight: Any) -> Any:
            features = kaldi.fbank(wave, num_mel_bins=MEL_BINS, sample_frequency=SAMPLE_RATE, dither=0.0)
            if features.shape[0] < MIN_FRAMES:
                raise ValueError("too short to be measured")
            if weight is not None:
                spread = torch.nn.functional.interpolate(weight[None, None].float(), size=features.shape[0], mode="nearest")
                features = features[spread[0, 0] > 0.5]
                if features.shape[0] < MIN_FRAMES:
                    return torch.full((DIMENSIONS,), torch.nan, device=wave.device)
            return self.network((features - features.mean(0, keepdim=True))[None])[0]

    CamPlusPlus.__qualname__ = ARCHITECTURE
    return CamPlusPlus


def checkpoint(state: dict[str, Any]) -> dict[str, Any]:
    """A pyannote checkpoint with these weights of the network, as `torch.save` takes it."""
    import lightning

    model = _architecture()()
    model.network.load_state_dict(state)
    made: dict[str, Any] = {
        "state_dict": model.state_dict(),
        "hyper_parameters": {"sample_rate": SAMPLE_RATE, "num_channels": 1},
        "pytorch-lightning_version": lightning.__version__,
        "epoch": 0,
        "global_step": 0,
    }
    model.on_save_checkpoint(made)
    return made
