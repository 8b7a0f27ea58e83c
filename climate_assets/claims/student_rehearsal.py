"""Chunks to rehearse on: statements among neutral ones, as long as what is judged, with the answer known.

A head that ranks statements meets a hundred windows in a chunk, so its probabilities are fitted, and its threshold is
chosen, on texts of that length. Belongs here: how they are composed. Does not belong here: what is fitted on them.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from climate_assets.claims.records import Category
from climate_assets.claims.statements import Kind, Statement
from climate_assets.claims.student_heads import FEWEST_WORDS

CHUNK_WORDS = 400
"""Words of two minutes of speech; the 60 sampled chunks have about 360."""
MOST_STATEMENTS = 3
"""Statements in a row of somebody who misinforms: 1, 2 or 3, equally often. An assumption, not a measurement."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One composed text, and what it holds."""

    text: str
    claims: bool
    challenged: bool


def rehearsals(statements: Sequence[Statement], rounds: int, chance: random.Random) -> Iterator[Rehearsal]:
    """`rounds` texts around each claim, and as many neutral ones as there are with a claim that stands.

    Every other text is as long as a chunk, the others are shorter, as adverts leave them. A claim that stands is
    followed by up to two others of its category; a contradicted one stands alone.
    """
    neutral = [s for s in statements if s.category is Category.NONE]
    standing = [s for s in statements if s.misleading]
    for _ in range(rounds):
        for statement in standing:
            alike = [s for s in standing if s.category is statement.category and s is not statement]
            more = chance.sample(alike, min(len(alike), chance.randrange(MOST_STATEMENTS)))
            yield Rehearsal(_among(neutral, [statement, *more], chance), claims=True, challenged=False)
            yield Rehearsal(_among(neutral, [], chance), claims=False, challenged=False)
        for statement in statements:
            if statement.challenged:
                yield Rehearsal(_among(neutral, [statement], chance), claims=True, challenged=True)


def _among(neutral: Sequence[Statement], chosen: Sequence[Statement], chance: random.Random) -> str:
    length = CHUNK_WORDS if chance.random() < 0.5 else chance.randrange(FEWEST_WORDS, CHUNK_WORDS)
    words = sum(len(s.text.split()) for s in chosen)
    around = []
    for filler in _by_turns(neutral, chance):
        if words >= length:
            break
        around.append(filler)
        words += len(filler.text.split())
    at = chance.randint(0, len(around))
    return " ".join(s.text for s in [*around[:at], *chosen, *around[at:]])


def _by_turns(neutral: Sequence[Statement], chance: random.Random) -> Iterator[Statement]:
    """Each neutral statement once, kinds by turns, so that their numbers in the file do not set the mix of a chunk."""
    kinds: dict[Kind, list[Statement]] = {}
    for statement in chance.sample(neutral, len(neutral)):
        kinds.setdefault(statement.kind, []).append(statement)
    while kinds:
        for kind in chance.sample(list(kinds), len(kinds)):
            yield kinds[kind].pop()
            if not kinds[kind]:
                del kinds[kind]
