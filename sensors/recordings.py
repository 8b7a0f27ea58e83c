"""A recording arrived: it is taken from the inbox, gets its partition, and its assets are asked for until they are made.

What is asked for hangs on the tables and on the runs that Dagster has, not on what a tick remembers: a tick that dies
between any two steps, or comes twice, leaves the next one to go on. The cursor is only the place in the list.
"""

from datetime import UTC, datetime
from typing import Any, Final

import dagster as dg

from climate_assets.failures import Transient
from climate_assets.partitions import RECORDING, recording
from climate_assets.recording_progress import VERSION_TAG, runs_seen, states_seen
from climate_assets.speech.progress import MAX_RUN_SECONDS, RECORDING_ASSETS, Ask, next_ask, version_of
from climate_assets.speech.records import Recording
from resources.inbox import Inbox, PutAside, Taken
from resources.postgres import Barometre
from resources.s3 import Lake

# A tick has 60 seconds: files are taken until so many, or so many bytes, are; the next tick goes on.
_FILES: Final = 5
_BYTES: Final = 1024**3
# Recordings that are not finished and are looked at in one tick.
_PAGE: Final = 30
_LEFT_SHOWN: Final = 5

# Not made, or made from what a person has since said otherwise. The clip of a recording carries its title as channel.
_OPEN: Final = """
SELECT r.*, a.clip_id IS NOT NULL AND c.clip_id IS NOT NULL
       AND (c.channel, c.day) = (r.title, r.day) AND r.language IN ('', c.language) AS finished
FROM recordings r LEFT JOIN attributed_clips a ON a.clip_id = r.recording_id LEFT JOIN clips c ON c.clip_id = r.recording_id
WHERE (a.clip_id IS NOT NULL AND c.clip_id IS NOT NULL
       AND (c.channel, c.day) = (r.title, r.day) AND r.language IN ('', c.language)) IS NOT TRUE
   OR EXISTS (SELECT FROM stage_states s WHERE s.item_id = r.recording_id AND s.state IN ('failed', 'pending'))
ORDER BY r.added_at DESC, r.recording_id LIMIT %(page)s OFFSET %(done)s"""


@dg.sensor(target=list(RECORDING_ASSETS), minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def recordings_arrived(
    context: dg.SensorEvaluationContext, barometre: Barometre, lake: Lake
) -> dg.SensorResult | dg.SkipReason:
    """Takes what is in the inbox of recordings, and asks for every recording that is not made: at once, then a few times."""
    left = take_all(Inbox(lake, barometre), context)
    done = int(context.cursor or 0)
    page = barometre.rows(_OPEN, {"page": _PAGE, "done": done})
    finished = {row["recording_id"]: bool(row.pop("finished")) for row in page}
    rows = [Recording(**row) for row in page]
    states = states_seen(barometre, finished)
    runs = runs_seen(context.instance, finished)
    now = datetime.now(UTC).timestamp()
    requests = [
        run_request(row, ask)
        for row in rows
        if (ask := next_ask(runs[row.recording_id], states[row.recording_id], version_of(row), now, finished[row.recording_id]))
    ]
    cursor = str(done + _PAGE if len(page) == _PAGE else 0)
    new = without_partition(context.instance, barometre)
    if not requests and not new and cursor == (context.cursor or "0"):
        return dg.SkipReason("; ".join(["no recording is to be asked for", *left[:_LEFT_SHOWN]]))
    opened = [recording.build_add_request(new)] if new else []
    return dg.SensorResult(run_requests=requests, dynamic_partitions_requests=opened, cursor=cursor)


def take_all(inbox: Inbox, context: dg.SensorEvaluationContext) -> list[str]:
    """Take what arrived, a bounded part of it; a line on each object that stays in the inbox."""
    arrived, left = inbox.arrived()
    size = 0
    for arrival in arrived[:_FILES]:
        if size and size + arrival.bytes > _BYTES:
            break
        size += arrival.bytes
        try:
            outcome = inbox.take(arrival)
        except Transient as trouble:
            # One file that changes under our hands is no reason to leave the others.
            context.log.warning(str(trouble))
            continue
        match outcome:
            case Taken(row, new):
                context.log.info(f"{row.filename} is recording {row.recording_id}" + ("" if new else ", known before"))
            case PutAside(key, reason):
                context.log.warning(f"refused, kept at {key}: {reason}")
    return left


def without_partition(instance: dg.DagsterInstance, barometre: Barometre) -> list[str]:
    """Recordings that Dagster has no partition of: new ones, or all of them when its storage was lost."""
    known = set(instance.get_dynamic_partitions(RECORDING))
    ids = (row["recording_id"] for row in barometre.rows("SELECT recording_id FROM recordings ORDER BY added_at DESC"))
    return [one for one in ids if one not in known]


def run_request(row: Recording, ask: Ask) -> dg.RunRequest:
    """A run of all assets of a recording; two ticks that see the same ask for the same run."""
    version = version_of(row)
    tags: dict[str, Any] = {VERSION_TAG: version, "climate/why": ask.why, "dagster/max_runtime": str(MAX_RUN_SECONDS)}
    return dg.RunRequest(
        run_key=f"recording/{row.recording_id}/{version}/{ask.number}",
        partition_key=row.recording_id,
        asset_selection=[dg.AssetKey(asset) for asset in RECORDING_ASSETS],
        tags=tags,
    )
