"""Audio of any accepted kind to plain samples, in a process that can do no harm and does not last.

Belongs here: starting the decoder, its limits, what its end means, that nothing half made is left. Does not: decoding
(`resources/workers/decoder.py`), which containers are accepted (`speech/containers.py`), where audio comes from.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from climate_assets.failures import Permanent, Transient
from climate_assets.speech.containers import HEAD_BYTES, audio_container, states_length

# FFmpeg decodes hundreds of times faster than speech is spoken; slower than this, the file is made to hurt.
_CPU_SECONDS: Final = 30.0
_CPU_SECONDS_A_SECOND: Final = 1 / 20
# A busy machine may give a process a quarter of a core.
_WALL_PER_CPU: Final = 4.0
_TAIL: Final = 500
_LONGEST_ANSWER: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What a file was, and how much sound came out of it."""

    seconds: float
    """Length of the samples."""
    container: str
    codec: str
    sample_rate: int
    """Samples a second as it came."""
    audio_channels: int
    """Audio channels as it came."""


def decoded(
    source: Path, into: Path, *, max_seconds: float, least_seconds: float = 0.0, wall_seconds: float | None = None
) -> AudioInfo:
    """Write the sound of `source` to `into` as raw PCM: 16 kHz, mono, signed 16 bit, little endian, no header.

    Raises `Permanent`, with a reason for a person, for what is no good audio, lasts longer than `max_seconds` or yields
    less than `least_seconds` or half of what it declares; `Transient` when the machine did not let it finish within
    `wall_seconds` (four times the processor time allowed, unless given). On an error there is no file.
    """
    with source.open("rb") as file:
        head = file.read(HEAD_BYTES)
    container = audio_container(head, source.stat().st_size)
    part = into.with_name(f"{into.name}.part")
    cpu = _CPU_SECONDS + max_seconds * _CPU_SECONDS_A_SECOND
    wall = cpu * _WALL_PER_CPU if wall_seconds is None else wall_seconds
    order = {
        "source": str(source.resolve()),
        "into": str(part.resolve()),
        "container": container,
        "states_length": states_length(container, head),
        "max_seconds": max_seconds,
        "cpu_seconds": cpu,
        "wall_seconds": wall,
    }
    try:
        info = AudioInfo(container=container, **_answer(order, wall))
        if info.seconds < least_seconds:
            raise Permanent(f"the file yields {info.seconds:.1f} s of sound; {least_seconds:.1f} s at least were expected")
        part.replace(into)
        return info
    finally:
        part.unlink(missing_ok=True)


def _answer(order: dict[str, Any], seconds: float) -> dict[str, Any]:
    """What the decoder says of the file; raises what its end means."""
    # Nothing of this process's environment: what hostile bytes take over finds no key there.
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "LC_ALL": "C.UTF-8"}
    with tempfile.TemporaryFile() as answers, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "resources.workers.decoder", json.dumps(order)],
            stdin=subprocess.DEVNULL,
            stdout=answers,
            stderr=errors,
            env=environment,
            start_new_session=True,
        )
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Transient(f"the decoder was not done after {seconds:.0f} s; the machine is too busy") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        said = _read(answers)
        if status == 0:
            answer: dict[str, Any] = json.loads(said)
            if "refused" in answer:
                raise Permanent(answer["refused"])
            return answer["decoded"]  # type: ignore[no-any-return]
        tail = _read(errors).decode("utf-8", "replace").strip()[-_TAIL:]
    raise _end(status, order["cpu_seconds"], tail)


def _end(status: int, cpu: float, tail: str) -> Permanent | Transient:
    """What it means that the decoder ended without an answer."""
    if status == -signal.SIGXCPU:
        return Permanent(f"decoding took more than {cpu:.0f} s of processor time; the file is made to be slow")
    if status == -signal.SIGALRM:
        return Transient("the decoder ran out of time; the machine is too busy")
    if status == -signal.SIGKILL:
        return Transient("the decoder was killed from outside; the machine may be out of memory")
    how = f"signal {-status}" if status < 0 else f"exit {status}"
    return Permanent(f"the decoder failed on the file ({how}): {tail or 'it said nothing'}")


def _read(file: Any) -> bytes:
    file.seek(max(0, file.seek(0, os.SEEK_END) - _LONGEST_ANSWER))
    content: bytes = file.read()
    return content
