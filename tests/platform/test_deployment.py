"""What a deployment is made of: every command, path, variable and requirement that its files name is there."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from resources.bindings import VARIABLES

ROOT = Path(__file__).parents[2]
# Fixed by the design: variables of stages that are not built yet are announced too.
DESIGN = [
    "DATABASE_URL", "S3_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "MEDIATREE_URL", "MEDIATREE_USER",
    "MEDIATREE_PASSWORD", "LLM_BASE_URL", "LLM_API_KEY", "LLM_MODEL", "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY",
    "WHISPER_MODEL", "DIARIZATION_MODEL", "CLIMATE_COUNTRIES",
]  # fmt: skip
# Variables of Dagster's own processes, set by the deployment files themselves.
DEPLOYMENT = {
    "CODE_LOCATION_HOST", "CODE_LOCATION_PORT", "DAGSTER_POSTGRES_URL", "DAGSTER_HOME", "PATH", "PYTHONUNBUFFERED",
    "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB",
}  # fmt: skip
PACKAGES = ["climate_assets", "resources", "sensors", "embedded", "demo"]


def instructions() -> Iterator[tuple[str, str, str]]:
    """Stage, instruction and arguments of each line of the Dockerfile."""
    joined = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    stage = ""
    for line in joined.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            stage = rest.split(" AS ")[1]
        yield stage, word, rest.strip()


COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
STAGES = {stage: rest.split(" AS ")[0] for stage, word, rest in instructions() if word == "FROM"}
OWN = {name: service for name, service in COMPOSE["services"].items() if "build" in service}


def chain(stage: str) -> list[str]:
    """A stage and those it is built on."""
    return [stage, *(chain(STAGES[stage]) if STAGES.get(stage) in STAGES else [])]


def last(stage: str, instruction: str) -> str:
    """The last word on something, of a stage or of what it is built on."""
    for name in chain(stage):
        said = [rest for of, word, rest in instructions() if of == name and word == instruction]
        if said:
            return said[-1]
    return ""


def commands() -> list[list[str]]:
    """Every command that an image or a service starts."""
    exec_form = [rest for _, word, rest in instructions() if word in ("CMD", "HEALTHCHECK")]
    found = [json.loads(rest[rest.index("[") :]) for rest in exec_form]
    return found + [service["command"] for service in OWN.values() if "command" in service]


@pytest.mark.parametrize("stage", [s for s in STAGES if s != "build"])
def test_images_run_as_a_user_who_is_not_root(stage: str) -> None:
    user = last(stage, "USER")
    assert user not in ("", "root", "0"), stage
    made = next(rest for _, word, rest in instructions() if word == "RUN" and "useradd" in rest)
    assert f" {user} " in f" {made} "


def test_every_copied_file_is_there() -> None:
    for _, word, rest in instructions():
        parts = [part for part in rest.split() if not part.startswith("--")]
        if word == "COPY" and "--from" not in rest:
            assert [p for p in parts[:-1] if not (ROOT / p).exists()] == [], rest
        if word == "COPY" and "--from" in rest:
            assert re.search(r"--from=(\w+)", rest).group(1) in STAGES  # type: ignore[union-attr]


def test_every_package_is_copied() -> None:
    copied = {part for _, word, rest in instructions() if word == "COPY" for part in rest.split()}
    assert set(PACKAGES) <= copied


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_is_a_program_of_a_locked_package(command: list[str]) -> None:
    scripts = {script.name: script for script in entry_points(group="console_scripts")}
    assert command[0] in scripts
    owner = canonicalize_name(scripts[command[0]].dist.name)  # type: ignore[union-attr]
    assert owner == "climate-assets" or owner in pins("platform")
    assert callable(scripts[command[0]].load())
    if "-m" in command:
        import_module(command[command.index("-m") + 1])
    if "-w" in command:
        file = Path(command[command.index("-w") + 1])
        assert file.parent == Path("/dagster")
        assert (ROOT / file.name).exists()


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_understands_its_options(command: list[str]) -> None:
    options = [part for part in command if part.startswith("-")]
    words = [part for part in command[1 : 1 + sum(not p.startswith("-") for p in command[1:4])] if not part.startswith("-")]
    words = words[: words.index("-m")] if "-m" in words else words
    program = str(Path(sys.executable).with_name(command[0]))
    subcommands = [w for w in words if re.fullmatch(r"[a-z][a-z-]+", w)]
    shown = subprocess.run([program, *subcommands, "--help"], capture_output=True, text=True, timeout=120, check=False)
    assert shown.returncode == 0, shown.stderr[-500:]
    assert [o for o in options if not re.search(rf"(?<![\w-]){re.escape(o)}(?![\w-])", shown.stdout)] == []


def test_services_name_targets_that_exist() -> None:
    assert {service["build"]["target"] for service in OWN.values()} <= set(STAGES)
    assert {"code", "webserver", "daemon", "migrate"} <= set(OWN)
    for name, service in COMPOSE["services"].items():
        wanted = service.get("depends_on", {})
        assert set(wanted) <= set(COMPOSE["services"]), name


def test_there_is_one_daemon_and_nothing_is_published_to_the_world() -> None:
    assert sum("dagster-daemon" in service.get("command", []) for service in OWN.values()) == 1
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert all(service.get("mem_limit") for service in OWN.values())


def test_the_database_that_is_started_holds_both_databases() -> None:
    server = COMPOSE["services"]["postgres"]
    made = {server["environment"]["POSTGRES_DB"]}
    for config in COMPOSE["configs"].values():
        made |= set(re.findall(r"CREATE DATABASE (\w+)", config["content"]))
    named = {url.rsplit("/", 1)[1] for url in COMPOSE["x-platform"]["environment"].values() if url.startswith("postgresql")}
    assert named == {"dagster", "barometre"}
    assert named <= made
    assert {c["source"] for c in server["configs"]} == set(COMPOSE["configs"])


def test_every_variable_is_known() -> None:
    known = set(VARIABLES) | DEPLOYMENT
    compose = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    named = set(re.findall(r"\$\{(\w+)", compose))
    named |= {name for service in COMPOSE["services"].values() for name in service.get("environment", {})}
    for file in ("dagster.yaml", "workspace.yaml"):
        named |= set(re.findall(r"env: (\w+)", (ROOT / file).read_text(encoding="utf-8")))
    named |= {part.split("=")[0] for _, word, rest in instructions() if word == "ENV" for part in rest.split()}
    assert named <= known
    # What the instance and the workspace ask for is set: by the deployment, or by the file of the operator.
    given = set(COMPOSE["x-platform"]["environment"]) | set(VARIABLES)
    assert {"DAGSTER_POSTGRES_URL", "CODE_LOCATION_HOST", "CODE_LOCATION_PORT", "S3_ENDPOINT_URL"} <= given


def test_the_example_of_the_environment_names_every_variable_with_one_line() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    found = {}
    for before, line in pairwise(lines):
        if match := re.fullmatch(r"([A-Z0-9_]+)=(.*)", line):
            assert match[2] == "", f"{match[1]}: an example holds no value, and a note beside it is read as one by some"
            found[match[1]] = before
    assert set(found) == set(DESIGN) | set(VARIABLES)
    assert all(re.match(r"# \S.{8,}", said) for said in found.values())


def pins(name: str) -> dict[str, str]:
    """Requirement line by canonical name of a lock file."""
    text = (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return {canonicalize_name(re.split(r"[=\[; ]", line)[0]): line for line in lines}


@pytest.mark.parametrize("name", ["platform", "label-studio"])
def test_locks_are_whole(name: str) -> None:
    locked = pins(name)
    assert all("==" in line and "--hash=sha256:" in line for line in locked.values())
    text = (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")
    assert not re.search(r"://|--(extra-)?index-url|--find-links|@ file", text), "no host belongs into a lock"
    for line in (ROOT / "requirements" / f"{name}.in").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            wanted = Requirement(line)
            held = locked[canonicalize_name(wanted.name)]
            version = re.search(r"==([^\s;]+)", held)
            assert version, held
            assert wanted.specifier.contains(version[1]), line


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of the files in a wheel built from a copy of the tree."""
    folder = tmp_path_factory.mktemp("tree")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copyfile(ROOT / name, folder / name)
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q", "-w", "wheels", "."]
    subprocess.run(build, cwd=folder, check=True, timeout=120)
    (made,) = (folder / "wheels").glob("*.whl")
    with zipfile.ZipFile(made) as archive:
        return set(archive.namelist())


def test_every_file_of_the_packages_is_in_the_wheel(wheel: set[str]) -> None:
    tracked = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [name for name in tracked.splitlines() if name not in wheel and (ROOT / name).exists()] == []


def test_the_wheel_holds_what_the_platform_reads(wheel: set[str]) -> None:
    for part in (
        "climate_assets/countries.yaml", "climate_assets/claims/prices.yaml",
        "climate_assets/reference/dictionaries/french.csv", "climate_assets/migrations/env.py",
        "climate_assets/migrations/versions/0001_spine.py", "climate_assets/labelling/guideline.md",
        "demo/countries.yaml", "demo/scripts/slots.yaml", "demo/grids/france.csv",
    ):  # fmt: skip
        assert part in wheel
    for folder in ("climate_assets/reference/grids", "climate_assets/reference/statements", "demo/grids", "demo/scripts"):
        assert any(name.startswith(f"{folder}/") and name.endswith(".csv") for name in wheel), folder
    assert not any(name.startswith(("tests/", "benchmarks/", ".platform")) for name in wheel)
