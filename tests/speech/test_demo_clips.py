"""The demo's recordings as Whisper base hears them: the word error rate against their scripts is printed.

Half of the errors are names that exist nowhere (`ytreville`), at 200 words a minute without a comma. The bound tells a
recording that broke from one that is merely hard.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from climate_assets.speech.differences import Difference, difference
from demo.grammar import number
from demo.sound.archive import Archive
from demo.sound.script import read
from resources.postgres import Barometre
from resources.whisper import Recogniser, Whisper
from tests.speech_models import pcm_of, samples_of

CLIPS = ("canal-un_20261117T081000Z", "radio-littoral_20261116T071200Z", "info-plein-jour_20261118T052200Z")
HIGHEST_MEAN = 0.5


@pytest.fixture
def recogniser(whisper_folder: Path, barometre: Barometre) -> Iterator[Recogniser]:
    with Whisper(model=str(whisper_folder), device="cpu").loaded(barometre, "test_demo_clips") as loaded:
        yield loaded


def in_words(text: str) -> str:
    """Digits as the scripts spell them, apostrophes and hyphens as spaces."""
    text = re.sub(r"(?<=\d) (?=\d{3}\b)", "", text.lower().replace("co2", "co deux").replace("%", " pour cent"))
    text = re.sub(r"(\d+),(\d+)", r"\1 virgule \2", text)
    return re.sub(r"[\W_]+", " ", re.sub(r"\d{1,5}", lambda found: number(int(found[0])), text))


def test_the_demo_clips_are_understood(recogniser: Recogniser, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rates = {}
    for clip in (c for c in Archive().clips if c.file.stem in CLIPS):
        said = " ".join(" ".join(x.words) for x in read(clip.script.read_text(encoding="utf-8")) if x.speaker != "SOUND")
        heard = recogniser.hear(pcm_of(samples_of(clip.file), tmp_path / "clip.pcm"), "french", "")
        found: Difference = difference(in_words(said), in_words(" ".join(segment.text for segment in heard.segments)))
        rates[clip.file.stem] = found.word_error_rate or 0.0
    with capsys.disabled():
        print("".join(f"\n  word error rate of {name}: {rate:.3f}" for name, rate in rates.items()))
    assert set(rates) == set(CLIPS)
    assert sum(rates.values()) / len(rates) <= HIGHEST_MEAN
