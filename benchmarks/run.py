"""`make bench`: measures stage by stage, shows a table, keeps the figures in `.platform/bench.json`.

Belongs here: which modules measure which stage, the file of figures, what the exit status says.
Does not belong here: what is measured and against what; each module says that of itself.
"""

import argparse
import importlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from climate_assets.failures import Permanent

STAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "broadcast": ("keywords", "adverts", "loading", "year"),
    "claims": ("student",),
    "speech": ("speech", "speakers"),
    "labelling": ("labelling",),
    "learning": ("learning",),
}
"""Modules of this folder that measure a stage; each has `measure()`, which gives a list of figures."""
COLUMNS: Final = ("name", "value", "unit", "baseline", "target", "ok")
FILE: Final = Path(__file__).parents[1] / ".platform" / "bench.json"

Figure = dict[str, Any]
"""One line: `name` is `stage.measure`; `ok` says whether `value` keeps `target`."""


def in_own_process(module: str) -> list[Figure]:
    """What a module measures in a fresh process: the memory and the caches of one are not those of the next."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(_measure, module).result()


def _measure(module: str) -> list[Figure]:
    figures: list[Figure] = importlib.import_module(f"benchmarks.{module}").measure()
    return figures


def main(
    arguments: Sequence[str] | None = None,
    file: Path = FILE,
    stages: Mapping[str, Sequence[str]] = STAGES,
    take: Callable[[str], list[Figure]] = in_own_process,
) -> int:
    """Measure the named stages, or all; 0 when every measure could be taken, whether or not its target holds."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measures against baselines in the same run.")
    # Checked below: argparse holds the empty list, which stands for all, to be no choice.
    parser.add_argument("stage", nargs="*", help=f"one or more of {', '.join(stages)}; all if none is named")
    wanted = parser.parse_args(arguments).stage or list(stages)
    unknown = [stage for stage in wanted if stage not in stages]
    if unknown:
        parser.error(f"no stage {unknown[0]!r} has a benchmark; there are {', '.join(stages)}")
    console = Console()
    earlier = read(file)
    figures, failures = measured({stage: stages[stage] for stage in wanted}, take, console)
    write(file, merged(earlier, figures, wanted))
    console.print(table_of(figures))
    for module, reason in failures.items():
        console.print(f"benchmarks/{module}.py could not measure: {reason}", style="red", markup=False, highlight=False)
    console.print(f"figures: {file}", markup=False, highlight=False)
    return 1 if failures else 0


def measured(
    modules: Mapping[str, Iterable[str]], take: Callable[[str], list[Figure]], console: Console
) -> tuple[list[Figure], dict[str, str]]:
    """The figures of all modules by stage, and why a module gave none."""
    figures: list[Figure] = []
    failures: dict[str, str] = {}
    todo = [(stage, module) for stage, names in modules.items() for module in names]
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(todo))
        for stage, module in todo:
            progress.update(task, description=f"{stage}: {module}")
            try:
                figures += well_formed(take(module), stage)
            except Exception as error:  # whatever it is, the other measures are still taken
                failures[module] = f"{type(error).__name__}: {error}"
            progress.advance(task)
    return figures, failures


def well_formed(figures: list[Figure], stage: str) -> list[Figure]:
    """The figures of one module, in the form of the file; raises `Permanent` naming one that is not."""
    for figure in figures:
        if tuple(figure) != COLUMNS or not figure["name"].startswith(f"{stage}."):
            raise Permanent(f"{figure} is no figure of stage {stage}; it needs {', '.join(COLUMNS)} and a name {stage}.measure")
    return figures


def merged(earlier: Iterable[Figure], figures: Iterable[Figure], stages: Iterable[str]) -> list[Figure]:
    """The new figures beside those of other stages: no old figure stands for a measure that was not taken now."""
    again = tuple(f"{stage}." for stage in stages)
    kept = [figure for figure in earlier if not figure["name"].startswith(again)]
    return sorted([*kept, *figures], key=lambda figure: str(figure["name"]))


def read(file: Path) -> list[Figure]:
    """The figures of a file, none if it is not there; raises `Permanent` when it holds something else."""
    if not file.exists():
        return []
    try:
        figures = json.loads(file.read_text(encoding="utf-8"))
        if all(tuple(figure) == COLUMNS for figure in figures):
            return list(figures)
    except (ValueError, TypeError):
        pass
    raise Permanent(f"{file} is not a list of figures with {', '.join(COLUMNS)}; remove it and measure again")


def write(file: Path, figures: Sequence[Figure]) -> None:
    """Put the figures in the file, all or none."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_suffix(".new")
    aside.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(aside, file)


def table_of(figures: Iterable[Figure]) -> Table:
    """The figures for people."""
    table = Table(*(Column(name, no_wrap=name == "name") for name in COLUMNS), show_lines=True)
    for figure in figures:
        ok = "[green]yes[/green]" if figure["ok"] else "[red]no[/red]"
        table.add_row(*(str(figure[column]) for column in COLUMNS[:-1]), ok)
    return table


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Permanent as error:
        sys.exit(str(error))
