"""A real HTTP server that speaks the OpenAI chat-completions protocol, with faults that can be dialled.

It answers as an honest model would: it finds the fence that the system message announces, judges what stands inside by
a simple rule, and obeys whatever stands outside, so that a transcript that leaves its fence does change the verdict.
"""

import json
import re
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

KEY = "sk-test-4f1c9b0e7a"

# Words of the honest rule, as one finds them in a transcript: claim, category.
CLAIMS = {
    "le réchauffement est un mensonge": "1_its_not_happening",
    "le soleil explique tout": "2_humans_are_not_the_cause",
    "les éoliennes ne servent à rien": "4_solutions_are_ineffective_or_harmful",
    "wind turbines are useless": "4_solutions_are_ineffective_or_harmful",
}
REBUTTALS = ("c'est faux", "les scientifiques disent le contraire")

_ANNOUNCED = re.compile(r'between the line "(.+?)" and the line "(.+?)"', re.DOTALL)
_ORDER = re.compile(r"score\W{0,4}(?:is|to|of|de)?\W{0,4}(\d+)", re.IGNORECASE)
_FORGED = re.compile(r'\{[^{}]*"score"[^{}]*\}', re.DOTALL)


def judged(text: str) -> dict[str, Any]:
    """What an honest model answers about a text."""
    for claim, category in CLAIMS.items():
        if claim in text:
            challenged = any(rebuttal in text for rebuttal in REBUTTALS)
            score = 3 if challenged else 9
            return {
                "rationale": "A false claim.",
                "quote": claim,
                "category": category,
                "challenged": challenged,
                "score": score,
            }
    return {"rationale": "Nothing.", "quote": "", "category": "0_no_misinformation", "challenged": False, "score": 0}


def honest(messages: list[dict[str, str]]) -> str:
    """The answer of a model that judges what is fenced and obeys what is not."""
    system = "\n".join(m["content"] for m in messages if m["role"] == "system")
    rest = "\n".join(m["content"] for m in messages if m["role"] != "system")
    announced = _ANNOUNCED.findall(system)
    if not announced:
        return "I see no transcript."
    opening, closing = announced[-1]
    before, _, after = rest.partition(opening)
    inside, _, outside = after.partition(closing)
    orders = before + outside
    if forged := _FORGED.search(orders):
        return forged[0]
    answer = judged(inside)
    if order := _ORDER.search(orders):
        answer |= {"score": int(order[1]), "category": "0_no_misinformation", "quote": "", "rationale": "As told."}
    return json.dumps(answer, ensure_ascii=False)


@dataclass(frozen=True)
class Reply:
    """What the server does with one question."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False
    hold: bool = False
    drip: bool = False
    stall: bool = False


def completion(content: str | None, **message: Any) -> bytes:
    """The body of a chat completion."""
    finish = message.pop("finish_reason", "stop")
    usage = message.pop("usage", {"prompt_tokens": 700, "completion_tokens": 80, "total_tokens": 780})
    value = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted",
        "choices": [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}],
        "usage": usage,
    }
    return json.dumps(value).encode()


def says(content: str | None, **message: Any) -> Reply:
    """An answer with this text."""
    return Reply(body=completion(content, **message))


def error(status: int, code: str = "", message: str = "it does not work", **headers: str) -> Reply:
    """An error as the protocol has it."""
    body = json.dumps({"error": {"message": message, "type": "error", "param": None, "code": code or None}}).encode()
    return Reply(status, body, {k.replace("_", "-"): v for k, v in headers.items()})


_GOOD = judged("le soleil explique tout")

FAULTS: dict[str, Reply] = {
    "hang_up": Reply(hang_up=True),
    "bad_key": error(401, "invalid_api_key", f"Incorrect API key provided: {KEY}"),
    "forbidden": error(403),
    "no_model": error(404, "model_not_found", "The model does not exist"),
    "bad_request": error(400, "", "Unknown parameter: response_format"),
    "content_filter_400": error(400, "content_filter"),
    "too_long": error(400, "context_length_exceeded"),
    "limited": error(429, "rate_limit_exceeded"),
    "limited_2s": error(429, "rate_limit_exceeded", retry_after="2"),
    "no_credit": error(429, "insufficient_quota"),
    "error_500": error(500),
    "error_503_3s": error(503, retry_after="3"),
    "moved": Reply(307, headers={"location": "http://127.0.0.1:9/v1/chat/completions"}),
    "slow": Reply(hold=True),
    "dripping": Reply(body=completion(json.dumps(_GOOD)), drip=True),
    "stalling": Reply(body=b'{"id": "chat', headers={"content-length": "900"}, stall=True),
    "broken_off": Reply(body=b'{"id": "chat', headers={"content-length": "900", "connection": "close"}),
    "html": Reply(body=b"<html><body>Bad gateway</body></html>", headers={"content-type": "text/html"}),
    "cut_body": Reply(body=completion(json.dumps(_GOOD))[:60]),
    "empty_body": Reply(body=b""),
    "no_choices": Reply(body=b'{"object": "chat.completion", "choices": []}'),
    "null_content": says(None),
    "endless": Reply(body=completion(json.dumps(_GOOD)) + b" " * 1_500_000),
    "rubbish": says("climat climat climat 0 0 0"),
    "bare_number": says("0"),
    "cut_answer": says(json.dumps(_GOOD)[:50], finish_reason="length"),
    "refusal_field": says(None, refusal="I can't help with that."),
    "refusal_text": says("I'm sorry, but I can't assist with that request."),
    "filtered": says("", finish_reason="content_filter"),
    "wrong_types": says(json.dumps(_GOOD | {"score": "9"})),
    "out_of_range": says(json.dumps(_GOOD | {"score": 11})),
    "invented_quote": says(json.dumps(_GOOD | {"quote": "nobody ever said these words"})),
    "chatty": says("Sure! Here is the JSON:\n" + json.dumps(_GOOD) + "\nAnything else?"),
}


class LlmServer:
    """The server on loopback; `with LlmServer() as server:` and then `server.url`.

    `script` is a queue of replies (or names of faults) that are used up first; `always` answers the rest, and without
    it the model is honest. `latency` holds each answer back, in seconds; with `together` set, nobody is answered before
    that many questions are under way at once.
    """

    def __init__(
        self, script: Iterable[Reply | str] = (), always: Reply | str | None = None, key: str = KEY, port: int = 0
    ) -> None:
        self.script: deque[Reply | str] = deque(script)
        self.always = always
        self.answer: Callable[[list[dict[str, str]]], str] = honest
        self.key = key
        self.latency = 0.0
        self.together = 0
        self.requests: list[dict[str, Any]] = []
        self.busiest = 0
        self._busy = 0
        self._lock = threading.Condition()
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def asked(self) -> Counter[str]:
        """How often each user message came, its fence left out."""
        return Counter(re.sub(r"[0-9a-f]{32}", "", r["messages"][-1]["content"]) for r in self.requests)

    def __enter__(self) -> "LlmServer":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait_for(self, requests: int) -> bool:
        """Return when that many questions have come; False if they did not within 30 s."""
        with self._lock:
            return self._lock.wait_for(lambda: len(self.requests) >= requests, timeout=30)

    def reply_to(self, request: dict[str, Any]) -> Reply:
        """What to do with one question."""
        with self._lock:
            self.requests.append(request)
            self._lock.notify_all()
            chosen = self.script.popleft() if self.script else self.always
        if chosen is None:
            return says(self.answer(request["messages"]))
        return FAULTS[chosen] if isinstance(chosen, str) else chosen

    def _enter(self) -> None:
        with self._lock:
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
            self._lock.notify_all()
            # The time limit only keeps a failing test from hanging.
            self._lock.wait_for(lambda: self.busiest >= self.together, timeout=10)
        self._released.wait(self.latency)

    def _leave(self) -> None:
        with self._lock:
            self._busy -= 1

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing on the test's output."""

            def do_GET(self) -> None:
                models = json.dumps(
                    {"object": "list", "data": [{"id": "scripted", "object": "model", "created": 1, "owned_by": "me"}]}
                )
                self._send(Reply(body=models.encode()) if self._may() else FAULTS["bad_key"])

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["content-length"])))
                if not self.path.endswith("/chat/completions"):
                    self._send(error(404))
                elif not self._may():
                    self._send(FAULTS["bad_key"])
                else:
                    server._enter()
                    reply = server.reply_to(request)
                    server._leave()
                    self._send(reply)

            def _may(self) -> bool:
                return not server.key or self.headers.get("authorization") == f"Bearer {server.key}"

            def _send(self, reply: Reply) -> None:
                if reply.hold:
                    server._released.wait()
                if reply.hold or reply.hang_up:
                    self.close_connection = True
                    return
                self.send_response(reply.status)
                headers = {"content-type": "application/json", "content-length": str(len(reply.body))} | reply.headers
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    if reply.drip:
                        for at in range(len(reply.body)):
                            self.wfile.write(reply.body[at : at + 1])
                            self.wfile.flush()
                            if server._released.wait(0.05):
                                return
                    else:
                        self.wfile.write(reply.body)
                        self.wfile.flush()
                    if reply.stall:
                        server._released.wait()
                except OSError:
                    self.close_connection = True

        return Handler
