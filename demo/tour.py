"""The tour of the demo: which days, how they are made through Dagster as an operator would, and what came of it.

Days are materialised by backfills over Dagster's own API; nothing of the platform is called as a function here.
"""

import hashlib
import time
from datetime import date, timedelta
from typing import Any, Final

import httpx
from rich.progress import Progress

from climate_assets import schema
from climate_assets.failures import Permanent, Transient
from climate_assets.partitions import key_of
from embedded.platform import Platform
from resources import bindings
from resources.postgres import Barometre

FIRST_DAY: Final = date(2026, 11, 16)
DAYS: Final = 3
ASSETS: Final = (
    "mediatree_dumps",
    "programme_labels",
    "keyword_chunks",
    "ad_intervals",
    "clean_chunks",
    "airtime",
    "classified_chunks",
    "audio_clips",
    "whisper_transcripts",
    "speaker_turns",
    "named_speakers",
    "attributed_transcripts",
    "labelstudio_tasks",
)
_PATIENCE_SECONDS: Final = 1800

_LAUNCH: Final = """
mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
_RUNS: Final = """
query ($id: String!, $tag: [ExecutionTag!]) {
  partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } }
  runsOrError(filter: {tags: $tag}) { ... on Runs { results { runId status
    stepStats { stepKey status startTime endTime } } } } }"""
_MADE: Final = """
query { assetNodes { assetKey { path } assetPartitionStatuses {
  ... on MultiPartitionStatuses { ranges { primaryDimStartKey primaryDimEndKey
    secondaryDim { ... on DefaultPartitionStatuses { materializedPartitions } } } } } } }"""


def days() -> list[date]:
    """The demo's days: fixed, so that everybody sees the same figures."""
    return [FIRST_DAY + timedelta(days=n) for n in range(DAYS)]


def materialise(platform: Platform, wanted: list[date], progress: Progress) -> dict[str, float]:
    """Make what is missing of the demo's days, one backfill a country; seconds each stage took."""
    url = f"http://127.0.0.1:{platform.ports()['dagster']}/graphql"
    countries = bindings.reference(platform.environment(platform.ports())).countries().codes
    seconds: dict[str, float] = {}
    made = _materialised(url)
    for code in countries:
        missing = [day for day in wanted if not all((asset, code, day.isoformat()) in made for asset in ASSETS)]
        task = progress.add_task(code, total=len(ASSETS), said="nothing to make" if not missing else "asking Dagster")
        if not missing:
            progress.update(task, completed=len(ASSETS))
            continue
        for stage, took in _backfill(url, code, missing, progress, task).items():
            seconds[stage] = seconds.get(stage, 0.0) + took
    return seconds


def _backfill(url: str, code: str, missing: list[date], progress: Progress, task: Any) -> dict[str, float]:
    params = {
        "assetSelection": [{"path": [asset]} for asset in ASSETS],
        "partitionNames": [str(key_of(code, day)) for day in missing],
        "title": f"Demo days of {code}",
        "tags": [{"key": "climate/why", "value": "demo"}],
    }
    launched = _ask(url, _LAUNCH, {"params": params})["launchPartitionBackfill"]
    if "backfillId" not in launched:
        raise Permanent(f"Dagster does not start the backfill of {code}: {launched.get('message', launched['__typename'])}")
    tag = [{"key": "dagster/backfill", "value": launched["backfillId"]}]
    begun = time.monotonic()
    while True:
        found = _ask(url, _RUNS, {"id": launched["backfillId"], "tag": tag})
        runs, status = found["runsOrError"]["results"], found["partitionBackfillOrError"]["status"]
        steps = [s for run in runs for s in run["stepStats"] if s["stepKey"] in ASSETS]
        done = [s for s in steps if s["status"] == "SUCCESS"]
        running = next((s["stepKey"] for s in steps if s["status"] == "IN_PROGRESS" or s["endTime"] is None), "")
        progress.update(task, completed=len({s["stepKey"] for s in done}), said=running or "waiting for the daemon")
        failed = next((run["runId"] for run in runs if run["status"] in ("FAILURE", "CANCELED")), None)
        if failed or status.startswith(("FAILED", "CANCELED")):
            raise Permanent(f"the demo days of {code} failed; open {url.removesuffix('/graphql')}/runs/{failed or ''}")
        if status.startswith("COMPLETED"):
            progress.update(task, completed=len(ASSETS), said=f"{len(missing)} days made")
            return {s["stepKey"]: s["endTime"] - s["startTime"] for s in done}
        if time.monotonic() - begun > _PATIENCE_SECONDS:
            raise Transient(f"the demo days of {code} take longer than {_PATIENCE_SECONDS} s; look at {url}")
        time.sleep(1)


def _materialised(url: str) -> set[tuple[str, str, str]]:
    """Asset, country and day of every partition that Dagster knows as made."""
    made = set()
    for node in _ask(url, _MADE, {})["assetNodes"]:
        for span in (node["assetPartitionStatuses"] or {}).get("ranges", []):
            # The day is the primary dimension; a range holds the days between its ends.
            first, last = date.fromisoformat(span["primaryDimStartKey"]), date.fromisoformat(span["primaryDimEndKey"])
            for code in span["secondaryDim"].get("materializedPartitions", []):
                for n in range((last - first).days + 1):
                    made.add((node["assetKey"]["path"][-1], code, (first + timedelta(days=n)).isoformat()))
    return made


def _ask(url: str, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    answer = httpx.post(url, json={"query": query, "variables": variables}, timeout=60)
    answer.raise_for_status()
    body = answer.json()
    if body.get("errors"):
        raise Permanent(f"Dagster refuses a question of the demo: {body['errors'][0].get('message', '')[:400]}")
    data: dict[str, Any] = body["data"]
    return data


def fingerprint(barometre: Barometre) -> dict[str, dict[str, int | str]]:
    """Rows and a hash over all rows of each table: two equal fingerprints are two equal databases."""
    found: dict[str, dict[str, int | str]] = {}
    for table in schema.metadata.sorted_tables:
        # Names come from the schema of this project.
        [row] = barometre.rows(f"SELECT count(*) AS n, sum(hashtextextended(t::text, 0)::numeric) AS h FROM {table.name} t")
        found[table.name] = {"rows": row["n"], "hash": hashlib.sha256(str(row["h"]).encode()).hexdigest()[:16]}
    return found


COUNTED: Final = {
    "chunks": "SELECT country, day, count(*) AS n FROM chunks GROUP BY 1, 2",
    "hits": "SELECT country, day, count(*) AS n FROM keyword_hits WHERE counts GROUP BY 1, 2",
    "adverts cut": "SELECT country, day, count(*) AS n FROM ad_intervals WHERE kind = 'advert' AND NOT vetoed GROUP BY 1, 2",
    "judged": "SELECT country, day, count(*) AS n FROM stage_states"
    " WHERE stage = 'classified_chunks' AND state = 'ok' GROUP BY 1, 2",
    "failed": "SELECT country, day, count(*) AS n FROM stage_states"
    " WHERE stage = 'classified_chunks' AND state IN ('pending', 'failed') GROUP BY 1, 2",
    "dead": "SELECT country, day, count(*) AS n FROM stage_states"
    " WHERE stage = 'classified_chunks' AND state = 'dead' GROUP BY 1, 2",
    "heard": "SELECT country, day, count(*) AS n FROM transcripts GROUP BY 1, 2",
    "tasks": "SELECT country, day, count(*) AS n FROM labelling_tasks"
    " WHERE task_kind = 'misinfo' AND state = 'ok' GROUP BY 1, 2",
}


def summary(known: dict[str, Any], seconds: dict[str, float], before: dict[str, Any]) -> dict[str, Any]:
    """What was made, by country and day; read from the database and counted in Label Studio."""
    barometre: Barometre = known["barometre"]
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for column, query in COUNTED.items():
        for found in barometre.rows(query):
            key = found["country"], found["day"].isoformat()
            rows.setdefault(key, {"country": key[0], "day": key[1], **dict.fromkeys(COUNTED, 0)})[column] = found["n"]
    after = fingerprint(barometre)
    projects = barometre.rows(
        "SELECT country, project_id, count(*) AS n FROM labelling_tasks"
        " WHERE task_kind = 'misinfo' AND state = 'ok' GROUP BY 1, 2"
    )
    counted = {p["country"]: {"tables": p["n"], "label_studio": known["label_studio"].count(p["project_id"])} for p in projects}
    return {
        "columns": list(COUNTED),
        "rows": [rows[key] for key in sorted(rows)],
        "seconds": seconds,
        "tasks": counted,
        "tables_changed": sorted(name for name in after if after[name] != before.get(name)),
    }
