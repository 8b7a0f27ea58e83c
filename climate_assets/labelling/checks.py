"""What must hold of the labelling stage: nobody is asked twice, every answer is read, and what stands can be traced."""

import dagster as dg

from climate_assets.labelling import assets as labelling
from climate_assets.partitions import country, country_day
from climate_assets.sentences import IN_COUNTRIES, IN_SLICES, holds
from resources.doorbell import Doorbell
from resources.label_studio import LabelStudio
from resources.label_studio_annotations import reactivate_webhook, webhook_active
from resources.postgres import Barometre


@dg.asset_check(asset=labelling.labelstudio_tasks, partitions_def=country_day)
def every_task_is_delivered(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """No task waits, and Label Studio refused none."""
    query = f"""SELECT country, day, state, count(*) AS tasks, max(reason) AS one_reason FROM labelling_tasks
        WHERE {IN_SLICES} AND state <> 'ok' GROUP BY 1, 2, 3"""
    remedy = "Pending tasks are delivered by the next tick; a dead one says what Label Studio does not take."
    return holds(context, barometre, query, remedy, dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=labelling.labelstudio_tasks, blocking=True, partitions_def=country_day)
def every_task_has_its_own_number(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """No two chunks share a task of Label Studio."""
    query = f"""SELECT project_id, task_id, count(*) AS chunks FROM labelling_tasks
        WHERE {IN_SLICES} AND task_id IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1"""
    return holds(context, barometre, query, "Somebody edited labelling_tasks by hand: compare with the project.")


@dg.asset_check(asset=labelling.annotations, partitions_def=country)
def every_answer_is_read(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """No answer that Label Studio has was set aside."""
    query = f"""SELECT project_id, task_id, annotation_id, reason, sha256 FROM refused_annotations
        WHERE {IN_COUNTRIES} AND present ORDER BY updated_at DESC"""
    remedy = "Its bytes are in the lake under annotations/refused/; mend or remove it in Label Studio."
    return holds(context, barometre, query, remedy, dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=labelling.annotations, blocking=True, partitions_def=country)
def every_answer_is_to_a_task_of_ours(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """What an answer says it is about is what its task asks about."""
    query = f"""SELECT a.project_id, a.annotation_id, a.item_id, t.chunk_id AS asked FROM annotations a
        JOIN labelling_tasks t USING (project_id, task_id) WHERE a.{IN_COUNTRIES} AND t.chunk_id <> a.item_id"""
    return holds(context, barometre, query, "Somebody edited the data of this task: compare it with its JSON in the bucket.")


@dg.asset_check(asset=labelling.annotations, partitions_def=country)
def label_studio_rings(
    context: dg.AssetCheckExecutionContext, barometre: Barometre, label_studio: LabelStudio, doorbell: Doorbell
) -> dg.AssetCheckResult:
    """The webhook of each project is on; one that Label Studio switched off after failures is told of and switched on again.

    Without it answers come in some minutes later, and none is lost.
    """
    if not doorbell.configured:
        return dg.AssetCheckResult(passed=True, description="No doorbell is configured; answers are found by looking for them.")
    asked = {"countries": list(context.partition_keys)}
    projects = barometre.rows(
        f"SELECT DISTINCT project_id FROM labelling_tasks WHERE {IN_COUNTRIES} AND project_id IS NOT NULL", asked
    )
    off = []
    for row in projects:
        address = doorbell.address(row["project_id"])
        if webhook_active(label_studio, row["project_id"], address) is not True:
            off.append(row["project_id"])
            if webhook_active(label_studio, row["project_id"], address) is False:
                reactivate_webhook(label_studio, row["project_id"], address)
    return dg.AssetCheckResult(
        passed=not off,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"the webhook of project {', '.join(map(str, off))} was off or missing; is the doorbell reachable?"
        if off
        else "",
    )


@dg.asset_check(asset=labelling.gold_labels, blocking=True, partitions_def=country)
def what_stands_has_answers_behind_it(context: dg.AssetCheckExecutionContext, barometre: Barometre) -> dg.AssetCheckResult:
    """A value stands on answers that are there and not deleted, and nothing stands on a dispute."""
    query = f"""SELECT g.item_id, g.field, g.value, g.standing FROM gold_labels g WHERE {IN_COUNTRIES} AND (
          (g.value IS NOT NULL) <> (g.standing IN ('agreed', 'single', 'adjudicated', 'propagated'))
          OR (g.value IS NOT NULL AND cardinality(g.annotations) = 0)
          OR EXISTS (SELECT FROM unnest(g.annotations) named LEFT JOIN LATERAL (
               SELECT state FROM annotations a WHERE a.project_id || '/' || a.annotation_id = named
               ORDER BY updated_at DESC LIMIT 1) latest ON true WHERE latest.state IS DISTINCT FROM 'submitted'))"""
    return holds(context, barometre, query, "Make gold_labels of this country again; its answers have changed since.")
