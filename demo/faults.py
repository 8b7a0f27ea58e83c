"""Faults of a broadcast API that can be dialled: which one strikes next, and what it does to an answer.

Belongs here: the list of faults, the seeded draw, how an answer is bent. Does not: HTTP (`broadcaster.py`).
"""

import random
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

Reply = dict[str, Any]

STATUSES: Final = {"429_seconds": 429, "429_date": 429, "500": 500, "502": 502, "504": 504}
"""Answers without content."""
TRANSPORT: Final = ("reset", "html_200", "truncated_json", "slow_body")
"""The answer is right and does not arrive so."""
BENT: Final = ("no_data", "duplicates", "overlapping", "capped", "out_of_order", "empty_outage", "extra_fields")
"""The answer arrives and says something else."""
TOKEN: Final = "expired_token"
"""Every token given so far is refused from now on."""
KINDS: Final = (*STATUSES, *TRANSPORT, *BENT, TOKEN)
EXPORT: Final = ("empty_src", "other_host")
"""The answer to an export names no sound, or one on another host."""
MEDIA: Final = tuple(f"media_{n}" for n in ("500", "redirect", "html", "cut", "length", "slow", "endless", "empty"))
"""The sound is refused, elsewhere, not a sound, half of itself, shorter than it says, late, without an end, or empty."""
SOUND: Final = (*EXPORT, *MEDIA)
"""What strikes exports only."""
_GROUPS: Final = {"all": KINDS, "all_sound": SOUND}


class Faults:
    """What strikes: a probability for each kind, drawn once a request; the same seed strikes the same way."""

    def __init__(self, seed: int = 1) -> None:
        self._lock = threading.Lock()
        self.struck: Counter[str] = Counter()
        self.dial({}, seed)

    def dial(self, probabilities: Mapping[str, float], seed: int, retry_after: int = 1, slow_seconds: float = 30.0) -> None:
        """Set all probabilities anew; `all`, `all_sound` share theirs evenly over `KINDS`, `SOUND`; raises `ValueError`."""
        shares = {kind: float(p) for kind, p in probabilities.items() if kind not in _GROUPS}
        for group, kinds in _GROUPS.items():
            for kind in kinds if group in probabilities else ():
                shares[kind] = shares.get(kind, 0.0) + float(probabilities[group]) / len(kinds)
        unknown = sorted(set(shares) - {*KINDS, *SOUND})
        if unknown:
            raise ValueError(f"no fault {', '.join(unknown)}; there are {', '.join((*_GROUPS, *KINDS, *SOUND))}")
        if any(p < 0 for p in shares.values()) or sum(shares.values()) > 1 + 1e-9:
            raise ValueError(f"probabilities must be 0 or more and sum to 1 at most, not {sum(shares.values()):g}")
        with self._lock:
            self.probabilities, self.seed = shares, int(seed)
            self.retry_after, self.slow_seconds = int(retry_after), float(slow_seconds)
            self._random = random.Random(self.seed)

    def drawn(self, possible: tuple[str, ...] = KINDS) -> str | None:
        """The fault that strikes this request, if one does and it is possible here."""
        with self._lock:
            point = self._random.random()
            for kind, share in self.probabilities.items():
                point -= share
                if point < 0:
                    if kind not in possible:
                        return None
                    self.struck[kind] += 1
                    return kind
            return None

    def choice(self, options: tuple[int, ...]) -> int:
        """One of several, by the same seed."""
        with self._lock:
            return self._random.choice(options)

    def bent(self, kind: str, reply: Reply, neighbours: list[Any]) -> Reply:
        """The reply as fault `kind` makes it; `neighbours`: items just outside the time range that was asked."""
        rows: list[Any] = list(reply["data"])
        with self._lock:
            if kind == "no_data":
                return {name: value for name, value in reply.items() if name != "data"}
            if kind == "duplicates":
                return {**reply, "data": rows + self._random.sample(rows, len(rows) // 3)}
            if kind == "overlapping":
                return {**reply, "data": rows + neighbours}
            if kind == "capped":
                return {**reply, "data": rows[: len(rows) // 2], "number_pages": 2}
            if kind == "out_of_order":
                return {**reply, "data": self._random.sample(rows, len(rows))}
            if kind == "empty_outage":
                return {"total_results": 0, "number_pages": 0, "data": []}
            if kind == "extra_fields":
                score = self._random.random()
                return {
                    **reply,
                    "took_ms": 12,
                    "data": [{**row, "score": score} if isinstance(row, dict) else row for row in rows],
                }
        raise ValueError(f"{kind} does not bend a reply")

    def headers(self, kind: str) -> dict[str, str]:
        """Headers of an answer with a status of `STATUSES`."""
        if kind == "429_seconds":
            return {"Retry-After": str(self.retry_after)}
        if kind == "429_date":
            at = datetime.now(UTC) + timedelta(seconds=self.retry_after)
            return {"Retry-After": at.strftime("%a, %d %b %Y %H:%M:%S GMT")}
        return {}

    def settings(self) -> dict[str, Any]:
        """What is dialled."""
        return {
            "probabilities": self.probabilities,
            "seed": self.seed,
            "retry_after": self.retry_after,
            "slow_seconds": self.slow_seconds,
        }
