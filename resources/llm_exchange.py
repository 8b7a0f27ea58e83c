"""One question to an OpenAI-compatible endpoint, one reply: every way it can end is a value.

The client is `openai`, with its own retries switched off. How often to ask, and what it may cost, is `llm.py`;
what the answer's text means is `claims/verdicts.py`.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

import httpx2
import openai
import orjson

from climate_assets.claims.plaintext import capped
from resources.pacing import Clock, retry_after_seconds

MAX_BODY: Final = 1_000_000
"""Bytes of an answer's body; one is about 2,000."""

# HTTP 400s that are about this text only; every other refusal would meet each text alike.
_ABOUT_THE_TEXT: Final = frozenset(
    {"content_filter", "content_policy_violation", "context_length_exceeded", "string_above_max_length"}
)

Ending = Literal["answered", "refused", "rejected", "timeout", "rate_limited", "unavailable", "garbled", "setup"]


@dataclass(frozen=True, slots=True)
class Reply:
    """How one question ended. `rejected`: this text is not taken; `setup`: no text would be; `garbled`: no protocol."""

    ending: Ending
    reason: str = ""
    content: str = ""
    tokens: tuple[int, int] | None = None
    may_be_billed: bool = False
    retry_after: float | None = None


def client(base_url: str, api_key: str, timeout_seconds: float) -> openai.OpenAI:
    """A client that retries nothing and follows no redirect, which could carry a transcript elsewhere."""
    limits = httpx2.Timeout(timeout_seconds, connect=min(10.0, timeout_seconds))
    return openai.OpenAI(
        base_url=base_url,
        api_key=api_key or "none",
        max_retries=0,
        timeout=limits,
        http_client=openai.DefaultHttpxClient(timeout=limits, follow_redirects=False),
    )


def ask(endpoint: openai.OpenAI, request: dict[str, Any], timeout_seconds: float, clock: Clock) -> Reply:
    """Put one question. The time limit holds for the whole answer, also for one that drips."""
    deadline = clock.monotonic() + timeout_seconds
    try:
        body = bytearray()
        with endpoint.chat.completions.with_streaming_response.create(**request) as response:
            for part in response.iter_bytes():
                body += part
                if len(body) > MAX_BODY:
                    return Reply("garbled", f"the answer is longer than {MAX_BODY} bytes", may_be_billed=True)
                if clock.monotonic() > deadline:
                    return Reply("timeout", f"the answer was not complete after {timeout_seconds:g} s", may_be_billed=True)
        return read_body(bytes(body))
    except openai.APITimeoutError:
        return Reply("timeout", f"no answer within {timeout_seconds:g} s", may_be_billed=True)
    except openai.APIConnectionError as error:
        refused = isinstance(error.__cause__, httpx2.ConnectError)
        return Reply("unavailable", f"no connection ({type(error.__cause__).__name__})", may_be_billed=not refused)
    except openai.APIStatusError as error:
        return _status(error, clock, endpoint.api_key)
    except httpx2.TimeoutException:
        return Reply("timeout", f"the answer stopped for {timeout_seconds:g} s", may_be_billed=True)
    except httpx2.HTTPError as error:
        return Reply("unavailable", f"the answer broke off ({type(error).__name__})", may_be_billed=True)


def read_body(body: bytes) -> Reply:
    """The reply in the body of an HTTP 200."""
    try:
        value = orjson.loads(body)
        choice = value["choices"][0]
        message = choice["message"]
        content, refusal = message.get("content"), message.get("refusal")
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
        shown = capped(body[:200].decode("utf-8", "replace"), 80)
        return Reply("garbled", f"HTTP 200 without a chat completion: {shown!r}", may_be_billed=True)
    tokens = _tokens(value)
    if refusal or choice.get("finish_reason") == "content_filter":
        why = capped(refusal, 200) if isinstance(refusal, str) else "content filter"
        return Reply("refused", f"the model refused: {why}", str(refusal or ""), tokens, may_be_billed=True)
    if not isinstance(content, str):
        return Reply("garbled", "the chat completion has no text", tokens=tokens, may_be_billed=True)
    cut = "the answer was cut off at max_tokens" if choice.get("finish_reason") == "length" else ""
    return Reply("answered", cut, content, tokens, may_be_billed=True)


def _tokens(value: dict[str, Any]) -> tuple[int, int] | None:
    usage = value.get("usage")
    if not isinstance(usage, dict):
        return None
    counts = usage.get("prompt_tokens"), usage.get("completion_tokens")
    # A negative or absurd count would give budget back or break the ledger's column.
    if all(type(n) is int and 0 <= n < 10_000_000 for n in counts):
        return counts  # type: ignore[return-value]
    return None


def _status(error: openai.APIStatusError, clock: Clock, api_key: str) -> Reply:
    status = error.status_code
    body = error.body if isinstance(error.body, dict) else {}
    code = str(body.get("code") or "")
    said = capped(str(body.get("message") or error.message).replace(api_key, "***"), 200)
    wait = retry_after_seconds(error.response.headers.get("retry-after"), clock.now())
    if status in (401, 403):
        # The server's own words may hold a piece of the key.
        return Reply(
            "setup", f"the endpoint refuses the key (HTTP {status}); set LLM_API_KEY to one that is valid for the model"
        )
    if code == "insufficient_quota":
        return Reply("setup", "the account at the endpoint has no credit left (insufficient_quota); top it up")
    if status == 429:
        return Reply("rate_limited", "the endpoint limits the rate (HTTP 429)", retry_after=wait)
    if status == 408 or status >= 500:
        return Reply("unavailable", f"the endpoint fails (HTTP {status})", retry_after=wait)
    if code in _ABOUT_THE_TEXT:
        return Reply("rejected", f"the endpoint does not take this text (HTTP {status}, {code})")
    return Reply(
        "setup",
        f"the endpoint refuses the request (HTTP {status}): {said}; check LLM_BASE_URL and LLM_MODEL, set structured to false "
        "if it knows no response_format, and reasoning_model to true if it asks for max_completion_tokens",
    )
