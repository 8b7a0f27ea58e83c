"""The labelling stage: what fact-checkers are asked, what they answered, and which answer stands."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from climate_assets import policies
from climate_assets.broadcast import assets as broadcast
from climate_assets.claims import assets as claims
from climate_assets.failures import Transient
from climate_assets.labelling.adjudicating import adjudicate
from climate_assets.labelling.assigning import open_again
from climate_assets.labelling.collecting import collect
from climate_assets.labelling.handover import hand_over
from climate_assets.labelling.records import Adjudication, Annotation, GoldLabel, LabellingTask
from climate_assets.labelling.settling import settle
from climate_assets.partitions import country as by_country
from climate_assets.partitions import country_day, slices_of
from climate_assets.speech import assets as speech
from climate_assets.states import State
from climate_assets.tables import bars, columns_of, report, report_partition, table
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


# Reported by sensors when people answered, changed or removed something in Label Studio. The graph stops at the tasks.
label_studio_answers = dg.AssetSpec(
    "label_studio_answers",
    description="What people answer in Label Studio.",
    partitions_def=by_country,
    kinds={"labelstudio"},
)


@dg.asset(
    partitions_def=by_country,
    backfill_policy=policies.each_alone,
    deps=[label_studio_answers],
    automation_condition=policies.follow_upstream,
    retry_policy=policies.patient,
    kinds={"postgres", "labelstudio"},
    code_version="1",
    metadata=columns_of(Annotation),
)
def annotations(
    context: dg.AssetExecutionContext, barometre: Barometre, lake: Lake, label_studio: LabelStudio
) -> dg.MaterializeResult[Any]:
    """Every version of every answer of every person; what is skipped, changed or deleted is told, and nothing is overwritten.

    Changed tasks are read, and all of them once a day or when a count differs. What cannot be read is set aside.
    """
    for code in context.partition_keys:
        done = collect(code, barometre, lake, label_studio, datetime.now(UTC))
        report_partition(
            context,
            code,
            done.change,
            done.answers,
            tasks_read=done.tasks,
            projects_read_as_a_whole=done.whole,
            set_aside=done.refused,
            new_versions_by_state=bars(done.added, "versions"),
        )
        if done.troubles:
            said = f"{code}: {'; '.join(map(str, done.troubles))}"
            raise dg.Failure(said, allow_retries=any(isinstance(trouble, Transient) for trouble in done.troubles))
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=by_country,
    backfill_policy=policies.each_alone,
    deps=[annotations],
    automation_condition=policies.follow_upstream,
    kinds={"postgres", "python"},
    code_version="1",
    metadata=columns_of(GoldLabel),
)
def gold_labels(context: dg.AssetExecutionContext, barometre: Barometre) -> dg.MaterializeResult[Any]:
    """Which answer stands for each item that was asked about, and why; none while people disagree or have not answered.

    Agreement of at least two thirds, one answer where one was asked for, or another airing of nearly the same words. Of a post
    it is the spans that stand: each by the same rule, and all of them or none.
    """
    for code in context.partition_keys:
        settled = settle(code, barometre)
        report_partition(
            context,
            code,
            settled.change,
            settled.labels,
            assessments_by_standing=bars(settled.standing, "items"),
            assessments_that_stand=bars(settled.values, "items"),
            **settled.alphas,
            agreement=table(settled.agreement_rows()),
            posts_by_standing=bars(settled.spans.standing, "posts"),
            **settled.spans.f1,
            agreement_on_spans=table(settled.spans.agreement_rows()),
            annotators=table(settled.quality_rows()),
            accuracy_on_known_items=bars(settled.accuracies),
            pairs_of_answers=table(asdict(one) for one in settled.disagreements),
        )
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=by_country,
    backfill_policy=policies.each_alone,
    deps=[gold_labels],
    automation_condition=policies.follow_upstream,
    retry_policy=policies.patient,
    pool="label_studio",
    kinds={"s3", "postgres", "labelstudio"},
    code_version="1",
    metadata=columns_of(Adjudication),
)
def adjudication_tasks(
    context: dg.AssetExecutionContext, reference: ReferenceFiles, barometre: Barometre, lake: Lake, label_studio: LabelStudio
) -> dg.MaterializeResult[Any]:
    """One question to an adjudicator for each item in dispute: the item, and every answer without its author.

    It goes to a project of its own, and its answer wins. The same run opens tasks again for people who have not answered
    them: cases that were found in the random slice and wait for a second look, and tasks whose answer is known (hidden gold).
    """
    countries = reference.countries()
    for code in context.partition_keys:
        done = adjudicate(countries[code], barometre, lake, label_studio)
        again = open_again(countries[code], barometre, label_studio)
        for trouble in (*done.troubles, *again.troubles):
            context.log.warning(trouble)
        report_partition(
            context,
            code,
            done.change + again.change,
            done.states.total(),
            objects_written=done.objects,
            decided=done.decided,
            tasks_opened_again=again.tasks,
            tasks_by_state=bars(done.states, "tasks"),
        )
    return dg.MaterializeResult()
