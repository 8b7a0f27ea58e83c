"""`climate`: the platform from the command line - up, down, status, doctor, demo, dictionary, countries.

Commands are thin: each asks a module that knows, and prints the answer for a person or, with `--json`, for a machine.
"""

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from climate_assets.failures import Permanent, Transient

ROOT = Path(__file__).parent.parent
console = Console(stderr=False)
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Ports = Annotated[list[str] | None, typer.Option("--port", help="NAME=PORT, e.g. dagster=4000; may be repeated.")]


def platform() -> Any:
    """The embedded platform of this checkout."""
    from embedded.platform import Platform
    from resources.bindings import given_by_operator

    return Platform(ROOT, ROOT / ".platform", given_by_operator(ROOT / ".env"))


def bars(quiet: bool) -> Progress:
    """Progress bars for anything that takes more than a moment; on standard error, so that JSON stays clean."""
    columns = (SpinnerColumn(), TextColumn("{task.description:<16}"), BarColumn(24), TextColumn("{task.fields[said]}"))
    return Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), disable=quiet)


@app.command()
def up(port: Ports = None, as_json: AsJson = False) -> None:
    """Start the embedded platform and wait until every part answers."""
    from embedded.start import start

    wanted = dict(_port(text) for text in port or [])
    with bars(as_json) as progress:
        start(platform(), wanted, progress)
    status(as_json)


@app.command()
def down(as_json: AsJson = False) -> None:
    """Stop every process of the embedded platform; data stays."""
    said: dict[str, str] = {}
    platform().stop(lambda name, what: said.update({name: what}))
    if as_json:
        print(json.dumps(said))
    else:
        for name, what in said.items():
            console.print(f"{name:<16} {what}")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Say where each part is and whether it answers."""
    health = platform().health()
    if as_json:
        print(json.dumps(health))
    else:
        table = Table("part", "address", "healthy", box=None)
        for name, part in health.items():
            table.add_row(name, str(part["url"]), "[green]yes" if part["healthy"] else "[red]no - see `climate doctor`")
        console.print(table)
    if not all(part["healthy"] for part in health.values()):
        raise typer.Exit(1)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check what the platform stands on; each line says what was checked, what was found and what to do."""
    from embedded.doctor import findings

    found = list(findings(platform()))
    if as_json:
        print(json.dumps([f.__dict__ for f in found]))
    else:
        table = Table("", "checked", "found", "what to do", box=None)
        for finding in found:
            table.add_row("[green]ok" if finding.ok else "[red]!!", finding.checked, finding.found, finding.remedy)
        console.print(table)
    if not all(f.ok for f in found):
        raise typer.Exit(1)


@app.command()
def demo(
    port: Ports = None,
    loop: Annotated[
        bool, typer.Option("--loop", help="Then weeks of answers by simulated people, until a better model won.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start the platform, run the demo days through Dagster, and say what was made."""
    from demo import loop as loops
    from demo import tour
    from embedded.start import start
    from resources import bindings

    here = platform()
    with bars(as_json) as progress:
        start(here, dict(_port(text) for text in port or []), progress)
        known = bindings.resources(here.environment(here.ports()))
        before = tour.fingerprint(known["barometre"])
        seconds = tour.materialise(here, tour.days(), progress)
        if loop:
            loops.turn(here, known, progress)
    made = tour.summary(known, seconds, before)
    turned = loops.told(known) if loop else {}
    if as_json:
        print(json.dumps({"made": made, "loop": turned, "status": here.health()}, default=str))
        return
    _print_summary(made)
    for line in loops.lines_of(turned) if loop else ():
        console.print(line, highlight=False)
    status()


def _print_summary(made: dict[str, Any]) -> None:
    first = (Column(name, no_wrap=True) for name in ("country", "day"))
    table = Table(*first, *made["columns"], box=None, header_style="bold", title="made, by country and day")
    for row in made["rows"]:
        table.add_row(row["country"], row["day"], *(f"{row[c]:,}" for c in made["columns"]))
    console.print(table)
    if made["seconds"]:
        stages = Table("stage", "seconds", box=None, header_style="bold", title="Dagster steps")
        for name, took in made["seconds"].items():
            stages.add_row(name, f"{took:.1f}")
        console.print(stages)
    for code, count in made["tasks"].items():
        console.print(f"Label Studio counts {count['label_studio']} tasks of {code}; labelling_tasks has {count['tables']}")
    changed = made["tables_changed"]
    console.print(f"tables changed by this demo: {', '.join(changed) if changed else 'none, 0 rows'}")


def _port(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    from embedded.ports import WANTED

    if name not in WANTED or not number.isdigit() or not 1024 <= int(number) <= 65_535:
        raise Permanent(f"--port {text!r}: write NAME=PORT with a name of {', '.join(WANTED)} and a port of 1024-65535")
    return name, int(number)


def _operator_commands() -> None:
    from climate_assets.annotation_commands import annotations
    from climate_assets.model_commands import models
    from climate_assets.operator_commands import app as commands
    from climate_assets.recording_commands import app as recordings
    from climate_assets.voice_commands import voices

    app.registered_commands.extend(commands.registered_commands)
    app.registered_groups.extend(commands.registered_groups)
    app.registered_groups.extend(recordings.registered_groups)
    app.add_typer(voices, name="voices")
    app.add_typer(annotations, name="annotations")
    app.add_typer(models, name="models")


def main() -> None:
    """Run a command; trouble that has a remedy is one sentence, not a stack."""
    # A library of the embedded database falls back to a folder of its own, which is no news to anybody.
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
    try:
        _operator_commands()
        app()
    except (Permanent, Transient) as error:
        Console(stderr=True).print(f"[red]climate:[/] {error}", highlight=False)
        sys.exit(2 if isinstance(error, Permanent) else 75)
    except KeyboardInterrupt:
        os._exit(130)


if __name__ == "__main__":
    main()
