"""The clock: each country is fetched twice a day in its own zone, and its last days are looked at again every night.

Only what asks the outside is scheduled: `mediatree_dumps`, and `posts` where a server is a source. What is downstream follows
because its upstream was made, not because it is late.
"""

import math
from datetime import date, datetime, timedelta
from typing import Final

import dagster as dg

from climate_assets import policies
from climate_assets.countries import Countries, Country
from climate_assets.partitions import key_of
from climate_assets.posts.marks import LATE

# The job that makes `mediatree_dumps` alone; `definitions.py` gives it this name.
FETCH: Final = "fetch"


def days_due(now_local: datetime) -> list[date]:
    """Days to fetch at a turn: in the night the day that ended and the late ones, at noon today's first half."""
    today = now_local.date()
    if now_local.hour < 12:
        return [today - timedelta(days=back) for back in range(1, policies.LATE_DAYS + 1)]
    return [today]


def schedule_of(country: Country) -> dg.ScheduleDefinition:
    """The two daily turns of a country: 01:10 and 12:30 on its own clock."""

    @dg.schedule(
        name=f"fetch_{country.code.replace('-', '_')}",
        job_name=FETCH,
        cron_schedule=["10 1 * * *", "30 12 * * *"],
        execution_timezone=country.zone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=f"Fetches {country.code} twice a day; at night its last {policies.LATE_DAYS} days are looked at again.",
    )
    def turn(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest]:
        local = context.scheduled_execution_time.astimezone(country.tz)
        return [
            # The turn is part of the key: the same day is fetched again at the next one, and only once at this one.
            dg.RunRequest(run_key=f"{country.code}/{day}/{local:%Y-%m-%dT%H:%M}", partition_key=key_of(country.code, day))
            for day in days_due(local)
        ]

    return turn


def posts_schedule_of(country: Country) -> dg.ScheduleDefinition:
    """The daily turn of a country's posts: 03:20 on its own clock."""

    @dg.schedule(
        name=f"posts_{country.code.replace('-', '_')}",
        target="posts",
        cron_schedule="20 3 * * *",
        execution_timezone=country.zone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=f"Asks the servers that {country.code} has posts from for yesterday, and once more for what came late.",
    )
    def turn(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest]:
        local = context.scheduled_execution_time.astimezone(country.tz)
        return [
            dg.RunRequest(run_key=f"posts/{country.code}/{day}/{local:%Y-%m-%d}", partition_key=key_of(country.code, day))
            for day in posts_due(local)
        ]

    return turn


def posts_due(now_local: datetime) -> list[date]:
    """Days of posts to ask for: the one that ended, and the one that is now read for the second time."""
    return [now_local.date() - timedelta(days=back) for back in (1, 1 + math.ceil(LATE / timedelta(days=1)))]


def schedules(countries: Countries) -> list[dg.ScheduleDefinition]:
    """The schedules of each country of the file."""
    served = [c for c in countries.by_code.values() if c.posts and any(s.kind == "mastodon" for s in c.posts.sources)]
    return [*map(schedule_of, countries.by_code.values()), *map(posts_schedule_of, served)]
