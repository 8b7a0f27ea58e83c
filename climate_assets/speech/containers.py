"""What a file is by its first bytes, whatever its name and its sender say of it.

Belongs here: which containers may be decoded, what others are called when they are refused, what a header claims of the
size. Does not: decoding (`resources/workers/decoder.py`). A name that is known serves the reason only: all else is refused.
"""

import re
from typing import Final

from climate_assets.failures import Permanent

# How much of a file is looked at.
HEAD_BYTES: Final = 64 * 1024
# Container -> the one demuxer of FFmpeg that may read it.
DEMUXERS: Final = {
    "mp3": "mp3",
    "mp4": "mp4",
    "ogg": "ogg",
    "flac": "flac",
    "wav": "wav",
    "webm": "matroska",
    "mkv": "matroska",
}
# A tag holds a picture at most.
_LARGEST_TAG: Final = 16 * 1024 * 1024
_UNKNOWN: Final = "bytes of no known kind"
_NAMED: Final = (
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "a zip archive"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstandard"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a rar archive"),
    (b"%PDF", "a PDF"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
)
_TEXTS: Final = (
    (rb"#extm3u", "a playlist"),
    (rb"\[playlist\]", "a playlist"),
    (rb"ffconcat|file\s+['\"]?\S+[\r\n]", "a script that joins other files"),
    (rb"v=0\r?\n", "a session description"),
    (rb"<!doctype html|<html|<head|<body|<script|<meta", "an HTML page"),
    (rb"<(\?xml|mpd|smil|[a-z!])", "XML"),
    (rb"[{\[]", "JSON"),
)
# Kilobits a second of MPEG-1 and of MPEG-2/2.5 layer III by the header's four bits (ISO/IEC 11172-3, 13818-3).
_KBITS: Final = (
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
)
_RATES: Final = (44_100, 48_000, 32_000)
# A stream that was cut anywhere begins within a frame; the longest one has 1441 bytes.
_LONGEST_FRAME: Final = 1441
_FRAMES_IN_A_ROW: Final = 3


def audio_container(head: bytes, size: int) -> str:
    """The container, a key of `DEMUXERS`, of a file of `size` bytes that begins with `head`; raises `Permanent` if none."""
    kind = sniffed(head)
    if kind not in DEMUXERS:
        raise Permanent(f"the file is {kind}, no audio of a kind that is read ({', '.join(DEMUXERS)})")
    tag = _tag_bytes(head)
    if tag > _LARGEST_TAG or (tag and tag >= size):
        raise Permanent(f"its ID3 tag claims {tag} bytes of a file of {size}; the file is broken or a trap")
    claimed = _wav_bytes(head) if kind == "wav" else None
    if claimed is not None and size < claimed / 2:
        raise Permanent(f"its header claims {claimed} bytes and {size} are there: the file is cut, or its header is wrong")
    return kind


def sniffed(head: bytes) -> str:
    """What a file is by its first bytes: a key of `DEMUXERS`, or what to call it in a refusal."""
    if not head:
        return "empty"
    named = next((name for magic, name in _NAMED if head.startswith(magic)), "")
    if named or head[257:262] == b"ustar":
        return named or "a tar archive"
    if head[:4] in (b"RIFF", b"RF64", b"BW64"):
        return "wav" if head[8:12] == b"WAVE" else "RIFF without sound"
    if head[4:8] in (b"ftyp", b"moov", b"wide", b"mdat"):
        return "a picture" if head[8:12] in (b"heic", b"heix", b"mif1", b"avif", b"avis") else "mp4"
    if head.startswith(b"OggS\x00"):
        return "ogg"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        kind = re.search(rb"(?s)\x42\x82.{1,8}?(webm|matroska)", head[:256])  # DocType, its length, its text
        return _UNKNOWN if kind is None else {b"webm": "webm", b"matroska": "mkv"}[kind[1]]
    return _flac_or_mp3(head) or _text(head) or _UNKNOWN


def states_length(container: str, head: bytes) -> bool:
    """Whether the file itself says how long it is; FFmpeg otherwise reckons it from the size, which can be far out."""
    return container != "mp3" or any(mark in head for mark in (b"Xing", b"Info", b"VBRI"))


def _flac_or_mp3(head: bytes) -> str:
    tag = _tag_bytes(head)
    if tag and tag >= len(head):
        return "mp3"  # what follows the tag is out of sight: the decoder will see
    sound = head[tag:].lstrip(b"\0") if tag else head
    if sound.startswith(b"fLaC\x00\x00\x00\x22") or sound.startswith(b"fLaC\x80\x00\x00\x22"):
        return "flac"
    starts = range(min(2 * _LONGEST_FRAME, len(sound)))
    return "mp3" if any(_frames_follow(sound, at) for at in starts if sound[at] == 0xFF) else ""


def _tag_bytes(head: bytes) -> int:
    """Bytes that the ID3v2 tags at the start claim; 0 without one."""
    at = 0
    while True:
        tag = head[at : at + 10]
        if len(tag) < 10 or tag[:3] != b"ID3" or not 2 <= tag[3] <= 4 or max(tag[6:]) > 127:
            return at
        # Seven bits a byte; a footer repeats the header.
        at += 10 + (tag[6] << 21 | tag[7] << 14 | tag[8] << 7 | tag[9]) + (10 if tag[5] & 0x10 else 0)


def _frames_follow(sound: bytes, at: int) -> bool:
    """Whether frames of one stream of layer III follow each other from there."""
    first = b""
    for _ in range(_FRAMES_IN_A_ROW):
        header = sound[at : at + 4]
        length = _frame_bytes(header)
        if not length or (first and (header[1] != first[1] or (header[2] ^ first[2]) & 0x0C)):
            return False
        first, at = first or header, at + length
    return True


def _frame_bytes(header: bytes) -> int:
    """Length of the frame that begins with these four bytes; 0 if they are no header of layer III."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, kbits, rate = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or rate == 3:
        return 0
    low = version != 3
    hertz = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]  # MPEG-1, 2 and 2.5
    bits = 1000 * _KBITS[low][kbits]
    return (72 if low else 144) * bits // hertz + (header[2] >> 1 & 1) if bits else 0


def _wav_bytes(head: bytes) -> int | None:
    """Bytes that a wav's header claims for the whole file; none if it leaves them open, as a pipe's does."""
    if head[:4] != b"RIFF":
        return None
    at, most = 12, int.from_bytes(head[4:8], "little") + 8
    while at + 8 <= len(head):
        length = int.from_bytes(head[at + 4 : at + 8], "little")
        if head[at : at + 4] == b"data":
            return None if length in (0, 0xFFFFFFFF) else max(most if most < 0xFFFFFFFF else 0, at + 8 + length)
        at += 8 + length + length % 2
    return None


def _text(head: bytes) -> str:
    begins = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:512].lower()
    return next((name for pattern, name in _TEXTS if re.match(pattern, begins)), "")
