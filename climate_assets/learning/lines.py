"""A line of models: those of one task and language that succeed each other, and the rounds in which the loop turns for it.

Belongs here: keys of lines and rounds. Does not belong here: what a round does (`assets.py`), when one begins (`rounds.py`).
"""

import re
from dataclasses import dataclass
from typing import Annotated, Final

from climate_assets.failures import Permanent

MISINFO: Final = "misinfo"
NER: Final = "ner"
# One key a round: `0003` would be another key of round 3.
_ROUND: Final = re.compile(r"(misinfo|ner)-([a-z]+)-([0-9]{3}|[1-9][0-9]{3,5})")


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """Models of one task kind and language."""

    task_kind: Annotated[str, "`misinfo` or `ner`."]
    language: Annotated[str, "Language, as countries say it."]

    def __str__(self) -> str:
        return f"{self.task_kind}-{self.language}"

    def round(self, number: int) -> str:
        """Key of one of its rounds, from 0: `misinfo-french-000`."""
        return f"{self}-{number:03}"


def line_of(round_key: str) -> tuple[Line, int]:
    """Line and number of a round; raises `Permanent` for a key that is none."""
    found = _ROUND.fullmatch(round_key)
    if not found:
        raise Permanent(f"{round_key!r:.100} is no round; write task kind, language and number, such as misinfo-french-000")
    return Line(found[1], found[2]), int(found[3])


def training_key(round_key: str) -> str:
    """Where the training set of a round lies in the lake."""
    line, _ = line_of(round_key)
    return f"training_sets/line={line}/round={round_key}/examples.parquet"
