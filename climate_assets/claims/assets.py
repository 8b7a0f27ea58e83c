"""The claims stage: one verdict for each clean chunk with a climate hit, or a state that says why there is none."""

from typing import Any

import dagster as dg

from climate_assets import policies
from climate_assets.broadcast import assets as broadcast
from climate_assets.claims.judging import Bench, judge_day
from climate_assets.claims.prompts import prompt_named
from climate_assets.claims.records import Verdict
from climate_assets.partitions import country_day, slices_of
from climate_assets.states import State
from climate_assets.tables import bars, columns_of, report
from resources.llm import Llm
from resources.llm_ledger import LlmLedger
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.student import StudentShelf


@dg.asset(
    partitions_def=country_day,
    backfill_policy=policies.whole_range,
    deps=[broadcast.clean_chunks, dg.AssetDep("champion", partition_mapping=dg.AllPartitionMapping())],
    # A new champion does not make all verdicts again: the sensor that tells of it asks for the last days.
    automation_condition=policies.follow_upstream.ignore(dg.AssetSelection.assets("champion")),
    pool="models",
    kinds={"postgres", "openai", "scikitlearn"},
    code_version="1",
    metadata=columns_of(Verdict),
)
def classified_chunks(
    context: dg.AssetExecutionContext,
    reference: ReferenceFiles,
    student: StudentShelf,
    llm: Llm,
    barometre: Barometre,
) -> dg.MaterializeResult[Any]:
    """What a model says of each clean chunk with a climate hit; negatives are kept, failures are states.

    What has a verdict on the same text by the same model and prompt is not judged again, so a rerun pays for nothing.
    """
    countries, ledger = reference.countries(), LlmLedger(barometre)
    for code, day in slices_of(context):
        country = countries[code]
        bench = Bench(country, student.for_language(country.language), llm, ledger, prompt_named(country.llm.prompt))
        judged = judge_day(bench, day, barometre)
        report(
            context,
            code,
            day,
            judged.change,
            judged.states[State.OK],
            judged_now=judged.judged_now,
            model_calls=judged.calls,
            cost=dg.MetadataValue.float(judged.cost),
            stopped=judged.stopped.reason if judged.stopped else None,
            waiting=judged.states[State.PENDING] + judged.states[State.FAILED],
            dead=judged.states[State.DEAD],
            states=bars(judged.states, "chunks"),
            scores=bars({f"score {score:2}": count for score, count in judged.scores.items()}, "chunks"),
        )
    return dg.MaterializeResult()
