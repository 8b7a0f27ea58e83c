"""From the environment to resources: what is given, what wins, and that a secret stays a variable's name."""

import os
from pathlib import Path

import dagster as dg
import pytest

from climate_assets.definitions import defs
from resources.bindings import VARIABLES, exported, given, given_by_operator, resources

FILLED = {name: f"value-of-{name.lower()}" for name in VARIABLES}
# Variables whose value must never be shown, and where each goes.
SECRET = {
    "DATABASE_URL": ("barometre", "url"),
    "AWS_ACCESS_KEY_ID": ("lake", "access_key"),
    "AWS_SECRET_ACCESS_KEY": ("lake", "secret_key"),
    "MEDIATREE_USER": ("mediatree", "user"),
    "MEDIATREE_PASSWORD": ("mediatree", "password"),
    "LLM_API_KEY": ("llm", "api_key"),
    "LABEL_STUDIO_API_KEY": ("label_studio", "api_key"),
    "ALERT_WEBHOOK_URL": ("notifier", "webhook_url"),
    "HUGGINGFACE_TOKEN": ("diarizer", "token"),
    "DOORBELL_SECRET": ("doorbell", "secret"),
    "POSTS_KEY": ("post_sources", "key"),
}
PLAIN = {
    "S3_ENDPOINT_URL": ("lake", "endpoint_url"),
    "MEDIATREE_URL": ("mediatree", "url"),
    "LLM_BASE_URL": ("llm", "base_url"),
    "LLM_MODEL": ("llm", "model"),
    "LABEL_STUDIO_URL": ("label_studio", "url"),
    "WHISPER_MODEL": ("whisper", "model"),
    "DIARIZATION_MODEL": ("diarizer", "model"),
    "DOORBELL_URL": ("doorbell", "url"),
    "CLIMATE_COUNTRIES": ("reference", "countries_file"),
    "CLIMATE_GRIDS": ("reference", "grids_folder"),
}
# Variables that are read, and what becomes of a text.
READ = {
    "MEDIA_HOSTS": ("audio", "allowed_hosts", " a.example.org, .example.com ", ["a.example.org", ".example.com"]),
    "VOICE_BANK": ("voice_bank", "enabled", "on", True),
}


@pytest.fixture
def filled(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process's environment with every variable set."""
    for name, value in FILLED.items():
        monkeypatch.setenv(name, value)


def test_every_variable_goes_somewhere() -> None:
    assert set(SECRET) | set(PLAIN) | set(READ) == set(VARIABLES)


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, {}),
        ({"LLM_MODEL": ""}, {}),
        ({"LLM_MODEL": "m", "PATH": "/bin", "llm_model": "other"}, {"LLM_MODEL": "m"}),
        (FILLED, FILLED),
    ],
    ids=["nothing", "an empty one is not given", "foreign ones are left out", "all"],
)
def test_given(environment: dict[str, str], found: dict[str, str]) -> None:
    assert given(environment) == found


@pytest.mark.parametrize("name", READ)
def test_a_value_is_read(name: str) -> None:
    resource, field, given_text, expected = READ[name]
    assert getattr(resources({name: given_text})[resource], field) == expected
    assert getattr(resources({})[resource], field) != expected


@pytest.mark.parametrize("name", [*SECRET, *PLAIN])
def test_a_command_gets_the_value(name: str) -> None:
    resource, field = (SECRET | PLAIN)[name]
    assert getattr(resources(FILLED)[resource], field) == FILLED[name]


@pytest.mark.parametrize("name", SECRET)
def test_a_code_location_gets_the_name_of_a_secret(filled: None, name: str) -> None:
    resource, field = SECRET[name]
    held = getattr(resources()[resource], field)
    assert isinstance(held, dg.EnvVar)
    assert held.env_var_name == name


def test_what_the_ui_is_told_of_resources_holds_no_secret(filled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from dagster._core.remote_representation.external_data import RepositorySnap
    from dagster_shared.serdes import serialize_value

    # Countries and grids have to be files that exist, or nothing loads.
    monkeypatch.delenv("CLIMATE_COUNTRIES")
    monkeypatch.delenv("CLIMATE_GRIDS")
    told = serialize_value(RepositorySnap.from_def(defs().get_repository_def()))
    assert FILLED["LABEL_STUDIO_URL"] in told, "the snapshot has the resources' settings"
    assert [name for name in SECRET if FILLED[name] in told] == []


def test_without_variables_every_resource_is_still_made() -> None:
    made = resources({})
    assert (made["llm"].base_url, made["notifier"].webhook_url) == ("", "")
    assert made["reference"].countries().codes, "the packaged countries"
    assert made["student"].registry.lake.endpoint_url == made["lake"].endpoint_url


def test_a_variable_of_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / ".env"
    file.write_text(
        "# a comment\nLLM_MODEL=written\nexport LLM_BASE_URL=http://written\nLLM_API_KEY='with # and spaces'\n"
        'DATABASE_URL="postgresql://climate:p=1@host/barometre"\nMEDIATREE_URL=\nUNKNOWN=1\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("LLM_MODEL", "said")
    assert given_by_operator(file) == {
        "LLM_MODEL": "said",
        "LLM_BASE_URL": "http://written",
        "LLM_API_KEY": "with # and spaces",
        "DATABASE_URL": "postgresql://climate:p=1@host/barometre",
    }


def test_an_empty_variable_of_the_environment_takes_back_what_the_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("LLM_MODEL=written\n", encoding="utf-8")
    monkeypatch.setenv("LLM_MODEL", "")
    assert "LLM_MODEL" not in given_by_operator(tmp_path / ".env")


def test_no_file_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MODEL", "said")
    assert given_by_operator(tmp_path / "none")["LLM_MODEL"] == "said"


def test_exported_variables_are_gone_after_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MODEL", "before")
    monkeypatch.delenv("LLM_API_KEY", raising=False)
    with exported({"LLM_MODEL": "within", "LLM_API_KEY": "k"}):
        assert os.environ["LLM_MODEL"] == "within"
    assert (os.environ["LLM_MODEL"], "LLM_API_KEY" in os.environ) == ("before", False)
