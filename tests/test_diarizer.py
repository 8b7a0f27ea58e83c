"""Who speaks when and how a voice sounds, by the real pipeline on real speech; and what happens when its process dies."""

import os
import signal
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from climate_assets.failures import Permanent, Transient
from climate_assets.speech.records import ModelEvent
from climate_assets.speech.turns import Span
from embedded import diarization_weights
from resources import diarizer as module
from resources.diarizer import Diarizer
from resources.postgres import Barometre
from tests.conftest import SHARED_DATA
from tests.diarization_models import error_rate, pcm_of, sample_folder

# Two stretches and more of each speaker of sample.wav, by its reference.
FIRST = [(10.6, 14.4), (18.7, 21.4), (8.4, 9.9)]
SECOND = [(14.8, 17.9), (21.8, 28.4), (15.0, 16.5)]


def speakers(spans: Iterable[Span]) -> set[str]:
    return {span.speaker for span in spans}


def test_sample_is_divided_as_its_reference_says(diarization_folder: Path, tmp_path: Path, barometre: Barometre) -> None:
    sample = pcm_of(sample_folder() / "sample.wav", tmp_path)
    silence, short, empty, odd = (tmp_path / name for name in ("silence.pcm", "short.pcm", "empty.pcm", "odd.pcm"))
    silence.write_bytes(bytes(20 * 32_000))
    short.write_bytes(sample.read_bytes()[8 * 32_000 : 8 * 32_000 + 1600])
    empty.write_bytes(b"")
    odd.write_bytes(b"abc")
    with Diarizer(model=str(diarization_folder)).loaded(barometre, "speaker_turns") as divider:
        found = divider.divide(sample)
        rate = error_rate(found)
        print(f"diarization error rate of sample.wav: {rate:.2f} %")
        assert rate <= 8
        assert speakers(found) == {"SPEAKER_00", "SPEAKER_01"}
        assert all(0 <= span.start < span.end <= 30.1 for span in found)
        alone = sorted((span.start, span.end) for span in found if span.exclusive)
        assert alone
        assert all(before[1] <= after[0] + 1e-6 for before, after in pairwise(alone))
        full = sorted((span.start, span.end) for span in found if not span.exclusive)
        assert any(before[1] > after[0] for before, after in pairwise(full)), "overlap is kept"
        assert divider.divide(sample) == found
        assert len(speakers(divider.divide(sample, 1, 1))) == 1
        assert len(speakers(divider.divide(sample, 3, 4))) in {3, 4}
        assert divider.divide(silence) == []
        assert divider.divide(empty) == []
        assert len(speakers(divider.divide(short))) <= 1
        for hints in [(0, 2), (3, 2), (-1, None), (None, 5000)]:
            with pytest.raises(Permanent, match="no range"):
                divider.divide(sample, *hints)
        for path in (odd, tmp_path / "absent.pcm"):
            with pytest.raises(Permanent, match=path.name):
                divider.divide(path)
        model = divider.model
    load, release = sorted(barometre.read(ModelEvent), key=lambda event: event.at)
    assert (load.event, load.stage, release.event, release.how) == ("load", "speaker_turns", "release", "success")
    assert load.model == release.model == model
    assert model.startswith("diarization@")
    assert 0.1 < load.memory_used < 4
    assert "torch" not in sys.modules


def test_a_recording_longer_than_a_window_has_the_same_speakers(
    diarization_folder: Path, tmp_path: Path, barometre: Barometre
) -> None:
    """Speech before and after a minute of silence, cut in windows: who spoke before is who speaks after."""
    sample = pcm_of(sample_folder() / "sample.wav", tmp_path)
    pause = 64.0
    long, quiet = tmp_path / "long.pcm", tmp_path / "quiet.pcm"
    long.write_bytes(sample.read_bytes() + bytes(int((pause - 30) * 32_000)) + sample.read_bytes())
    quiet.write_bytes(bytes(600 * 32_000))
    with Diarizer(model=str(diarization_folder), window_seconds=22.0).loaded(barometre, "speaker_turns") as divider:
        alone = divider.divide(sample)
        print(f"in windows of 22 s: {error_rate(alone):.2f} %")
        assert error_rate(alone) <= 12
        assert len(speakers(alone)) == 2
        found = divider.divide(long)
        assert len(speakers(found)) == 2
        assert not [span for span in found if span.end > 32 and span.start < pause]
        # Of both parts at once: were a voice called otherwise after the pause, half of its speech would be an error.
        print(f"before and after a pause: {error_rate(found, 0.0, pause):.2f} %")
        assert error_rate(found, 0.0, pause) <= 12
        assert len(speakers(divider.divide(long, max_speakers=1))) == 1
        assert divider.divide(quiet) == []


def test_a_voice_is_nearer_to_itself_than_to_others(diarization_folder: Path, tmp_path: Path, barometre: Barometre) -> None:
    sample = pcm_of(sample_folder() / "sample.wav", tmp_path)
    heard = [(sample, FIRST), (sample, SECOND)]
    if (other := SHARED_DATA / "audio" / "jfk.flac").is_file():
        heard.append((pcm_of(other, tmp_path), [(0, 11)]))
    with Diarizer(model=str(diarization_folder)).encoder(barometre, "named_speakers") as encoder:
        assert encoder.dimensions == 192
        assert encoder.model.startswith("CamPlusPlus@")
        voices = [np.array(encoder.embed(path, spans)) for path, spans in heard]
        assert all(np.linalg.norm(vector) == pytest.approx(1) for voice in voices for vector in voice)
        own = [float(a @ b) for voice in voices for i, a in enumerate(voice) for b in voice[i + 1 :]]
        others = [float(a @ b) for i, one in enumerate(voices) for other in voices[i + 1 :] for a in one for b in other]
        print(f"cosine of one voice {min(own):.2f} to {max(own):.2f}, of two {min(others):.2f} to {max(others):.2f}")
        assert min(own) > max(others)
        assert encoder.embed(sample, [(0.0, 0.4), (29.8, 31.0), (40.0, 50.0), (5.0, 4.0)]) == [None] * 4
        assert encoder.embed(sample, []) == []
        with pytest.raises(Permanent, match="no stretch of time"):
            encoder.embed(sample, [(float("nan"), 2.0)])
        os.kill(barometre.read(ModelEvent)[0].pid, signal.SIGKILL)
        with pytest.raises(Transient, match="ended by itself"):
            encoder.embed(sample, FIRST)
    assert {(event.event, event.how) for event in barometre.read(ModelEvent)} == {("load", ""), ("release", "success")}
    assert "torch" not in sys.modules


def test_the_folder_is_made_once(diarization_folder: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in diarization_folder.rglob("*")}
    assert diarization_weights.pipeline_folder(diarization_folder.parents[1]) == diarization_folder
    assert {path: path.stat().st_mtime_ns for path in diarization_folder.rglob("*")} == before
    assert [path.name for path in diarization_folder.parent.iterdir()] == ["diarization"]
    other = tmp_path / "weights.bin"
    other.write_bytes(b"other weights")
    with pytest.raises(Permanent, match="not the file that was reviewed"):
        diarization_weights.checked(other, diarization_weights.HASHES[diarization_weights.SEGMENTATION])
    with pytest.raises(Permanent, match="not in its package"):
        diarization_weights.checked(tmp_path / "absent", "")


@pytest.mark.parametrize(
    ("model", "said"), [("", "DIARIZATION_MODEL"), ("/no/such/folder", "no folder with a config.yaml"), ("owner/pipeline", "")]
)
def test_what_is_missing_is_said_before_anything_is_loaded(model: str, said: str, barometre: Barometre) -> None:
    diarizer = Diarizer(model=model, token="hub-secret")
    if not all(module._installed(name) for name in ("torch", "pyannote.audio")):
        assert "make speakers" in diarizer.missing
        said = "make speakers"
    assert said in diarizer.missing if said else diarizer.missing == ""
    assert "hub-secret" not in repr(diarizer)
    if said:
        with pytest.raises(Permanent, match=said), diarizer.loaded(barometre, "speaker_turns"):
            pass
        assert barometre.read(ModelEvent) == []
    assert "torch" not in sys.modules


def test_a_package_that_is_absent_is_no_error() -> None:
    assert module._installed("json")
    assert not module._installed("no_such_package")
    assert not module._installed("no_such_package.part")
