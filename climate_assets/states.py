"""Where one item stands at one stage, for every stage: an error is a state with a reason, never a value.

Which state a result leads to is decided by the stage; the rows are `stage_states`.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated


class State(StrEnum):
    """Where one item stands at one stage."""

    PENDING = "pending"
    OK = "ok"
    FAILED = "failed"
    DEAD = "dead"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class StageState:
    """Where one item stands at one stage, and why (a row of `stage_states`)."""

    stage: Annotated[str, "Asset the item is at."]
    item_id: Annotated[str, "Chunk id, or what the stage counts."]
    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day of the item."]
    state: Annotated[str, "pending, ok, failed, dead or skipped."]
    reason: Annotated[str, "Why, for a person; empty for ok."]
    attempts: Annotated[int, "Tries that ended in failure."]
