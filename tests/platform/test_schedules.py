"""The clock: which days are due at a turn, in each country's own zone, on days of 23, 24 and 25 hours."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator
from hypothesis import given
from hypothesis import strategies as st

from climate_assets import policies
from climate_assets.countries import Countries, PostsChoice, PostSourceChoice
from climate_assets.definitions import defs
from climate_assets.partitions import COUNTRY, DAY, country_day, slice_of
from resources.bindings import reference
from sensors.schedules import days_due, posts_due, schedule_of, schedules

COUNTRIES = reference({}).countries()
TODAY = date(2026, 11, 20)
LATE = [TODAY - timedelta(days=back) for back in range(1, 8)]


@pytest.mark.parametrize(
    ("local", "due"),
    [
        ("2026-11-20T01:10", LATE),
        ("2026-11-20T00:00", LATE),
        ("2026-11-20T11:59", LATE),
        ("2026-11-20T12:00", [TODAY]),
        ("2026-11-20T12:30", [TODAY]),
        ("2026-11-20T23:59", [TODAY]),
    ],
)
def test_days_due(local: str, due: list[date]) -> None:
    assert days_due(datetime.fromisoformat(local)) == due


@given(st.datetimes(min_value=datetime(2024, 1, 1), max_value=datetime(2030, 1, 1)))
def test_every_day_is_due_at_noon_and_on_each_of_the_seven_nights_after(now: datetime) -> None:
    noon, night = now.replace(hour=12, minute=30), now.replace(hour=1, minute=10)
    day = now.date()
    assert days_due(noon) == [day]
    nights = [back for back in range(0, 10) if day in days_due(night + timedelta(days=back))]
    assert nights == list(range(1, policies.LATE_DAYS + 1))


def turns(code: str, since: datetime, until: datetime) -> list[datetime]:
    """Instants at which a country's schedule fires."""
    made = schedule_of(COUNTRIES[code])
    assert made.execution_timezone == COUNTRIES[code].zone
    ticks = schedule_execution_time_iterator(since.timestamp(), made.cron_schedule, made.execution_timezone)
    found = []
    for tick in ticks:
        if tick >= until:
            return found
        found.append(tick)
    return found


def requests(code: str, at: datetime) -> list[dg.RunRequest]:
    context = dg.build_schedule_context(scheduled_execution_time=at)
    made: list[dg.RunRequest] = schedule_of(COUNTRIES[code])(context)
    return made


@pytest.mark.parametrize("code", COUNTRIES.codes)
def test_each_country_is_fetched_on_its_own_clock(code: str) -> None:
    zone = COUNTRIES[code].tz
    midnight = datetime(2026, 11, 20, tzinfo=zone)
    night, noon = turns(code, midnight, midnight + timedelta(days=1))
    assert [t.astimezone(zone).strftime("%H:%M") for t in (night, noon)] == ["01:10", "12:30"]
    assert [slice_of(str(r.partition_key)) for r in requests(code, night)] == [(code, day) for day in LATE]
    assert [slice_of(str(r.partition_key)) for r in requests(code, noon)] == [(code, TODAY)]


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param(date(2026, 3, 29), 23, id="clocks go forward"),
        pytest.param(date(2026, 10, 25), 25, id="clocks go back"),
        pytest.param(date(2026, 11, 20), 24, id="usual"),
    ],
)
@pytest.mark.parametrize("code", ["france", "poland"])
def test_a_day_of_any_length_has_two_turns(code: str, day: date, hours: int) -> None:
    start, end = COUNTRIES[code].day_bounds(day)
    assert (end - start) / timedelta(hours=1) == hours
    fired = turns(code, start, end)
    assert [t.astimezone(COUNTRIES[code].tz).strftime("%d %H:%M") for t in fired] == [f"{day:%d} 01:10", f"{day:%d} 12:30"]
    assert {slice_of(str(r.partition_key))[1] for r in requests(code, fired[1])} == {day}


@pytest.mark.parametrize("code", COUNTRIES.codes)
def test_the_partitions_asked_for_exist(code: str) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(COUNTRY, COUNTRIES.codes)
        midnight = datetime(2026, 11, 20, tzinfo=COUNTRIES[code].tz)
        for turn in turns(code, midnight, midnight + timedelta(days=1)):
            for request in requests(code, turn):
                assert exists(str(request.partition_key), turn, instance)


def exists(key: str, at: datetime, instance: dg.DagsterInstance) -> bool:
    from dagster._core.definitions.partitions.context import partition_loading_context

    with partition_loading_context(effective_dt=at, dynamic_partitions_store=instance):
        return country_day.has_partition_key(key)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Sao_Paulo", "Europe/Paris", "UTC", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("hour", [0, 1, 12, 23])
def test_today_of_every_zone_is_a_partition(zone: str, hour: int) -> None:
    """Trap 14: the day dimension has one zone, so it runs ahead of all of them."""
    local = datetime(2026, 11, 20, hour, 30, tzinfo=ZoneInfo(zone))
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(COUNTRY, ["nordland"])
        assert exists(f"nordland|{local.date()}", local.astimezone(UTC), instance)
        assert not exists(f"nordland|{local.date() + timedelta(days=3)}", local.astimezone(UTC), instance)


def test_run_keys_are_new_at_every_turn_and_the_same_within_one() -> None:
    start = datetime(2026, 10, 24, tzinfo=COUNTRIES["france"].tz)
    fired = turns("france", start, start + timedelta(days=3))
    keys = [r.run_key for turn in fired for r in requests("france", turn)]
    assert len(keys) == len(set(keys)) == 3 * 8
    assert [r.run_key for r in requests("france", fired[0])] == keys[:7]


def test_every_country_has_one_schedule_and_it_starts_switched_off() -> None:
    made = schedules(COUNTRIES)
    assert len({s.name for s in made}) == len(made) == len(COUNTRIES.codes)
    assert all(s.default_status == dg.DefaultScheduleStatus.STOPPED for s in made)


def test_a_schedule_starts_a_job_that_makes_the_dumps_alone() -> None:
    job = defs().resolve_job_def("fetch")
    assert {s.job_name for s in schedules(COUNTRIES)} == {"fetch"}
    assert {key.to_user_string() for key in job.asset_layer.executable_asset_keys} == {"mediatree_dumps"}
    assert job.tags == policies.MAX_RUNTIME
    assert set(country_day.partition_dimension_names) == {COUNTRY, DAY}


def test_posts_of_a_server_are_asked_for_when_their_day_is_over_and_once_more_for_what_came_late() -> None:
    local = datetime(2026, 11, 21, 3, 20)
    assert posts_due(local) == [date(2026, 11, 20), date(2026, 11, 18)]


def test_only_a_country_with_a_server_of_posts_has_a_turn_for_them() -> None:
    france = COUNTRIES["france"]
    served = PostSourceChoice(name="pouet", kind="mastodon", url="https://pouet.example")
    files = PostSourceChoice(name="ecume", kind="files")
    for sources, names in (((files,), {"fetch_france"}), ((files, served), {"fetch_france", "posts_france"})):
        choice = PostsChoice(project="Posts", keywords=("gaz",), sources=sources)
        known = Countries({"france": france.model_copy(update={"posts": choice})})
        assert {one.name for one in schedules(known)} == names
