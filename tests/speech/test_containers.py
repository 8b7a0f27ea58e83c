"""What a file is by its first bytes, against files that FFmpeg wrote and bytes that nobody did."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.speech.containers import DEMUXERS, HEAD_BYTES, audio_container, sniffed, states_length
from tests.speech.hostile_audio import FILES, NOISE, sound, tagged, tarred, wav, zipped


@pytest.mark.parametrize(
    ("container", "kind", "codec"),
    [
        ("mp3", "mp3", "libmp3lame"),
        ("ogg", "ogg", "libopus"),
        ("flac", "flac", "flac"),
        ("wav", "wav", "pcm_s16le"),
        ("mp4", "mp4", "aac"),
        ("mp4", "mov", "aac"),
        ("mp4", "ipod", "aac"),
        ("webm", "webm", "libopus"),
        ("mkv", "matroska", "aac"),
    ],
)
@pytest.mark.parametrize("rate", [48_000, 16_000, 8_000])
def test_what_ffmpeg_writes_is_known(container: str, kind: str, codec: str, rate: int) -> None:
    whole = sound(kind, codec, 2.0, rate=rate)
    assert audio_container(whole[:HEAD_BYTES], len(whole)) == container


@pytest.mark.parametrize("rate", [48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000])
@pytest.mark.parametrize("skipped", [0, 1, 333])
def test_an_mp3_of_every_rate_is_known_from_any_place(rate: int, skipped: int) -> None:
    whole = sound("mp3", "libmp3lame", 2.0, rate=rate, write_xing="0", id3v2_version="0")
    assert sniffed(whole[skipped:]) == "mp3"


def test_a_tag_is_looked_behind() -> None:
    mp3 = sound("mp3", "libmp3lame", 1.0, id3v2_version="0")
    flac = sound("flac", "flac", 1.0)
    assert sniffed(tagged(50, bytes(50) + mp3)) == "mp3"
    assert sniffed(tagged(50, bytes(50) + tagged(9, bytes(9) + mp3))) == "mp3"
    assert sniffed(tagged(50, bytes(50) + flac)) == "flac"
    assert sniffed(tagged(50, bytes(50) + zipped(mp3))) not in DEMUXERS
    assert sniffed(b"ID3\x04\0\0\xff\xff\xff\xff" + NOISE[:100]) not in DEMUXERS


def test_only_a_length_that_the_file_states_counts() -> None:
    assert states_length("flac", b"")
    assert states_length("mp3", sound("mp3", "libmp3lame", 1.0)[:HEAD_BYTES])
    assert not states_length("mp3", sound("mp3", "libmp3lame", 1.0, write_xing="0")[:HEAD_BYTES])


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"PK\x05\x06" + bytes(18), "a zip archive"),
        (tarred(b"x"), "a tar archive"),
        (b"BZh9", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstandard"),
        (b"Rar!\x1a\x07\x00", "a rar archive"),
        (b"  \r\n<html lang='fr'>", "an HTML page"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", "XML"),
        (b"[1, 2]", "JSON"),
        (b"#extm3u8", "a playlist"),
        (b"FFCONCAT version 1.0", "a script that joins other files"),
        (b"file /etc/passwd\n", "a script that joins other files"),
        (b"plain words", "bytes of no known kind"),
    ],
)
def test_what_is_refused_has_a_name(content: bytes, name: str) -> None:
    assert sniffed(content) == name
    with pytest.raises(Permanent, match=name):
        audio_container(content, len(content))


def test_a_header_may_not_claim_twice_what_is_there() -> None:
    assert audio_container(wav(), 32_044) == "wav"
    assert audio_container(wav(), 17_000) == "wav"
    with pytest.raises(Permanent, match="claims 32044 bytes and 16000"):
        audio_container(wav()[:16_000], 16_000)


def refusal_of(content: bytes) -> str:
    try:
        audio_container(content, len(content))
    except Permanent as refusal:
        return str(refusal)
    return ""


@given(
    st.binary(max_size=400)
    | st.binary(max_size=60).map(lambda b: b"\xff\xfb\x90\x00" + b)
    | st.binary(max_size=99).map(b"ID3".__add__)
)
def test_no_bytes_upset_it(head: bytes) -> None:
    kind = sniffed(head)
    assert kind
    states_length("mp3", head)
    said = refusal_of(head)
    assert len(said) < 300
    assert said or kind in DEMUXERS


@given(st.sampled_from(["RIFF", "fLaC", "OggS"]), st.binary(max_size=80))
def test_a_header_of_any_claim_is_read_without_end(magic: str, rest: bytes) -> None:
    content = b"RIFF\xff\xff\xff\x7fWAVE" + rest if magic == "RIFF" else magic.encode() + rest
    assert "\n" not in refusal_of(content)


def test_there_are_enough_hostile_files() -> None:
    assert len(FILES) >= 34
