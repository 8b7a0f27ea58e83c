"""Files that no decoder should meet unprepared: each by name, with what makes it and the words its refusal has to hold.

    with each of FILES: FILES[name].write(path); decoded(path, ...) raises, and the text matches FILES[name].reason

All are made here, of silence, noise and lies. What is hostile about the way a file arrives is in `tests/test_media.py`.
"""

import gzip
import io
import random
import struct
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

NOISE = random.Random(20261121).randbytes(200_000)
_LAYOUTS = {1: "mono", 2: "stereo", 8: "7.1"}


@dataclass(frozen=True)
class Hostile:
    """One file: its content, and what the refusal says."""

    content: Callable[[], bytes]
    reason: str

    def write(self, path: Path) -> Path:
        path.write_bytes(self.content())
        return path


def sound(
    kind: str,
    codec: str,
    seconds: float,
    *,
    rate: int = 48_000,
    channels: int = 1,
    loud: bool = True,
    streams: int = 1,
    **options: str,
) -> bytes:
    """A file of this container and codec: a tone, or silence."""
    made = io.BytesIO()
    with av.open(made, "w", format=kind, container_options=options) as container:
        tracks: list[Any] = [container.add_stream(codec, rate=rate, layout=_LAYOUTS[channels]) for _ in range(streams)]
        for track in tracks:
            resampler = av.AudioResampler(track.codec_context.format.name, _LAYOUTS[channels], rate)
            block = min(rate, int(seconds * rate))
            wave = (6000 * loud * np.sin(np.arange(block) * 2 * np.pi * 440 / rate)).astype("<i2")
            planes = np.repeat(wave, channels).reshape(1, -1)
            for start in range(0, int(seconds * rate), block):
                frame = av.AudioFrame.from_ndarray(planes, format="s16", layout=_LAYOUTS[channels])
                frame.sample_rate, frame.pts = rate, start
                for ready in resampler.resample(frame):
                    container.mux(track.encode(ready))
            for ready in resampler.resample(None):
                container.mux(track.encode(ready))
            container.mux(track.encode(None))
    return made.getvalue()


def film(kind: str) -> bytes:
    """Pictures without sound."""
    made = io.BytesIO()
    with av.open(made, "w", format=kind) as container:
        track: Any = container.add_stream("mpeg4", rate=25)
        track.width = track.height = 64
        track.pix_fmt = "yuv420p"
        for _ in range(25):
            container.mux(track.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(track.encode(None))
    return made.getvalue()


def wav(
    *,
    channels: int = 1,
    rate: int = 16_000,
    samples: bytes = b"\0\0" * 16_000,
    riff: int | None = None,
    data: int | None = None,
) -> bytes:
    """A wav whose header says what it is told to say."""
    body = b"WAVE" + b"fmt " + struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * channels * 2, channels * 2, 16)
    body += b"data" + struct.pack("<I", len(samples) if data is None else data) + samples
    return b"RIFF" + struct.pack("<I", len(body) if riff is None else riff) + body


def ebml(number: str, content: bytes) -> bytes:
    return bytes.fromhex(number) + (0x10000000 | len(content)).to_bytes(4, "big") + content


def linked_mkv() -> bytes:
    """A Matroska segment that says its sound is in other files."""
    head = ebml("1A45DFA3", ebml("4282", b"matroska") + ebml("4287", b"\x04") + ebml("4285", b"\x02"))
    info = ebml("2AD7B1", (1_000_000).to_bytes(4, "big")) + ebml("3E83BB", b"/etc/passwd") + ebml("3EB923", bytes(range(16)))
    return head + ebml("18538067", ebml("1549A966", info + ebml("3C83AB", b"http://127.0.0.1/next.mkv")))


def absent_mp4() -> bytes:
    """An mp4 whose samples are said to lie in /etc/passwd: the data reference is an alias instead of the file itself."""
    whole = sound("mp4", "aac", 2.0)
    path = [b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"]
    name = b"/etc/passwd"
    # An Apple alias record with its path in an entry of type 2 (POSIX path).
    record = bytes(150) + struct.pack(">hH", 2, len(name)) + name + bytes(len(name) % 2) + struct.pack(">hH", -1, 0)
    entry = struct.pack(">I4sI", 12 + len(record), b"alis", 0) + record
    starts, at = [], 0
    for atom in path:
        at = whole.index(atom, at) - 4
        starts.append(at)
    old = whole.index(b"url ", at) - 4
    changed = bytearray(whole[:old] + entry + whole[old + 12 :])
    for start in starts:
        size = struct.unpack_from(">I", changed, start)[0]
        struct.pack_into(">I", changed, start, size + len(entry) - 12)
    return bytes(changed)


def zipped(inner: bytes, name: str = "audio.mp3") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, inner)
    return made.getvalue()


def tarred(inner: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        entry = tarfile.TarInfo("audio.mp3")
        entry.size = len(inner)
        archive.addfile(entry, io.BytesIO(inner))
    return made.getvalue()


def tagged(claimed: int, rest: bytes) -> bytes:
    """An ID3 tag that claims a size, and what follows its header."""
    return b"ID3\x04\0\0" + bytes(claimed >> shift & 127 for shift in (21, 14, 7, 0)) + rest


def cut(whole: bytes, share: float) -> bytes:
    return whole[: int(len(whole) * share)]


def synced_noise() -> bytes:
    """Headers of mp3 frames at distances that no frame has."""
    return b"".join(b"\xff\xfb\x90\x00" + NOISE[at : at + 300] for at in range(0, 90_000, 300))


def silent_opus(seconds: int) -> bytes:
    """Hours of silence in a small file: one packet that was encoded, over and over."""
    made = io.BytesIO()
    with av.open(made, "w", format="ogg") as container:
        track: Any = container.add_stream("libopus", rate=48_000, layout="mono", options={"frame_duration": "60"})
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), "<i2"), format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, 0
        silence = bytes(track.encode(frame)[-1])
        step = 48_000 * 60 // 1000
        for number in range(seconds * 48_000 // step):
            packet = av.Packet(silence)
            packet.stream, packet.time_base = track, track.codec_context.time_base
            packet.pts = packet.dts = number * step
            packet.duration = step
            container.mux(packet)
    return made.getvalue()


_CUT = "cut"
_NO_KIND = "bytes of no known kind"
FILES: dict[str, Hostile] = {
    # what is no audio at all
    "zero length": Hostile(lambda: b"", "is empty"),
    "html page": Hostile(lambda: b"\n<!DOCTYPE html><html><body>Service en maintenance</body></html>", "HTML"),
    "json error": Hostile(lambda: b'{"error": "the access token has expired"}', "JSON"),
    "xml manifest": Hostile(lambda: b"<?xml version='1.0'?><MPD><BaseURL>file:///etc/</BaseURL></MPD>", "XML"),
    "pdf": Hostile(lambda: b"%PDF-1.7\n" + NOISE[:500], "PDF"),
    "program": Hostile(lambda: b"\x7fELF" + NOISE[:500], "program"),
    "picture": Hostile(lambda: b"\x89PNG\r\n\x1a\n" + NOISE[:500], "picture"),
    "picture in mp4": Hostile(lambda: b"\0\0\0\x18ftypheic" + NOISE[:500], "picture"),
    "film in avi": Hostile(lambda: b"RIFF\0\0\1\0AVI " + NOISE[:500], "RIFF without sound"),
    "noise": Hostile(lambda: NOISE, _NO_KIND),
    "noise with mp3 syncs": Hostile(synced_noise, _NO_KIND),
    "mp3 of two frames": Hostile(lambda: sound("mp3", "libmp3lame", 2.0, write_xing="0", id3v2_version="0")[:380], _NO_KIND),
    # archives and bombs
    "zip": Hostile(lambda: zipped(sound("mp3", "libmp3lame", 1.0)), "zip"),
    "nested zip bomb": Hostile(lambda: zipped(zipped(bytes(20_000_000)), "inner.zip"), "zip"),
    "gzip bomb": Hostile(lambda: gzip.compress(bytes(50_000_000)), "gzip"),
    "tar": Hostile(lambda: tarred(sound("mp3", "libmp3lame", 1.0)), "tar"),
    "7z": Hostile(lambda: b"7z\xbc\xaf\x27\x1c\0\4" + NOISE[:500], "7z"),
    # scripts that make a player open other files
    "playlist of a file": Hostile(lambda: b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", "playlist"),
    "playlist of an address": Hostile(lambda: b"\xef\xbb\xbf#EXTM3U\n#EXTINF:10,\nhttp://169.254.169.254/\n", "playlist"),
    "playlist of old": Hostile(lambda: b"[playlist]\nFile1=/etc/passwd\n", "playlist"),
    "concat script": Hostile(lambda: b"ffconcat version 1.0\nfile /etc/passwd\n", "joins other files"),
    "concat script without title": Hostile(lambda: b"file '/etc/passwd'\nfile 'http://::1/'\n", "joins other files"),
    "session description": Hostile(lambda: b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 0\r\n", "a session"),
    "linked mkv": Hostile(linked_mkv, "no audio stream|cannot be read"),
    "mp4 with its samples elsewhere": Hostile(absent_mp4, "cannot be|no sound"),
    # cut
    "cut mp3": Hostile(lambda: cut(sound("mp3", "libmp3lame", 20.0), 0.3), _CUT),
    "cut flac": Hostile(lambda: cut(sound("flac", "flac", 20.0), 0.3), _CUT),
    "cut wav": Hostile(lambda: cut(sound("wav", "pcm_s16le", 20.0), 0.3), _CUT),
    "cut mkv": Hostile(lambda: cut(sound("matroska", "aac", 20.0), 0.3), _CUT),
    "cut mp4": Hostile(lambda: cut(sound("mp4", "aac", 20.0), 0.9), "cannot be read"),
    "ogg cut in its head": Hostile(lambda: sound("ogg", "libopus", 5.0)[:60], "cannot be read|no sound|no audio"),
    "flac head before noise": Hostile(lambda: sound("flac", "flac", 5.0)[:200] + NOISE, "cut|no sound|cannot be"),
    "ogg head before noise": Hostile(lambda: sound("ogg", "libopus", 5.0)[:120] + NOISE, "no sound|cannot be"),
    # lies
    "wav that claims 4 GB": Hostile(lambda: wav(riff=0xFFFFFFF0, data=0xFFFFFF00), "claims"),
    "wav whose samples claim 2 GB": Hostile(lambda: wav(data=0x7FFFFFFF), "claims"),
    "wav without samples": Hostile(lambda: wav(samples=b""), "no sound|cannot be read"),
    "wav of no channels": Hostile(lambda: wav(channels=0), "channels|cannot be read"),
    "wav of 255 channels": Hostile(lambda: wav(channels=255, samples=bytes(510 * 100)), "255 audio channels"),
    "wav of no rate": Hostile(lambda: wav(rate=0), "samples a second|cannot be read"),
    "wav of 2 GHz": Hostile(lambda: wav(rate=2_000_000_000), "samples a second|cannot be read"),
    "ID3 tag that claims 256 MB": Hostile(lambda: tagged(268_435_455, sound("mp3", "libmp3lame", 2.0)), "ID3 tag claims"),
    "ID3 tag longer than the file": Hostile(lambda: tagged(1_000_000, NOISE), "ID3 tag claims"),
    "ID3 tag before noise": Hostile(lambda: tagged(100, bytes(100) + NOISE), _NO_KIND),
    "long ID3 tag before noise": Hostile(lambda: tagged(100_000, bytes(100_000) + NOISE), "no sound|cannot be|packets"),
    # too much
    "two hours of silence, flac": Hostile(lambda: sound("flac", "flac", 7200, rate=8_000, loud=False), "longer than 600 s"),
    "two hours of silence, opus": Hostile(lambda: silent_opus(7200), "longer than 600 s"),
    "192 kHz of 8 channels": Hostile(lambda: sound("wav", "pcm_s16le", 2.0, rate=192_000, channels=8), "192000 samples"),
    "forty streams": Hostile(lambda: sound("matroska", "aac", 0.5, streams=40), "40 streams"),
    "hundred streams": Hostile(lambda: sound("matroska", "aac", 0.2, streams=100), "streams|cannot be|memory"),
    # what is not heard
    "film without sound, mp4": Hostile(lambda: film("mp4"), "no audio stream"),
    "film without sound, mkv": Hostile(lambda: film("matroska"), "no audio stream"),
    "codec that nobody needs": Hostile(lambda: sound("wav", "adpcm_ms", 2.0, rate=22_050), "codec 'adpcm_ms' is not read"),
}  # fmt: skip
