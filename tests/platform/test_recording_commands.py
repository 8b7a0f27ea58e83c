"""`climate recordings` as a person types it, against the real database, object store and a Dagster instance."""

import json
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner

from climate_assets import cli
from climate_assets.failures import Permanent
from climate_assets.recording_commands import app, transcript
from climate_assets.speech.progress import RECORDING_ASSETS
from climate_assets.speech.records import RECORDINGS, AttributedClip, Recording, Utterance
from climate_assets.states import StageState, State
from resources.postgres import Barometre
from resources.s3 import LAKE, Lake
from tests.conftest import _ACCESS, _SECRET
from tests.platform.recording_line import made


@pytest.fixture
def operator(barometre: Barometre, lake: Lake, object_store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of an operator in a container: variables, and a Dagster home of its own."""
    lake.ensure_bucket(LAKE)
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    variables = {"DATABASE_URL": barometre.url, "S3_ENDPOINT_URL": object_store_url, "DAGSTER_HOME": str(home)}
    for name, value in {**variables, "AWS_ACCESS_KEY_ID": _ACCESS, "AWS_SECRET_ACCESS_KEY": _SECRET}.items():
        monkeypatch.setenv(name, value)
    return home


def run(*words: str, succeeds: bool = True) -> str:
    done = CliRunner().invoke(app, ["recordings", *words], env={"COLUMNS": "200"})
    if succeeds:
        assert done.exception is None, done.exception
        return done.stdout
    assert isinstance(done.exception, Permanent), done.exception
    return str(done.exception)


def sound(tmp_path: Path, name: str, content: bytes = b"OggS sound") -> tuple[str, str]:
    """A file and its id; ids of the suite's shared bucket are salted by the folder's name."""
    file = tmp_path / name
    file.write_bytes(content + str(tmp_path).encode())
    return str(file), sha256(file.read_bytes()).hexdigest()


def utterance(recording_id: str, number: int, text: str, **more: Any) -> Utterance:
    speaker = f"SPEAKER_0{number % 2}"
    values: dict[str, Any] = {
        "channel": "Débat", "start": 60.0 * number, "end": 60.0 * number + 5, "speaker": speaker, "person_id": None,
        "name": speaker, "role": "", "text": text, "words": 2, "overlap": False, "others": [], "overlap_seconds": 5.0,
        "margin": 5.0,
    }  # fmt: skip
    return Utterance(recording_id, RECORDINGS, date(2026, 11, 20), number=number, **{**values, **more})


def test_a_recording_from_adding_to_reading(operator: Path, barometre: Barometre, lake: Lake, tmp_path: Path) -> None:
    file, key = sound(tmp_path, "Débat [red]du soir [nope.ogg")
    said = run("add", file, "--language", "fr", "--day", "2026-11-20")
    assert key[:12] in said
    assert "Débat [red]du soir [nope" in said, "markup in a name is text"
    added = json.loads(run("add", file, "--title", "Débat [red]du soir", "--json"))
    assert (added["id"], added["new"], added["language"], added["title"]) == (key, False, "french", "Débat [red]du soir")
    [listed] = json.loads(run("list", "--json"))
    assert (listed["id"], listed["status"], listed["share"]) == (key, "PENDING", 0.0)
    assert "Débat [red]du soir" in run("list"), "markup in a title is text"
    with dg.DagsterInstance.from_config(str(operator)) as instance:
        made(tmp_path / "fates.json", instance, key, {RECORDING_ASSETS[2]: "fail"})
        told = json.loads(run("show", key[:6], "--json"))
        assert (told["status"], told["stage"], told["done"]) == ("ERROR", RECORDING_ASSETS[2], list(RECORDING_ASSETS[:2]))
        assert f"ERROR({RECORDING_ASSETS[2]})" in run("show", key[:6])
        assert f"{RECORDING_ASSETS[2]} cannot be made; mend it" in run("list")
        made(tmp_path / "fates.json", instance, key, {})
    joined = AttributedClip(
        key, RECORDINGS, date(2026, 11, 20), key, f"results/20261120/{key}/", 2, 2, None, None, *("", "", ""), False, "", "",
    )  # fmt: skip
    barometre.upsert([joined], AttributedClip)
    lake.put(LAKE, f"results/20261120/{key}/fusion.json", b"[]")
    barometre.upsert([utterance(key, 0, "il fait [bold]chaud"), utterance(key, 1, "mais non")], Utterance)
    shown = run("show", key)
    assert "COMPLETED  █████ 100%" in shown
    assert f"s3://climate-lake/results/20261120/{key}/fusion.json" in shown
    assert "[00:00:00] SPEAKER_00:\n  il fait [bold]chaud" in shown
    assert "[00:01:00] SPEAKER_01:\n  mais non" in shown
    told = json.loads(run("show", key, "--json"))
    assert (told["status"], len(told["utterances"]), told["results"][0][-11:]) == ("COMPLETED", 2, "fusion.json")


def test_what_is_left_out_is_said(operator: Path, barometre: Barometre, tmp_path: Path) -> None:
    file, key = sound(tmp_path, "a.ogg")
    run("add", file)
    skipped = StageState(RECORDING_ASSETS[2], key, RECORDINGS, date(2026, 11, 20), State.SKIPPED, "no extra speakers", 0)
    barometre.upsert([skipped], StageState)
    with dg.DagsterInstance.from_config(str(operator)) as instance:
        made(tmp_path / "fates.json", instance, key, {})
    shown = run("show", key)
    assert "COMPLETED" in shown
    assert "recording_turns is left out: no extra speakers" in shown


def test_ids_are_found_by_their_beginning(operator: Path, barometre: Barometre) -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    ids = ["ab" * 32, "ab" * 31 + "cd", "ef" * 32]
    rows = [Recording(i, "a.ogg", f"title {i[-2:]}", "", now.date(), LAKE, "k", 5, now) for i in ids]
    barometre.upsert(rows, Recording)
    assert "title ef" in run("show", "E")
    assert json.loads(run("show", ids[1], "--json"))["id"] == ids[1]
    assert "more than one recording" in run("show", "abab", succeeds=False)
    assert "no recording has an id" in run("show", "0", succeeds=False)
    assert len(json.loads(run("list", "--limit", "2", "--json"))) == 2
    for wrong in ("", "%", "ab'; --", "a" * 65, "\x1b[31m"):
        assert "is no id of a recording" in run("show", wrong, succeeds=False)


def test_an_empty_list_says_what_to_do(operator: Path) -> None:
    assert "climate recordings add FILE" in run("list")
    assert json.loads(run("list", "--json")) == []


def test_what_cannot_be_added_is_said(operator: Path, barometre: Barometre, tmp_path: Path) -> None:
    assert "is no file" in run("add", str(tmp_path / "absent.ogg"), succeeds=False)
    file, _ = sound(tmp_path, "a.ogg")
    assert "'klingon' is not known" in run("add", file, "--language", "klingon", succeeds=False)
    assert barometre.read(Recording) == []
    file, _ = sound(tmp_path, "notes.txt")
    assert "does not end as sound does" in run("add", file)


def test_the_commands_are_of_the_climate_command() -> None:
    cli._operator_commands()
    assert "recordings" in {group.name for group in cli.app.registered_groups}


def test_a_transcript_is_read_as_a_conversation() -> None:
    lines = transcript(
        [
            utterance("a", 0, "un", name="Anne Exemple", role="politician"),
            utterance("a", 2, "deux\x1b[31m", name="Anne Exemple", role="politician"),
            utterance("a", 1, "trois", start=3725.9, overlap=True, others=["SPEAKER_00"]),
        ]
    )
    assert lines == [
        "\n[00:00:00] Anne Exemple (politician):", "  un", "  deux [31m",
        "\n[01:02:05] SPEAKER_01:", "  trois  [with SPEAKER_00]",
    ]  # fmt: skip
