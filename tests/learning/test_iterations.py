"""The loop goes on while it is below the standard and learns something, and stops for the reason it says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.learning.iterations import Gate, Iteration, LoopPolicy, Move, next_step

GATE = Gate("F1", 0.8)
POLICY = LoopPolicy(least_new_gold=20, share_answered=0.9, most_iterations=3, least_gain=0.01, patience=2, fresh_start=100)


def turns(*values: float | None, asked: int | None = 100, answered: int = 100, evaluated: bool = True) -> list[Iteration]:
    """Iterations with these values; the last one as far as it is said to be."""
    done = [Iteration(n, 100, 100, True, value) for n, value in enumerate(values[:-1])]
    return [*done, Iteration(len(done), asked, answered, evaluated, values[-1])]


@pytest.mark.parametrize(
    ("history", "new_gold", "move", "iteration", "says"),
    [
        ([], 0, Move.APPLIED, 0, "not been applied yet"),
        (turns(None, asked=None, answered=0, evaluated=False), 0, Move.APPLIED, 0, "no tasks yet"),
        (turns(0.5, None, asked=None, answered=0, evaluated=False), 99, Move.APPLIED, 1, "Iteration 1 has a model"),
        (turns(None, answered=0, evaluated=False), 0, Move.LABELLING, 0, "0 of 100 tasks are answered"),
        (turns(None, answered=89, evaluated=False), 89, Move.LABELLING, 0, "89 of 100"),
        (turns(None, answered=90, evaluated=False), 90, Move.EVALUATED, 0, "measure iteration 0"),
        (turns(None, asked=0, answered=0, evaluated=False), 0, Move.EVALUATED, 0, "0 of 0"),
        (turns(None), 500, Move.EVALUATED, 0, "F1 is not defined (no reason is given)"),
        (turns(0.8), 500, Move.STOP_MET, 0, "F1 is 0.800, at or above the standard of 0.8"),
        (turns(0.5, 0.6, 0.7, 0.9), 500, Move.STOP_MET, 3, "at or above"),
        (turns(0.5), 20, Move.RETRAIN, 1, "20 new labels are there (20 are enough)"),
        (turns(0.5, 0.6), 20, Move.RETRAIN, 2, "below the standard of 0.8"),
        (turns(0.5, 0.6, 0.7, 0.75), 500, Move.STOP_MAX_ITER, 3, "after 3 trainings of 3 allowed"),
        (turns(0.5, 0.505), 20, Move.RETRAIN, 2, "train again"),
        (turns(0.5, 0.505, 0.509), 99, Move.STOP_NO_GAIN, 2, "the last 2 trainings did not raise it by 0.01"),
        (turns(0.6, 0.5, 0.55), 99, Move.STOP_NO_GAIN, 2, "100 new labels start it again, 99 are there"),
        (turns(0.6, None, 0.55), 99, Move.STOP_NO_GAIN, 2, "did not raise"),
        (turns(0.6, 0.5, 0.55), 100, Move.RETRAIN, 3, "100 new labels"),
        (turns(0.5, 0.5, 0.52), 20, Move.RETRAIN, 3, "train again"),
        (turns(0.5), 19, Move.STOP_NO_NEW_LABELS, 0, "19 of 20 new labels"),
        (turns(0.5), 0, Move.STOP_NO_NEW_LABELS, 0, "no task is open"),
        (turns(0.5, answered=95), 19, Move.LABELLING, 0, "95 of 100 tasks are answered"),
    ],
)
def test_the_table(history: list[Iteration], new_gold: int, move: Move, iteration: int, says: str) -> None:
    step = next_step(history, new_gold, GATE, POLICY)
    assert (step.move, step.iteration) == (move, iteration)
    assert says in step.why
    assert step.why.endswith(".")
    assert step.stopped == (move in {Move.STOP_MET, Move.STOP_NO_GAIN, Move.STOP_NO_NEW_LABELS, Move.STOP_MAX_ITER})


def test_a_gate_that_is_not_defined_says_why() -> None:
    step = next_step(turns(None), 500, Gate("F1", 0.8, "no case in gold"), POLICY)
    assert (step.move, step.why) == (Move.EVALUATED, "F1 is not defined (no case in gold): the gate is neither met nor failed.")


@pytest.mark.parametrize(
    ("history", "new_gold"),
    [
        ([Iteration(1, 1, 0, False, None)], 0),
        ([Iteration(0, 1, 0, False, None), Iteration(2, 1, 0, False, None)], 0),
        ([Iteration(0, 1, 2, False, None)], 0),
        ([Iteration(0, None, 2, False, None)], 0),
        ([], -1),
    ],
)
def test_a_history_that_cannot_be_is_refused(history: list[Iteration], new_gold: int) -> None:
    with pytest.raises(Permanent):
        next_step(history, new_gold, GATE, POLICY)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=4, max_size=30),
    st.lists(st.integers(0, 60), min_size=31, max_size=31),
)
def test_it_always_ends(values: list[float | None], labels: list[int]) -> None:
    """Carried out as it says, with whatever values come, it trains no more often than allowed."""
    history: list[Iteration] = []
    for value, gold in zip([*values, 0.5], labels, strict=False):
        history.append(Iteration(len(history), 10, 10, True, value))
        step = next_step(history, gold, GATE, POLICY)
        if step.move is not Move.RETRAIN:
            assert step.stopped or (step.move is Move.EVALUATED and value is None)
            return
        assert step.iteration == len(history) <= POLICY.most_iterations
        assert gold >= POLICY.least_new_gold
        assert value is not None
        assert value < GATE.target
    raise AssertionError("it went on")
