"""What must hold of the labelling stage: nobody is asked twice, every answer is read, and what stands can be traced."""

import dagster as dg

from climate_assets.failures import Permanent, Transient
from climate_assets.labelling import assets as labelling
from climate_assets.labelling.annotators import Care, Drift
from climate_assets.labelling.collecting import ASKED, FOREIGN, STANDING
from climate_assets.labelling.settling import annotator_qualities
from climate_assets.labelling.workload import WAITS
from climate_assets.partitions import country, country_day
from climate_assets.sentences import IN_COUNTRIES, IN_SLICES, holds
from resources.doorbell import Doorbell
from resources.label_studio import LabelStudio
from resources.label_studio_annotations import ensure_webhook, webhook_active
from resources.postgres import Barometre


@dg.asset_check(asset=labelling.labelstudio_tasks, partitions_def=country_day)
def every_task_is_delivered(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """No task waits but for people to have time, and Label Studio refused none."""
    query = f"""SELECT country, day, state, count(*) AS tasks, max(reason) AS one_reason FROM labelling_tasks
        WHERE {IN_SLICES} AND task_kind = 'misinfo' AND state NOT IN ('ok', 'skipped')
          AND reason <> '{WAITS}' GROUP BY 1, 2, 3"""
    remedy = "Pending tasks are delivered by the next tick; a dead one says what Label Studio does not take."
    return holds(context, barometre, query, remedy, dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=labelling.labelstudio_tasks, blocking=True, partitions_def=country_day)
def every_task_has_its_own_number(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """No two chunks share a task of Label Studio."""
    query = f"""SELECT project_id, task_id, count(*) AS chunks FROM labelling_tasks
        WHERE {IN_SLICES} AND task_kind = 'misinfo' AND task_id IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1"""
    return holds(context, barometre, query, "Somebody edited labelling_tasks by hand: compare with the project.")


@dg.asset_check(asset=labelling.annotations, partitions_def=country)
def every_answer_is_read(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """No answer that Label Studio has was set aside."""
    query = f"""SELECT project_id, task_id, annotation_id, reason, sha256 FROM refused_annotations
        WHERE {IN_COUNTRIES} AND present ORDER BY updated_at DESC"""
    remedy = "Its bytes are in the lake under annotations/refused/; mend or remove it in Label Studio."
    return holds(context, barometre, query, remedy, dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=labelling.annotations, partitions_def=country)
def every_answer_is_to_a_task_of_ours(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """No answer that is there is to a task that came from elsewhere, or whose data somebody edited; such ones do not count."""
    query = f"""SELECT project_id, task_id, annotation_id, item_id
        FROM ({STANDING.format(IN_COUNTRIES)}) a WHERE state <> 'deleted' AND ({FOREIGN})"""
    remedy = "Compare the task with its JSON in the bucket; put its data right and save the answer again, or remove the task."
    return holds(context, barometre, query, remedy, dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=labelling.annotations, partitions_def=country)
def label_studio_rings(
    context: dg.AssetCheckExecutionContext, barometre: Barometre, label_studio: LabelStudio, doorbell: Doorbell
) -> dg.AssetCheckResult:
    """The webhook of each project is on; one that was switched off, or is missing, is told of and made again.

    Without it answers come in some minutes later, and none is lost.
    """
    if not doorbell.url:
        return dg.AssetCheckResult(passed=True, description="No doorbell is configured; answers are found by looking for them.")
    asked = {"countries": list(context.partition_keys)}
    projects = barometre.rows(f"SELECT DISTINCT project_id FROM {ASKED} t WHERE {IN_COUNTRIES}", asked)
    troubles = []
    for number in (row["project_id"] for row in projects):
        try:
            active = webhook_active(label_studio, number, doorbell.address(number))
            changed = ensure_webhook(label_studio, number, doorbell.address(number), doorbell.secret)
            if not active:
                troubles.append(f"the webhook of project {number} was off or missing; is the doorbell reachable?")
            elif changed:
                troubles.append(f"the webhook of project {number} was not as it is to be")
        except (Permanent, Transient) as trouble:
            # Answers come in without it; a bell that cannot be looked at is no reason for a red run.
            troubles.append(str(trouble))
    return dg.AssetCheckResult(passed=not troubles, severity=dg.AssetCheckSeverity.WARN, description="; ".join(troubles))


@dg.asset_check(asset=labelling.gold_labels, blocking=True, partitions_def=country)
def what_stands_has_answers_behind_it(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """A value stands on answers that are there and not deleted, and nothing stands on a dispute."""
    query = f"""SELECT g.item_id, g.field, g.value, g.standing FROM gold_labels g WHERE {IN_COUNTRIES} AND (
          (g.value IS NOT NULL) <> (g.standing IN ('agreed', 'single', 'adjudicated', 'propagated'))
          OR (g.value IS NOT NULL AND cardinality(g.annotations) = 0)
          OR EXISTS (SELECT FROM unnest(g.annotations) named LEFT JOIN LATERAL (
               SELECT state FROM annotations a WHERE a.project_id = split_part(named, '/', 1)::bigint
                 AND a.annotation_id = split_part(named, '/', 2)::bigint
               ORDER BY updated_at DESC LIMIT 1) latest ON true WHERE latest.state IS DISTINCT FROM 'submitted'))"""
    return holds(context, barometre, query, "Make gold_labels of this country again; its answers have changed since.")


@dg.asset_check(asset=labelling.gold_labels, partitions_def=country)
def no_annotator_drifts(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """Nobody's latest answers to known items are worse than those before, and nobody answers without reading.

    Measured on what all others say of the item. People are numbers; what follows is for a lead to decide.
    """
    told = [
        f"{code}: annotator {one.annotator} {'drifts' if one.drift == Drift.DRIFTING else 'is careless'}. {one.why}"
        for code in context.partition_keys
        for one in annotator_qualities(code, barometre)
        if one.drift == Drift.DRIFTING or one.care == Care.CARELESS
    ]
    return dg.AssetCheckResult(passed=not told, severity=dg.AssetCheckSeverity.WARN, description="; ".join(told))


@dg.asset_check(asset=labelling.adjudication_tasks, partitions_def=country)
def every_dispute_is_asked_about(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """No disputed item lacks a task for an adjudicator."""
    query = f"""SELECT country, item_id, field, reason FROM (
          SELECT g.country, g.item_id, g.field, coalesce(a.reason, 'not asked yet') AS reason
          FROM gold_labels g LEFT JOIN adjudications a USING (item_id)
          WHERE g.standing = 'disputed' AND g.task_kind = 'misinfo' AND a.state IS DISTINCT FROM 'ok') d WHERE {IN_COUNTRIES}"""
    remedy = "The next run asks; of a dead one the reason says what Label Studio does not take."
    return holds(context, barometre, query, remedy, dg.AssetCheckSeverity.WARN)
