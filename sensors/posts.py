"""Files of posts arrived or changed: they are kept, and the days they hold are asked for until they are read.

What is kept and which days wait are tables: a tick that dies between any two steps, or comes twice, leaves the next one to
go on. The cursor is only the place in the list; a day whose run failed is asked for again by the sensor on failed states.
"""

import hashlib
from datetime import UTC, datetime
from typing import Final

import dagster as dg

from climate_assets.failures import Permanent, Transient
from climate_assets.partitions import key_of
from climate_assets.posts.gathering import Gathering
from resources.post_sources import PostSources
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.s3 import Lake

# A tick has 60 seconds: files are taken until so many, or so many bytes, are; the next tick goes on.
_FILES: Final = 20
_BYTES: Final = 32 * 1024**2
_PAGE: Final = 20
_PENDING: Final = """
SELECT country, day, string_agg(item_id, ' ' ORDER BY item_id) AS items FROM stage_states
WHERE stage = 'posts' AND state = 'pending' GROUP BY country, day ORDER BY day DESC, country LIMIT %(page)s OFFSET %(done)s"""


@dg.sensor(target="posts", minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def posts_arrived(
    context: dg.SensorEvaluationContext,
    reference: ReferenceFiles,
    barometre: Barometre,
    lake: Lake,
    post_sources: PostSources,
) -> dg.SensorResult | dg.SkipReason:
    """Keeps what is new or changed in the inboxes of posts, and asks for the days it holds."""
    said, now = [], datetime.now(UTC)
    for country in reference.countries().by_code.values():
        if country.posts is None:
            continue
        try:
            gathering = Gathering(country, country.posts, post_sources, barometre, lake, now)
            _, left = gathering.take_files(_FILES, _BYTES)
            said += left
        except (Permanent, Transient) as trouble:
            # One country's trouble is no reason to miss the posts of another.
            said.append(f"{country.code}: {trouble}")
            context.log.warning(said[-1])
    done = int(context.cursor or 0)
    waiting = barometre.rows(_PENDING, {"page": _PAGE, "done": done})
    requests = [
        dg.RunRequest(
            # What waits is part of the key: two ticks that see the same ask for the same run.
            run_key=f"posts/{row['country']}/{row['day']}/{hashlib.sha256(row['items'].encode()).hexdigest()[:16]}",
            partition_key=key_of(row["country"], row["day"]),
            asset_selection=[dg.AssetKey("posts")],
            tags={"climate/why": "posts arrived"},
        )
        for row in waiting
    ]
    cursor = str(done + _PAGE if len(waiting) == _PAGE else 0)
    if not requests and cursor == (context.cursor or "0"):
        return dg.SkipReason("; ".join(["no day waits for posts", *said[:5]]))
    return dg.SensorResult(run_requests=requests, cursor=cursor)
