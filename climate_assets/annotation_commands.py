"""`climate annotations`: import an export file of Label Studio.

Thin: a file is read here, what becomes of it is `labelling/importing.py`.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from climate_assets.failures import Permanent
from climate_assets.labelling.exports import MOST_BYTES
from climate_assets.labelling.importing import Imported, import_answers
from resources import bindings
from resources.s3 import LAKE

_REASONS_SHOWN = 20
console = Console()
annotations = typer.Typer(no_args_is_help=True, help="What people answered in Label Studio.")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


@annotations.callback()
def _group() -> None:
    """What people answered in Label Studio."""


@annotations.command("import")
def import_file(
    file: Path,
    country: Annotated[str, typer.Option(help="Code of the country that was asked about.")],
    project: Annotated[int, typer.Option(min=1, help="Number of the project that the answers were given in.")],
    dialect: Annotated[
        Literal["french", "international"] | None, typer.Option(help="For a legacy project: which screen it used.")
    ] = None,
    kind: Annotated[Literal["misinfo", "ner"], typer.Option(help="What its tasks ask.")] = "misinfo",
    as_json: AsJson = False,
) -> None:
    """Add the answers of an export file (JSON, with tasks or with annotations); a second time adds nothing."""
    from climate_assets.recording_commands import _environment

    known = bindings.resources(_environment())
    code = known["reference"].countries()[country].code
    content = _content(file)
    known["lake"].ensure_bucket(LAKE)
    with Progress(console=Console(stderr=True), disable=as_json) as bar:
        task = bar.add_task(escape(file.name))
        done = import_answers(
            content,
            code,
            project,
            known["barometre"],
            known["lake"],
            dialect=dialect,
            task_kind=kind,
            progress=lambda met, of: bar.update(task, completed=met, total=of),
        )
    _print(done, as_json)


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise Permanent(f"{file} has more than {MOST_BYTES:,} bytes; export it in parts")
        return file.read_bytes()
    except OSError as error:
        raise Permanent(f"{file} cannot be read ({error.strerror}); name an export file of Label Studio") from error


def _print(done: Imported, as_json: bool) -> None:
    told: dict[str, Any] = {
        "sha256": done.sha256,
        "objects": done.objects,
        "answers": done.answers,
        "added": dict(done.added),
        "set_aside": dict(done.refused),
    }
    if as_json:
        print(json.dumps(told))
        return
    added = ", ".join(f"{count} {state}" for state, count in sorted(done.added.items())) or "nothing: the table had them all"
    console.print(f"{done.objects} objects with {done.answers} answers; added {added}")
    if done.refused:
        table = Table("answers", "why", box=None, title="set aside, their bytes are in the lake under annotations/refused/")
        for reason, count in done.refused.most_common(_REASONS_SHOWN):
            table.add_row(str(count), escape(reason))
        console.print(table)
