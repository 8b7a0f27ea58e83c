"""Real weights for the tests that divide by speaker, and sound as the workers read it."""

import os
from pathlib import Path

import pytest

from embedded.diarization_weights import missing, pipeline_folder


@pytest.fixture(scope="session")
def diarization_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the pipeline that comes in packages."""
    if reason := missing():
        pytest.skip(reason)
    return pipeline_folder(tmp_path_factory.mktemp("diarization"))


def pcm_of(source: Path, into: Path) -> Path:
    """The file's sound as raw 16 kHz mono 16-bit, in folder `into`."""
    import av

    if not source.is_file():
        pytest.skip(f"{source.name} is not beside the project")
    found = into / f"{source.stem}.pcm"
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
    with av.open(os.fspath(source)) as container, found.open("wb") as out:
        for frame in [*container.decode(audio=0), None]:
            for part in resampler.resample(frame):
                out.write(part.to_ndarray().tobytes())
    return found
