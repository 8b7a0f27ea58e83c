"""The assets of a recording in small: five steps whose fate a test writes into a file, and an instance to run them in."""

import json
from pathlib import Path
from typing import Any

import dagster as dg

from climate_assets.failures import Permanent, Transient
from climate_assets.partitions import recording
from climate_assets.speech.progress import RECORDING_ASSETS


def line(fates: Path) -> dg.Definitions:
    """Five assets in a row; `fates` maps a step to `fail`, or to how often it is to be tried again."""

    def asset(name: str, before: list[str]) -> dg.AssetsDefinition:
        @dg.asset(
            name=name,
            deps=before,
            partitions_def=recording,
            backfill_policy=dg.BackfillPolicy.single_run(),
            retry_policy=dg.RetryPolicy(max_retries=1, delay=0),
        )
        def step(context: dg.AssetExecutionContext) -> None:
            fate = json.loads(fates.read_text()).get(name, "")
            if fate == "fail":
                raise dg.Failure("Permanent", allow_retries=False) from Permanent(f"{name} cannot be made; mend it")
            if fate == "once" and context.retry_number == 0:
                raise Transient("the store is out of order")

        return step

    names = list(RECORDING_ASSETS)
    return dg.Definitions(assets=[asset(name, names[max(0, at - 1) : at]) for at, name in enumerate(names)])


def made(
    fates: Path, instance: dg.DagsterInstance, key: str, fate: dict[str, str], only: str = "", to: str = "", **tags: str
) -> dg.ExecuteInProcessResult:
    """One run of a recording, to its end; with `to`, of all from the one to the other, as a backfill makes them."""
    fates.write_text(json.dumps(fate))
    selection: Any = dg.AssetSelection.assets(only) if only else dg.AssetSelection.all()
    job = dg.define_asset_job("heard", selection=selection)
    defs = dg.Definitions.merge(line(fates), dg.Definitions(jobs=[job], executor=dg.in_process_executor))
    instance.add_dynamic_partitions("recording", [k for k in (key, to) if k])
    if to:
        tags |= {"dagster/asset_partition_range_start": key, "dagster/asset_partition_range_end": to}
    return defs.resolve_job_def("heard").execute_in_process(
        instance=instance, partition_key=None if to else key, raise_on_error=False, tags=tags
    )
