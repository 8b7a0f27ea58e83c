"""People answered in Label Studio: the external asset of their answers is reported, and the assets behind it follow.

Two ways lead here, and neither is trusted alone: the doorbell rings at once, and what Label Studio says of each project is
compared with what was read. When to report is `labelling/reading.py`; what was read is a table, so a lost tick loses nothing.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from time import monotonic
from typing import Final

import dagster as dg

from climate_assets.failures import Permanent, Transient
from climate_assets.labelling.collecting import ASKED
from climate_assets.labelling.reading import in_turn, remembered, told_after, told_from, why_to_read
from climate_assets.labelling.records import ReadMark
from resources.doorbell import Doorbell
from resources.label_studio import LabelStudio
from resources.label_studio_annotations import ensure_webhook
from resources.postgres import Barometre

ANSWERS: Final = "label_studio_answers"
# A tick has 60 seconds.
_TICK_SECONDS: Final = 35.0
_PROJECTS: Final = f"SELECT DISTINCT country, project_id FROM {ASKED} t"  # noqa: S608

_RUNG: Final = f"""SELECT DISTINCT r.project_id, r.rung_at, t.country FROM rings r JOIN {ASKED} t USING (project_id)
    WHERE r.rung_at > %(since)s ORDER BY r.rung_at"""  # noqa: S608


@dg.sensor(minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def doorbell_rang(context: dg.SensorEvaluationContext, barometre: Barometre) -> dg.SensorResult | dg.SkipReason:
    """Reports the answers of a country as soon as its project rang. The fast way; what never rang is found by the other one."""
    since = datetime.fromisoformat(context.cursor) if context.cursor else datetime(1970, 1, 1, tzinfo=UTC)
    rung = barometre.rows(_RUNG, {"since": since})
    if not rung:
        return dg.SkipReason("nobody rang")
    events = _events((row["country"], "the doorbell rang") for row in rung)
    return dg.SensorResult(asset_events=events, cursor=rung[-1]["rung_at"].isoformat())


@dg.sensor(minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def answers_changed(
    context: dg.SensorEvaluationContext, barometre: Barometre, label_studio: LabelStudio, doorbell: Doorbell
) -> dg.SensorResult:
    """Reports the answers of a country when its project is not as it was read, and once a day in any case. The true way.

    Also hangs the bell of a project that has none yet, or another one than is configured now.
    """
    cursor = json.loads(context.cursor or "{}")
    told, bells, now = told_from(cursor.get("told", {})), dict(cursor.get("bells", {})), datetime.now(UTC)
    marks = {mark.project_id: mark for mark in barometre.read(ReadMark)}
    reasons, troubles, begun = [], [], monotonic()
    countries, stopped = {row["project_id"]: row["country"] for row in barometre.rows(_PROJECTS)}, 0
    for number in in_turn(countries, cursor.get("stopped", 0)):
        country = countries[number]
        if monotonic() - begun > _TICK_SECONDS:
            troubles.append(f"Label Studio is slow; from {country} on projects are looked at by the next tick")
            stopped = number
            break
        try:
            pulse = label_studio.pulse(number)
            if why := why_to_read(pulse, marks.get(number), told.get(number), now):
                reasons.append((country, why))
                told[number] = told_after(pulse, marks.get(number), now)
            if bells.get(str(number)) != doorbell.mark(number):
                bells[str(number)] = hang_bell(label_studio, doorbell, number)
        except (Transient, Permanent) as trouble:
            # One project that is gone, or a server that restarts, is no reason to miss the others.
            troubles.append(f"{country}: {trouble}")
            context.log.warning(troubles[-1])
    said = "; ".join(troubles) or "every project is as it was read"
    kept = json.dumps({"told": remembered(told), "bells": bells, "stopped": stopped})
    return dg.SensorResult(asset_events=_events(reasons), skip_reason=None if reasons else said, cursor=kept)


def hang_bell(label_studio: LabelStudio, doorbell: Doorbell, project_id: int) -> str:
    """Make the webhook of a project as it is configured; what tells whether it still is."""
    if doorbell.configured:
        ensure_webhook(label_studio, project_id, doorbell.address(project_id), doorbell.secret)
    return doorbell.mark(project_id)


def _events(reasons: Iterable[tuple[str, str]]) -> list[dg.AssetMaterialization]:
    """One report a country, however many of its projects changed."""
    return [
        dg.AssetMaterialization(ANSWERS, partition=country, metadata={"why": why})
        for country, why in sorted(dict(reasons).items())
    ]
