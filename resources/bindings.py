"""From the environment to resources; the only reader of environment variables.

Every variable has a default that works with the embedded platform or a clear word on what it is missing. Secrets are
handed to Dagster as `EnvVar`, so that the UI shows the variable's name and never its value.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from dagster import EnvVar

from resources.diarizer import Diarizer
from resources.doorbell import Doorbell
from resources.entities import Entities
from resources.label_studio import LabelStudio
from resources.llm import Llm
from resources.media import AudioExport
from resources.mediatree import Mediatree
from resources.notifier import Notifier
from resources.post_sources import PostSources
from resources.postgres import Barometre
from resources.reference import PACKAGE, ReferenceFiles
from resources.registry import ModelRegistry
from resources.s3 import Lake
from resources.student import StudentShelf
from resources.voice_bank import VoiceBank
from resources.whisper import Whisper

# Name of the variable -> what it is, in the words of `.env.example`.
VARIABLES: Final[dict[str, str]] = {
    "DATABASE_URL": "PostgreSQL database `barometre`",
    "S3_ENDPOINT_URL": "address of the object store",
    "AWS_ACCESS_KEY_ID": "its access key",
    "AWS_SECRET_ACCESS_KEY": "its secret key",
    "MEDIATREE_URL": "address of the Mediatree API",
    "MEDIATREE_USER": "user at Mediatree",
    "MEDIATREE_PASSWORD": "password at Mediatree",
    "LLM_BASE_URL": "address of an OpenAI-compatible endpoint; without it the student judges alone",
    "LLM_API_KEY": "its key",
    "LLM_MODEL": "model that judges",
    "LABEL_STUDIO_URL": "address of Label Studio",
    "LABEL_STUDIO_API_KEY": "token of a Label Studio user who may create projects",
    "WHISPER_MODEL": "faster-whisper model, by name or folder; without it large-v3-turbo on a GPU, small without one",
    "DIARIZATION_MODEL": "pyannote pipeline, by hub name or folder; without it speakers are not told apart",
    "HUGGINGFACE_TOKEN": "token of the model hub, for models that want one",
    "MEDIA_HOSTS": "hosts that audio may come from, separated by commas; without it the API's own and .mediatree.fr",
    "VOICE_BANK": "`on` to recognise enrolled voices",
    "DOORBELL_URL": "address at which Label Studio reaches the doorbell; without it answers are found by looking for them",
    "DOORBELL_SECRET": "what Label Studio shows at the doorbell, 16 characters or more",
    "POSTS_KEY": "what makes pseudonyms of the authors of posts, 16 characters or more; keep it, another gives other ones",
    "CLIMATE_COUNTRIES": "countries file, when it is not the packaged one",
    "CLIMATE_GRIDS": "folder of programme grids, when it is not the packaged one",
    "ALERT_WEBHOOK_URL": "where alerts are posted; without it they are logged",
}


def given(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The platform's variables that are set, empty ones left out."""
    source = os.environ if environment is None else environment
    return {name: source[name] for name in VARIABLES if source.get(name)}


def given_by_operator(env_file: Path) -> dict[str, str]:
    """Variables set in a `.env` file or, before it, in the environment of the command."""
    from dotenv import dotenv_values

    written = {name: value for name, value in dotenv_values(env_file).items() if value is not None}
    return given({**written, **os.environ})


def inherited() -> dict[str, str]:
    """This process's environment for a worker: without the platform's variables, so without its secrets."""
    return {name: value for name, value in os.environ.items() if name not in VARIABLES}


@contextmanager
def exported(environment: Mapping[str, str]) -> Iterator[None]:
    """Variables in this process's environment while the block runs: Dagster's instance file reads them there."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def reference(environment: Mapping[str, str] | None = None) -> ReferenceFiles:
    """The reference files that the environment names."""
    known = given(environment)
    return ReferenceFiles(
        countries_file=known.get("CLIMATE_COUNTRIES", str(PACKAGE / "countries.yaml")),
        grids_folder=known.get("CLIMATE_GRIDS", str(PACKAGE / "reference" / "grids")),
    )


def resources(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Every resource the assets ask for, by name."""
    known = given(environment)

    def text(name: str, default: str = "") -> Any:
        # In a code location the UI shows resource settings, so it gets the variable's name; a command gets the value.
        return (EnvVar(name) if environment is None else known[name]) if name in known else default

    files = reference(environment)
    lake = Lake(
        endpoint_url=known.get("S3_ENDPOINT_URL", "http://127.0.0.1:8333"),
        access_key=text("AWS_ACCESS_KEY_ID"),
        secret_key=text("AWS_SECRET_ACCESS_KEY"),
    )
    barometre = Barometre(url=text("DATABASE_URL", "postgresql://localhost/barometre"))
    registry = ModelRegistry(barometre=barometre, lake=lake)
    mediatree = Mediatree(
        url=known.get("MEDIATREE_URL", "https://keywords.mediatree.fr"),
        user=text("MEDIATREE_USER"),
        password=text("MEDIATREE_PASSWORD"),
    )
    hosts = [host.strip() for host in known.get("MEDIA_HOSTS", "").split(",") if host.strip()]
    return {
        "reference": files,
        "barometre": barometre,
        "lake": lake,
        "mediatree": mediatree,
        "audio": AudioExport(mediatree=mediatree, allowed_hosts=hosts or [".mediatree.fr"]),
        "whisper": Whisper(model=known.get("WHISPER_MODEL", "")),
        "diarizer": Diarizer(model=known.get("DIARIZATION_MODEL", ""), token=text("HUGGINGFACE_TOKEN")),
        "voice_bank": VoiceBank(barometre=barometre, lake=lake, enabled=known.get("VOICE_BANK", "").lower() == "on"),
        "llm": Llm(
            base_url=known.get("LLM_BASE_URL", ""),
            api_key=text("LLM_API_KEY"),
            model=known.get("LLM_MODEL", ""),
        ),
        "label_studio": LabelStudio(
            url=known.get("LABEL_STUDIO_URL", "http://127.0.0.1:8080"),
            api_key=text("LABEL_STUDIO_API_KEY"),
        ),
        "doorbell": Doorbell(url=known.get("DOORBELL_URL", ""), secret=text("DOORBELL_SECRET")),
        "post_sources": PostSources(lake=lake, key=text("POSTS_KEY")),
        "entities": Entities(),
        "registry": registry,
        "student": StudentShelf(registry=registry, reference=files),
        "notifier": Notifier(webhook_url=text("ALERT_WEBHOOK_URL")),
    }
