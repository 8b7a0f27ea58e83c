"""The labelling stage: what fact-checkers are asked, in the country's bucket and in its Label Studio project."""

from typing import Any

import dagster as dg

from climate_assets import policies
from climate_assets.broadcast import assets as broadcast
from climate_assets.claims import assets as claims
from climate_assets.labelling.handover import hand_over
from climate_assets.labelling.records import LabellingTask
from climate_assets.partitions import country_day, slices_of
from climate_assets.speech import assets as speech
from climate_assets.states import State
from climate_assets.tables import bars, columns_of, report
from resources.label_studio import LabelStudio
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.s3 import Lake


@dg.asset(
    partitions_def=country_day,
    backfill_policy=policies.whole_range,
    deps=[claims.classified_chunks, broadcast.programme_labels, speech.attributed_transcripts],
    automation_condition=policies.follow_upstream,
    pool="label_studio",
    kinds={"s3", "postgres", "labelstudio"},
    code_version="2",
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
    for code, day in slices_of(context):
        done = hand_over(countries[code], day, barometre, lake, label_studio)
        if done.trouble:
            context.log.warning(done.trouble)
        report(
            context,
            code,
            day,
            done.change,
            done.states.total(),
            objects_written=done.objects,
            waiting=done.states[State.PENDING],
            waiting_for_sound=done.waiting_for_sound,
            tasks_by_state=bars(done.states, "tasks"),
            tasks_by_sampling=bars(done.sampling, "tasks"),
        )
    return dg.MaterializeResult()
