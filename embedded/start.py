"""Bringing the platform up: servers, databases, tables, buckets, pools, countries - each step only if it is needed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import dagster as dg
from rich.progress import Progress

from climate_assets import partitions, policies
from climate_assets.migrate import migrate
from embedded import diarization_weights, label_studio, postgres, weights
from embedded.platform import Platform
from resources import bindings
from resources.s3 import DUMPS, LAKE

if TYPE_CHECKING:
    from resources.s3 import Lake


def start(platform: Platform, wanted: Mapping[str, int], progress: Progress) -> None:
    """Start what does not run, wait for what does not answer, make what is missing."""
    _database(platform, progress)
    ports = platform.ports(wanted)
    servers = platform.servers(ports)
    environment = platform.environment(ports)
    first = [s for s in servers if s.name in ("s3", "label_studio", "mediatree", "doorbell")]
    last = [s for s in servers if s not in first]
    tasks = {s.name: progress.add_task(s.name, total=s.patience_seconds, said="waiting") for s in servers}

    def launch(server_list: list, wait_for: list) -> None:  # type: ignore[type-arg]
        for server in server_list:
            platform.supervisor.start(server)
            progress.update(tasks[server.name], said="starting")
        for server in wait_for:
            if server.health or server.url:
                platform.supervisor.wait(server, lambda s, n=server.name: progress.update(tasks[n], completed=s))  # type: ignore[misc]
            progress.update(tasks[server.name], completed=server.patience_seconds, said=server.url or "running")

    _models(platform, progress)
    if "LABEL_STUDIO_URL" not in platform.given:
        progress.update(tasks["label_studio"], said="preparing its database")
        label_studio.prepare_database(
            platform.label_studio_folder, platform.postgres_folder, platform.home / "label-studio-data"
        )
    launch(first, [s for s in first if s.name != "label_studio"])
    for bucket in (DUMPS, LAKE):
        lake: Lake = bindings.resources(environment)["lake"]
        lake.ensure_bucket(bucket)
    _instance(environment)
    launch(last, [s for s in servers if s.name not in ("s3", "mediatree", "doorbell")])
    _countries(environment, progress)


def _database(platform: Platform, progress: Progress) -> None:
    task = progress.add_task("postgres", total=1, said="starting")
    postgres.start(platform.postgres_folder)
    url = platform.given.get("DATABASE_URL") or postgres.url(postgres.socket_folder(platform.postgres_folder), "barometre")
    migrate(url)
    progress.update(task, completed=1, said="running, tables current")


def _models(platform: Platform, progress: Progress) -> None:
    """The models that come as packages, as folders that their libraries read."""
    task = progress.add_task("models", total=1, said="checking")
    made = []
    if "WHISPER_MODEL" not in platform.given:
        made.append(weights.whisper_base(platform.home).name)
    absent = diarization_weights.missing()
    if "DIARIZATION_MODEL" not in platform.given and not absent:
        progress.update(task, said="making the pipeline that tells speakers apart")
        made.append(diarization_weights.pipeline_folder(platform.home).name)
    progress.update(task, completed=1, said=", ".join(made) + (" (speakers: `make speakers`)" if absent else ""))


def _instance(environment: Mapping[str, str]) -> None:
    """Set the limits of the pools: a fresh instance knows only the default."""
    with bindings.exported(environment), dg.DagsterInstance.from_config(environment["DAGSTER_HOME"]) as instance:
        for pool, limit in policies.POOLS.items():
            instance.event_log_storage.set_concurrency_slots(pool, limit)
        # Labels wait for a grid that was never reported; from here on the sensor reports edits.
        if not instance.get_latest_materialization_event(dg.AssetKey("programme_grid")):
            instance.report_runless_asset_event(dg.AssetMaterialization("programme_grid"))


def _countries(environment: Mapping[str, str], progress: Progress) -> None:
    """Make what each country needs, as the sensor does later for a country that is added."""
    from sensors.countries import establish

    known = bindings.resources(environment)
    task = progress.add_task("countries", total=1, said="buckets and projects")
    made = establish(known["reference"], known["barometre"], known["lake"], known["label_studio"])
    with bindings.exported(environment), dg.DagsterInstance.from_config(environment["DAGSTER_HOME"]) as instance:
        instance.add_dynamic_partitions(partitions.COUNTRY, made)
    progress.update(task, completed=1, said=", ".join(made))
