"""The archive of recordings: which exist, and the bytes of any stretch of a channel's time that they cover.

Belongs here: cutting, padding with silence, mp3 and mp4. Does not: who may ask (`demo/exports.py`), how a recording is made.
"""

import io
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from demo.sound.script import MARGIN, SECONDS

CLIPS: Final = Path(__file__).with_name("clips")
FORMATS: Final = {"mp3": ("mp3", "libmp3lame", "audio/mpeg"), "mp4": ("ipod", "aac", "video/mp4")}
"""Container, codec and media type of each format that can be asked for."""
LONGEST_SECONDS: Final = 600.0
"""Of one export."""
_RATE: Final = 16_000
_BIT_RATE: Final = 48_000
_LEAST_RECORDED: Final = 0.5
_KEPT: Final = 16
_NAME: Final = re.compile(r"([a-z0-9-]+)_(\d{8}T\d{6}Z)")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recording: the sound of a chunk with a margin before and after it."""

    channel: str
    chunk_start: datetime
    file: Path

    @property
    def start(self) -> float:
        """Epoch seconds of its first sample."""
        return self.chunk_start.timestamp() - MARGIN

    @property
    def script(self) -> Path:
        """What is said in it."""
        return self.file.with_suffix(".txt")


def clip_name(channel: str, chunk_start: datetime) -> str:
    """Name of a recording's file: the channel and the chunk's start."""
    return f"{channel}_{chunk_start.astimezone(UTC):%Y%m%dT%H%M%SZ}.opus"


class Archive:
    """All recordings of a folder; the last few exports are remembered."""

    def __init__(self, folder: Path = CLIPS) -> None:
        """Reads the names in `folder`; raises `ValueError` for one that names no channel and time."""
        self.clips = tuple(_recorded(file) for file in sorted(folder.glob("*.opus")))
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, float, float, str], bytes] = OrderedDict()

    def has(self, channel: str, start: float, end: float) -> bool:
        """Whether at least half of [start, end), epoch seconds, is recorded."""
        # Recordings of neighbouring chunks share their margins: a second counts once.
        covered, reached = 0.0, start
        for clip in self._near(channel, start, end):
            first, last = max(reached, clip.start), min(end, clip.start + SECONDS)
            covered += max(0.0, last - first)
            reached = max(reached, last)
        return end > start and covered >= _LEAST_RECORDED * (end - start)

    def audio(self, channel: str, start: float, end: float, kind: str) -> bytes:
        """The stretch in a format of `FORMATS`, silent where nothing is recorded; `LONGEST_SECONDS` at most."""
        if not 0 < end - start <= LONGEST_SECONDS:
            raise ValueError(f"an export lasts 0 to {LONGEST_SECONDS:g} seconds, not {end - start:g}")
        key = (channel, start, end, kind)
        # One at a time: an export takes a second of a core, and the demo's machine has few.
        with self._lock:
            if key not in self._kept:
                self._kept[key] = _encoded(self._samples(channel, start, end), kind)
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]

    def _near(self, channel: str, start: float, end: float) -> Iterator[Recorded]:
        """Recordings that touch the stretch, by their start."""
        return (clip for clip in self.clips if clip.channel == channel and clip.start < end and clip.start + SECONDS > start)

    def _samples(self, channel: str, start: float, end: float) -> NDArray[np.int16]:
        whole = np.zeros(round((end - start) * _RATE), np.int16)
        for clip in self._near(channel, start, end):
            sound = _decoded(clip.file)[: int(SECONDS * _RATE)]
            at = round((clip.start - start) * _RATE)
            sound = sound[max(0, -at) : max(0, len(whole) - at)]
            whole[max(0, at) : max(0, at) + len(sound)] = sound
        return whole


def _recorded(file: Path) -> Recorded:
    named = _NAME.fullmatch(file.stem)
    if not named:
        raise ValueError(f"{file.name} is no recording; its name has to be CHANNEL_YYYYMMDDTHHMMSSZ.opus")
    return Recorded(named[1], datetime.strptime(named[2], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC), file)


def _decoded(file: Path) -> NDArray[np.int16]:
    """Samples of a recording, mono, `_RATE` a second."""
    import av

    with av.open(str(file)) as container:
        resampler = av.AudioResampler("s16", "mono", _RATE)
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.concatenate([np.asarray(frame.to_ndarray(), np.int16).ravel() for frame in frames])


def _encoded(samples: NDArray[np.int16], kind: str) -> bytes:
    import av

    name, codec, _ = FORMATS[kind]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=name) as container:
        stream: Any = container.add_stream(codec, rate=_RATE, layout="mono", bit_rate=_BIT_RATE)
        for at in range(0, len(samples), _RATE):
            frame = av.AudioFrame.from_ndarray(samples[None, at : at + _RATE], format="s16", layout="mono")
            frame.sample_rate, frame.pts = _RATE, at
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()
