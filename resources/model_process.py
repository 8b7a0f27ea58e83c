"""A model in a process of its own: loaded once, asked many times, gone from memory on every way out.

Belongs here: starting, asking, the limit on an answer's time, the release in `finally`, the rows that say so, and the one
lock that keeps two models from being resident together. Does not: any model (`resources/workers/`), what an answer means.
"""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import IO, Any, Final, cast

import psutil

from climate_assets.failures import Permanent, Transient
from climate_assets.speech.records import ModelEvent, Residency
from resources.postgres import Barometre

# The lock that whoever loads a model on a machine holds; the pool `gpu` keeps others from queueing for it.
LOCK: Final = "one model at a time"
_TAIL: Final = 2000
# A worker looks every second whether its run lives.
_GRACE_SECONDS: Final = 10.0


class WorkerFailed(Exception):
    """The worker answered with an error; `kind` is the error's name there."""

    def __init__(self, message: str, kind: str) -> None:
        """`message` names the error and its text."""
        super().__init__(message)
        self.kind = kind


class Worker:
    """A running worker: `ask` it; whoever starts it stops it."""

    def __init__(self, module: str, environment: Mapping[str, str] | None = None) -> None:
        """Start `python -m resources.workers.<module>`."""
        from resources.bindings import inherited  # which imports what starts workers

        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", f"resources.workers.{module}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**inherited(), **(environment or {})},
            start_new_session=True,
        )
        self._questions = cast("IO[bytes]", self._process.stdin)
        self._answers = cast("IO[bytes]", self._process.stdout)
        self._buffer = b""

    @property
    def pid(self) -> int:
        """Number of its process."""
        return self._process.pid

    def ask(self, question: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Its answer; raises `WorkerFailed` for an error it answers, `Transient` when it dies or takes too long."""
        try:
            self._questions.write(json.dumps(question).encode() + b"\n")
            self._questions.flush()
        except BrokenPipeError:
            raise self._gone() from None
        answer: dict[str, Any] = json.loads(self._line(seconds))
        if "error" in answer:
            raise WorkerFailed(answer["error"], answer["kind"])
        return answer

    def stop(self) -> None:
        """Kill it with all that it started; its memory is free when this returns."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._answers.close()
        self._errors.close()
        with suppress(BrokenPipeError):  # what was still to be said to it is said to nobody
            self._questions.close()

    def _line(self, seconds: float) -> bytes:
        deadline = datetime.now(UTC).timestamp() + seconds
        with selectors.DefaultSelector() as ready:
            ready.register(self._answers, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                left = deadline - datetime.now(UTC).timestamp()
                if left <= 0 or not ready.select(timeout=left):
                    raise Transient(f"no answer within {seconds:.0f} s")
                part = os.read(self._answers.fileno(), 1 << 16)
                if not part:
                    raise self._gone()
                self._buffer += part
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line

    def _gone(self) -> Transient:
        status = self._process.wait()
        self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, self._errors.tell() - _TAIL))
        said = self._errors.read().decode("utf-8", "replace").strip()
        how = f"signal {-status}" if status < 0 else f"exit {status}"
        return Transient(f"the worker ended by itself ({how}): {said or 'it said nothing'}")


@contextmanager
def resident(
    module: str,
    settings: Mapping[str, Any],
    stage: str,
    barometre: Barometre,
    *,
    environment: Mapping[str, str] | None = None,
    load_seconds: float = 600.0,
) -> Iterator[Worker]:
    """A worker with its model loaded, alone: load and release are rows, and the release is on every way out."""
    with barometre.lock(f"{LOCK} on {socket.gethostname()}"):
        _bury(barometre)
        worker = Worker(module, environment)
        loaded: ModelEvent | None = None
        how = "success"
        try:
            try:
                answer = worker.ask(settings, load_seconds)
            except WorkerFailed as error:
                raise Permanent(f"the model of {stage} cannot be loaded: {error}") from error
            memory, model = answer["memory"], str(answer["ok"]["model"])
            loaded = ModelEvent(
                event_id=uuid.uuid4().hex,
                event=Residency.LOAD.value,
                at=datetime.now(UTC),
                stage=stage,
                model=model,
                host=socket.gethostname(),
                pid=worker.pid,
                how="",
                **memory,
            )
            barometre.upsert([loaded], ModelEvent)
            yield worker
        except BaseException as interruption:
            # An interrupted run is no Exception, in Python as in Dagster.
            how = "error" if isinstance(interruption, Exception) else "cancelled"
            raise
        finally:
            worker.stop()
            if loaded is not None:
                barometre.upsert([_released(loaded, how)], ModelEvent)


def _released(loaded: ModelEvent, how: str) -> ModelEvent:
    """The process is gone, and all of its memory with it."""
    return ModelEvent(
        event_id=loaded.event_id,
        event=Residency.RELEASE.value,
        at=datetime.now(UTC),
        stage=loaded.stage,
        model=loaded.model,
        host=loaded.host,
        pid=loaded.pid,
        device=loaded.device,
        memory_used=0.0,
        vram_used=0.0,
        vram_free=loaded.vram_free + loaded.vram_used,
        how=how,
    )


def _bury(barometre: Barometre) -> None:
    """Release what a killed run left open on this machine; refuse to load beside a process that still lives."""
    events = barometre.read(ModelEvent, host=socket.gethostname())
    over = {e.event_id for e in events if e.event == Residency.RELEASE}
    for event in (e for e in events if e.event == Residency.LOAD and e.event_id not in over):
        deadline = time.monotonic() + _GRACE_SECONDS
        while _lives(event) and time.monotonic() < deadline:
            time.sleep(0.2)
        if _lives(event):
            raise Transient(f"{event.model} of {event.stage} is still in memory (process {event.pid}); it ends with its run")
        barometre.upsert([_released(event, "crashed")], ModelEvent)


def _lives(event: ModelEvent) -> bool:
    """Whether the worker of that event still runs; its number may have been given to another process since."""
    try:
        process = psutil.Process(event.pid)
        worker = any("resources.workers." in part for part in process.cmdline())
        return worker and process.create_time() <= event.at.timestamp() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
