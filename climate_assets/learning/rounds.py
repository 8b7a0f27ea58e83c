"""When a new round of the loop begins: enough people have answered since the last one, and nothing is under way.

A function of what is written down, so that a restart or an outage loses and repeats nothing. What a round leads to is
`iterations.py`. Belongs here: the history of a line from its rows. Does not belong here: who asks, and carrying it out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from climate_assets.learning.iterations import Gate, Iteration, LoopPolicy, Move, Step, next_step
from climate_assets.learning.records import Round


@dataclass(frozen=True, slots=True)
class Standing:
    """What is written down of a line's labels at this moment."""

    asked: Annotated[int, "Items that people were asked about in the last weeks."]
    answered: Annotated[int, "Those of them that have a label, or were settled without one."]
    gold: Annotated[int, "Items with a label that stands, whenever they were asked about."]
    data_hash: Annotated[str, "Hash of all labels that stand."]


@dataclass(frozen=True, slots=True)
class Due:
    """Whether a round begins, which one, and the sentence why or why not."""

    number: int | None
    why: str


def due(
    standing: Standing,
    rounds: Sequence[Round],
    decided: int,
    gate: Gate,
    policy: LoopPolicy,
    champion: str | None = None,
) -> Due:
    """The round that begins now, if one does. `rounds` of the line in order; `decided`: rounds whose challenger was decided on.

    Nothing begins while a challenger is being trained. After that another model in use (`champion`) is measured at once,
    whoever put it there. With the same one nothing begins while the labels are those of the last round, or with fewer new
    ones than are worth a measurement.
    """
    last = rounds[-1] if rounds else None
    if last and last.move == Move.RETRAIN and decided < trainings(rounds):
        return Due(None, f"round {last.round} is training a challenger; what comes next is decided when it is decided on.")
    if last and champion and champion != last.champion_id:
        return Due(last.number + 1, f"{champion} is in use since round {last.round}: it is measured.")
    if last and last.data_hash == standing.data_hash:
        return Due(None, f"the labels are those that round {last.round} was measured on.")
    new = standing.gold - (last.gold if last else 0)
    if new < policy.least_new_gold:
        return Due(None, f"{new} new labels stand; {policy.least_new_gold} are worth a round.")
    now = Iteration(trainings(rounds), standing.asked, min(standing.answered, standing.asked), False, None)
    step = next_step(history_of(rounds, now), new, gate, policy)
    if step.move is Move.EVALUATED:
        return Due(last.number + 1 if last else 0, step.why)
    return Due(None, step.why)


def after_evaluation(made: Round, rounds: Sequence[Round], gate: Gate, policy: LoopPolicy) -> Step:
    """What follows from a round that was just measured; `rounds`: those of the line before it, in order."""
    return next_step(history_of([*rounds, made]), made.new_gold, gate, policy)


def trainings(rounds: Sequence[Round]) -> int:
    """How many trainings the rounds have asked for."""
    return sum(r.move == Move.RETRAIN for r in rounds)


def history_of(rounds: Sequence[Round], now: Iteration | None = None) -> list[Iteration]:
    """One iteration a training: what its last round measured, or `now`, which nobody has measured yet."""
    last = {r.iteration: Iteration(r.iteration, r.asked, min(r.answered, r.asked), True, r.value) for r in rounds}
    if now:
        last[now.number] = now
    return [last[number] for number in sorted(last)]
