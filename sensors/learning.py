"""The loop's sensors: labels begin a round, a failed standard asks for a challenger, a moved champion is told.

What is due is decided from tables by pure functions (`learning/rounds.py`, `learning/asking.py`), so that a lost tick, a
restart or an outage loses nothing; events only say when to look.
"""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg

from climate_assets import policies
from climate_assets.learning.asking import (
    EVALUATION,
    TRAINING,
    Asked,
    Open,
    asked_again,
    judged_again,
    moved,
    rounds_opened,
    unfinished,
)
from climate_assets.learning.label_reading import codes_of, standing_of
from climate_assets.learning.learners import lines_of
from climate_assets.learning.lines import MISINFO, NER, Line
from climate_assets.learning.rounds import Due, due
from climate_assets.learning.turning import gate_of, rounds_of
from climate_assets.partitions import LINE, ROUND, learning_round
from climate_assets.partitions import line as lines_partition
from resources.notifier import Notifier
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.registry import ModelRegistry
from sensors.follow_ups import runs_for

measure_round = dg.define_asset_job("measure_round", selection=["evaluation"], tags=policies.MAX_RUNTIME)
train_challenger = dg.define_asset_job(
    "train_challenger", selection=["training_set", "candidate_model", "promotion"], tags=policies.MAX_RUNTIME
)
_RUNNING = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]
# Rounds whose challenger was compared with the champion.
_DECIDED = "SELECT round FROM promotions WHERE round <> ''"
# What a champion of each task kind makes again, and the days that have any of it.
_MADE_AGAIN = {
    MISINFO: ("classified_chunks", "SELECT DISTINCT country, day FROM verdicts WHERE engine = 'student'"),
    NER: ("post_entities", "SELECT DISTINCT country, day FROM post_readings"),
}
_FORGOTTEN = """SELECT t.country, count(*) AS open, min(t.day) AS oldest FROM labelling_tasks t
    LEFT JOIN gold_labels g ON g.item_id = t.chunk_id AND g.field IN ('assessment', 'spans')
    WHERE t.state = 'ok' AND t.day < %(since)s AND (g.standing IS NULL OR g.standing = 'waiting') GROUP BY 1 ORDER BY 1"""


def lines(reference: ReferenceFiles) -> list[Line]:
    """The lines of models there are: a language that is monitored, and something to begin from."""
    return lines_of(reference.countries(), reference)


@dg.asset_sensor(
    asset_key=dg.AssetKey("gold_labels"),
    job=measure_round,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def labels_settled(
    context: dg.SensorEvaluationContext,
    asset_event: dg.EventLogEntry,
    reference: ReferenceFiles,
    barometre: Barometre,
    registry: ModelRegistry,
) -> dg.SensorResult | dg.SkipReason:
    """Begins a round when enough people have answered: the model in use is measured on the labels that now stand."""
    due_now, said = rounds_due(reference, barometre, registry)
    # Run keys are remembered sensor by sensor: what the other sensor asked for is seen by its run alone.
    begun = [key for key in due_now if not _is_running(context.instance, key)]
    if not begun:
        return dg.SkipReason(f"under way: {', '.join(due_now)}" if due_now else said)
    return dg.SensorResult(
        run_requests=[_run(Open(key, EVALUATION), "0") for key in begun],
        dynamic_partitions_requests=_opened(begun, context.instance),
    )


@dg.asset_sensor(
    asset_key=dg.AssetKey("evaluation"),
    job=train_challenger,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def gate_failed(
    context: dg.SensorEvaluationContext, asset_event: dg.EventLogEntry, reference: ReferenceFiles, barometre: Barometre
) -> dg.SensorResult | dg.SkipReason:
    """Asks for a challenger when the standard was missed, there is something new to learn, and iterations are left."""
    done = {row["round"] for row in barometre.rows(_DECIDED)}
    newest = [known[-1] for line in lines(reference) if (known := rounds_of(line, barometre))]
    asked_for = [r for r in newest if r.move == "retrain" and r.round not in done]
    # The run that has just measured may not have ended, so only trainings count.
    wanted = [r for r in asked_for if not _is_running(context.instance, r.round, train_challenger.name)]
    if not wanted:
        return dg.SkipReason(" ".join(f"{r.round}: {r.why}" for r in newest) or "nothing was measured yet")
    return dg.SensorResult(run_requests=[_run(Open(r.round, TRAINING), "0") for r in wanted])


@dg.sensor(jobs=[measure_round, train_challenger], minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def rounds_unfinished(
    context: dg.SensorEvaluationContext, reference: ReferenceFiles, barometre: Barometre, registry: ModelRegistry
) -> dg.SensorResult | dg.SkipReason:
    """Begins rounds that no event tells of, and asks again for what a failed run or an outage left: often, then daily."""
    asked = {key: Asked(row[0], datetime.fromisoformat(row[1])) for key, row in json.loads(context.cursor or "{}").items()}
    # What no event tells of: another model was put in use, or the daemon was away.
    begun, _ = rounds_due(reference, barometre, registry)
    known, now = lines(reference), datetime.now(UTC)
    rounds = [r for line in known for r in rounds_of(line, barometre)]
    partitions = context.instance.get_dynamic_partitions(ROUND)
    opened = rounds_opened({*partitions, *begun, *(r.round for r in rounds)}, known)
    open_ = unfinished(opened, rounds, (row["round"] for row in barometre.rows(_DECIDED)))
    # A run key is remembered for ever: with the minute in it, whoever resets the cursor has it asked for anew.
    requests, kept, turn = [], {}, f"{now:%Y-%m-%dT%H:%M}"
    for one in open_:
        name, before = f"{one.round}/{one.wants}", asked.get(f"{one.round}/{one.wants}")
        if before is None:
            # A sensor that reacts to events may have asked for it just now; then this one waits.
            asks = one.round in begun and not _is_running(context.instance, one.round)
            requests += [_run(one, f"0/{turn}")] if asks else []
            kept[name] = Asked(0, now)
        elif asked_again(one, before, now, _is_running(context.instance, one.round)):
            requests.append(_run(one, f"{before.tries + 1}/{turn}"))
            kept[name] = Asked(before.tries + 1, now)
        else:
            kept[name] = before
    cursor = json.dumps({name: [one.tries, one.at.isoformat()] for name, one in kept.items()})
    skip = None if requests else "; ".join(kept) or "every round is as far as it can be"
    opening = _opened([str(r.partition_key) for r in requests], context.instance)
    return dg.SensorResult(
        run_requests=requests,
        cursor=cursor,
        skip_reason=None if opening else skip,
        dynamic_partitions_requests=opening,
    )


@dg.sensor(
    target=["classified_chunks", "post_entities"], minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING
)
def champion_moved(
    context: dg.SensorEvaluationContext, reference: ReferenceFiles, barometre: Barometre, registry: ModelRegistry
) -> dg.SensorResult | dg.SkipReason:
    """Tells that another model is in use, whoever decided it, and has the last days judged again by it."""
    told: dict[str, str] = json.loads(context.cursor or "{}")
    champions = {}
    for line in lines(reference):
        model = registry.champion(line.task_kind, line.language)
        if model:
            champions[str(line)] = model.model_id
    found = moved(champions, told)
    if not found:
        return dg.SkipReason("the models in use are those that were told")
    events = [
        dg.AssetMaterialization(
            "champion", partition=name, metadata={"model": champions[name], "before": told.get(name, "none")}
        )
        for name in found
    ]
    requests: list[dg.RunRequest] = []
    turn = f"{datetime.now(UTC):%Y-%m-%dT%H:%M}"
    for name in (name for name, before in found.items() if before):
        line = next(one for one in lines(reference) if str(one) == name)
        asset, query = _MADE_AGAIN[line.task_kind]
        codes, days = codes_of(line, reference.countries()), dict[str, list[date]]()
        for row in barometre.rows(query):
            if row["country"] in codes:
                days.setdefault(row["country"], []).append(row["day"])
        slices = judged_again(days, policies.REJUDGED_DAYS)
        requests += runs_for(asset, slices, f"champion moved/{champions[name]}/{turn}")
    new = sorted(found.keys() - set(context.instance.get_dynamic_partitions(LINE)))
    return dg.SensorResult(
        asset_events=events,
        run_requests=requests,
        dynamic_partitions_requests=[lines_partition.build_add_request(new)] if new else [],
        cursor=json.dumps({**told, **champions}),
    )


@dg.sensor(minimum_interval_seconds=3600, default_status=dg.DefaultSensorStatus.RUNNING)
def queue_forgotten(context: dg.SensorEvaluationContext, barometre: Barometre, notifier: Notifier) -> dg.SkipReason:
    """Tells people, once a day, of tasks that nobody has answered for two weeks: a queue that nobody reads measures nothing."""
    today = datetime.now(UTC).date()
    if context.cursor == today.isoformat():
        return dg.SkipReason("told today")
    rows = barometre.rows(_FORGOTTEN, {"since": today - timedelta(days=policies.STALE_DAYS)})
    context.update_cursor(today.isoformat())
    if not rows:
        return dg.SkipReason("no task waits for more than two weeks")
    lines_ = [f"{r['country']}: {r['open']} tasks wait for an answer, the oldest of {r['oldest']}" for r in rows]
    notifier.tell("Tasks are forgotten", "\n".join(lines_))
    return dg.SkipReason("; ".join(lines_))


def rounds_due(reference: ReferenceFiles, barometre: Barometre, registry: ModelRegistry) -> tuple[list[str], str]:
    """Keys of the rounds that begin now, and why none of the other lines has one."""
    begun, said = [], []
    for line in lines(reference):
        found = round_due(line, reference, barometre, registry)
        if found.number is None:
            said.append(f"{line}: {found.why}")
        else:
            begun.append(line.round(found.number))
    return begun, " ".join(said) or "no line of models is there to measure"


def _opened(keys: list[str], instance: dg.DagsterInstance) -> list[Any]:
    """The request that gives new rounds their partitions, if they have none."""
    new = sorted(set(keys) - set(instance.get_dynamic_partitions(ROUND)))
    return [learning_round.build_add_request(new)] if new else []


def round_due(line: Line, reference: ReferenceFiles, barometre: Barometre, registry: ModelRegistry) -> Due:
    """Whether a round of a line begins now, from what is written down."""
    rounds, codes = rounds_of(line, barometre), codes_of(line, reference.countries())
    done = {row["round"] for row in barometre.rows(_DECIDED)}
    decided = sum(r.round in done for r in rounds)
    champion = registry.champion(line.task_kind, line.language)
    return due(
        standing_of(line, codes, barometre),
        rounds,
        decided,
        gate_of(line.task_kind),
        policies.LOOPS[line.task_kind],
        champion.model_id if champion else None,
    )


def _run(open_: Open, turn: str) -> dg.RunRequest:
    """The run that brings a round on; asked for again it has another key."""
    return dg.RunRequest(
        run_key=f"{open_.round}/{open_.wants}/{turn}",
        job_name=train_challenger.name if open_.wants == TRAINING else measure_round.name,
        partition_key=open_.round,
        tags={"climate/why": "standard missed" if open_.wants == TRAINING else "labels settled"},
    )


def _is_running(instance: dg.DagsterInstance, round_key: str, job: str | None = None) -> bool:
    tags = {"dagster/partition": round_key}
    return bool(instance.get_runs(dg.RunsFilter(statuses=_RUNNING, tags=tags, job_name=job), limit=1))
