"""Which engine judges a chunk, which chunks still need judging, and where each stands after a try.

Decisions only, from values: probabilities of the student, stored verdicts, stored states. Asking is `resources/llm.py`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from climate_assets.broadcast.records import CleanChunk
from climate_assets.claims.records import Judgement, Unusable
from climate_assets.states import StageState, State

STAGE: Final = "classified_chunks"
MAX_ATTEMPTS: Final = 3
"""Unusable answers before a person has to look. At temperature 0 a third one seldom differs from the second."""
AUDIT_SALT: Final = "audit-1"
"""Part of the hash that draws the audit slice; another salt draws another slice."""

Route = Literal["student", "cascade", "audit"]


@dataclass(frozen=True, slots=True)
class Unasked:
    """A chunk that was not judged for a reason that is not its own; it stays pending and is never dead of it."""

    reason: Annotated[str, "Why, for a person."]
    cause: Annotated[
        Literal["budget", "outage", "setup"], "`budget`: spent; `outage`: the endpoint fails; `setup`: a person must act."
    ]


Result = Judgement | Unusable | Unasked


def audit_point(chunk_id: str) -> float:
    """A chunk's place in [0, 1), uniform over ids and the same on each replay; its text has no say in it."""
    digest = hashlib.sha256(f"{AUDIT_SALT}/{chunk_id}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def route(chunk_id: str, probability: float, threshold: float, audit_share: float) -> Route:
    """Who judges: the student alone where it is sure (below `threshold`), unless the audit slice sends the chunk on.

    `probability` is the student's, 0..1, that the chunk is misinformation. The audit slice is drawn among the chunks
    below the threshold, so its share of positives estimates what the cascade misses. Raises `ValueError` outside 0..1.
    """
    for name, value in (("probability", probability), ("threshold", threshold), ("audit share", audit_share)):
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{name} {value} of {chunk_id} is not within 0..1")
    if probability >= threshold:
        return "cascade"
    return "audit" if audit_point(chunk_id) < audit_share else "student"


def due(
    chunks: Iterable[CleanChunk], judged: Mapping[str, str], states: Mapping[str, StageState], max_attempts: int = MAX_ATTEMPTS
) -> list[CleanChunk]:
    """The chunks that need work, in their order.

    `judged`: chunk id -> hash of the text that its stored verdict (of the model and prompt in use) was made from; a
    verdict on another text is stale. What is dead or skipped stays so until a person says otherwise.
    """
    return [chunk for chunk in chunks if _is_due(chunk, judged.get(chunk.chunk_id), states.get(chunk.chunk_id), max_attempts)]


def _is_due(chunk: CleanChunk, judged_text: str | None, state: StageState | None, max_attempts: int) -> bool:
    if judged_text == chunk.text_sha256:
        return False
    if state is None:
        return True
    if state.state in (State.DEAD, State.SKIPPED):
        return False
    return state.state != State.FAILED or state.attempts < max_attempts


def state_after(
    chunk: CleanChunk, before: StageState | None, result: Result, max_attempts: int = MAX_ATTEMPTS, stage: str = STAGE
) -> StageState:
    """Where a chunk stands after a try: ok, failed (asked again), dead (permanent, or tries used up) or pending."""
    attempts = before.attempts if before else 0
    match result:
        case Judgement():
            state, reason = State.OK, ""
        case Unasked():
            state, reason = State.PENDING, result.reason
        case Unusable():
            attempts += 1
            state = State.DEAD if result.permanent or attempts >= max_attempts else State.FAILED
            reason = result.reason
    return StageState(
        stage=stage,
        item_id=chunk.chunk_id,
        country=chunk.country,
        day=chunk.day,
        state=state.value,
        reason=reason,
        attempts=attempts,
    )
