"""A programme grid was edited: its external asset is reported, and the labels follow."""

import hashlib
import json

import dagster as dg

from resources.reference import ReferenceFiles


@dg.sensor(minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def grids_edited(context: dg.SensorEvaluationContext, reference: ReferenceFiles) -> dg.SensorResult | dg.SkipReason:
    """Reports `programme_grid` when the content of any grid file differs from what was last seen."""
    seen = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in reference.grid_files().items()}
    before = json.loads(context.cursor) if context.cursor else None
    known = before is not None or context.instance.get_latest_materialization_event(dg.AssetKey("programme_grid"))
    if before is None and known:
        return dg.SensorResult(cursor=json.dumps(seen))
    if seen == before:
        return dg.SkipReason("no grid file was edited")
    edited = sorted(name for name in {**seen, **(before or {})} if before is None or seen.get(name) != before.get(name))
    event = dg.AssetMaterialization("programme_grid", metadata={"files": ", ".join(edited)})
    return dg.SensorResult(asset_events=[event], cursor=json.dumps(seen))
