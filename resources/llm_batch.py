"""The way of one batch of texts through an endpoint: workers, one pace, every call in the ledger, one outcome a chunk.

The order of a call: cache, shared pause, budget reserved, question, ledger settled. One level of retries, here. An outage,
a spent budget or a wrong setting leaves chunks unasked with the reason. What is configurable, and why, is `llm.py`.
"""

import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from typing import Any, Final

import openai
import orjson

from climate_assets.broadcast.records import CleanChunk
from climate_assets.claims.cascade import Result, Unasked
from climate_assets.claims.plaintext import plain
from climate_assets.claims.prices import PriceTable, prompt_tokens_at_most
from climate_assets.claims.prompts import Prompt, json_schema, messages
from climate_assets.claims.records import Judgement, LlmCall, Unusable
from climate_assets.claims.verdicts import quoted, read_answer
from climate_assets.failures import Permanent
from resources import llm_exchange
from resources.llm_exchange import Reply
from resources.llm_ledger import LlmLedger
from resources.pacing import Clock, Pace, backoff_seconds

_RETRIED: Final = frozenset({"timeout", "rate_limited", "unavailable", "garbled"})
_FENCE_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one chunk of a batch; `cached`: an earlier answer served, so nothing was paid."""

    chunk_id: str
    result: Result
    cached: bool = False


@dataclass(frozen=True, slots=True)
class _Unanswered:
    """All tries ended without an answer; whether the chunk or the endpoint is to blame shows at the batch's end."""

    reason: str


@dataclass(frozen=True)
class Manners:
    """How an endpoint is asked; the fields are those of `Llm`."""

    daily_budget: float
    structured: bool
    reasoning_model: bool
    max_tokens: int
    max_concurrency: int
    timeout_seconds: float
    max_attempts: int
    backoff_seconds: float
    max_pause_seconds: float
    breaker_failures: int


@dataclass(frozen=True)
class Batch:
    """One call of `Llm.judge_all`."""

    client: openai.OpenAI
    manners: Manners
    ledger: LlmLedger
    prices: PriceTable
    prompt: Prompt
    model: str
    clock: Clock
    pace: Pace[Unasked]

    def outcomes(self, chunks: Sequence[CleanChunk]) -> Iterator[Outcome]:
        """One outcome for each chunk, as answers come in."""
        same_text: dict[str, list[CleanChunk]] = {}
        for chunk in chunks:
            same_text.setdefault(chunk.text_sha256, []).append(chunk)
        self.ledger.settle_abandoned(self.clock.now())
        unanswered: list[tuple[list[CleanChunk], _Unanswered]] = []
        executor = ThreadPoolExecutor(self.manners.max_concurrency, thread_name_prefix="llm")
        try:
            asked = {executor.submit(self.judge, group[0]): group for group in same_text.values()}
            for future in as_completed(asked):
                result, cached = future.result()
                if isinstance(result, _Unanswered):
                    unanswered.append((asked[future], result))
                else:
                    yield from (Outcome(chunk.chunk_id, result, cached) for chunk in asked[future])
            for group, last in unanswered:
                yield from (Outcome(chunk.chunk_id, self.blame(last)) for chunk in group)
        finally:
            # Also when the reader walks away: nothing more is asked, what is under way is settled.
            self.pace.stop(Unasked("the batch was ended", "outage"))
            executor.shutdown(wait=True, cancel_futures=True)
            self.client.close()

    def blame(self, last: _Unanswered) -> Result:
        """An endpoint that answered others makes it the chunk's failure; else it is an outage, and nobody's attempt."""
        stopped = self.pace.stopped
        if self.pace.answered and not (stopped and stopped.cause == "outage"):
            return Unusable(last.reason, permanent=False)
        return stopped or outage(last.reason)

    def judge(self, chunk: CleanChunk) -> tuple[Result | _Unanswered, bool]:
        """The way of one text: from the cache, else asked up to `max_attempts` times."""
        known = self.ledger.cached(self.model, self.prompt.version, chunk.text_sha256)
        if known is not None and isinstance(result := _judged(known, chunk.text), Judgement):
            return result, True
        try:
            request = self.request(chunk.text)
        except Permanent as error:
            return Unusable(str(error), permanent=True), False
        reason = ""
        for attempt in range(1, self.manners.max_attempts + 1):
            self.pace.wait()
            if stopped := self.pace.stopped:
                return stopped, False
            result_or_reply = self.attempt(chunk, request)
            if not isinstance(result_or_reply, Reply):
                return result_or_reply, False
            reason = result_or_reply.reason
            self.hold_back(result_or_reply, attempt)
        return _Unanswered(f"no answer in {self.manners.max_attempts} tries: {reason}"), False

    def attempt(self, chunk: CleanChunk, request: dict[str, Any]) -> Result | Reply:
        """One paid try; a `Reply` if it is worth another."""
        call = self.call(chunk, request)
        if not self.ledger.reserve(call, self.manners.daily_budget):
            self.pace.stop(
                Unasked(
                    f"the budget of {self.manners.daily_budget:g} {self.prices.currency} a day is spent for {chunk.country}; "
                    "the rest waits for the next UTC day, or raise daily_budget",
                    "budget",
                )
            )
            return self.pace.stopped or outage("stopped")
        began = self.clock.monotonic()
        reply = llm_exchange.ask(self.client, request, self.manners.timeout_seconds, self.clock)
        result = _result(reply, chunk.text)
        self.ledger.settle(self.settled(call, reply, result, self.clock.monotonic() - began))
        if isinstance(result, Judgement):
            self.pace.succeeded()
        elif isinstance(result, Unasked):
            self.pace.stop(result)
        else:
            self.pace.failed(reply.reason if result is None else result.reason)
        return reply if result is None else result

    def hold_back(self, reply: Reply, attempt: int) -> None:
        """Wait as the endpoint asks, all workers together; else back off, unless this was the last try."""
        own = backoff_seconds(attempt, self.manners.backoff_seconds, self.manners.max_pause_seconds, self.clock.random())
        if reply.retry_after is not None and reply.retry_after > self.manners.max_pause_seconds:
            self.pace.stop(outage(f"the endpoint asks to wait {reply.retry_after:.0f} s"))
        elif reply.retry_after is not None or reply.ending == "rate_limited":
            self.pace.pause(own if reply.retry_after is None else reply.retry_after)
        elif attempt < self.manners.max_attempts:
            self.pace.rest(own)

    def request(self, text: str) -> dict[str, Any]:
        """The question about one text, in a fence of its own; raises `Permanent` for a text that is none."""
        body: dict[str, Any] = {"model": self.model, "messages": messages(self.prompt, text, _fence_for(text))}
        if self.manners.structured:
            body["response_format"] = json_schema()
        if self.manners.reasoning_model:
            return body | {"max_completion_tokens": self.manners.max_tokens}
        return body | {"max_tokens": self.manners.max_tokens, "temperature": 0}

    def call(self, chunk: CleanChunk, request: dict[str, Any]) -> LlmCall:
        """The ledger's row for a question, at its upper bound."""
        texts = [m["content"] for m in request["messages"]] + [orjson.dumps(request.get("response_format", "")).decode()]
        bound = self.prices.upper_bound(self.model, prompt_tokens_at_most(texts), self.manners.max_tokens)
        return LlmCall(
            call_id=secrets.token_hex(16),
            chunk_id=chunk.chunk_id,
            country=chunk.country,
            day=chunk.day,
            model=self.model,
            prompt=self.prompt.version,
            text_sha256=chunk.text_sha256,
            outcome="reserved",
            reserved_cost=bound,
            cost=bound,
            prompt_tokens=0,
            completion_tokens=0,
            latency_seconds=0.0,
            answer="",
            called_at=self.clock.now(),
        )

    def settled(self, call: LlmCall, reply: Reply, result: Result | None, latency: float) -> LlmCall:
        """The call with its cost: by tokens where they are known, else all or nothing, whichever is safe."""
        tokens = reply.tokens or (0, 0)
        unknown = call.reserved_cost if reply.may_be_billed else 0.0
        return replace(
            call,
            outcome=_ledger_outcome(reply, result),
            cost=self.prices.cost(self.model, *tokens) if reply.tokens else unknown,
            prompt_tokens=tokens[0],
            completion_tokens=tokens[1],
            latency_seconds=latency,
            answer=reply.content,
        )


def outage(reason: str) -> Unasked:
    """What a chunk gets when the endpoint is to blame."""
    return Unasked(f"the endpoint is out of order: {reason}; the next run asks again", "outage")


def _fence_for(text: str) -> str:
    shown = plain(text).casefold()
    while (fence := secrets.token_hex(_FENCE_BYTES)) in shown:
        pass
    return fence


def _judged(answer: str, text: str) -> Judgement | Unusable:
    judgement = read_answer(answer)
    return quoted(judgement, text) if isinstance(judgement, Judgement) else judgement


def _result(reply: Reply, text: str) -> Result | None:
    """What a reply means for its chunk; None if it is worth another try."""
    if reply.ending in _RETRIED:
        return None
    if reply.ending == "setup":
        return Unasked(reply.reason, "setup")
    if reply.ending in ("refused", "rejected"):
        return Unusable(reply.reason, permanent=True)
    result = _judged(reply.content, text)
    if isinstance(result, Unusable) and reply.reason:
        return replace(result, reason=f"{reply.reason}; {result.reason}")
    return result


def _ledger_outcome(reply: Reply, result: Result | None) -> str:
    if reply.ending == "answered":
        if isinstance(result, Judgement):
            return "ok"
        return "refused" if isinstance(result, Unusable) and result.permanent else "unreadable"
    return {"garbled": "unreadable", "setup": "rejected"}.get(reply.ending, reply.ending)
