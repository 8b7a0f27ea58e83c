"""A run failed: people are told once, with the country, the day and what to do."""

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from resources.notifier import Notifier


def sentence(job: str, partition: str | None, error: str | None) -> str:
    """What happened, where, and the next act."""
    where = partition.replace("|", ", ") if partition else "no partition"
    first_line = next(iter((error or "").strip().splitlines()), "no message")
    return f"{job} ({where}) failed: {first_line[:300]}"


def root_cause(error: SerializableErrorInfo) -> str:
    """What went wrong first; Dagster's own wrapper only says in which step."""
    while error.cause:
        error = error.cause
    return error.message


@dg.run_failure_sensor(default_status=dg.DefaultSensorStatus.RUNNING, minimum_interval_seconds=60)
def run_failed(context: dg.RunFailureSensorContext, notifier: Notifier) -> None:
    """Tells people of a failed run."""
    run = context.dagster_run
    steps = context.get_step_failure_events()
    error = next((root_cause(e.step_failure_data.error) for e in steps if e.step_failure_data.error), "")
    names = ", ".join(sorted(e.step_key for e in steps if e.step_key)) or run.job_name
    partition = run.tags.get("dagster/partition") or run.tags.get("dagster/asset_partition_range_start")
    notifier.tell(sentence(names, partition, error or context.failure_event.message), f"run {run.run_id}")
