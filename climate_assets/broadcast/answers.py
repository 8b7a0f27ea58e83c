"""What the body of one Mediatree answer says, and whether it says everything.

Belongs here: reading the body, telling a whole answer from a cut or broken one, what is kept of a day's fetch.
Does not belong here: asking (`resources/mediatree.py`), storing (`dumps.py`), the meaning of an item (`transcripts.py`).
Shape of an answer: `total_results`, `number_pages`, `data` = list of items; an item has `channel`, `start`, `plaintext`, `srt`.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from climate_assets.broadcast.records import Answer
from climate_assets.failures import Permanent

Item = Any
"""One element of `data` as it came; nothing is known of it before `transcripts.py` has looked."""


@dataclass(frozen=True, slots=True)
class Items:
    """The items of one readable answer and how many the API says there are."""

    items: list[Item]
    total_results: int
    number_pages: int

    def is_cut(self, page_size: int) -> bool:
        """Whether the time range holds more than was given: paging is broken, so the range has to be split."""
        return self.total_results > len(self.items) or len(self.items) >= page_size or self.number_pages > 1


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a body is no answer. It is never taken for an empty day."""

    reason: str
    token_refused: bool = False


@dataclass(frozen=True, slots=True)
class Fetched:
    """What could be fetched of a channel's day, and what could not."""

    answers: tuple[Answer, ...]
    missing: tuple[str, ...]
    """One entry a lost time range: `start/end: reason`, instants in UTC."""

    @staticmethod
    def joined(parts: Iterable["Fetched"]) -> "Fetched":
        """Several fetches as one."""
        answers: list[Answer] = []
        missing: list[str] = []
        for part in parts:
            answers.extend(part.answers)
            missing.extend(part.missing)
        return Fetched(tuple(answers), tuple(missing))


def read_answer(payload: bytes) -> Items | Unreadable:
    """The items of an answer's body, or why there are none to be had."""
    start = payload.lstrip()[:1]
    if start != b"{":
        return Unreadable("the body is empty" if not start else f"the body is not a JSON object (it starts with {start!r})")
    try:
        body = _parsed(payload)
    except (ValueError, RecursionError):
        return Unreadable(f"the body is not whole JSON ({len(payload)} bytes)")
    data = body.get("data")
    if not isinstance(data, list):
        return Unreadable(f"`data` is {'missing' if data is None else type(data).__name__}, not a list", _is_about_token(body))
    total, pages = _count(body.get("total_results"), len(data)), _count(body.get("number_pages"), 1)
    if total is None or pages is None:
        return Unreadable("`total_results` or `number_pages` is not a whole number")
    return Items(data, total, pages)


def items_of(answers: Iterable[Answer]) -> list[Item]:
    """All items of stored answers, in the order stored; raises `Permanent` for a payload that is no answer."""
    items: list[Item] = []
    for answer in answers:
        read = read_answer(answer.payload)
        if isinstance(read, Unreadable):
            raise Permanent(f"stored answer {answer.sha256[:16]} to {answer.request}: {read.reason}; fetch the day again")
        items.extend(read.items)
    return items


def _parsed(payload: bytes) -> dict[str, Any]:
    """The JSON object of a body that starts with `{`."""
    try:
        body: dict[str, Any] = orjson.loads(payload)
    except orjson.JSONDecodeError:
        # One lone surrogate, NaN or bad byte in one word must not cost the day: the lenient reader keeps it where it
        # is, and the chunk that has it is mended or refused alone.
        body = json.loads(payload.decode("utf-8", "surrogateescape"))
    return body


def _count(value: object, absent: int) -> int | None:
    """A count of the envelope; `absent` where it has none, None where it is no count."""
    if value is None:
        return absent
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _is_about_token(body: dict[str, Any]) -> bool:
    """Whether a body without data complains about the token (the API answers some refusals with status 200)."""
    said = " ".join(str(body.get(key, "")) for key in ("error", "errors", "detail", "message", "code")).lower()
    return any(word in said for word in ("token", "unauthori", "authenticat", "credential"))
