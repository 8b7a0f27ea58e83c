"""What the student learns from chunks that people labelled: the passage that a label hangs on, and the whole chunk.

A passage teaches the heads as a shipped statement does; the whole chunk teaches the curves, and is evidence for a threshold.
Belongs here: the shape of a lesson, and its statements. Does not belong here: whose label stands (the labelling stage), and
which lessons are held out (the learning stage).
"""

import hashlib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

import orjson

from climate_assets.broadcast.cleaning import BARRIER
from climate_assets.claims.records import Category
from climate_assets.claims.statements import LONGEST, SHORTEST, Kind, Statement
from climate_assets.failures import Permanent


@dataclass(frozen=True, slots=True)
class Lesson:
    """One labelled chunk."""

    item_id: Annotated[str, "Chunk id."]
    group: Annotated[str, "Group of near-duplicates: lessons of one are never on both sides of a fold."]
    text: Annotated[str, "The whole text that was judged."]
    category: Annotated[Category, "What people say is claimed; none if nothing is."]
    challenged: Annotated[bool, "People say that somebody contradicts it."]
    passages: Annotated[
        tuple[str, ...], "Words that the label hangs on: marked by people, or what the champion took for a claim."
    ]

    @property
    def claims(self) -> bool:
        """Something false is claimed, contradicted or not."""
        return self.category is not Category.NONE


def as_statements(lesson: Lesson) -> list[Statement]:
    """A statement for each passage, whatever crosses no barrier and is neither too short nor too long for one."""
    if lesson.challenged and not lesson.claims:
        raise Permanent(f"{lesson.item_id} is contradicted and claims nothing; look at its gold label")
    kind = Kind.OTHER if not lesson.claims else Kind.REBUTTED if lesson.challenged else Kind.CLAIM
    return [
        Statement(said, lesson.category, lesson.challenged, kind) for passage in lesson.passages for said in _pieces(passage)
    ]


def lessons_version(lessons: Iterable[Lesson]) -> str:
    """Twelve hexadecimal digits of SHA-256 over the lessons, whatever their order."""
    rows = sorted([x.item_id, x.group, x.text, x.category.value, x.challenged, *x.passages] for x in lessons)
    return hashlib.sha256(orjson.dumps(rows)).hexdigest()[:12]


def _pieces(passage: str) -> list[str]:
    """The runs of words between barriers that can stand as a statement; a longer one is cut into even parts."""
    pieces: list[str] = []
    for run in _between_barriers(passage.split()):
        parts = -(-len(run) // LONGEST)
        ends = [len(run) * n // parts for n in range(parts + 1)] if parts else []
        pieces += [" ".join(run[a:b]) for a, b in itertools.pairwise(ends) if b - a >= SHORTEST]
    return pieces


def _between_barriers(words: Sequence[str]) -> list[list[str]]:
    runs: list[list[str]] = [[]]
    for word in words:
        if BARRIER in word:
            runs.append([])
        else:
            runs[-1].append(word)
    return runs
