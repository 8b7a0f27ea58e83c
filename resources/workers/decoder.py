"""Decodes one file to samples in a process that has bound itself first: `python -m resources.workers.decoder ORDER`.

Belongs here: the limits of the process, FFmpeg's limits, the way from packets to samples, what is refused while decoding.
The order is JSON; the answer, one line of JSON on standard output, is `decoded` or `refused` with a reason for a person.
Once the file is open, no other can be: no network, no file that the file names, no program.
"""

import ctypes
import json
import resource
import signal
import sys
from collections.abc import Iterator
from typing import IO, Any, Final

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from climate_assets.speech.containers import DEMUXERS

RATE: Final = 16_000
_SAMPLE_BYTES: Final = 2
_MEMORY: Final = 2 * 1024**3
_OPEN_FILES: Final = 32
# Studio sound; more is a measuring instrument's, or a trap.
_MOST_RATE: Final = 96_000
_MOST_CHANNELS: Final = 8
_MOST_STREAMS: Final = 32
# Below this share of what a file declares, or of packets that can be read, it is not the broadcast that was.
_LEAST_SHARE: Final = 0.5
CODECS: Final = frozenset({"aac", "ac3", "alac", "flac", "mp3", "mp3float", "opus", "vorbis"})
_PCM: Final = ("pcm_u8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_f32le", "pcm_alaw", "pcm_mulaw")


class Refused(Exception):
    """The file is no good audio; the text says why."""


def main() -> None:
    """Carry out the order given as the first argument."""
    order = json.loads(sys.argv[1])
    _bind(order)
    answer: dict[str, Any]
    try:
        answer = {"decoded": decode(order)}
    except Refused as error:
        answer = {"refused": str(error)}
    except MemoryError:
        answer = {"refused": f"decoding needs more than {_MEMORY >> 30} GiB of memory; the file is broken or a trap"}
    except av.FFmpegError as error:
        answer = {"refused": f"the file cannot be read as {order['container']} ({error.strerror})"}
    sys.stdout.write(json.dumps(answer) + "\n")


def decode(order: dict[str, Any]) -> dict[str, Any]:
    """Write the samples and say what the file was."""
    with open(order["into"], "wb") as file, _opened(order["source"], order["container"]) as container:
        # What is open stays open; nothing else can be opened, listened on or called from here on.
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
        stream = _first_audio(container)
        declared = _declared(container, stream) if order["states_length"] else None
        made = _written(container, stream, file, order["max_seconds"])
        if made < (declared or 0.0) * _LEAST_SHARE:
            raise Refused(f"the file is cut: it declares {declared:.1f} s and yields {made:.1f} s")
        codec = stream.codec_context
        return {
            "seconds": made,
            "codec": codec.name.removesuffix("float"),
            "sample_rate": codec.sample_rate,
            "audio_channels": codec.layout.nb_channels,
        }


def _bind(order: dict[str, Any]) -> None:
    """Take away from this process what decoding does not need."""
    cpu, written = int(order["cpu_seconds"]) + 1, int(order["max_seconds"] + 60) * RATE * _SAMPLE_BYTES
    limits = (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_FSIZE, written),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    )
    for limit, value in limits:
        resource.setrlimit(limit, (value, value + 1 if limit == resource.RLIMIT_CPU else value))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    # If whoever waits for it is gone, it ends by itself.
    signal.alarm(int(order["wall_seconds"]) + 1)
    # PR_SET_NO_NEW_PRIVS: whatever would be started from here gains no rights.
    ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)


def _opened(source: str, container: str) -> InputContainer:
    """The file under the one demuxer that its first bytes ask for, with every way to another file or host shut."""
    codecs = ",".join((*CODECS, *_PCM))
    options = {"protocol_whitelist": "file", "codec_whitelist": codecs, "max_streams": str(2 * _MOST_STREAMS)}
    if container == "mp4":
        options |= {"enable_drefs": "0", "use_absolute_path": "0"}
    opened: InputContainer = av.open(
        f"file:{source}", format=DEMUXERS[container], container_options=options, metadata_errors="replace"
    )
    return opened


def _first_audio(container: InputContainer) -> AudioStream:
    """The stream that is decoded."""
    if len(container.streams) > _MOST_STREAMS:
        raise Refused(f"the file has {len(container.streams)} streams; {_MOST_STREAMS} at most are read")
    if not container.streams.audio:
        raise Refused("the file has no audio stream")
    stream = container.streams.audio[0]
    codec = stream.codec_context
    if codec.name not in CODECS and codec.name not in _PCM:
        raise Refused(f"its codec {codec.name!a} is not read")
    _look(codec.sample_rate, codec.layout.nb_channels)
    codec.thread_count = 1
    return stream


def _look(rate: int, channels: int) -> None:
    if channels <= 0 or rate <= 0:
        raise Refused("no sound can be decoded from the file: it has neither channels nor a rate")
    if channels > _MOST_CHANNELS:
        raise Refused(f"the file has {channels} audio channels; {_MOST_CHANNELS} at most are read")
    if rate > _MOST_RATE:
        raise Refused(f"the file has {rate} samples a second; {_MOST_RATE} at most are read")


def _declared(container: InputContainer, stream: AudioStream) -> float | None:
    """Seconds of sound that the file says it has."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / av.time_base


def _written(container: InputContainer, stream: AudioStream, file: IO[bytes], max_seconds: float) -> float:
    """Seconds of sound written to the file, frame after frame."""
    samples, most = 0, int(max_seconds * RATE)
    for frame in _resampled(_frames(container, stream)):
        samples += frame.samples
        if samples > most:
            raise Refused(f"the file lasts longer than {max_seconds:.0f} s, the most that is heard")
        file.write(memoryview(frame.planes[0])[: frame.samples * _SAMPLE_BYTES])
    if not samples:
        raise Refused("no sound can be decoded from the file")
    return samples / RATE


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """Frames that can be decoded; refuses when most packets cannot."""
    good = bad = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                break
            frames = packet.decode()
            good += 1
        except av.InvalidDataError:
            bad += 1
            frames = []
        for frame in frames:
            if isinstance(frame, AudioFrame):
                yield frame
    if bad > good * (1 - _LEAST_SHARE) / _LEAST_SHARE:
        raise Refused(f"{bad} of its {good + bad} packets cannot be decoded")


def _resampled(frames: Iterator[AudioFrame]) -> Iterator[AudioFrame]:
    """The same sound as 16 kHz mono; a new resampler wherever the stream changes its kind."""
    resampler, kind = None, None
    for frame in frames:
        now = (frame.format.name, frame.layout.name, frame.sample_rate)
        if now != kind:
            _look(frame.sample_rate, frame.layout.nb_channels)
            if resampler is not None:
                yield from resampler.resample(None)
            resampler, kind = AudioResampler("s16", "mono", RATE), now
        # Time stamps are the file's claim; samples are counted.
        frame.pts = None
        yield from resampler.resample(frame)  # type: ignore[union-attr]
    if resampler is not None:
        yield from resampler.resample(None)


if __name__ == "__main__":
    main()
