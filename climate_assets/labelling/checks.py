"""What must hold of the labelling stage: every task is in the bucket and in Label Studio, and nobody is asked twice."""

import dagster as dg

from climate_assets.labelling import assets as labelling
from climate_assets.partitions import country_day
from climate_assets.sentences import IN_SLICES, holds
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
