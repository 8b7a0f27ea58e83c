"""The recogniser on real weights: what is said is heard, what is not said is not, and the model is gone on every way out."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
import pytest

from climate_assets.failures import Permanent, Transient
from climate_assets.speech.differences import difference
from climate_assets.speech.guards import guarded
from climate_assets.speech.records import Heard, ModelEvent
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.whisper import Recogniser, Whisper
from tests.speech_models import music, pcm_of, pink_noise, samples_of, shared_audio, silence, tone, white_noise

JFK = "And so my fellow Americans, ask not what your country can do for you, ask what you can do for your country."
ENGLISH = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated "
    "documentation files"
)
GERMAN = (
    "Jedem, der diese Software und die dazugehörigen Dokumentationsdateien erhält, wird hiermit unentgeltlich die Genehmigung"
)
RATE = 16_000
HOTWORDS = ReferenceFiles().glossary("french").hotwords


@pytest.fixture
def whisper(whisper_folder: Path) -> Whisper:
    return Whisper(model=str(whisper_folder), device="cpu", batch_size=4, window_seconds=60.0)


def _text(heard: Heard) -> str:
    believed = guarded(heard, ReferenceFiles().invented_phrases()).segments
    return " ".join(word.text for segment in believed if not segment.gate for word in segment.words)


def _rate(said: str, heard: str) -> float:
    rate = difference(said, heard).word_error_rate
    assert rate is not None
    return rate


def _hows(barometre: Barometre) -> list[str]:
    return [event.how for event in barometre.read(ModelEvent) if event.event == "release"]


@pytest.mark.parametrize("hotwords", ["", ReferenceFiles().glossary("english").hotwords])
def test_a_speech_is_heard_word_for_word(whisper: Whisper, barometre: Barometre, tmp_path: Path, hotwords: str) -> None:
    pcm = pcm_of(samples_of(shared_audio("jfk.flac")), tmp_path / "pcm")
    with whisper.loaded(barometre, "test") as recogniser:
        heard = recogniser.hear(pcm, "english", hotwords)
        again = recogniser.hear(pcm, "english", hotwords)
    rate = _rate(JFK, _text(heard))
    print(f"jfk.flac: word error rate {rate:.1%}")
    assert rate <= 0.05
    assert again == heard
    assert heard.language == "en"
    assert 10.5 < heard.seconds < 11.5
    assert 5 < heard.speech_seconds <= heard.seconds
    words = [word for segment in heard.segments for word in segment.words]
    assert len(words) == 22
    assert all(0 <= word.start <= word.end <= heard.seconds and 0 < word.probability <= 1 for word in words)
    assert [word.start for word in words] == sorted(word.start for word in words)


def test_each_language_of_a_recording_is_heard_in_itself(whisper: Whisper, barometre: Barometre, tmp_path: Path) -> None:
    """Its file says English and French; what is spoken in it is English, then German."""
    pcm = pcm_of(samples_of(shared_audio("multilingual.mp3")), tmp_path / "pcm")
    with whisper.loaded(barometre, "test") as recogniser:
        heard = recogniser.hear(pcm, "", "")
    assert list(dict.fromkeys(segment.language for segment in heard.segments)) == ["en", "de"]
    texts = {code: " ".join(s.text for s in heard.segments if s.language == code) for code in ("en", "de")}
    for code, said in (("en", ENGLISH), ("de", GERMAN)):
        assert _rate(said, " ".join(texts[code].split()[: len(said.split())])) <= 0.3
    turn = min(segment.start for segment in heard.segments if segment.language == "de")
    assert 29 < turn < 33


def _accompanied(seconds: float) -> npt.NDArray[np.float64]:
    return music(seconds) * 0.5 + pink_noise(seconds, 0.02)


@pytest.mark.parametrize("hotwords", ["", HOTWORDS])
def test_where_nobody_speaks_no_word_is_heard(whisper: Whisper, barometre: Barometre, tmp_path: Path, hotwords: str) -> None:
    sounds: dict[str, Callable[[float], npt.NDArray[np.float64]]] = {
        "silence": silence,
        "music": music,
        "music, louder": lambda seconds: 3 * music(seconds),
        "music in a noisy room": _accompanied,
        "white noise": white_noise,
        "pink noise": pink_noise,
        "a tone": tone,
        "a faint tone": lambda seconds: tone(seconds, 440.0, 0.0005),
        "noise on and off": lambda seconds: pink_noise(seconds, 0.2) * (tone(seconds, 3.0) > 0),
    }
    with whisper.loaded(barometre, "test") as recogniser:
        said = {
            name: _text(recogniser.hear(pcm_of(sound(20.0), tmp_path / "pcm"), "french", hotwords))
            for name, sound in sounds.items()
        }
    assert said == dict.fromkeys(sounds, "")


@pytest.mark.parametrize("samples", [0, 1, 100, 8000])
def test_next_to_no_sound_is_an_empty_hearing(whisper: Whisper, barometre: Barometre, tmp_path: Path, samples: int) -> None:
    with whisper.loaded(barometre, "test") as recogniser:
        heard = recogniser.hear(pcm_of(np.zeros(samples), tmp_path / "pcm"), "french", "")
    assert heard == Heard((), "fr", samples / RATE, 0.0, ())


def test_a_sentence_over_the_border_of_two_windows_is_heard_once(
    whisper: Whisper, barometre: Barometre, tmp_path: Path
) -> None:
    speech = samples_of(shared_audio("jfk.flac")).astype(np.float64) / 32768
    sound = np.concatenate([silence(53.0), speech, silence(8.0)])
    with whisper.loaded(barometre, "test") as recogniser:
        heard = recogniser.hear(pcm_of(sound, tmp_path / "pcm"), "english", "")
    assert _rate(JFK, _text(heard)) <= 0.1
    assert all(segment.start >= 52.9 and segment.end <= 64.5 for segment in heard.segments)


def test_a_killed_worker_is_transient_and_another_one_hears_the_same(
    whisper: Whisper, barometre: Barometre, tmp_path: Path
) -> None:
    pcm = pcm_of(samples_of(shared_audio("jfk.flac")), tmp_path / "pcm")
    firsts: list[Heard] = []

    def killed_at_the_second_clip() -> None:
        with whisper.loaded(barometre, "test") as recogniser:
            firsts.append(recogniser.hear(pcm, "english", ""))
            os.kill(recogniser.pid, signal.SIGSTOP)  # however fast it is, it is killed before it answers
            threading.Timer(0.3, os.kill, (recogniser.pid, signal.SIGKILL)).start()
            recogniser.hear(pcm, "english", "")

    with pytest.raises(Transient, match="signal 9"):
        killed_at_the_second_clip()
    with whisper.loaded(barometre, "test") as recogniser:
        assert recogniser.hear(pcm, "english", "") == firsts[0]
    assert sorted(_hows(barometre)) == ["error", "success"]


class _Stopped(BaseException):
    """As Dagster interrupts a run: no `Exception`."""


@pytest.mark.parametrize(("trouble", "how"), [(ValueError("x"), "error"), (_Stopped(), "cancelled")])
def test_the_model_is_released_when_its_user_fails_or_is_stopped(
    whisper: Whisper, barometre: Barometre, trouble: BaseException, how: str
) -> None:
    recognisers: list[Recogniser] = []

    def troubled() -> None:
        with whisper.loaded(barometre, "test") as recogniser:
            recognisers.append(recogniser)
            raise trouble

    with pytest.raises(type(trouble)):
        troubled()
    assert not psutil.pid_exists(recognisers[0].pid)
    load, release = sorted(barometre.read(ModelEvent), key=lambda event: event.at)
    assert (load.event, release.event, release.how) == ("load", "release", how)
    assert load.event_id == release.event_id
    assert load.model == recognisers[0].model == f"whisper-base-int8-{load.model[-8:]}"
    assert load.memory_used > 0.1


def test_two_users_never_have_the_model_in_memory_together(whisper: Whisper, barometre: Barometre) -> None:
    troubles: list[Any] = []

    def use() -> None:
        try:
            with whisper.loaded(barometre, threading.current_thread().name):
                pass
        except Exception as error:
            troubles.append(error)

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not [trouble for trouble in troubles if not isinstance(trouble, Transient)]
    events = sorted(barometre.read(ModelEvent), key=lambda event: event.at)
    assert events
    assert [event.event for event in events] == ["load", "release"] * (len(events) // 2)
    assert all(load.event_id == release.event_id for load, release in zip(events[::2], events[1::2], strict=True))


@pytest.mark.parametrize("model", ["/nowhere/whisper", "nobody/no-such-model-of-ours"])
def test_a_model_that_is_not_to_be_had_says_what_to_set(barometre: Barometre, model: str) -> None:
    with pytest.raises(Permanent, match="WHISPER_MODEL"), Whisper(model=model, device="cpu").loaded(barometre, "test"):
        pass
    assert not barometre.read(ModelEvent)


def test_a_folder_that_holds_no_model_says_what_to_set(barometre: Barometre, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"no weights")
    with (
        pytest.raises(Permanent, match="cannot be loaded"),
        Whisper(model=str(tmp_path), device="cpu").loaded(barometre, "test"),
    ):
        pass


def test_a_clip_that_is_too_long_or_has_no_known_language_is_refused(
    whisper_folder: Path, barometre: Barometre, tmp_path: Path
) -> None:
    whisper = Whisper(model=str(whisper_folder), device="cpu", longest_seconds=5.0)
    with whisper.loaded(barometre, "test") as recogniser:
        with pytest.raises(Permanent, match="5 s at most"):
            recogniser.hear(pcm_of(silence(6.0), tmp_path / "long"), "french", "")
        with pytest.raises(Permanent, match="klingon"):
            recogniser.hear(pcm_of(silence(1.0), tmp_path / "pcm"), "klingon", "")
        with pytest.raises(Permanent, match="cannot hear"):
            recogniser.hear(_torn(tmp_path / "odd"), "french", "")


def _torn(path: Path) -> Path:
    path.write_bytes(b"\0" * 4001)
    return path


def test_nothing_heavy_is_imported_where_a_run_asks() -> None:
    program = (
        "import sys, resources.whisper, resources.reference, climate_assets.speech.transcripts as t\n"
        "print([m for m in ('faster_whisper', 'ctranslate2', 'torch', 'av', 'onnxruntime') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
