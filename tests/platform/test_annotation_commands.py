"""`climate annotations import` as a person types it, against the real database and object store."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from climate_assets.annotation_commands import annotations
from climate_assets.failures import Permanent
from climate_assets.labelling.records import Annotation, LabellingTask, RefusedAnnotation
from resources.postgres import Barometre
from resources.s3 import Lake
from tests.conftest import _ACCESS, _SECRET
from tests.labelling.test_exports import ANSWER, TASK
from tests.labelling.test_gold import asked

COUNTRIES = """
countries:
  borealie:
    iso3: BRL
    language: french
    zone: Europe/Paris
    bucket: climateguard-borealie
    project: Boréalie
    channels: [{name: canal-un, title: Canal Un}]
"""


@pytest.fixture
def folder(barometre: Barometre, lake: Lake, object_store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of an operator in a container, and a folder for files."""
    file = tmp_path / "countries.yaml"
    file.write_text(COUNTRIES, encoding="utf-8")
    variables = {"DATABASE_URL": barometre.url, "S3_ENDPOINT_URL": object_store_url, "CLIMATE_COUNTRIES": str(file)}
    for name, value in {**variables, "AWS_ACCESS_KEY_ID": _ACCESS, "AWS_SECRET_ACCESS_KEY": _SECRET}.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def run(file: Path, *words: str) -> str:
    asked = ["import", str(file), "--country", "borealie", "--project", "6", *words]
    done = CliRunner().invoke(annotations, asked, env={"COLUMNS": "200"})
    if done.exception is not None:
        raise done.exception
    return done.stdout


def test_a_file_is_added_once_and_what_cannot_be_read_is_told(folder: Path, barometre: Barometre) -> None:
    file = folder / "export.json"
    poisoned = {**ANSWER, "id": 13, "completed_by": "nobody"}
    file.write_text(json.dumps([{**TASK, "annotations": [ANSWER, poisoned]}]))
    told = json.loads(run(file, "--json"))
    assert (told["objects"], told["answers"], told["added"]) == (1, 1, {"submitted": 1})
    [(why, times)] = told["set_aside"].items()
    assert times == 1
    assert "completed_by" in why
    assert [row.annotation_id for row in barometre.read(Annotation)] == [12]
    assert [row.annotation_id for row in barometre.read(RefusedAnnotation)] == [13]
    said = run(file)
    assert "nothing: the table had them all" in said
    assert "completed_by" in said


def test_a_legacy_file_is_read_in_its_dialect(folder: Path, barometre: Barometre) -> None:
    task = {
        "id": 4,
        "data": {"item": {"id": "k1", "country": "boreal", "plaintext": "un texte", "plaintext_whisper": "un texte"}},
    }
    choice = {"id": "c", "from_name": "choice", "to_name": "table", "type": "choices", "value": {"choices": ["Correct"]}}
    file = folder / "legacy.json"
    file.write_text(json.dumps([{**task, "annotations": [{**ANSWER, "result": [choice]}]}]))
    run(file, "--dialect", "french")
    [row] = barometre.read(Annotation)
    assert (row.item_id, row.source) == ("k1", "file")
    barometre.upsert([LabellingTask(**{**{f: getattr(asked(), f) for f in asked().__slots__}, "project_id": 6})], LabellingTask)
    with pytest.raises(Permanent, match="another number"):
        run(file, "--dialect", "french")


def test_a_file_that_is_not_there_or_of_no_country_is_told(folder: Path) -> None:
    with pytest.raises(Permanent, match="cannot be read"):
        run(folder / "none.json")
    with pytest.raises(Permanent, match="no country"):
        run(folder / "none.json", "--country", "atlantis")
