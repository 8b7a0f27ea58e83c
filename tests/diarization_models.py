"""Real weights and real speech for what divides by speaker, and how far a division is from its reference."""

import os
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from climate_assets.speech.turns import Span
from embedded.diarization_weights import missing, pipeline_folder


@pytest.fixture(scope="session")
def diarization_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the pipeline that comes in packages."""
    if reason := missing():
        pytest.skip(reason)
    return pipeline_folder(tmp_path_factory.mktemp("diarization"))


def sample_folder() -> Path:
    """Where pyannote.audio keeps `sample.wav`, 30 s of two speakers, and its reference `sample.rttm`; imports nothing."""
    spec = find_spec("pyannote.audio")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("pyannote.audio is not installed; run `make speakers`")
    return Path(spec.submodule_search_locations[0]) / "sample"


def pcm_of(source: Path, into: Path) -> Path:
    """The file's sound as raw 16 kHz mono 16-bit, in folder `into`."""
    import av

    found = into / f"{source.stem}.pcm"
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
    with av.open(os.fspath(source)) as container, found.open("wb") as out:
        for frame in [*container.decode(audio=0), None]:
            for part in resampler.resample(frame):
                out.write(part.to_ndarray().tobytes())
    return found


def error_rate(spans: Iterable[Span], *heard_at: float) -> float:
    """Diarization error rate in percent, no collar, overlap counted, of the sample heard at these seconds (0 if none)."""
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    said: Any = Annotation()
    for number, span in enumerate(span for span in spans if not span.exclusive):
        said[Segment(span.start, span.end), number] = span.speaker
    true: Any = Annotation()
    for line in (sample_folder() / "sample.rttm").read_text(encoding="utf-8").splitlines():
        _, _, _, start, length, _, _, speaker, *_ = line.split()
        for offset in heard_at or (0.0,):
            true[Segment(offset + float(start), offset + float(start) + float(length)), line] = speaker
    scored = Timeline([Segment(0.0, max(true.get_timeline().extent().end, said.get_timeline().extent().end))])
    return 100 * float(DiarizationErrorRate(collar=0.0, skip_overlap=False)(true, said, uem=scored))
