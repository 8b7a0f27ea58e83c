"""`climate models`: which models there are and where they stand, and a person's word on which one is in use.

Deciding is `learning/appointing.py`; what a model is worth is told in the Dagster UI.
"""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from climate_assets.learning.appointing import appoint
from climate_assets.learning.records import ModelVersion
from climate_assets.operator_commands import _known

console = Console()
models = typer.Typer(no_args_is_help=True, help="Models of the loop: which is in use, and why.")
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


@models.command("list")
def listed(as_json: AsJson = False) -> None:
    """Every registered model, oldest first, where it stands, and why."""
    rows = _known()["barometre"].read(ModelVersion, order_by=("task_kind", "language", "created_at", "model_id"))
    if as_json:
        print(json.dumps([asdict(row) for row in rows], default=str))
        return
    table = Table("line", "model", "stands", "threshold", "round", "why", box=None)
    for row in rows:
        threshold = "" if row.threshold is None else f"{row.threshold:g}"
        stage = f"[green]{row.stage}" if row.stage == "champion" else row.stage
        table.add_row(f"{row.task_kind}-{row.language}", row.model_id, stage, threshold, row.round, row.reason)
    console.print(table)


@models.command("put")
def put(
    model: Annotated[str, typer.Argument(help="Its id, as `climate models list` shows it.")],
    by: Annotated[str, typer.Option(help="Who decides.")],
    because: Annotated[str, typer.Option(help="Why, for those who read it in a year.")],
    as_json: AsJson = False,
) -> None:
    """Put a registered model in use, or back; the decision is written down."""
    made = appoint(model, by, because, _known()["registry"])
    if as_json:
        print(json.dumps(asdict(made), default=str))
    else:
        console.print(f"{made.outcome}: {made.challenger_id} instead of {made.champion_id}")
