"""The labelling stage: what fact-checkers are asked, in the country's bucket and in its Label Studio project."""

from collections import Counter
from typing import Any

import dagster as dg

from climate_assets import policies
from climate_assets.broadcast import assets as broadcast
from climate_assets.claims import assets as claims
from climate_assets.labelling.handover import hand_over
from climate_assets.labelling.records import LabellingTask
from climate_assets.partitions import country_day, slices_of
from climate_assets.tables import bars, columns_of, written
from resources.label_studio import LabelStudio
from resources.postgres import Barometre, Change
from resources.reference import ReferenceFiles
from resources.s3 import Lake


@dg.asset(
    partitions_def=country_day,
    backfill_policy=policies.whole_range,
    deps=[claims.classified_chunks, broadcast.programme_labels],
    automation_condition=policies.follow_upstream,
    pool="label_studio",
    kinds={"s3", "postgres", "labelstudio"},
    code_version="1",
    metadata=columns_of(LabellingTask),
)
def labelstudio_tasks(
    context: dg.AssetExecutionContext,
    reference: ReferenceFiles,
    barometre: Barometre,
    lake: Lake,
    label_studio: LabelStudio,
) -> dg.MaterializeResult[Any]:
    """One question a chunk: all at or above the country's threshold, and a random slice below it, most useful first.

    The JSON in the bucket is the record of truth. Pushing twice adds nothing; while Label Studio is down tasks stay
    pending and the next tick delivers them.
    """
    countries = reference.countries()
    done = [hand_over(countries[code], day, barometre, lake, label_studio) for code, day in slices_of(context)]
    for one in done:
        if one.trouble:
            context.log.warning(one.trouble)
    states: Counter[str] = sum((one.states for one in done), Counter())
    sampling: Counter[str] = sum((one.sampling for one in done), Counter())
    return written(
        sum((one.change for one in done), Change()),
        sum(states.values()),
        objects_written=sum(one.objects for one in done),
        tasks_by_state=bars(states, "tasks"),
        tasks_by_sampling=bars(sampling, "tasks"),
    )
