"""What was planted in the demo world: the answers that a test or a benchmark compares a finder with.

Belongs here: the shape of one planted stretch. Does not: how it is chosen (`rundown.py`) or aired (`airing.py`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

Kind = Literal["advert", "bulletin", "rerun", "jingle", "misinformation", "rebutted", "climate"]


@dataclass(frozen=True, slots=True)
class Planted:
    """A stretch of a channel's time whose nature is known."""

    channel: Annotated[str, "Channel it is aired on."]
    kind: Annotated[Kind, "What it is."]
    label: Annotated[str, "Brand, category, theme, or name of the programme, bulletin or jingle."]
    passage: Annotated[str, "Identity of the script: the same for all airings of one advert, claim or programme."]
    start: Annotated[datetime, "First instant, UTC."]
    end: Annotated[datetime, "First instant after it, UTC."]
    text: Annotated[str, "Words as scripted, before recognition noise."]
