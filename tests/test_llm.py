"""The endpoint as it is in the field: down, slow, limited, dear, rude; no fault of it becomes a judgement.

The real `openai` client against a real HTTP server, with the ledger in a real PostgreSQL; only time is made.
"""

import hashlib
import json
import logging
from collections import Counter
from dataclasses import fields
from datetime import UTC, date, datetime
from email.utils import format_datetime
from multiprocessing import get_context
from typing import Any

import pytest

from climate_assets.broadcast.records import CleanChunk
from climate_assets.claims.cascade import Unasked, due, state_after
from climate_assets.claims.prompts import MAX_TEXT, PROMPTS
from climate_assets.claims.records import Judgement, LlmCall, Unusable
from climate_assets.failures import Permanent, Transient
from climate_assets.states import StageState, State
from resources import llm_exchange
from resources.llm import Llm
from resources.llm_batch import Batch, Manners, Outcome, outage
from resources.llm_exchange import client
from resources.llm_ledger import LlmLedger
from resources.pacing import Pace
from resources.postgres import Barometre
from tests.fake_time import START, FakeTime
from tests.llm_server import FAULTS, KEY, LlmServer, Reply, error, judged, says

V1 = PROMPTS["v1"]
GUILTY = "notre invité affirme que le soleil explique tout et que rien ne presse"
GOOD = says(json.dumps(judged(GUILTY)))


def chunk(number: int, text: str = GUILTY, country: str = "france", *, same: bool = False) -> CleanChunk:
    said = text if same else f"{text} numéro {number}"
    sha = hashlib.sha256(said.encode()).hexdigest()
    return CleanChunk(
        f"{country}/canal-un/{number}", country, date(2026, 11, 19), "canal-un", said, list(range(len(said.split(" ")))),
        0.0, 1, 1, 0, sha, "dictionary", "method",
    )  # fmt: skip


def chunks(count: int) -> list[CleanChunk]:
    return [chunk(n) for n in range(count)]


@pytest.fixture
def ledger(barometre: Barometre) -> LlmLedger:
    return LlmLedger(barometre)


def llm(server: LlmServer, **changes: Any) -> Llm:
    settings: dict[str, Any] = {"base_url": server.url, "api_key": KEY, "model": "gpt-4o-mini", "timeout_seconds": 10.0}
    return Llm(**settings | changes)


def judge(
    server: LlmServer, ledger: LlmLedger, asked: list[CleanChunk], time: FakeTime | None = None, **changes: Any
) -> list[Outcome]:
    outcomes = list(llm(server, **changes).judge_all(asked, ledger, V1, clock=(time or FakeTime()).clock()))
    assert Counter(o.chunk_id for o in outcomes) == Counter(c.chunk_id for c in asked), "one outcome for each chunk"
    return outcomes


def kinds(outcomes: list[Outcome]) -> Counter[str]:
    return Counter(type(o.result).__name__ for o in outcomes)


def endings(barometre: Barometre) -> Counter[str]:
    return Counter(c.outcome for c in barometre.read(LlmCall))


# --- when all is well


def test_every_chunk_is_judged_and_every_call_is_in_the_ledger(ledger: LlmLedger, barometre: Barometre) -> None:
    with LlmServer() as server:
        outcomes = judge(server, ledger, chunks(12))
    assert kinds(outcomes) == {"Judgement": 12}
    assert {o.result.score for o in outcomes if isinstance(o.result, Judgement)} == {9}
    rows = barometre.read(LlmCall)
    assert len(rows) == len(server.requests) == 12
    for row in rows:
        assert (row.outcome, row.model, row.prompt, row.called_at) == ("ok", "gpt-4o-mini", V1.version, START)
        assert (row.prompt_tokens, row.completion_tokens) == (700, 80)
        assert row.cost == pytest.approx((700 * 0.15 + 80 * 0.60) / 1e6)
        assert row.cost < row.reserved_cost < 0.01
        assert json.loads(row.answer)["score"] == 9


def test_the_question_is_as_the_protocol_and_the_prompt_have_it(ledger: LlmLedger) -> None:
    with LlmServer() as server:
        judge(server, ledger, chunks(3))
    for request in server.requests:
        assert [m["role"] for m in request["messages"]] == ["system", "user"]
        assert request["response_format"]["json_schema"]["strict"] is True
        assert (request["temperature"], request["max_tokens"], request["model"]) == (0, 600, "gpt-4o-mini")
    fences = {r["messages"][1]["content"].split("\n")[0] for r in server.requests}
    assert len(fences) == 3, "a fence for each call"


def test_a_server_without_schemas_is_asked_without(ledger: LlmLedger) -> None:
    with LlmServer() as server:
        assert kinds(judge(server, ledger, chunks(1), structured=False)) == {"Judgement": 1}
    assert "response_format" not in server.requests[0]


def test_a_reasoning_model_is_asked_as_it_wants(ledger: LlmLedger) -> None:
    with LlmServer() as server:
        judge(server, ledger, chunks(1), reasoning_model=True)
    assert server.requests[0]["max_completion_tokens"] == 600
    assert not {"temperature", "max_tokens"} & set(server.requests[0])


def test_a_replay_pays_for_nothing(ledger: LlmLedger, barometre: Barometre) -> None:
    with LlmServer() as server:
        first = judge(server, ledger, chunks(5))
        rows = barometre.read(LlmCall)
        again = judge(server, ledger, chunks(5))
    assert len(server.requests) == 5
    assert all(o.cached for o in again)
    assert not any(o.cached for o in first)
    assert {o.chunk_id: o.result for o in again} == {o.chunk_id: o.result for o in first}
    assert barometre.read(LlmCall) == rows


def test_another_model_is_another_question(ledger: LlmLedger) -> None:
    with LlmServer() as server:
        judge(server, ledger, chunks(1))
        list(llm(server).judge_all(chunks(1), ledger, V1, model="gpt-4.1-mini"))
    assert [r["model"] for r in server.requests] == ["gpt-4o-mini", "gpt-4.1-mini"]


def test_the_same_text_is_asked_once_in_a_batch(ledger: LlmLedger) -> None:
    with LlmServer() as server:
        outcomes = judge(server, ledger, [chunk(n, same=True) for n in range(8)])
    assert len(server.requests) == 1
    assert kinds(outcomes) == {"Judgement": 8}


def test_a_kept_answer_that_can_no_longer_be_read_is_asked_anew(ledger: LlmLedger, barometre: Barometre) -> None:
    with LlmServer() as server:
        judge(server, ledger, chunks(1))
        barometre.execute("UPDATE llm_calls SET answer = 'old format'")
        assert kinds(judge(server, ledger, chunks(1))) == {"Judgement": 1}
    assert len(server.requests) == 2


def test_as_many_questions_at_once_as_allowed_and_no_more(ledger: LlmLedger) -> None:
    with LlmServer() as server:
        server.together = 3
        judge(server, ledger, chunks(12), max_concurrency=3)
    assert server.busiest == 3


def test_two_countries_in_a_batch_are_a_bug(ledger: LlmLedger) -> None:
    with LlmServer() as server, pytest.raises(ValueError, match="one country"):
        llm(server).judge_all([chunk(1), chunk(2, country="belgium")], ledger, V1)


def test_nothing_to_judge_asks_nothing(ledger: LlmLedger) -> None:
    with LlmServer() as server:
        assert judge(server, ledger, []) == []
    assert server.requests == []


# --- faults of the endpoint


OUTAGES = [
    "hang_up", "broken_off", "limited", "limited_2s", "error_500", "error_503_3s", "html", "cut_body", "empty_body",
    "no_choices", "null_content", "endless",
]  # fmt: skip
SETUPS = ["bad_key", "forbidden", "no_model", "bad_request", "no_credit", "moved"]
UNREADABLE = ["rubbish", "bare_number", "cut_answer", "wrong_types", "out_of_range", "invented_quote", "chatty"]
REFUSALS = ["refusal_field", "refusal_text", "filtered", "content_filter_400", "too_long"]


def test_every_fault_is_tried() -> None:
    assert {*OUTAGES, *SETUPS, *UNREADABLE, *REFUSALS, "slow", "dripping", "stalling"} == set(FAULTS)


@pytest.mark.parametrize("fault", OUTAGES)
def test_an_outage_leaves_all_pending_and_stops_soon(ledger: LlmLedger, barometre: Barometre, fault: str) -> None:
    with LlmServer(always=fault) as server:
        outcomes = judge(server, ledger, chunks(30))
        assert kinds(outcomes) == {"Unasked": 30}
        assert {o.result.cause for o in outcomes if isinstance(o.result, Unasked)} == {"outage"}
        assert 10 <= len(server.requests) <= 10 + 4, "the breaker, and what was under way"
        assert not {"reserved", "ok"} & set(endings(barometre))
        server.always = None
        assert kinds(judge(server, ledger, chunks(30))) == {"Judgement": 30}


@pytest.mark.parametrize("fault", [f for f in OUTAGES if f != "endless"])
def test_a_passing_fault_is_waited_out(ledger: LlmLedger, fault: str) -> None:
    time = FakeTime()
    with LlmServer(script=[fault, fault, fault]) as server:
        assert kinds(judge(server, ledger, chunks(1), time)) == {"Judgement": 1}
    assert len(server.requests) == 4
    assert time.elapsed > 0


def test_the_wait_doubles(ledger: LlmLedger) -> None:
    time = FakeTime()
    with LlmServer(script=["error_500"] * 3) as server:
        judge(server, ledger, chunks(1), time)
    assert time.elapsed == 1 + 2 + 4


def test_a_server_that_is_not_there(ledger: LlmLedger, barometre: Barometre) -> None:
    with LlmServer() as server:
        pass
    outcomes = judge(server, ledger, chunks(20))
    assert kinds(outcomes) == {"Unasked": 20}
    assert all(c.cost == 0 and c.outcome == "unavailable" for c in barometre.read(LlmCall)), "no connection, no bill"


@pytest.mark.parametrize("fault", ["slow", "dripping", "stalling"])
def test_no_answer_may_take_longer_than_its_limit(ledger: LlmLedger, barometre: Barometre, fault: str) -> None:
    real_limit = 0.3
    with LlmServer(always=fault) as server:
        # Real time: the limit is the socket's.
        patient = llm(server, timeout_seconds=real_limit, max_attempts=2, backoff_seconds=0.01)
        outcomes = list(patient.judge_all(chunks(1), ledger, V1))
    assert kinds(outcomes) == {"Unasked": 1}
    rows = barometre.read(LlmCall)
    assert [c.outcome for c in rows] == ["timeout"] * 2
    assert all(c.cost == c.reserved_cost for c in rows), "it may be billed"
    assert all(c.latency_seconds < 5 for c in rows)


@pytest.mark.parametrize("fault", SETUPS)
def test_a_wrong_setting_stops_the_batch_at_once(ledger: LlmLedger, fault: str) -> None:
    with LlmServer(always=fault) as server:
        outcomes = judge(server, ledger, chunks(20), max_concurrency=2)
    assert {o.result.cause for o in outcomes if isinstance(o.result, Unasked)} == {"setup"}
    assert kinds(outcomes) == {"Unasked": 20}
    assert len(server.requests) <= 2


@pytest.mark.parametrize("fault", UNREADABLE)
def test_an_unusable_answer_is_no_judgement_and_not_asked_twice(ledger: LlmLedger, barometre: Barometre, fault: str) -> None:
    with LlmServer(script=[fault]) as server:
        outcomes = judge(server, ledger, chunks(3), max_concurrency=1)
        bad = [o.result for o in outcomes if isinstance(o.result, Unusable)]
        assert len(bad) == 1
        assert not bad[0].permanent
        assert endings(barometre) == {"ok": 2, "unreadable": 1}
        assert kinds(judge(server, ledger, chunks(3))) == {"Judgement": 3}
    assert len(server.requests) == 4


def test_endless_rubbish_stops_the_batch(ledger: LlmLedger) -> None:
    with LlmServer(always="rubbish") as server:
        outcomes = judge(server, ledger, chunks(40), max_concurrency=1)
    assert kinds(outcomes) == {"Unusable": 10, "Unasked": 30}
    assert len(server.requests) == 10


def test_an_answer_cut_by_the_token_limit_says_so(ledger: LlmLedger) -> None:
    with LlmServer(script=["cut_answer"]) as server:
        (outcome,) = judge(server, ledger, chunks(1))
    assert isinstance(outcome.result, Unusable)
    assert "max_tokens" in outcome.result.reason


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_refusal_is_permanent_and_this_chunks_alone(ledger: LlmLedger, fault: str) -> None:
    with LlmServer(script=[fault]) as server:
        outcomes = judge(server, ledger, chunks(4), max_concurrency=1)
    assert kinds(outcomes) == {"Judgement": 3, "Unusable": 1}
    assert [o.result.permanent for o in outcomes if isinstance(o.result, Unusable)] == [True]


def test_a_lone_chunk_without_an_answer_is_an_outage(ledger: LlmLedger) -> None:
    with LlmServer(always="error_500") as server:
        assert kinds(judge(server, ledger, chunks(1))) == {"Unasked": 1}


def test_one_chunk_that_always_fails_is_its_own_failure(ledger: LlmLedger) -> None:
    poison = chunk(99, "un texte que le serveur ne supporte pas")
    with LlmServer() as server:
        real = server.reply_to

        def reply_to(request: dict[str, Any]) -> Reply:
            usual = real(request)
            return FAULTS["error_500"] if "ne supporte pas" in request["messages"][1]["content"] else usual

        server.reply_to = reply_to  # type: ignore[method-assign]
        outcomes = judge(server, ledger, [poison, *chunks(5)])
    result = next(o.result for o in outcomes if o.chunk_id == poison.chunk_id)
    assert isinstance(result, Unusable)
    assert not result.permanent
    assert "4 tries" in result.reason
    assert kinds(outcomes)["Judgement"] == 5


@pytest.mark.parametrize("text", ["", " \u200b ", "a" * (MAX_TEXT + 1)])
def test_a_text_that_is_no_speech_is_dead_without_a_call(ledger: LlmLedger, text: str) -> None:
    odd = CleanChunk("france/canal-un/x", "france", date(2026, 11, 19), "canal-un", text, [0], 0.0, 1, 1, 0, "hash", "d", "m")
    with LlmServer() as server:
        (outcome,) = judge(server, ledger, [odd])
    assert isinstance(outcome.result, Unusable)
    assert outcome.result.permanent
    assert server.requests == []


# --- rate limits


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_obeyed_by_all_workers(ledger: LlmLedger, form: str) -> None:
    until = START.replace(second=30)
    header = "30" if form == "seconds" else format_datetime(until, usegmt=True)
    time = FakeTime()
    asked_at: list[datetime] = []
    with LlmServer(script=[error(429, retry_after=header)]) as server:
        real = server.reply_to

        def reply_to(request: dict[str, Any]) -> Reply:
            asked_at.append(time.now())
            return real(request)

        server.reply_to = reply_to  # type: ignore[method-assign]
        assert kinds(judge(server, ledger, chunks(10), time, max_concurrency=1)) == {"Judgement": 10}
    assert asked_at[0] == START
    assert all(at >= until for at in asked_at[1:])


def test_workers_under_way_share_the_pause(ledger: LlmLedger) -> None:
    time = FakeTime()
    late: list[float] = []
    with LlmServer(script=["limited_2s"] * 4) as server:
        server.together = 4
        real = server.reply_to

        def reply_to(request: dict[str, Any]) -> Reply:
            late.append(time.elapsed)
            return real(request)

        server.reply_to = reply_to  # type: ignore[method-assign]
        assert kinds(judge(server, ledger, chunks(20), time, max_concurrency=4)) == {"Judgement": 20}
    assert late[:4] == [0.0] * 4
    assert min(late[4:]) >= 2.0


@pytest.mark.parametrize(("retry_after", "held"), [(30.0, 30.0), (None, 2.0)])
def test_a_rate_limit_holds_the_others_too(ledger: LlmLedger, retry_after: float | None, held: float) -> None:
    time = FakeTime()
    at = time.clock()
    pace = Pace(at, 10, outage)
    with LlmServer() as server:
        one = llm(server)
        manners = Manners(**{f.name: getattr(one, f.name) for f in fields(Manners)})
        batch = Batch(client(server.url, KEY, 10), manners, ledger, one.price_table(), V1, "gpt-4o-mini", at, pace)
        batch.hold_back(llm_exchange.Reply("rate_limited", retry_after=retry_after), attempt=2)
        assert time.elapsed == 0, "the worker itself does not sleep here: the pause is everybody's"
        pace.wait()
        batch.client.close()
    assert time.elapsed == held


def test_a_wait_beyond_patience_ends_the_batch(ledger: LlmLedger) -> None:
    time = FakeTime()
    with LlmServer(always=error(429, retry_after="3600")) as server:
        outcomes = judge(server, ledger, chunks(10), time, max_concurrency=1)
    assert kinds(outcomes) == {"Unasked": 10}
    assert len(server.requests) == 1
    assert time.elapsed == 0
    assert "3600 s" in str(outcomes[0].result)


# --- money


def test_a_spent_budget_stops_cleanly_and_the_next_day_finishes(ledger: LlmLedger, barometre: Barometre) -> None:
    with LlmServer() as server:
        judge(server, ledger, chunks(1))
        (row,) = barometre.read(LlmCall)
        budget = 6 * row.reserved_cost
        outcomes = judge(server, ledger, chunks(60), daily_budget=budget)
        made = kinds(outcomes)
        assert made["Judgement"] + made["Unasked"] == 60
        assert made["Unasked"] > 0
        assert {o.result.cause for o in outcomes if isinstance(o.result, Unasked)} == {"budget"}
        assert ledger.spent("france", START) <= budget
        before = len(server.requests)
        tomorrow = FakeTime(START.replace(day=21))
        assert kinds(judge(server, ledger, chunks(60), tomorrow, daily_budget=1.0)) == {"Judgement": 60}
        assert len(server.requests) == 60
        assert before < 60


def test_without_budget_nothing_is_asked(ledger: LlmLedger, barometre: Barometre) -> None:
    with LlmServer() as server:
        assert kinds(judge(server, ledger, chunks(5), daily_budget=0.0)) == {"Unasked": 5}
    assert server.requests == []
    assert barometre.read(LlmCall) == []


@pytest.mark.parametrize(
    "usage", [None, "many", {"prompt_tokens": -5, "completion_tokens": 1}, {"prompt_tokens": True, "completion_tokens": 1}, {}]
)
def test_an_unknown_use_costs_the_whole_reservation(ledger: LlmLedger, barometre: Barometre, usage: Any) -> None:
    with LlmServer(always=says(json.dumps(judged(GUILTY)), usage=usage)) as server:
        judge(server, ledger, chunks(1))
    (row,) = barometre.read(LlmCall)
    assert (row.outcome, row.cost) == ("ok", row.reserved_cost)


def test_every_try_is_a_row(ledger: LlmLedger, barometre: Barometre) -> None:
    with LlmServer(script=["error_500", "limited", "html"]) as server:
        judge(server, ledger, chunks(1))
    assert endings(barometre) == {"unavailable": 1, "rate_limited": 1, "unreadable": 1, "ok": 1}
    assert len(server.requests) == 4


def test_a_reader_that_walks_away_leaves_no_open_reservation(ledger: LlmLedger, barometre: Barometre) -> None:
    with LlmServer() as server:
        outcomes = llm(server, max_concurrency=2).judge_all(chunks(200), ledger, V1, clock=FakeTime().clock())
        next(outcomes)
        outcomes.close()  # type: ignore[attr-defined]
    assert "reserved" not in endings(barometre)
    assert len(server.requests) < 200


def _judge_in_a_process(url: str, database_url: str) -> None:
    one = Llm(base_url=url, api_key=KEY, model="gpt-4o-mini", max_concurrency=2)
    for _ in one.judge_all(chunks(12), LlmLedger(Barometre(url=database_url)), V1):
        pass


def test_a_killed_run_loses_only_what_was_under_way(ledger: LlmLedger, barometre: Barometre) -> None:
    with LlmServer(script=[GOOD] * 5, always="slow") as server:
        run = get_context("spawn").Process(target=_judge_in_a_process, args=(server.url, barometre.url))
        run.start()
        assert server.wait_for(7)
        run.kill()
        run.join()
        assert endings(barometre) == {"ok": 5, "reserved": 2}
        server.always = None
        assert kinds(judge(server, ledger, chunks(12), FakeTime(datetime.now(UTC)))) == {"Judgement": 12}
        assert len(server.requests) == 7 + 7, "five were kept, two are paid again"
    assert ledger.spent("france", datetime.now(UTC)) > 0


def test_an_abandoned_reservation_is_closed_by_the_next_run(ledger: LlmLedger, barometre: Barometre) -> None:
    with LlmServer() as server:
        judge(server, ledger, chunks(1))
        barometre.execute("UPDATE llm_calls SET outcome = 'reserved', cost = reserved_cost")
        judge(server, ledger, chunks(1), FakeTime(START.replace(hour=14)))
    assert endings(barometre) == {"unknown": 1, "ok": 1}


# --- settings and secrets


@pytest.mark.parametrize(
    ("changes", "says_what"),
    [({"base_url": ""}, "LLM_BASE_URL"), ({"model": ""}, "LLM_MODEL"), ({"model": "unheard-of"}, "no price for model")],
)
def test_what_cannot_work_is_refused_before_anything_is_asked(
    ledger: LlmLedger, changes: dict[str, Any], says_what: str
) -> None:
    with LlmServer() as server, pytest.raises(Permanent, match=says_what):
        llm(server, **changes).judge_all(chunks(1), ledger, V1)
    assert server.requests == []


def test_the_models_on_offer_are_listed(ledger: LlmLedger) -> None:
    with LlmServer() as server:
        assert llm(server).models() == ["scripted"]
        with pytest.raises(Permanent, match="LLM_API_KEY"):
            llm(server, api_key="wrong").models()
    with pytest.raises(Transient, match="LLM_BASE_URL"):
        llm(server).models()


def test_the_key_is_seen_nowhere(ledger: LlmLedger, barometre: Barometre, caplog: pytest.LogCaptureFixture) -> None:
    leaky = error(400, "", f"Bad request with key {KEY}")
    with LlmServer() as server, caplog.at_level(logging.DEBUG):
        resource = llm(server)
        seen = [repr(resource), str(resource)]
        for fault in (leaky, FAULTS["bad_key"], FAULTS["error_500"], None):
            server.always = fault
            seen += [repr(o) for o in judge(server, ledger, chunks(2))]
    seen += [repr(row) for row in barometre.read(LlmCall)] + [caplog.text]
    assert any("Bad request with key ***" in text for text in seen)
    assert not any(KEY in text for text in seen)


# --- a whole outage, from state to state


def test_what_was_missing_is_finished_when_the_endpoint_is_back(ledger: LlmLedger) -> None:
    asked = chunks(24)
    states: dict[str, StageState] = {}
    verdicts: dict[str, str] = {}

    def run(server: LlmServer) -> int:
        before = len(server.requests)
        work = due(asked, verdicts, states)
        by_id = {c.chunk_id: c for c in work}
        for outcome in judge(server, ledger, work):
            one = by_id[outcome.chunk_id]
            states[one.chunk_id] = state_after(one, states.get(one.chunk_id), outcome.result)
            if isinstance(outcome.result, Judgement):
                verdicts[one.chunk_id] = one.text_sha256
        return len(server.requests) - before

    with LlmServer() as server:
        # Eight go through, then the endpoint falls over in every way, one run after the other.
        server.script.extend([GOOD] * 8)
        for fault in ["error_500", "limited", "hang_up", "bad_key", "html"]:
            server.always = fault
            run(server)
            assert len(verdicts) == 8
            assert {s.state for i, s in states.items() if i not in verdicts} <= {State.PENDING.value}
        server.always = None
        assert run(server) == 16, "only what is missing"
        assert len(verdicts) == 24
        assert {s.state for s in states.values()} == {State.OK.value}
        assert run(server) == 0
