"""The ledger: no two runs overspend together, a killed run's money counts, a good answer is never bought twice."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from typing import Any

import pytest

from climate_assets.claims.records import LlmCall
from resources.llm_ledger import ABANDONED_AFTER, LlmLedger
from resources.postgres import Barometre

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


def call(name: str, **changes: Any) -> LlmCall:
    blank = LlmCall(
        name, f"chunk-{name}", "france", date(2026, 11, 19), "gpt", "v1-a", "hash", "reserved",
        0.25, 0.25, 0, 0, 0.0, "", NOW,
    )  # fmt: skip
    return dataclasses.replace(blank, **changes)


@pytest.fixture
def ledger(barometre: Barometre) -> LlmLedger:
    return LlmLedger(barometre)


def test_a_call_is_written_before_and_completed_after(ledger: LlmLedger, barometre: Barometre) -> None:
    assert ledger.reserve(call("a"), 1.0)
    assert barometre.read(LlmCall) == [call("a")]
    done = call("a", outcome="ok", cost=0.1, prompt_tokens=7, completion_tokens=3, latency_seconds=1.5, answer="{}")
    ledger.settle(done)
    assert barometre.read(LlmCall) == [done]


def test_a_call_beyond_the_budget_is_not_written(ledger: LlmLedger, barometre: Barometre) -> None:
    assert [ledger.reserve(call(str(n)), 1.0) for n in range(6)] == [True] * 4 + [False] * 2
    assert len(barometre.read(LlmCall)) == 4
    assert ledger.spent("france", NOW) == 1.0


def test_what_a_call_did_not_cost_is_free_again(ledger: LlmLedger) -> None:
    assert ledger.reserve(call("a"), 0.25)
    assert not ledger.reserve(call("b"), 0.25)
    ledger.settle(call("a", outcome="unavailable", cost=0.0))
    assert ledger.reserve(call("b"), 0.25)


@pytest.mark.parametrize(
    "other", [{"country": "belgium"}, {"called_at": NOW + timedelta(hours=12)}, {"called_at": NOW - timedelta(hours=13)}]
)
def test_a_budget_is_one_countrys_and_one_utc_days(ledger: LlmLedger, other: dict[str, Any]) -> None:
    assert ledger.reserve(call("a"), 0.25)
    assert ledger.reserve(call("b", **other), 0.25)
    assert not ledger.reserve(call("c"), 0.25)


def test_the_day_that_is_judged_is_not_the_day_that_pays(ledger: LlmLedger) -> None:
    assert ledger.reserve(call("a", day=date(2020, 1, 1)), 0.25)
    assert not ledger.reserve(call("b", day=date(2021, 1, 1)), 0.25)


def test_a_float_sum_does_not_lose_a_call(ledger: LlmLedger) -> None:
    assert all(ledger.reserve(call(str(n), reserved_cost=0.1), 1.0) for n in range(10))
    assert not ledger.reserve(call("x", reserved_cost=0.001), 1.0)


def test_a_free_model_needs_no_budget(ledger: LlmLedger) -> None:
    assert ledger.reserve(call("a", reserved_cost=0.0), 0.0)


def _spend(url: str, worker: int) -> int:
    own = LlmLedger(Barometre(url=url))
    return sum(own.reserve(call(f"{worker}-{n}", reserved_cost=0.01, cost=0.01), 0.5) for n in range(40))


def test_two_processes_do_not_overspend_together(database_url: str, barometre: Barometre) -> None:
    with get_context("spawn").Pool(2) as pool:
        made = pool.starmap(_spend, [(database_url, 1), (database_url, 2)])
    assert sum(made) == 50
    assert sum(c.cost for c in barometre.read(LlmCall)) == pytest.approx(0.5)


def test_threads_do_not_overspend_together(database_url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda worker: _spend(database_url, worker), range(8)))
    assert sum(made) == 50


def test_a_killed_runs_reservation_counts_until_closed_and_after(ledger: LlmLedger, barometre: Barometre) -> None:
    assert ledger.reserve(call("killed"), 0.25)
    assert ledger.settle_abandoned(NOW + ABANDONED_AFTER) == 0
    assert not ledger.reserve(call("b"), 0.25)
    assert ledger.settle_abandoned(NOW + ABANDONED_AFTER + timedelta(seconds=1)) == 1
    assert [(c.outcome, c.cost) for c in barometre.read(LlmCall)] == [("unknown", 0.25)]
    # It may have been billed: the day's budget does not come back.
    assert not ledger.reserve(call("b"), 0.25)
    assert ledger.settle_abandoned(NOW + timedelta(days=9)) == 0


def test_a_late_answer_still_settles(ledger: LlmLedger) -> None:
    ledger.reserve(call("a"), 1.0)
    ledger.settle_abandoned(NOW + timedelta(hours=2))
    ledger.settle(call("a", outcome="ok", answer="late"))
    assert ledger.cached("gpt", "v1-a", "hash") == "late"


def test_a_call_nobody_reserved_is_a_bug(ledger: LlmLedger) -> None:
    with pytest.raises(LookupError, match="never reserved"):
        ledger.settle(call("ghost"))


@pytest.mark.parametrize("outcome", ["reserved", "unreadable", "refused", "timeout", "rate_limited", "unavailable", "unknown"])
def test_only_a_good_answer_is_used_again(ledger: LlmLedger, outcome: str) -> None:
    ledger.reserve(call("a"), 9.0)
    ledger.settle(call("a", outcome=outcome, answer="x"))
    assert ledger.cached("gpt", "v1-a", "hash") is None


@pytest.mark.parametrize("key", [("other", "v1-a", "hash"), ("gpt", "v1-b", "hash"), ("gpt", "v1-a", "other")])
def test_an_answer_is_anothers_for_another_model_prompt_or_text(ledger: LlmLedger, key: tuple[str, str, str]) -> None:
    ledger.reserve(call("a"), 9.0)
    ledger.settle(call("a", outcome="ok", answer="x"))
    assert ledger.cached(*key) is None
    assert ledger.cached("gpt", "v1-a", "hash") == "x"


def test_the_last_good_answer_is_used(ledger: LlmLedger) -> None:
    for name, hours in (("new", 2), ("old", 0)):
        ledger.reserve(call(name, called_at=NOW + timedelta(hours=hours)), 9.0)
        ledger.settle(call(name, outcome="ok", answer=name, called_at=NOW + timedelta(hours=hours)))
    assert ledger.cached("gpt", "v1-a", "hash") == "new"


def test_an_answer_that_the_database_cannot_hold_is_kept_with_marks(ledger: LlmLedger) -> None:
    ledger.reserve(call("a"), 9.0)
    ledger.settle(call("a", outcome="ok", answer="a\x00b\ud83dc'; DROP TABLE llm_calls; --"))
    assert ledger.cached("gpt", "v1-a", "hash") == "a\ufffdb\ufffdc'; DROP TABLE llm_calls; --"


def test_a_country_with_a_quote_in_its_name_is_only_a_name(ledger: LlmLedger) -> None:
    assert ledger.reserve(call("a", country="x'; DELETE FROM llm_calls; --"), 1.0)
    assert ledger.spent("x'; DELETE FROM llm_calls; --", NOW) == 0.25
