"""The ledger of paid calls: written before a call is made, completed after, and asked before the next one.

The budget is kept here, in the database, since two runs may ask at once. What may be asked, and how, is `llm.py`.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from climate_assets.claims.records import LlmCall
from climate_assets.schema import fields_of
from resources.postgres import Barometre

ABANDONED_AFTER: Final = timedelta(hours=1)
"""A reservation this old belongs to a run that was killed: no call may take as long."""

_COLUMNS: Final = tuple(f.name for f in fields_of(LlmCall))
_INSERT: Final = f"INSERT INTO llm_calls ({', '.join(_COLUMNS)}) VALUES ({', '.join(f'%({c})s' for c in _COLUMNS)})"  # noqa: S608
_SPENT: Final = """
    SELECT coalesce(sum(cost), 0) AS spent FROM llm_calls
    WHERE country = %(country)s AND called_at >= %(start)s AND called_at < %(end)s
"""
# Held to the end of the transaction, so the sum that a reservation rests on cannot grow beside it.
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('llm_calls.budget/' || %(country)s, 0))"
_SETTLE: Final = """
    UPDATE llm_calls SET outcome = %(outcome)s, cost = %(cost)s, prompt_tokens = %(prompt_tokens)s,
        completion_tokens = %(completion_tokens)s, latency_seconds = %(latency_seconds)s, answer = %(answer)s
    WHERE call_id = %(call_id)s
"""
_CACHED: Final = """
    SELECT answer FROM llm_calls
    WHERE model = %(model)s AND prompt = %(prompt)s AND text_sha256 = %(text_sha256)s AND outcome = 'ok'
    ORDER BY called_at DESC, call_id LIMIT 1
"""
_ABANDONED: Final = """
    UPDATE llm_calls SET outcome = 'unknown', cost = reserved_cost WHERE outcome = 'reserved' AND called_at < %(before)s
"""
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


class LlmLedger:
    """The rows of `llm_calls`."""

    def __init__(self, database: Barometre) -> None:
        self._database = database

    def cached(self, model: str, prompt: str, text_sha256: str) -> str | None:
        """The raw answer of the last good call for that text; None if there is none."""
        rows = self._database.rows(_CACHED, {"model": model, "prompt": prompt, "text_sha256": text_sha256})
        return rows[0]["answer"] if rows else None

    def spent(self, country: str, at: datetime) -> float:
        """Cost of a country's calls on the UTC day of `at`, open reservations included."""
        return float(self._database.rows(_SPENT, _day_of(country, at))[0]["spent"])

    def reserve(self, call: LlmCall, budget: float) -> bool:
        """Write the call and set its upper bound aside, if the country's UTC day can still bear it.

        Atomic between processes: the sum and the row are one transaction under one lock a country, so reservations
        never exceed `budget` together. False: nothing was written and the call must not be made.
        """
        with self._database.connect() as connection:
            scope = _day_of(call.country, call.called_at)
            connection.execute(_LOCK, scope)
            row = connection.execute(_SPENT, scope).fetchone() or {"spent": 0.0}
            # The tolerance forgives the last bit of a float sum, not a call.
            if float(row["spent"]) + call.reserved_cost > budget * (1 + 1e-9):
                return False
            connection.execute(_INSERT.encode(), _values(call) | {"outcome": "reserved", "cost": call.reserved_cost})
            return True

    def settle(self, call: LlmCall) -> None:
        """Complete a reserved call with what became of it."""
        if self._database.execute(_SETTLE, _values(call)) != 1:
            raise LookupError(f"call {call.call_id} was never reserved; reserve before calling")

    def settle_abandoned(self, now: datetime) -> int:
        """Close reservations of killed runs as `unknown`, at full cost since it may have been billed; how many."""
        return self._database.execute(_ABANDONED, {"before": now - ABANDONED_AFTER})


def _day_of(country: str, at: datetime) -> dict[str, Any]:
    start = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return {"country": country, "start": start, "end": start + timedelta(days=1)}


def _values(call: LlmCall) -> dict[str, Any]:
    values = {name: getattr(call, name) for name in _COLUMNS}
    # PostgreSQL's text holds neither; the replacement character says that something stood there.
    values["answer"] = _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", call.answer)
    return values
