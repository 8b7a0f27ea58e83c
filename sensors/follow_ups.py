"""What a table or a fresh event asks for: failed states are tried again, holes are fetched again, adverts re-cut.

Each sensor reads one page, asks a pure function, and requests runs. Run keys carry an hour or an event, never only a
content, because a run key is remembered for ever.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg

from climate_assets import policies
from climate_assets.partitions import daily, key_of
from resources.notifier import Notifier
from resources.postgres import Barometre

_PAGE = 20


def runs_for(asset: str, slices: Iterable[tuple[str, date]], turn: str) -> list[dg.RunRequest]:
    """One run for each country and day."""
    return [
        dg.RunRequest(
            run_key=f"{asset}/{code}/{day}/{turn}",
            partition_key=key_of(code, day),
            asset_selection=[dg.AssetKey(asset)],
            tags={"climate/why": turn.split("/")[0]},
        )
        for code, day in slices
    ]


@dg.sensor(target=daily, minimum_interval_seconds=600, default_status=dg.DefaultSensorStatus.RUNNING)
def failed_states(context: dg.SensorEvaluationContext, barometre: Barometre) -> dg.SensorResult | dg.SkipReason:
    """Asks again for every country and day of a stage that has failed items; dead ones wait for a person.

    The cursor is the place in the list, so that a page of days that fail again and again never hides the next one.
    """
    done = int(context.cursor or 0)
    found = barometre.rows(
        # Recordings are no partition of a country and day; the sensor on the inbox looks after them.
        "SELECT stage, country, day FROM stage_states WHERE state IN ('failed', 'pending') AND country <> 'recordings'"
        " UNION SELECT CASE task_kind WHEN 'ner' THEN 'post_tasks' ELSE 'labelstudio_tasks' END, country, day"
        " FROM labelling_tasks WHERE state = 'pending'"
        " ORDER BY day DESC, stage, country LIMIT %(page)s OFFSET %(done)s",
        {"page": _PAGE, "done": done},
    )
    if not found and not done:
        return dg.SkipReason("no item is in state failed or pending")
    turn = f"failed states/{datetime.now(UTC):%Y-%m-%dT%H}"
    requests = [r for row in found for r in runs_for(row["stage"], [(row["country"], row["day"])], turn)]
    return dg.SensorResult(run_requests=requests, cursor=str(done + _PAGE if len(found) == _PAGE else 0))


@dg.sensor(target="mediatree_dumps", minimum_interval_seconds=1800, default_status=dg.DefaultSensorStatus.RUNNING)
def late_data(context: dg.SensorEvaluationContext, barometre: Barometre, notifier: Notifier) -> dg.SensorResult | dg.SkipReason:
    """Fetches again, every six hours, the days of the last week that are not complete, and tells people once."""
    now = datetime.now(UTC)
    since = now.date() - timedelta(days=policies.LATE_DAYS)
    holes = barometre.rows(
        "SELECT country, day, sum(expected - received)::int AS missing FROM channel_days"
        " WHERE day >= %(since)s AND day < %(open)s AND received < expected GROUP BY 1, 2 ORDER BY day DESC LIMIT %(page)s",
        # A day is over, and was fetched as a whole, half a day after midnight in UTC: from Warsaw to Sao Paulo.
        {"since": since, "open": (now - timedelta(hours=12)).date(), "page": _PAGE},
    )
    if not holes:
        return dg.SkipReason(f"every fetched day since {since} is complete")
    turn = f"late data/{now:%Y-%m-%d}T{now.hour // 6 * 6:02d}"
    if turn == context.cursor:
        return dg.SkipReason(f"{len(holes)} incomplete days were asked for at this turn")
    title, body = late_days((h["country"], h["day"], h["missing"]) for h in holes)
    notifier.tell(title, body)
    requests = runs_for("mediatree_dumps", [(h["country"], h["day"]) for h in holes], turn)
    return dg.SensorResult(run_requests=requests, cursor=turn)


def late_days(holes: Iterable[tuple[str, date, int]]) -> tuple[str, str]:
    """Title and body of one message about the chunks that a country's days lack."""
    lines = [f"{code} {day}: {missing} chunks are missing" for code, day, missing in holes]
    return f"{len(lines)} days are incomplete and are fetched again", "\n".join(lines)


cut_again = dg.define_asset_job("cut_again", selection="ad_intervals", tags=policies.MAX_RUNTIME)


@dg.asset_sensor(asset_key=dg.AssetKey("ad_intervals"), job=cut_again, default_status=dg.DefaultSensorStatus.RUNNING)
def adverts_learnt(context: dg.SensorEvaluationContext, asset_event: dg.EventLogEntry) -> dg.SensorResult | dg.SkipReason:
    """Cuts earlier days again when a passage turns out to be an advert."""
    materialisation = asset_event.asset_materialization
    listed = materialisation.metadata.get("changed_days") if materialisation else None
    pairs: Any = listed.value if listed else []
    days = [(str(code), date.fromisoformat(day)) for code, day in pairs]
    if not days:
        return dg.SkipReason("no earlier day would be cut otherwise")
    return dg.SensorResult(run_requests=runs_for("ad_intervals", days, f"adverts learnt/{asset_event.run_id}"))
