"""Where the loop stands and what it does next: apply, wait for people, evaluate, train again, or stop, with the reason.

A function of what is written down: no clock, no memory, nothing waits in it. A sensor asks it and carries out the answer, so
a restart or an outage loses nothing and repeats nothing. Belongs here: the decision. Does not belong here: carrying it out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from climate_assets.failures import Permanent


class Move(StrEnum):
    """Where the loop stands."""

    APPLIED = "applied"
    """The model in use has still to give its answers and make the tasks of this iteration."""
    LABELLING = "labelling"
    """People are asked and have not answered enough."""
    EVALUATED = "evaluated"
    """The answers are in: measure the model, or wait until its measure is defined."""
    RETRAIN = "retrain"
    """Not good enough, and there is something new to learn from: train the challenger of the next iteration."""
    STOP_MET = "stop_met"
    """The gate is met."""
    STOP_NO_GAIN = "stop_no_gain"
    """Training again has not helped."""
    STOP_NO_NEW_LABELS = "stop_no_new_labels"
    """Nothing new to learn from, and nobody is asked."""
    STOP_MAX_ITER = "stop_max_iter"
    """As often as was allowed."""


@dataclass(frozen=True, slots=True)
class Iteration:
    """One round of the loop, as far as it has come."""

    number: Annotated[int, "0 for the first model, one more with each training."]
    asked: Annotated[int | None, "Tasks made for this turn; None until they are made, 0 if none are (challenger refused)."]
    answered: Annotated[int, "Tasks of these that have a gold label, or were settled without one."]
    evaluated: Annotated[bool, "The model in use was measured after these answers."]
    value: Annotated[float | None, "What the gate reads; None if not evaluated, or not defined."]


@dataclass(frozen=True, slots=True)
class Gate:
    """The standard, and what the newest evaluation says to it."""

    measure: Annotated[str, "What is read, such as `F1` or `precision at 90% recall`."]
    target: Annotated[float, "The gate is met from this value on."]
    reason: Annotated[str, "Why the newest value is not defined; empty if it is."] = ""


@dataclass(frozen=True, slots=True)
class LoopPolicy:
    """How long the loop goes on."""

    least_new_gold: int = 50
    """New labels that are worth a training."""
    share_answered: float = 0.9
    """Share of an iteration's tasks that is enough to measure: a few are always left lying."""
    most_iterations: int = 5
    """Trainings at most; a person raises it."""
    least_gain: float = 0.005
    """Rise of the value over the best before that counts as a gain."""
    patience: int = 2
    """Trainings without a gain after which it stops."""
    fresh_start: int = 500
    """New labels that are worth another try after trainings without a gain."""


@dataclass(frozen=True, slots=True)
class Step:
    """Where the loop stands, and the sentence why."""

    move: Move
    iteration: int
    """Iteration it speaks of; for `retrain` the one that training begins."""
    why: str

    @property
    def stopped(self) -> bool:
        """Nothing happens until something new comes in."""
        return self.move.value.startswith("stop")


def next_step(history: Sequence[Iteration], new_gold: int, gate: Gate, policy: LoopPolicy) -> Step:
    """What the loop does next. `history`: iterations 0, 1, 2 ... so far; `new_gold`: labels that no training has seen yet.

    In this order: tasks are made; people answer; the model is measured; then met, limit, no gain, nothing new, or train
    again. A gate whose value is not defined is neither met nor failed: the loop waits with the reason. Raises `Permanent`
    for a history with a gap or with more answers than questions.
    """
    _check(history, new_gold)
    if not history:
        return Step(Move.APPLIED, 0, "The model in use has not been applied yet: apply it and ask people.")
    now = history[-1]
    if now.asked is None:
        return Step(Move.APPLIED, now.number, f"Iteration {now.number} has a model and no tasks yet: apply it and ask people.")
    answers = f"{now.answered} of {now.asked} tasks are answered"
    if not now.evaluated:
        if now.answered < policy.share_answered * now.asked:
            why = f"{answers}; {policy.share_answered:.0%} are enough to measure iteration {now.number}."
            return Step(Move.LABELLING, now.number, why)
        return Step(Move.EVALUATED, now.number, f"{answers}: measure iteration {now.number}.")
    if now.value is None:
        reason = gate.reason or "no reason is given"
        return Step(
            Move.EVALUATED, now.number, f"{gate.measure} is not defined ({reason}): the gate is neither met nor failed."
        )
    stands = f"{gate.measure} is {now.value:.3f}"
    if now.value >= gate.target:
        return Step(Move.STOP_MET, now.number, f"{stands}, at or above the standard of {gate.target:g}.")
    short = f"{stands}, below the standard of {gate.target:g}"
    if now.number >= policy.most_iterations:
        why = f"{short}, after {now.number} trainings of {policy.most_iterations} allowed: a person decides."
        return Step(Move.STOP_MAX_ITER, now.number, why)
    idle = _without_gain(history, policy.least_gain)
    if idle >= policy.patience and new_gold < policy.fresh_start:
        why = (
            f"{short}, and the last {idle} trainings did not raise it by {policy.least_gain:g}: look at the labels and the "
            f"disputes; {policy.fresh_start} new labels start it again, {new_gold} are there."
        )
        return Step(Move.STOP_NO_GAIN, now.number, why)
    if new_gold >= policy.least_new_gold:
        why = f"{short}, and {new_gold} new labels are there ({policy.least_new_gold} are enough): train again."
        return Step(Move.RETRAIN, now.number + 1, why)
    few = f"{short}; {new_gold} of {policy.least_new_gold} new labels that a training needs are there"
    if now.answered < now.asked:
        return Step(Move.LABELLING, now.number, f"{few}, and {answers}.")
    return Step(Move.STOP_NO_NEW_LABELS, now.number, f"{few}, and no task is open: ask people more, or wait for the next days.")


def _check(history: Sequence[Iteration], new_gold: int) -> None:
    if [i.number for i in history] != list(range(len(history))):
        raise Permanent(f"iterations {[i.number for i in history]} are not 0, 1, 2 and so on; look at model_versions")
    wrong = [i.number for i in history if not 0 <= i.answered <= (i.asked or 0)]
    if wrong or new_gold < 0:
        raise Permanent(f"iterations {wrong} count more answers than tasks, or {new_gold} new labels; count gold_labels again")


def _without_gain(history: Sequence[Iteration], least_gain: float) -> int:
    """Trainings since the value last rose by `least_gain` over the best before it; an undefined value is no gain."""
    best: float | None = None
    idle = 0
    for iteration in history:
        value = iteration.value
        if value is not None and (best is None or value - best >= least_gain):
            idle = 0
        elif iteration.number:
            idle += 1
        best = value if best is None else max(best, best if value is None else value)
    return idle
