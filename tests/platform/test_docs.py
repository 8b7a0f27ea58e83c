"""What the pages tell people to type and where to look exists, with these names and options."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from climate_assets import cli, policies, schema
from climate_assets.countries import Country, SpeechChoice, Workload
from climate_assets.definitions import CHECKS, STAGES, defs
from resources.bindings import reference

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# A word in backticks is taken for a path if it looks like one: a folder, or a file with an ending of this repository.
LIKE_A_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*/?")
ENDINGS = {".py", ".md", ".yaml", ".toml", ".csv", ".lock", ".in", ".example"}
# Made by running, or the reader's own.
NOT_IN_THE_TREE = {".env", ".platform/", ".venv/bin", "old.csv", "new.csv"}
IN_THE_BUCKET = {
    "annotations/refused/",
    "inbox/recordings/",
    "posts/inbox/",
    "posts/raw/",
    "refused/recordings/",
    "results/YYYYMMDD/",
    "training_sets/",
}


def fenced(page: Path) -> Iterator[str]:
    """Lines of the fenced blocks of a page, comments cut."""
    for block in re.findall(r"```\w*\n(.*?)```", page.read_text(encoding="utf-8"), re.S):
        for line in block.splitlines():
            yield line.split(" #")[0].strip()


def quoted(page: Path) -> list[str]:
    """What stands between single backticks outside fenced blocks."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    return re.findall(r"`([^`\n]+)`", text)


def said(start: str) -> list[tuple[str, str]]:
    """Page and command of every command with that first word, fenced or in backticks."""
    found = []
    for page in PAGES:
        for line in [*fenced(page), *quoted(page)]:
            words = line.removeprefix(".venv/bin/")
            if words.split(" ")[0] == start and " " in words:
                found.append((page.name, words))
    return sorted(set(found))


def targets() -> set[str]:
    return set(re.findall(r"^([a-z][\w-]*):(?!=)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))


@pytest.mark.parametrize(("page", "command"), said("make"))
def test_make_commands_name_a_target(page: str, command: str) -> None:
    words = shlex.split(command)
    named = [w for w in words[1:] if re.fullmatch(r"[a-z]+", w)]
    assert named
    assert set(named) <= targets(), page


def tree() -> click.Command:
    """The whole command line, as `climate` composes it."""
    cli._operator_commands()
    return typer.main.get_command(cli.app)


@pytest.fixture(scope="module")
def climate() -> click.Command:
    return tree()


@pytest.mark.parametrize(("page", "command"), said("climate"))
def test_climate_commands_exist_with_their_options(page: str, command: str, climate: click.Command) -> None:
    words = [w for w in shlex.split(command)[1:] if w not in ("…", "...")]
    here = climate
    while hasattr(here, "commands") and words and words[0] in here.commands:
        here = here.commands[words.pop(0)]
    assert here is not climate, f"{page}: no such command"
    if hasattr(here, "commands"):
        assert not words, f"{page}: {here.name} has no {words}"
        return
    options = {option: parameter for parameter in here.params for option in parameter.opts if option.startswith("--")}
    asked = [w for w in words if w.startswith("--")]
    assert set(asked) <= set(options), page
    plain, skip = 0, False
    for word in words:
        takes_value = word in options and not getattr(options[word], "is_flag", False)
        plain += not skip and not word.startswith("--")
        skip = takes_value
    accepted = sum(not p.opts[0].startswith("--") for p in here.params)
    assert plain <= accepted, page


def test_the_fixed_commands_are_there(climate: click.Command) -> None:
    assert {"up", "down", "status", "doctor", "demo"} <= set(climate.commands)  # type: ignore[attr-defined]
    assert {"demo", "test", "up", "down", "check", "bench"} <= targets()
    for name in ("up", "down", "status", "doctor", "demo"):
        command = climate.commands[name]  # type: ignore[attr-defined]
        assert "--json" in {o for p in command.params for o in p.opts}, name


def test_dagster_commands_exist() -> None:
    assert [c for _, c in said("dagster")] == ["dagster instance concurrency set <pool> <limit>"]
    from dagster._cli import create_dagster_cli

    here: click.Command = create_dagster_cli()
    for word in ("instance", "concurrency", "set"):
        here = here.commands[word]  # type: ignore[attr-defined]
    assert len([p for p in here.params if isinstance(p, click.Argument)]) == 2


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_resolve(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    broken = []
    for link in links:
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = (page.parent / path) if path else page
        heads = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.M) if target.is_file() else []
        slugs = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in heads}
        if not target.exists() or (anchor and anchor not in slugs):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_paths_exist(page: Path) -> None:
    tracked = [str(p.relative_to(ROOT)) for folder in ROOT.iterdir() if folder.name[0] != "." for p in _files(folder)]
    missing = []
    for text in quoted(page):
        looks = LIKE_A_PATH.fullmatch(text) and (text.endswith("/") or Path(text).suffix in ENDINGS or text in ("Dockerfile",))
        if not looks or text in NOT_IN_THE_TREE | IN_THE_BUCKET or (ROOT / text).exists():
            continue
        # A page may name a file by the end of its path, as `claims/prompts.py`.
        if not any(f"/{name}".endswith(f"/{text}") or f"/{text}" in f"/{name}" for name in tracked):
            missing.append(text)
    assert missing == []


def _files(folder: Path) -> list[Path]:
    return [folder] if folder.is_file() else [p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts]


def rows(page: str, head: str) -> list[str]:
    """Names in the first column of the table whose first column is headed so."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    table = re.search(rf"^\| {head} \|.*\n\|[-|]+\|\n((?:\|.*\n?)+)", text, re.M)
    assert table, f"{page} has no table headed {head}"
    return [name for line in table[1].splitlines() for name in re.findall(r"`(\w+)`", line.split("|")[1])]


def test_every_sensor_is_told_and_every_told_sensor_exists() -> None:
    assert set(rows("operate.md", "sensor")) == {sensor.name for sensor in defs().sensors or []}


def test_told_checks_exist_and_block_as_told() -> None:
    checks = {}
    for module in CHECKS:
        for check in vars(module).values():
            for spec in getattr(check, "check_specs", ()):
                checks[spec.name] = spec.blocking
    text = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    for name in rows("operate.md", "check"):
        assert name in checks, name
        told = re.search(rf"`{name}` \((\w+)\)", text)
        assert told, name
        assert told[1] in (("blocks",) if checks[name] else ("warning", "error")), name


def test_told_pools_schedules_tables_and_assets_exist() -> None:
    text = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    told = re.search(r"at once: (.*?);", text, re.S)
    assert told
    assert {n: int(v) for n, v in re.findall(r"`(\w+)` (\d+)", told[1])} == policies.POOLS
    assert "fetch_<country>" in text
    tables = {t.name for t in schema.metadata.sorted_tables}
    assets = {key.to_user_string() for key in defs().resolve_asset_graph().get_all_asset_keys()}
    sensors_and_checks = {*rows("operate.md", "sensor"), *rows("operate.md", "check")}
    choices = {*SpeechChoice.model_fields, *Country.model_fields, *Workload.model_fields}
    jobs = {job.name for job in defs().jobs or []}
    settings = {"max_concurrent_runs", *STAGES, *policies.POOLS, *choices, *jobs}
    for page in PAGES[1:]:
        for word in quoted(page):
            if re.fullmatch(r"[a-z]+(_[a-z]+)+", word):
                known = tables | assets | sensors_and_checks | settings
                assert word in known or (ROOT / "climate_assets" / f"{word}.py").exists(), f"{page.name}: {word}"


def test_the_block_of_a_country_in_the_page_is_read(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "countries.md").read_text(encoding="utf-8")
    block = re.search(r"```yaml\n(.*?)```", text, re.S)
    assert block
    (tmp_path / "countries.yaml").write_text(block[1], encoding="utf-8")
    countries = reference({"CLIMATE_COUNTRIES": str(tmp_path / "countries.yaml")}).countries()
    assert countries.codes == ["nordland"]


def test_the_columns_of_a_grid_and_of_a_dictionary_are_those_that_are_read() -> None:
    from climate_assets.broadcast.dictionaries import COLUMNS

    text = (ROOT / "docs" / "countries.md").read_text(encoding="utf-8")
    example = next((ROOT / "demo" / "grids").glob("*.csv")).read_text(encoding="utf-8").splitlines()[0]
    assert example in text
    assert ",".join(COLUMNS) in text
