"""`make bench`: every registered module measures, figures are well formed, and the file keeps what was not measured anew."""

import importlib
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from benchmarks import airwaves, learning, loading, reconciling, run, year
from climate_assets.broadcast import dumps
from climate_assets.broadcast.answers import items_of
from climate_assets.broadcast.transcripts import decode
from climate_assets.claims.statements import statements_from_csv
from climate_assets.claims.student_lessons import as_statements
from climate_assets.claims.student_training import near_twins
from climate_assets.failures import Permanent
from resources.s3 import LAKE, Lake
from tests.label_studio_server import Running

FOLDER = Path(run.__file__).parent
MODULES = [(stage, module) for stage, modules in run.STAGES.items() for module in modules]


def figure(name: str, value: float = 1.0, ok: bool = True) -> run.Figure:
    return {"name": name, "value": value, "unit": "x", "baseline": "b", "target": ">= 1", "ok": ok}


def giving(*figures: run.Figure) -> Callable[[str], list[run.Figure]]:
    """Every module measures the same."""
    return lambda module: list(figures)


@pytest.mark.parametrize(("stage", "module"), MODULES)
def test_every_registered_module_measures_without_being_told_anything(stage: str, module: str) -> None:
    measure = importlib.import_module(f"benchmarks.{module}").measure
    assert all(p.default is not inspect.Parameter.empty for p in inspect.signature(measure).parameters.values())


def test_every_module_that_measures_is_registered() -> None:
    measures = {path.stem for path in FOLDER.glob("*.py") if "\ndef measure(" in path.read_text(encoding="utf-8")}
    assert measures == {module for _, module in MODULES}


def test_the_issues_measures_are_named_in_the_modules() -> None:
    text = "".join((FOLDER / f"{module}.py").read_text(encoding="utf-8") for _, module in MODULES)
    named = ("keywords_vs_regex", "keywords_vs_raw_scan", "keywords_chunks_per_s", "load_vs_copy", "year_projection")
    loop = ("reconcile_vs_paging", "reconcile_growth", "student_chunks_per_s", "train_20k")
    assert [n for n in (*named, "push_vs_sdk", "adverts_per_million", *loop) if n not in text] == []


def test_learning_composes_what_it_learns_from_and_judges_on() -> None:
    statements = statements_from_csv(learning.STATEMENTS.read_text(encoding="utf-8"), "french.csv")
    lessons = learning.composed_lessons(statements, 40)
    assert lessons == learning.composed_lessons(statements, 40)
    taught = [statement for lesson in lessons for statement in as_statements(lesson)]
    assert [s.category for s in taught] == [lesson.category for lesson in lessons]
    assert len(set(near_twins(taught))) == len(taught)
    assert all(lesson.passages[0] in lesson.text for lesson in lessons)


def test_learning_reads_as_many_answers_as_it_filled_in(label_studio_server: Running, lake: Lake) -> None:
    lake.ensure_bucket(LAKE)
    done = reconciling.reconciled(label_studio_server, lake, 7)
    assert (done.answers, done.paging > 0, done.ours > 0) == (7, True, True)
    figures = run.well_formed(learning._reconciling(done, done), "learning")
    assert [one["name"] for one in figures] == ["learning.reconcile_vs_paging", "learning.reconcile_growth"]
    assert figures[1]["value"] == 1


def test_loading_measures_on_a_real_database() -> None:
    figures = run.well_formed(loading.measure(channels=2, chunks=20, rounds=2), "broadcast")
    by_name = {one["name"]: one for one in figures}
    assert set(by_name) == {"broadcast.load_vs_copy", "broadcast.merge_vs_copy", "broadcast.replay_rows_changed"}
    assert by_name["broadcast.load_vs_copy"]["value"] > 0
    assert "40 chunks" in by_name["broadcast.load_vs_copy"]["baseline"]
    assert by_name["broadcast.replay_rows_changed"]["value"] == 0
    assert by_name["broadcast.replay_rows_changed"]["ok"] is True


def test_a_dump_of_the_stock_decodes_to_another_day_of_another_channel() -> None:
    country, day = airwaves.synthetic_country(3), airwaves.FIRST_DAY.replace(day=9)
    channel = country.channels[2]
    content = airwaves.stock(airwaves.stock_channels()[0], 30)
    own = decode(items_of(dumps.from_parquet(airwaves.dump(content, channel.name, day))), country, channel, day, "v")
    first, end = country.monitored(channel, day)
    assert (len(own.chunks), own.refused, own.set_aside) == (30, [], [])
    assert all(c.channel == "canal-02" and c.day == day and first <= c.start < end and c.timing == "asr" for c in own.chunks)
    assert sum(len(c.word_times) for c in own.chunks) / 30 == pytest.approx(375, rel=0.1)
    assert len(content) / 30 == pytest.approx(25_000, rel=0.1)


def test_the_year_is_18_channels_of_17_hours() -> None:
    assert year.YEAR == 18 * 17 * 30 * 365


def test_figures_come_into_the_file_beside_those_of_other_stages(tmp_path: Path) -> None:
    file = tmp_path / "made" / "bench.json"
    old = [figure("speech.jfk_wer"), figure("broadcast.gone"), figure("broadcast.kept", 1.0)]
    run.write(file, old)
    # A target that is missed is a figure like any other.
    take = giving(figure("broadcast.kept", 2.0, ok=False))
    assert run.main(["broadcast"], file, {"broadcast": ["one"], "speech": ["two"]}, take) == 0
    assert json.loads(file.read_text()) == [figure("broadcast.kept", 2.0, ok=False), figure("speech.jfk_wer")]


def test_without_a_name_all_stages_are_measured(tmp_path: Path) -> None:
    stages = {"a": ["one"], "b": ["two", "three"]}
    assert (
        run.main([], tmp_path / "bench.json", stages, lambda module: [figure(f"{'a' if module == 'one' else 'b'}.{module}")])
        == 0
    )
    assert [one["name"] for one in run.read(tmp_path / "bench.json")] == ["a.one", "b.three", "b.two"]


def test_a_measure_that_cannot_be_taken_fails_and_leaves_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def take(module: str) -> list[run.Figure]:
        if module == "broken":
            raise RuntimeError("the database is away")
        return [figure("a.sound")]

    assert run.main(["a"], tmp_path / "bench.json", {"a": ["broken", "sound"]}, take) == 1
    assert run.read(tmp_path / "bench.json") == [figure("a.sound")]
    assert "broken.py could not measure: RuntimeError: the database is away" in capsys.readouterr().out.replace("\n", " ")


def test_a_module_is_measured_in_a_process_of_its_own_and_its_error_comes_back() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"benchmarks\.absent"):
        run.in_own_process("absent")
    assert run.in_own_process("student")[0]["name"] == "claims.student_chunks_per_s"


def test_an_unknown_stage_is_refused_and_the_stages_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run.main(["brodcast"], tmp_path / "bench.json")
    said = " ".join(capsys.readouterr().err.split())
    assert stop.value.code == 2
    assert "no stage 'brodcast'" in said
    assert ", ".join(run.STAGES) in said
    assert not (tmp_path / "bench.json").exists()


@pytest.mark.parametrize(
    "wrong",
    [{"name": "broadcast.x"}, figure("speech.of_another_stage"), {**figure("broadcast.x"), "more": 1}],
    ids=["columns missing", "another stage", "a column too many"],
)
def test_a_malformed_figure_is_refused(wrong: run.Figure) -> None:
    with pytest.raises(Permanent, match=r"no figure of stage broadcast.*stage|broadcast\.measure"):
        run.well_formed([wrong], "broadcast")


@pytest.mark.parametrize("content", ["{", "3", '{"a": 1}', '[{"name": "a"}]', "[1]", "[null]"])
def test_a_file_that_holds_something_else_is_refused_and_left(tmp_path: Path, content: str) -> None:
    file = tmp_path / "bench.json"
    file.write_text(content)
    with pytest.raises(Permanent, match="remove it"):
        run.main(["broadcast"], file, {"broadcast": []})
    assert file.read_text() == content


stages = st.sampled_from(["broadcast", "claims", "labelling", "speech"])
figures = st.builds(lambda stage, n: figure(f"{stage}.m{n}", n), stages, st.integers(0, 5))


@given(st.lists(figures), st.lists(figures), st.sets(stages))
def test_merging_keeps_other_stages_and_all_that_is_new(old: list[Any], new: list[Any], measured: set[str]) -> None:
    new = [one for one in new if one["name"].split(".")[0] in measured]
    result = run.merged(old, new, measured)
    kept = [one for one in old if one["name"].split(".")[0] not in measured]
    assert sorted(map(str, result)) == sorted(map(str, [*kept, *new]))
    assert run.merged(result, new, measured) == result


def test_the_table_shows_each_figure() -> None:
    console = Console(width=200, record=True)
    console.print(run.table_of([figure("a.one", 0.5), figure("b.two", 7.0, ok=False)]))
    text = console.export_text()
    assert all(word in text for word in ("a.one", "0.5", "yes", "b.two", "7.0", "no"))
