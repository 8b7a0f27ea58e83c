"""`climate recordings`: add a file, see how far each one is, read what was said in it and by whom.

The status is worked out at every look from what Dagster has seen; nothing is kept that could get stuck.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import dagster as dg
import typer
from dagster._core.errors import DagsterHomeNotSetError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from climate_assets.failures import Permanent
from climate_assets.recording_progress import runs_seen, states_seen
from climate_assets.speech.progress import RECORDING_ASSETS, Progress, Status, status_of
from climate_assets.speech.recordings import looks_like_sound, plain
from climate_assets.speech.records import AttributedClip, Recording, Transcript, Utterance
from resources import bindings
from resources.inbox import Inbox
from resources.postgres import Barometre
from resources.s3 import LAKE, Lake

_SHORT: Final = 12
_FILES_SHOWN: Final = 20
_COLOURS: Final = {Status.PENDING: "yellow", Status.PROCESSING: "cyan", Status.COMPLETED: "green", Status.ERROR: "red"}
console = Console()
app = typer.Typer()
recordings = typer.Typer(no_args_is_help=True, help="Recordings that people upload: a debate, a meeting, a podcast.")
app.add_typer(recordings, name="recordings")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def _environment() -> dict[str, str]:
    """Variables of the platform that the operator, or else this checkout, names."""
    from climate_assets.cli import ROOT, platform

    # In a container there is no embedded platform to ask, and no folder to keep one in.
    given = bindings.given_by_operator(ROOT / ".env")
    if {"DATABASE_URL", "S3_ENDPOINT_URL"} <= given.keys():
        return given
    here = platform()
    return dict(here.environment(here.ports()))


@contextmanager
def _instance(environment: dict[str, str]) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance: the one that DAGSTER_HOME names, or else the embedded one."""
    try:
        instance = dg.DagsterInstance.get()
    except DagsterHomeNotSetError:
        home = environment.get("DAGSTER_HOME", "")
        if not (home and Path(home, "dagster.yaml").is_file()):
            raise Permanent("there is no Dagster to ask: start it with `climate up`, or set DAGSTER_HOME") from None
        with bindings.exported(environment), dg.DagsterInstance.from_config(home) as embedded:
            yield embedded
        return
    with instance:
        yield instance


@recordings.command()
def add(
    file: Path,
    title: Annotated[str, typer.Option(help="Shown to people; else read off the file's name.")] = "",
    language: Annotated[str, typer.Option(help="Such as french; else it is detected.")] = "",
    day: Annotated[str, typer.Option(help="YYYY-MM-DD, the day it was recorded; else today.")] = "",
    as_json: AsJson = False,
) -> None:
    """Keep a file under its hash; Dagster then hears it. The same bytes are one recording, however often they are added."""
    known = bindings.resources(_environment())
    with Console(stderr=True).status(Text(f"hashing and uploading {plain(file.name)}")):
        taken = Inbox(known["lake"], known["barometre"]).add(file, title, language, day)
    row = taken.recording
    if as_json:
        print(json.dumps({**_said(row), "new": taken.new}))
        return
    _line(f"{row.recording_id[:_SHORT]}  {row.title}" + ("" if taken.new else f"  (known since {row.added_at:%Y-%m-%d})"))
    if not looks_like_sound(row.filename):
        _line(f"{row.filename} does not end as sound does; it is tried all the same, by its content")
    _line(f"see how far it is: climate recordings show {row.recording_id[:_SHORT]}")


@recordings.command("list")
def list_recordings(
    limit: Annotated[int, typer.Option(min=1, max=500, help="The newest so many.")] = 20, as_json: AsJson = False
) -> None:
    """The newest recordings and how far each one is."""
    environment = _environment()
    barometre: Barometre = bindings.resources(environment)["barometre"]
    newest = barometre.rows(
        "SELECT recording_id FROM recordings ORDER BY added_at DESC, recording_id LIMIT %(limit)s", {"limit": limit}
    )
    rows = _rows(barometre, [row["recording_id"] for row in newest])
    progress = _progress(environment, barometre, rows)
    if as_json:
        print(json.dumps([{**_said(row), **_told(progress[row.recording_id])} for row in rows]))
        return
    if not rows:
        _line("no recording yet: climate recordings add FILE")
        return
    table = Table("id", "title", "day", "status", "stages", "seconds", "", box=None, header_style="bold")
    for row in rows:
        one = progress[row.recording_id]
        table.add_row(
            row.recording_id[:_SHORT],
            Text(plain(row.title)[:40]),
            str(row.day),
            Text(_status(one), style=_COLOURS[one.status]),
            _bar(one),
            f"{one.seconds:.0f}",
            Text(plain(one.message)[:80]),
        )
    console.print(table)


@recordings.command()
def show(
    recording: Annotated[str, typer.Argument(metavar="ID", help="The id, or its first characters.")], as_json: AsJson = False
) -> None:
    """How far a recording is, where its results lie, and what was said in it by whom."""
    environment = _environment()
    known = bindings.resources(environment)
    barometre: Barometre = known["barometre"]
    row = _one(barometre, recording)
    progress = _progress(environment, barometre, [row])[row.recording_id]
    results = _results(barometre, known["lake"], row.recording_id)
    utterances = barometre.read(Utterance, order_by=["number"], clip_id=row.recording_id)
    if as_json:
        said = {**_said(row), **_told(progress), "results": results, "utterances": [asdict(u) for u in utterances]}
        print(json.dumps(said, default=str))
        return
    _line(f"{row.title}\n{row.recording_id}", style="bold")
    facts = [row.filename, f"{row.bytes / 1024**2:.1f} MiB", str(row.day), row.language or "language is detected"]
    _line(", ".join(facts))
    _line(f"{_status(progress)}  {_bar(progress)} {progress.share:.0%}  {progress.seconds:.0f} s", _COLOURS[progress.status])
    if progress.message:
        _line(progress.message)
    for where in results:
        _line(where, style="dim")
    for line in transcript(utterances):
        _line(line)


def transcript(utterances: Sequence[Utterance]) -> list[str]:
    """Lines to read: when, who, what; a speaker is named once for what is said in one go."""
    lines: list[str] = []
    before = None
    for one in utterances:
        role = f" ({one.role})" if one.role else ""
        who = plain(f"{one.name or one.speaker}{role}")
        if one.speaker != before:
            lines.append(f"\n[{_clock(one.start)}] {who}:")
        also = f"  [with {plain(', '.join(one.others))}]" if one.overlap and one.others else ""
        lines.append(f"  {plain(one.text)}{also}")
        before = one.speaker
    return lines


def _one(barometre: Barometre, beginning: str) -> Recording:
    """The recording whose id begins so; raises `Permanent` if there is none, or more than one."""
    wanted = beginning.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{1,64}", wanted):
        raise Permanent(f"{plain(beginning)[:80]!r} is no id of a recording; `climate recordings list` names them")
    query = "SELECT recording_id FROM recordings WHERE starts_with(recording_id, %(wanted)s) ORDER BY 1 LIMIT 5"
    ids = [row["recording_id"] for row in barometre.rows(query, {"wanted": wanted})]
    if not ids:
        raise Permanent(f"no recording has an id that begins with {wanted}; `climate recordings list` names them")
    if len(ids) > 1:
        shown = ", ".join(one[: len(wanted) + 4] for one in ids)
        raise Permanent(f"more than one recording has an id that begins with {wanted}: {shown}; write more of it")
    return _rows(barometre, ids)[0]


def _rows(barometre: Barometre, ids: list[str]) -> list[Recording]:
    found = {row.recording_id: row for row in barometre.read(Recording, recording_id=ids)}
    return [found[one] for one in ids if one in found]


def _progress(environment: dict[str, str], barometre: Barometre, rows: Sequence[Recording]) -> dict[str, Progress]:
    """How far each recording is now."""
    ids = [row.recording_id for row in rows]
    if not ids:
        return {}
    finished = {clip.clip_id for clip in barometre.read(AttributedClip, clip_id=ids)}
    states = states_seen(barometre, ids)
    with _instance(environment) as instance:
        runs = runs_seen(instance, ids)
    now = datetime.now(UTC).timestamp()
    return {one: status_of(runs[one], states[one], now, one in finished) for one in ids}


def _results(barometre: Barometre, lake: Lake, recording_id: str) -> list[str]:
    """Where the files of a recording lie."""
    found = [f"s3://{LAKE}/{t.object_key}" for t in barometre.read(Transcript, clip_id=recording_id)]
    for clip in barometre.read(AttributedClip, clip_id=recording_id):
        for _, key in zip(range(_FILES_SHOWN), lake.listing(LAKE, clip.folder), strict=False):
            found.append(f"s3://{LAKE}/{key}")
    return found


def _said(row: Recording) -> dict[str, Any]:
    shown = asdict(row)
    return {"id": shown.pop("recording_id"), **{k: v if isinstance(v, int | str) else v.isoformat() for k, v in shown.items()}}


def _told(progress: Progress) -> dict[str, Any]:
    return {
        "status": progress.status.value,
        "stage": progress.stage,
        "message": progress.message,
        "seconds": progress.seconds,
        "share": round(progress.share, 3),
        "done": list(progress.done),
    }


def _status(progress: Progress) -> str:
    named = progress.stage and progress.status in (Status.PROCESSING, Status.ERROR)
    return f"{progress.status}({progress.stage})" if named else str(progress.status)


def _bar(progress: Progress) -> str:
    return "█" * len(progress.done) + "·" * (len(RECORDING_ASSETS) - len(progress.done))


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _line(text: str, style: str | None = None) -> None:
    """One line of what may hold anybody's words: no markup of it is obeyed."""
    console.print(Text(text), style=style, highlight=False, soft_wrap=True)
