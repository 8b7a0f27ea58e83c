"""The claims stage: one verdict for each clean chunk with a climate hit, or a state that says why there is none."""

from collections import Counter
from typing import Any

import dagster as dg

from climate_assets import policies
from climate_assets.broadcast import assets as broadcast
from climate_assets.claims.judging import Bench, Judged, judge_day
from climate_assets.claims.prompts import prompt_named
from climate_assets.claims.records import Verdict
from climate_assets.partitions import country_day, slices_of
from climate_assets.states import State
from climate_assets.tables import bars, columns_of, written
from resources.llm import Llm
from resources.llm_ledger import LlmLedger
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.student import StudentShelf


@dg.asset(
    partitions_def=country_day,
    backfill_policy=policies.whole_range,
    deps=[broadcast.clean_chunks],
    automation_condition=policies.follow_upstream,
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
    countries, ledger, made = reference.countries(), LlmLedger(barometre), list[Judged]()
    for code, day in slices_of(context):
        country = countries[code]
        bench = Bench(country, student.for_language(country.language), llm, ledger, prompt_named(country.llm.prompt))
        made.append(judge_day(bench, day, barometre))
        context.log.info(f"{code} {day}: {dict(made[-1].states)}")
    states: Counter[str] = sum((j.states for j in made), Counter())
    scores: Counter[int] = sum((j.scores for j in made), Counter())
    change = made[0].change
    for one in made[1:]:
        change += one.change
    return written(
        change,
        states[State.OK],
        judged_now=sum(j.judged_now for j in made),
        model_calls=sum(j.calls for j in made),
        cost=dg.MetadataValue.float(sum(j.cost for j in made)),
        stopped=next((j.stopped.reason for j in made if j.stopped), None),
        states=bars(states, "chunks"),
        scores=bars({f"score {score}": count for score, count in scores.items()}, "chunks"),
    )
