"""Policies by real ticks: the traps of automation on country x day, each with the answer this platform gives."""

from collections.abc import Iterator
from datetime import date

import dagster as dg
import pytest

from climate_assets.partitions import country_day, key_of
from climate_assets.policies import follow_upstream, whole_range
from climate_assets.sentences import holds
from resources.postgres import Barometre

OLD, LATEST = date(2026, 10, 1), date(2026, 11, 20)


class Switch(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Decides outside whether the check passes and the downstream works."""

    sound: bool = True
    works: bool = True


@dg.asset(partitions_def=country_day)
def upstream() -> dg.MaterializeResult:  # type: ignore[type-arg]
    return dg.MaterializeResult()


@dg.asset_check(asset=upstream, blocking=True, partitions_def=country_day)
def is_sound(switch: Switch) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=switch.sound)


@dg.asset(partitions_def=country_day, deps=[upstream], automation_condition=follow_upstream, backfill_policy=whole_range)
def downstream(switch: Switch) -> dg.MaterializeResult:  # type: ignore[type-arg]
    if not switch.works:
        raise dg.Failure("it does not work today")
    return dg.MaterializeResult()


DEFS = dg.Definitions(assets=[upstream, downstream], asset_checks=[is_sound], resources={"switch": Switch()})


class Ticks:
    """An instance and its cursor: `tick` says which partitions of the downstream are asked for."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.cursor: object = None

    def tick(self) -> set[str]:
        result = dg.evaluate_automation_conditions(DEFS, self.instance, cursor=self.cursor)  # type: ignore[arg-type]
        self.cursor = result.cursor
        return set(result.get_requested_partitions(downstream.key))

    def make(self, asset: object, code: str, day: date, **switch: bool) -> bool:
        selection = [upstream, is_sound] if asset is upstream else [downstream]
        return dg.materialize(
            selection,  # type: ignore[arg-type]
            instance=self.instance,
            partition_key=key_of(code, day),
            resources={"switch": Switch(**switch)},
            raise_on_error=False,
            selection=[asset] if asset is downstream else None,  # type: ignore[list-item]
        ).success


@pytest.fixture
def ticks() -> Iterator[Ticks]:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("country", ["france", "belgium"])
        made = Ticks(instance)
        made.tick()
        yield made


def test_downstream_follows_once(ticks: Ticks) -> None:
    ticks.make(upstream, "france", LATEST)
    assert ticks.tick() == {f"france|{LATEST}"}
    ticks.make(downstream, "france", LATEST)
    assert ticks.tick() == set()


def test_trap_1_nothing_follows_while_a_blocking_check_is_red(ticks: Ticks) -> None:
    ticks.make(upstream, "france", LATEST, sound=False)
    assert ticks.tick() == set()
    assert ticks.tick() == set()
    ticks.make(upstream, "france", LATEST, sound=True)
    assert ticks.tick() == {f"france|{LATEST}"}


def test_trap_2_a_failed_downstream_is_asked_for_once_more(ticks: Ticks) -> None:
    ticks.make(upstream, "france", LATEST)
    assert ticks.tick() == {f"france|{LATEST}"}
    assert not ticks.make(downstream, "france", LATEST, works=False)
    assert ticks.tick() == {f"france|{LATEST}"}
    assert ticks.tick() == set()


def test_trap_3_late_days_are_followed_too(ticks: Ticks) -> None:
    ticks.make(upstream, "france", OLD)
    assert ticks.tick() == {f"france|{OLD}"}


def test_trap_10_one_dead_country_does_not_stop_another(ticks: Ticks) -> None:
    ticks.make(upstream, "france", LATEST)
    ticks.make(upstream, "belgium", LATEST, sound=False)
    assert ticks.tick() == {f"france|{LATEST}"}


def test_a_backfill_in_one_run_leaves_each_partition_its_own_checks(database_url: str) -> None:
    """Dagster ties the checks of a run over many partitions to none of them; what waits for them must not wait for ever."""

    @dg.asset_check(asset=upstream, name="is_sound", blocking=True, partitions_def=country_day)
    def every_day_but_one(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        query = "SELECT d FROM unnest(%(days)s::date[]) d WHERE d = '2026-11-19'"
        return holds(context, Barometre(url=database_url), query, "mend it")

    defs = dg.Definitions(
        assets=[upstream.with_attributes(backfill_policy=whole_range), downstream],
        asset_checks=[every_day_but_one],
        jobs=[dg.define_asset_job("range", selection=[upstream])],
        resources={"switch": Switch()},
    )
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("country", ["france"])
        cursor = dg.evaluate_automation_conditions(defs, instance).cursor
        tags = {
            "dagster/asset_partition_range_start": "france|2026-11-18",
            "dagster/asset_partition_range_end": "france|2026-11-20",
        }
        for _ in range(2):
            done = defs.resolve_job_def("range").execute_in_process(instance=instance, tags=tags, raise_on_error=False)
            failed = {event.step_key for event in done.all_events if event.is_step_failure}
            assert failed == {"upstream_is_sound"}, "made again, the checks fail for what they find and for nothing else"
            told = {e.partition: e.passed for e in done.get_asset_check_evaluations()}
            days = {f"france|2026-11-{day}": day != 19 for day in (18, 19, 20)}
            assert told == {None: False, **days}
        result = dg.evaluate_automation_conditions(defs, instance, cursor=cursor)
        assert set(result.get_requested_partitions(downstream.key)) == {"france|2026-11-18", "france|2026-11-20"}
