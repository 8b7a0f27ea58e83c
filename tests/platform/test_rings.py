"""The house keeps its layers: three rings, stages that import leftwards, nothing heavy and no environment at import."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STAGES = ["broadcast", "knowledge", "claims", "speech", "labelling", "posts", "learning", "crowd", "marts"]
# What stands in a stage's folder and belongs to the third ring: assets, checks, and the joins they delegate to.
THIRD_RING = {
    *("assets", "checks", "captures", "judging", "in_use", "handover"),
    *("recording_assets", "intake", "clip_states", "decoding", "model_runs", "hearing", "speaking", "attributing"),
    *("gathering", "reading_days", "entity_assets", "entity_checks", "finding", "asking", "span_settling"),
    *("learners", "verdict_learning", "label_reading", "turning", "appointing"),
    *("entity_learning", "entity_reading", "dividing", "rehearsing"),
    *("forgetting", "listening", "projects", "collecting", "settling", "assigning", "adjudicating", "importing", "delivering"),
}
# Parsers, the matching library and the classifier's trainer: values in, values out, like numpy.
PURE_LIBRARIES = {
    "numpy",
    "pandas",
    "pyarrow",
    "polars",
    "orjson",
    "yaml",
    "ahocorasick_rs",
    "sklearn",
    "scipy",
    "rapidfuzz",
    "reportlab",
}
PURE_NEIGHBOURS = {"climate_assets.failures", "climate_assets.countries", "climate_assets.states"}
HEAVY = {
    "torch",
    "transformers",
    "faster_whisper",
    "pyannote",
    "sklearn",
    "label_studio_sdk",
    "matplotlib",
    "spacy",
    "av",
    "reportlab",
}


def modules(*folders: str) -> list[Path]:
    return sorted(p for folder in folders for p in (ROOT / folder).rglob("*.py") if "migrations" not in p.parts)


def imports(path: Path, top_level: bool = False) -> set[str]:
    """Full names of the modules a file imports; with `top_level`, only those imported when it is imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = _executed_at_import(tree) if top_level else ast.walk(tree)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _executed_at_import(node: ast.AST):  # type: ignore[no-untyped-def]
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _executed_at_import(child)


def pure_modules() -> list[Path]:
    stages = [p for p in modules("climate_assets") if p.parent.name in STAGES and p.stem not in THIRD_RING]
    return [p for p in stages if p.stem != "__init__"] + [ROOT / "climate_assets" / f"{n}.py" for n in ("failures", "states")]


@pytest.mark.parametrize("path", pure_modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_pure_ring_knows_nothing_of_the_outside(path: Path) -> None:
    stray = set()
    for name in imports(path):
        top = name.split(".")[0]
        own = name.startswith(tuple(f"climate_assets.{s}" for s in STAGES)) or any(name.startswith(n) for n in PURE_NEIGHBOURS)
        if top not in sys.stdlib_module_names and top not in PURE_LIBRARIES and not own and name != "climate_assets":
            stray.add(name)
    assert not stray, f"{path.name} is of the pure ring and imports {stray}"
    text = path.read_text(encoding="utf-8")
    for banned in (r"\bos\.environ", r"\bgetenv\(", r"\bdatetime\.now\(", r"\bdate\.today\(", r"\btime\.time\(", r"\bopen\("):
        assert not re.search(banned, text), f"{path.name} reads the outside: {banned}"


@pytest.mark.parametrize("path", modules("resources"), ids=lambda p: p.name)
def test_a_resource_takes_only_its_base_class_from_dagster(path: Path) -> None:
    taken = {n for n in imports(path) if n.split(".")[0] == "dagster" and n != "dagster"}
    allowed = {"dagster.ConfigurableResource", "dagster.EnvVar", "dagster.ResourceDependency"}
    assert taken <= allowed
    assert not any(re.match(r"climate_assets\.\w+\.(assets|checks|captures|judging|handover)", n) for n in imports(path))


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        p.relative_to(ROOT).as_posix()
        for p in modules("climate_assets", "resources", "sensors")
        if re.search(r"os\.environ|getenv", p.read_text(encoding="utf-8"))
    }
    assert readers == {"resources/bindings.py"}


@pytest.mark.parametrize("stage", STAGES)
def test_stages_import_leftwards_only(stage: str) -> None:
    allowed = set(STAGES[: STAGES.index(stage) + 1])
    if stage == "crowd":
        allowed = {"crowd", "claims", "knowledge", "broadcast"}
    for path in modules(f"climate_assets/{stage}"):
        taken = {m.group(1) for n in imports(path) if (m := re.match(r"climate_assets\.(\w+)", n)) and m.group(1) in STAGES}
        assert taken <= allowed, f"{path.relative_to(ROOT)} imports {taken - allowed}"


def test_nothing_imports_definitions() -> None:
    importers = [p for p in modules("climate_assets", "resources", "sensors") if "climate_assets.definitions" in imports(p)]
    assert importers == []


@pytest.mark.parametrize("path", modules("climate_assets", "resources", "sensors"), ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_heavy_is_imported_at_import(path: Path) -> None:
    if path.parent.name == "workers":
        return  # programs that run in a process of their own; that nothing imports them is tested below
    assert not {n.split(".")[0] for n in imports(path, top_level=True)} & HEAVY


@pytest.mark.parametrize(
    "path", modules("climate_assets", "resources", "sensors", "embedded"), ids=lambda p: str(p.relative_to(ROOT))
)
def test_workers_are_started_and_never_imported(path: Path) -> None:
    if path.parent.name != "workers":
        assert not {n for n in imports(path, top_level=True) if n.startswith("resources.workers.")}


def test_importing_every_module_touches_nothing_outside() -> None:
    """Law 7: no network, no environment, no clock, no model - watched from inside a fresh interpreter."""
    script = """
import sys, importlib, pkgutil, socket, os
def refuse(*a, **k): raise AssertionError("network at import")
import climate_assets.definitions  # dagster itself reads its environment first
for name in [n for n in sys.modules if n.split(".")[0] in ("climate_assets", "resources", "sensors")]:
    del sys.modules[name]
socket.socket.connect = refuse
OURS = tuple(os.path.join(os.getcwd(), f) + os.sep for f in ("climate_assets", "resources", "sensors"))
class Watched(dict):  # libraries may look (pydantic does); our own modules may not
    def __getitem__(self, key): self.look(key); return super().__getitem__(key)
    def get(self, key, default=None): self.look(key); return super().get(key, default)
    def look(self, key):
        if sys._getframe(2).f_code.co_filename.startswith(OURS): raise AssertionError(f"environment read at import: {key}")
os.environ = Watched(os.environ)
import climate_assets, resources, sensors
for package in (climate_assets, resources, sensors):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if "migrations" not in found.name:
            importlib.import_module(found.name)
assert not {"torch", "sklearn", "label_studio_sdk", "pyannote"} & set(sys.modules), "heavy import"
print("clean")
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip().endswith("clean"), done.stderr[-2000:]


def test_there_is_no_room_without_a_name() -> None:
    nameless = {"utils", "util", "helpers", "helper", "common", "core", "base", "manager", "misc"}
    found = [p for p in modules("climate_assets", "resources", "sensors", "embedded", "demo") if p.stem in nameless]
    assert found == []
