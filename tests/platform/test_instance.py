"""The instance as Dagster reads it from `dagster.yaml`, on the real PostgreSQL and S3: every setting is in force."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster._core.instance.config import ConcurrencyConfig
from dagster._core.storage.compute_log_manager import ComputeIOType
from dagster_aws.s3 import S3ComputeLogManager
from psycopg import sql

from climate_assets import policies
from embedded import dagster as embedded_dagster
from embedded import postgres
from resources.bindings import exported
from resources.s3 import LAKE, Lake
from tests.conftest import _ACCESS, _SECRET

ROOT = Path(__file__).parents[2]


@dg.op
def speaks() -> None:
    """Says something that a compute log holds."""
    print("a word for the log")


@dg.job
def speaking() -> None:
    speaks()


@pytest.fixture(scope="module")
def instance(
    postgres_folder: Path, object_store_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dg.DagsterInstance]:
    """The shipped instance file, in a home of its own, as `climate up` prepares it."""
    name = f"dagster_{uuid.uuid4().hex[:8]}"
    postgres.ensure_database(postgres_folder, name)
    lake = Lake(endpoint_url=object_store_url, access_key=_ACCESS, secret_key=_SECRET)
    lake.ensure_bucket(LAKE)
    home = embedded_dagster.prepare_home(tmp_path_factory.mktemp("dagster"), ROOT)
    environment = {
        "DAGSTER_HOME": str(home),
        "DAGSTER_POSTGRES_URL": postgres.url(postgres_folder, name, "postgresql+psycopg2"),
        "S3_ENDPOINT_URL": object_store_url,
        "AWS_ACCESS_KEY_ID": _ACCESS,
        "AWS_SECRET_ACCESS_KEY": _SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with exported(environment):
        with dg.DagsterInstance.from_config(str(home)) as made:
            yield made
        with psycopg.connect(postgres.url(postgres_folder, "postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_storage_is_the_database(instance: dg.DagsterInstance) -> None:
    kinds = {type(s).__name__ for s in (instance.run_storage, instance.event_log_storage, instance.schedule_storage)}
    assert kinds == {"PostgresRunStorage", "PostgresEventLogStorage", "PostgresScheduleStorage"}


def test_a_run_is_stored_and_its_output_is_in_the_object_store(
    instance: dg.DagsterInstance, lake: Lake, capfd: pytest.CaptureFixture[str]
) -> None:
    with capfd.disabled():
        done = speaking.execute_in_process(instance=instance)
    assert instance.get_run_by_id(done.run_id).status == dg.DagsterRunStatus.SUCCESS  # type: ignore[union-attr]
    manager = instance.compute_log_manager
    assert isinstance(manager, S3ComputeLogManager)
    key = [done.run_id, "compute_logs", "a step"]
    with capfd.disabled(), manager.capture_logs(key):
        print("a word for the log", flush=True)
    assert manager.cloud_storage_has_logs(key, ComputeIOType.STDOUT)
    stored = [k for k in lake.listing(LAKE, "dagster/compute-logs/") if done.run_id in k]
    assert any(b"a word for the log" in lake.get(LAKE, k) for k in stored if "a step" in k)


def test_pools_have_the_limits_of_the_policies(instance: dg.DagsterInstance) -> None:
    for pool, limit in policies.POOLS.items():
        instance.event_log_storage.set_concurrency_slots(pool, limit)
    limits = {p.name: p.limit for p in instance.event_log_storage.get_pool_limits()}
    assert limits == policies.POOLS
    config = instance.get_concurrency_config()
    assert isinstance(config, ConcurrencyConfig)
    assert (config.pool_config.default_pool_limit, str(config.pool_config.pool_granularity)) == (4, "PoolGranularity.OP")


def test_a_pool_is_full_at_its_limit_and_free_after_the_run(instance: dg.DagsterInstance) -> None:
    storage = instance.event_log_storage
    storage.set_concurrency_slots("models", policies.POOLS["models"])
    first, second = uuid.uuid4().hex, uuid.uuid4().hex
    assert storage.claim_concurrency_slot("models", first, "judge").is_claimed
    assert not storage.claim_concurrency_slot("models", second, "judge").is_claimed
    storage.free_concurrency_slots_for_run(first)
    storage.free_concurrency_slots_for_run(second)
    assert storage.claim_concurrency_slot("models", second, "judge").is_claimed
    storage.free_concurrency_slots_for_run(second)


def test_every_pool_of_an_asset_has_a_limit() -> None:
    from climate_assets.definitions import defs

    nodes = defs().resolve_asset_graph().asset_nodes
    asked = {pool for node in nodes for pool in (node.pools or ())}
    assert asked == set(policies.POOLS)


def test_runs_are_queued_and_few(instance: dg.DagsterInstance) -> None:
    queue = instance.get_concurrency_config().run_queue_config
    assert queue is not None
    assert queue.max_concurrent_runs == 2
    assert {"key": "dagster/backfill", "limit": 1} in [dict(limit) for limit in queue.tag_concurrency_limits]


def test_slots_of_ended_runs_are_freed(instance: dg.DagsterInstance) -> None:
    assert instance.get_settings("run_monitoring")["free_slots_after_run_end_seconds"] == 300


def test_runs_are_watched(instance: dg.DagsterInstance) -> None:
    assert instance.run_monitoring_enabled
    assert instance.run_monitoring_start_timeout_seconds == 180
    assert instance.run_monitoring_max_runtime_seconds == int(policies.MAX_RUNTIME["dagster/max_runtime"])


def test_crashes_alone_are_retried_by_the_daemon(instance: dg.DagsterInstance) -> None:
    assert instance.run_retries_enabled
    assert instance.run_retries_max_retries == 1
    assert instance.run_retries_retry_on_asset_or_op_failure is False


def test_ticks_are_purged(instance: dg.DagsterInstance) -> None:
    from dagster._core.definitions.run_request import InstigatorType

    kept = instance.get_tick_retention_settings(InstigatorType.SENSOR)
    days = {status.value.lower(): days for status, days in kept.items()}
    assert (days["skipped"], days["failure"], days["success"]) == (7, 30, 90)
    assert set(instance.get_tick_retention_settings(InstigatorType.SCHEDULE).values()) >= {90}


def test_nothing_is_sent_home_and_no_sign_up_page_is_shown(instance: dg.DagsterInstance) -> None:
    assert instance.telemetry_enabled is False
    assert instance.nux_enabled is False
