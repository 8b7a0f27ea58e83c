"""The traps of Dagster that need no tick of a policy: doubled assets, pickles, cycles, rectangles, mute severities."""

import ast
import inspect
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context

from climate_assets.definitions import CHECKS, STAGES, defs
from climate_assets.partitions import COUNTRY, DAY, country, country_day, key_of, learning_round, recording, slice_of, slices_of
from climate_assets.policies import whole_range


@pytest.fixture(scope="module")
def graph() -> Any:
    return defs().resolve_asset_graph()


def test_trap_4_each_asset_is_collected_once() -> None:
    found = Counter(
        key
        for group, modules in STAGES.items()
        for asset in dg.load_assets_from_modules(modules, group_name=group)
        for key in ([asset.key] if isinstance(asset, dg.AssetSpec) else asset.keys)
    )
    assert {key.to_user_string(): times for key, times in found.items() if times > 1} == {}


@pytest.mark.parametrize(
    "module", [*(module for stage in STAGES.values() for module in stage), *CHECKS], ids=lambda m: m.__name__
)
def test_trap_4_stages_import_each_others_modules_and_no_asset(module: Any) -> None:
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    taken = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and (n.module or "").endswith(".assets")]
    assert taken == [], "import the module, and name `broadcast.clean_chunks`"


@pytest.mark.parametrize("group", STAGES)
def test_trap_6_every_asset_says_what_it_returns(group: str) -> None:
    for asset in dg.load_assets_from_modules(STAGES[group]):
        if isinstance(asset, dg.AssetsDefinition):
            body = asset.op.compute_fn.decorated_fn  # type: ignore[union-attr]
            assert inspect.signature(body).return_annotation == dg.MaterializeResult[Any], asset.key


def test_trap_7_the_graph_has_no_cycle_and_the_outside_hangs_on_nothing(graph: Any) -> None:
    parents = {node.key: set(node.parent_keys) for node in graph.asset_nodes}
    made: set[dg.AssetKey] = set()
    while ready := {key for key, above in parents.items() if key not in made and above <= made}:
        made |= ready
    assert made == set(parents), "the rest is a cycle"
    assert all(not node.parent_keys for node in graph.asset_nodes if node.is_external)


def test_trap_8_keys_have_their_dimensions_in_alphabetical_order() -> None:
    key = key_of("france", date(2026, 1, 10))
    assert str(key) == "france|2026-01-10"
    assert slice_of(str(key)) == ("france", date(2026, 1, 10))
    assert country_day.partition_dimension_names == sorted([DAY, COUNTRY])


SEEN: list[tuple[str, date]] = []


@dg.asset(partitions_def=country_day, backfill_policy=whole_range)
def ranged(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
    """What a run is asked for."""
    SEEN.extend(slices_of(context))
    return dg.MaterializeResult()


@pytest.mark.parametrize(
    ("first", "last", "countries"),
    [
        pytest.param("france", "france", {"france"}, id="one country fixed holds this country alone"),
        pytest.param("belgium", "germany", {"belgium", "france", "germany"}, id="two ends hold all between"),
    ],
)
def test_trap_9_a_range_is_a_rectangle(first: str, last: str, countries: set[str]) -> None:
    SEEN.clear()
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(COUNTRY, ["belgium", "france", "germany"])
        tags = {
            "dagster/asset_partition_range_start": str(key_of(first, date(2026, 11, 2))),
            "dagster/asset_partition_range_end": str(key_of(last, date(2026, 11, 4))),
        }
        assert dg.materialize([ranged], instance=instance, tags=tags).success
    assert {code for code, _ in SEEN} == countries
    assert Counter(day for _, day in SEEN) == {date(2026, 11, d): len(countries) for d in (2, 3, 4)}
    assert len(SEEN) == len(set(SEEN))


def test_trap_11_nothing_unpartitioned_waits_for_the_clock(graph: Any) -> None:
    """`on_cron` on an unpartitioned asset takes one new partition for all of them; no asset relies on it."""
    for node in graph.asset_nodes:
        if node.is_materializable:
            assert node.partitions_def in (country_day, country, recording, learning_round), node.key
            assert "on_cron" not in repr(node.automation_condition)


def test_trap_12_a_check_can_be_run_alone_for_its_partition(graph: Any) -> None:
    """Checks are partitioned as their assets are, so that a check of one day looks at this day."""
    made = {node.key: node.partitions_def for node in graph.asset_nodes}
    for module in CHECKS:
        for check in vars(module).values():
            for spec in getattr(check, "check_specs", ()):
                assert spec.partitions_def == made[spec.asset_key], spec.name


@dg.asset(partitions_def=country_day, backfill_policy=whole_range)
def checked() -> dg.MaterializeResult[Any]:
    """An asset with a check."""
    return dg.MaterializeResult()


@dg.asset(partitions_def=country_day, deps=[checked], backfill_policy=whole_range)
def follower() -> dg.MaterializeResult[Any]:
    """What follows it in the same run."""
    return dg.MaterializeResult()


@pytest.mark.parametrize(
    ("blocking", "severity", "goes_on"),
    [
        (True, dg.AssetCheckSeverity.ERROR, False),
        (True, dg.AssetCheckSeverity.WARN, True),
        (False, dg.AssetCheckSeverity.ERROR, True),
        (True, None, False),
    ],
    ids=["blocks", "a warning never blocks", "not declared blocking", "a check that raises blocks"],
)
def test_trap_13_what_a_failed_check_stops(blocking: bool, severity: dg.AssetCheckSeverity | None, goes_on: bool) -> None:
    @dg.asset_check(asset=checked, blocking=blocking, partitions_def=country_day)
    def is_sound() -> dg.AssetCheckResult:
        if severity is None:
            raise RuntimeError("the check itself is broken")
        return dg.AssetCheckResult(passed=False, severity=severity)

    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(COUNTRY, ["france"])
        key = key_of("france", date(2026, 11, 2))
        done = dg.materialize([checked, follower, is_sound], instance=instance, partition_key=key, raise_on_error=False)
        made = {e.asset_key for e in done.get_asset_materialization_events()}
        assert (follower.key in made, done.success) == (goes_on, goes_on)


def test_days_begin_where_monitoring_begins_and_stay_below_the_limit_of_dagster() -> None:
    with dg.DagsterInstance.ephemeral() as instance, partition_loading_context(dynamic_partitions_store=instance):
        instance.add_dynamic_partitions(COUNTRY, [f"c{n}" for n in range(7)])
        assert country_day.has_partition_key("c1|2023-03-01")
        assert not country_day.has_partition_key("c1|2023-02-28")
        assert len(country_day.get_partition_keys(dynamic_partitions_store=instance)) < 100_000
