"""The decoder against files made to hurt, and against good ones of every accepted kind."""

import os
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from climate_assets.failures import Permanent, Transient
from resources.decoder import AudioInfo, decoded
from resources.workers import decoder as worker
from tests.conftest import SHARED_DATA
from tests.speech.hostile_audio import FILES, NOISE, cut, sound, tagged, wav


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_is_refused_with_its_reason_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    source = FILES[name].write(tmp_path / "source")
    with pytest.raises(Permanent, match=FILES[name].reason) as refusal:
        decoded(source, tmp_path / "pcm", max_seconds=600)
    assert "root:" not in str(refusal.value)
    assert "Traceback" not in str(refusal.value), "a refusal is for a person"
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def pcm(path: Path) -> np.ndarray:
    return np.frombuffer(path.read_bytes(), "<i2")


@pytest.mark.parametrize(
    ("container", "kind", "codec"),
    [
        ("mp3", "mp3", "libmp3lame"),
        ("ogg", "ogg", "libopus"),
        ("flac", "flac", "flac"),
        ("wav", "wav", "pcm_s16le"),
        ("mp4", "mp4", "aac"),
        ("webm", "webm", "libopus"),
        ("mkv", "matroska", "aac"),
    ],
)
@pytest.mark.parametrize(("rate", "channels"), [(48_000, 1), (48_000, 2), (16_000, 1)])
def test_every_accepted_kind_becomes_16_khz_mono(
    container: str, kind: str, codec: str, rate: int, channels: int, tmp_path: Path
) -> None:
    (tmp_path / "source").write_bytes(sound(kind, codec, 3.0, rate=rate, channels=channels))
    info = decoded(tmp_path / "source", tmp_path / "pcm", max_seconds=10)
    samples = pcm(tmp_path / "pcm")
    assert info.container == container
    assert info.audio_channels == channels
    assert len(samples) == round(info.seconds * 16_000)
    assert abs(info.seconds - 3.0) < 0.1
    spectrum = np.abs(np.fft.rfft(samples[8_000:24_000].astype(float)))
    assert abs(int(spectrum.argmax()) - 440) <= 1, "the tone is still the tone"


def test_a_film_gives_its_first_sound(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(sound("matroska", "aac", 2.0, streams=3))
    assert abs(decoded(tmp_path / "source", tmp_path / "pcm", max_seconds=10).seconds - 2.0) < 0.1


@pytest.mark.parametrize(
    "whole",
    [
        pytest.param(lambda: cut(sound("mp3", "libmp3lame", 20.0), 0.8), id="mp3"),
        pytest.param(lambda: cut(sound("flac", "flac", 20.0), 0.8), id="flac"),
        pytest.param(lambda: cut(sound("wav", "pcm_s16le", 20.0), 0.8), id="wav"),
        pytest.param(lambda: cut(sound("matroska", "aac", 20.0), 0.8), id="mkv"),
    ],
)
def test_what_is_cut_late_keeps_what_it_has(whole, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "source").write_bytes(whole())
    assert 14 < decoded(tmp_path / "source", tmp_path / "pcm", max_seconds=60).seconds < 18


def test_a_wav_from_a_pipe_leaves_its_length_open(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(wav(riff=0xFFFFFFFF, data=0xFFFFFFFF))
    assert decoded(tmp_path / "source", tmp_path / "pcm", max_seconds=60) == AudioInfo(1.0, "wav", "pcm_s16le", 16_000, 1)


def test_an_mp3_that_begins_within_a_frame_or_with_a_tag_is_read(tmp_path: Path) -> None:
    whole = sound("mp3", "libmp3lame", 5.0, write_xing="0", id3v2_version="0")
    for content in (whole[100:], tagged(3000, bytes(3000) + whole)):
        (tmp_path / "source").write_bytes(content)
        assert abs(decoded(tmp_path / "source", tmp_path / "pcm", max_seconds=60).seconds - 5.0) < 0.2


def test_a_damaged_middle_costs_the_middle_only(tmp_path: Path) -> None:
    whole = bytearray(sound("mp3", "libmp3lame", 20.0))
    whole[len(whole) // 2 : len(whole) // 2 + 8000] = NOISE[:8000]
    (tmp_path / "source").write_bytes(bytes(whole))
    assert decoded(tmp_path / "source", tmp_path / "pcm", max_seconds=60).seconds > 18


def test_less_than_was_expected_is_refused(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(cut(sound("ogg", "libopus", 20.0), 0.3))
    with pytest.raises(Permanent, match=r"15\.0 s at least were expected"):
        decoded(tmp_path / "source", tmp_path / "pcm", max_seconds=60, least_seconds=15)
    assert not (tmp_path / "pcm").exists()
    assert decoded(tmp_path / "source", tmp_path / "pcm", max_seconds=60).seconds < 8


def test_a_refusal_leaves_an_earlier_result_alone(tmp_path: Path) -> None:
    (tmp_path / "pcm").write_bytes(b"earlier")
    FILES["noise"].write(tmp_path / "source")
    with pytest.raises(Permanent):
        decoded(tmp_path / "source", tmp_path / "pcm", max_seconds=60)
    assert (tmp_path / "pcm").read_bytes() == b"earlier"


def test_the_decoder_can_open_call_and_take_nothing_else(tmp_path: Path) -> None:
    """The limits hold in the process itself: memory, files, sockets, programs, length of what is written."""
    script = f"""
import json, socket, subprocess
from resources.workers import decoder
decoder._bind({{"cpu_seconds": 30, "wall_seconds": 60, "max_seconds": 1}})
def tried(what):
    try: what()
    except BaseException as error: return type(error).__name__
    return "done"
def written():
    with open({str(tmp_path / "big")!r}, "wb") as file: file.write(bytes(10_000_000)); file.flush()
found = [tried(lambda: bytearray(3 << 30)), tried(written)]
decoder.resource.setrlimit(decoder.resource.RLIMIT_NOFILE, (0, 0))
found += [tried(lambda: open("/etc/passwd")), tried(socket.socket), tried(lambda: subprocess.run(["true"]))]
print(json.dumps(found))
"""
    environment = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == '["MemoryError", "OSError", "OSError", "OSError", "OSError"]'


def test_the_decoder_is_given_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that is taken over by a file finds no key: it starts without this process's environment."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRET-in-environment")
    fake = tmp_path / "resources" / "workers"
    fake.mkdir(parents=True)
    (fake / "decoder.py").write_text("import os, sys; sys.exit(str(dict(os.environ)))")
    (fake / "__init__.py").touch()
    (fake.parent / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "source").write_bytes(wav())
    with pytest.raises(Permanent, match="PYTHONPATH") as ended:
        decoded(tmp_path / "source", tmp_path / "pcm", max_seconds=600)
    assert "SECRET-in-environment" not in str(ended.value)


@pytest.mark.parametrize(
    ("end", "error", "reason"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", Permanent, "signal 11"),
        ("os.kill(os.getpid(), signal.SIGXCPU)", Permanent, "processor time"),
        ("os.kill(os.getpid(), signal.SIGALRM)", Transient, "too busy"),
        ("os.kill(os.getpid(), signal.SIGKILL)", Transient, "out of memory"),
        ("sys.exit('it fell over')", Permanent, "exit 1.*it fell over"),
    ],
)
def test_every_end_of_the_decoder_has_its_meaning(
    end: str, error: type[Exception], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "fake" / "resources" / "workers"
    fake.mkdir(parents=True)
    for package in (fake, fake.parent):
        (package / "__init__.py").touch()
    (fake / "decoder.py").write_text(f"import os, signal, sys\n{end}")
    monkeypatch.syspath_prepend(str(tmp_path / "fake"))
    monkeypatch.chdir(tmp_path / "fake")
    (tmp_path / "source").write_bytes(wav())
    with pytest.raises(error, match=reason):
        decoded(tmp_path / "source", tmp_path / "pcm", max_seconds=600)
    assert not (tmp_path / "pcm").exists()


def test_a_decoder_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "fake" / "resources" / "workers"
    fake.mkdir(parents=True)
    for package in (fake, fake.parent):
        (package / "__init__.py").touch()
    child = "import time; time.sleep(600)"
    (fake / "decoder.py").write_text(
        f"""import os, subprocess, sys, time
grown = subprocess.Popen([sys.executable, "-c", {child!r}])
open({str(tmp_path / "pids")!r}, "w").write(f"{{os.getpid()}} {{grown.pid}}")
time.sleep(600)"""
    )
    monkeypatch.syspath_prepend(str(tmp_path / "fake"))
    monkeypatch.chdir(tmp_path / "fake")
    (tmp_path / "source").write_bytes(wav())
    with pytest.raises(Transient, match="not done after 5 s"):
        decoded(tmp_path / "source", tmp_path / "pcm", max_seconds=600, wall_seconds=5)
    left = (tmp_path / "pids").read_text().split()
    for _ in range(100):  # what it started is nobody's child here: its end cannot be waited for
        left = [pid for pid in left if lives(pid)]
        if not left:
            break
        time.sleep(0.1)
    assert left == []


def lives(pid: str) -> bool:
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_real_speech_is_read(tmp_path: Path) -> None:
    folder = SHARED_DATA / "audio"
    if not folder.exists():
        pytest.skip("no ../shared/data/audio here")
    info = decoded(folder / "sample.wav", tmp_path / "pcm", max_seconds=60)
    with wave.open(str(folder / "sample.wav")) as plain:
        assert (tmp_path / "pcm").read_bytes() == plain.readframes(plain.getnframes())
    assert info == AudioInfo(30.0, "wav", "pcm_s16le", 16_000, 1)


def test_the_worker_names_what_it_reads() -> None:
    assert not {"hls", "concat", "dash"} & set(worker.DEMUXERS.values())
