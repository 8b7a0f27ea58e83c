"""The decoded sound of clips, one ahead of who listens: decoding is a process of its own, and no model waits for it.

Belongs here: files that live as long as one clip is worked on. Decoding itself is `resources/decoder.py`.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from climate_assets.failures import Permanent, Transient
from climate_assets.speech.records import Clip
from resources.decoder import decoded
from resources.s3 import Lake

# What was measured at intake, and the rounding of another pass.
_SLACK: Final = 2.0


def decoded_clips(clips: Sequence[Clip], lake: Lake) -> Iterator[tuple[Clip, Path | Permanent | Transient]]:
    """Each clip with its file of PCM, or with what went wrong; a file is gone when the next clip is asked for."""
    with TemporaryDirectory(prefix="clips-") as folder, ThreadPoolExecutor(1, "decoder") as ahead:
        coming = [ahead.submit(_decoded, clip, Path(folder, str(n)), lake) for n, clip in enumerate(clips[:1])]
        for number, clip in enumerate(clips):
            if number + 1 < len(clips):
                coming.append(ahead.submit(_decoded, clips[number + 1], Path(folder, str(number + 1)), lake))
            found = coming[number].result()
            yield clip, found
            if isinstance(found, Path):
                found.unlink(missing_ok=True)


def _decoded(clip: Clip, into: Path, lake: Lake) -> Path | Permanent | Transient:
    source = into.with_suffix(".source")
    try:
        lake.download(clip.bucket, clip.object_key, source, clip.bytes)
        decoded(source, into, max_seconds=clip.seconds + _SLACK)
    except (Permanent, Transient) as trouble:
        return trouble
    finally:
        source.unlink(missing_ok=True)
    return into
