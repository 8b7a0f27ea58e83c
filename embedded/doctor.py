"""The doctor: what the platform stands on, each as a line - what was checked, what was found, what to do.

Every question is asked of the real system and none changes anything. An answer that cannot be had is a finding too.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import httpx

from climate_assets import migrate, policies
from climate_assets.failures import Permanent, Transient
from embedded.platform import Platform
from resources import bindings
from resources.s3 import DUMPS, LAKE

_CLOCK_TOLERANCE_SECONDS = 30.0


@dataclass(frozen=True)
class Finding:
    """One line of the doctor."""

    checked: str
    found: str
    ok: bool
    remedy: str = ""


def findings(platform: Platform) -> Iterator[Finding]:
    """All findings, in the order in which things depend on each other."""
    environment = platform.environment(platform.ports())
    known = bindings.resources(environment)
    yield from _countries(known)
    yield _asked(
        "database", lambda: _database(environment["DATABASE_URL"]), "start it with `climate up`, or check DATABASE_URL"
    )
    for bucket in (DUMPS, LAKE, *_buckets(known)):
        yield _asked(f"bucket {bucket}", lambda b=bucket: _bucket(known, b), "check S3_ENDPOINT_URL and its keys")  # type: ignore[misc]
    yield _asked("Label Studio token", lambda: _token(known), "check LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY")
    yield from _projects(known)
    yield _asked("Mediatree", lambda: _mediatree(known), "check MEDIATREE_URL, MEDIATREE_USER and MEDIATREE_PASSWORD")
    yield _asked("LLM endpoint", lambda: _llm(known), "check LLM_BASE_URL and LLM_API_KEY")
    yield _asked("price table", lambda: _prices(known), "add the model with its prices to claims/prices.yaml")
    yield from _instance(environment)
    yield _asked("clock", lambda: _clock(environment), "let this machine follow a time server")


def _asked(what: str, question: Callable[[], Finding], remedy: str) -> Finding:
    """The finding of a question; a system that does not answer is found out of order, with what to do."""
    try:
        return question()
    except (Permanent, Transient) as error:
        return Finding(what, str(error), False, remedy)
    except Exception as error:  # a doctor that falls ill himself helps nobody: the kind of trouble is the finding
        return Finding(what, f"{type(error).__name__}: {str(error)[:160]}", False, remedy)


def _countries(known: dict[str, Any]) -> Iterator[Finding]:
    try:
        countries = known["reference"].countries()
    except Permanent as error:
        yield Finding("countries file", str(error), False, "correct the file at the line that is named")
        return
    zones = ", ".join(f"{c.code} {datetime.now(ZoneInfo(c.zone)):%H:%M}" for c in countries.by_code.values())
    yield Finding("countries and time zones", zones, True)
    for country in countries.by_code.values():
        what = f"dictionary and grid of {country.code}"
        yield _asked(what, lambda c=country, w=what: _reference(known, c, w), "correct the file that is named")  # type: ignore[misc]


def _reference(known: dict[str, Any], country: Any, what: str) -> Finding:
    dictionary = known["reference"].dictionary(country.language)
    programmes = known["reference"].programmes(country)
    grid = f"{len(programmes)} programmes" if programmes else "no grid: chunks get no programme"
    return Finding(what, f"{len(dictionary.entries)} keywords ({country.language}, {dictionary.version}), {grid}", True)


def _database(url: str) -> Finding:
    current, newest = migrate.current(url), migrate.newest()
    remedy = "" if current == newest else "run `climate migrate`"
    return Finding("database and migrations", f"at {current or 'none'}, newest is {newest}", current == newest, remedy)


def _buckets(known: dict[str, Any]) -> list[str]:
    try:
        return [c.bucket for c in known["reference"].countries().by_code.values()]
    except Permanent:
        return []


def _bucket(known: dict[str, Any], bucket: str) -> Finding:
    there = known["lake"].has_bucket(bucket)
    return Finding(f"bucket {bucket}", "there" if there else "missing", there, "" if there else "run `climate up`")


def _token(known: dict[str, Any]) -> Finding:
    report = known["label_studio"].check()
    found = f"{report.kind} token of {report.user or 'nobody'}, server {report.version}"
    return Finding("Label Studio token", found, report.valid, report.remedy)


def _projects(known: dict[str, Any]) -> Iterator[Finding]:
    for country in known["reference"].countries().by_code.values():
        titles = {"misinfo": country.project, **({"ner": country.posts.project} if country.posts else {})}
        for kind, title in titles.items():
            what = f"Label Studio project {title!r}"
            yield _asked(what, lambda c=country, k=kind, w=what: _project(known, c.code, k, w), "run `climate up`")  # type: ignore[misc]


def _project(known: dict[str, Any], country: str, kind: str, what: str) -> Finding:
    rows = known["barometre"].rows(
        "SELECT project_id, count(*) AS n FROM labelling_tasks"
        " WHERE country = %(c)s AND task_kind = %(kind)s AND state = 'ok' GROUP BY 1",
        {"c": country, "kind": kind},
    )
    if not rows:
        return Finding(what, "no task was delivered yet", True)
    ours, theirs = sum(r["n"] for r in rows), sum(known["label_studio"].count(r["project_id"]) for r in rows)
    remedy = "" if ours == theirs else "compare labelling_tasks with the project: tasks were added or removed there by hand"
    return Finding(what, f"{theirs} tasks there, {ours} in labelling_tasks", ours == theirs, remedy)


def _mediatree(known: dict[str, Any]) -> Finding:
    checked = known["mediatree"].check()
    return Finding("Mediatree", checked.found, checked.ok, checked.remedy)


def _llm(known: dict[str, Any]) -> Finding:
    llm = known["llm"]
    if not llm.configured:
        return Finding("LLM endpoint", "none is set: the student judges alone", True)
    models = llm.models()
    there = llm.model in models
    return Finding(
        "LLM endpoint", f"{len(models)} models", there, "" if there else f"LLM_MODEL {llm.model!r} is not among them"
    )


def _prices(known: dict[str, Any]) -> Finding:
    table = known["llm"].price_table()
    wanted = {m for m in (known["llm"].model, *(c.llm.model for c in known["reference"].countries().by_code.values())) if m}
    for model in wanted:
        table.price(model)
    return Finding("price table", f"prices for {', '.join(sorted(wanted)) or 'every model in use (none)'}", True)


def _instance(environment: dict[str, str]) -> Iterator[Finding]:
    home = environment["DAGSTER_HOME"]
    try:
        with bindings.exported(environment), dg.DagsterInstance.from_config(home) as instance:
            yield _pools(instance)
            yield _heartbeats(instance)
    except Exception as error:  # the instance is one system: whatever keeps it from opening is one finding
        yield Finding("Dagster instance", f"{type(error).__name__}: {str(error)[:160]}", False, "run `climate up`")


def _pools(instance: dg.DagsterInstance) -> Finding:
    limits = {p.name: p.limit for p in instance.event_log_storage.get_pool_limits()}
    wrong = {name: limit for name, limit in policies.POOLS.items() if limits.get(name) != limit}
    found = ", ".join(f"{name} {limits.get(name, 'default')}" for name in policies.POOLS)
    return Finding("pools", found, not wrong, "run `climate up`, which sets them" if wrong else "")


def _heartbeats(instance: dg.DagsterInstance) -> Finding:
    beats = instance.get_daemon_heartbeats()
    now = time.time()
    late = [name for name, beat in beats.items() if now - beat.timestamp > 120]
    found = f"{len(beats) - len(late)} of {len(beats)} daemons beat" if beats else "no daemon ever beat"
    ok = bool(beats) and not late
    return Finding("daemon heartbeat", found, ok, "" if ok else "start the daemon: `climate up`")


def _clock(environment: dict[str, str]) -> Finding:
    before = datetime.now(UTC)
    answer = httpx.get(environment["S3_ENDPOINT_URL"], timeout=10)
    said = parsedate_to_datetime(answer.headers["Date"]) if "Date" in answer.headers else before
    apart = abs((said - before).total_seconds())
    return Finding("clock", f"{apart:.0f} s from the object store's", apart <= _CLOCK_TOLERANCE_SECONDS)
