"""A round begins when there is something new to measure and nothing is under way, and never twice for the same labels."""

import itertools
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.learning.iterations import Gate, Iteration, LoopPolicy, Move
from climate_assets.learning.records import Round
from climate_assets.learning.rounds import Due, Standing, after_evaluation, due, history_of, trainings
from tests.learning.cases import measured

GATE = Gate("F1", 0.8)
POLICY = LoopPolicy(least_new_gold=50, share_answered=0.9, most_iterations=2, least_gain=0.01, patience=2, fresh_start=300)
WENT_ON = (measured(0, gold=100), measured(1, Move.RETRAIN, iteration=1, gold=200, value=0.55))


def standing(gold: int, data_hash: str = "now", asked: int = 100, answered: int = 100) -> Standing:
    return Standing(asked, answered, gold, data_hash)


@pytest.mark.parametrize(
    ("now", "rounds", "decided", "number", "says"),
    [
        # Nothing is known yet.
        (standing(0, asked=0, answered=0), (), 0, None, "0 new labels stand; 50 are worth a round."),
        (standing(49), (), 0, None, "49 new labels stand"),
        (standing(50), (), 0, 0, "100 of 100 tasks are answered: measure iteration 0."),
        # Labels of long ago, nobody asked lately.
        (standing(50, asked=0, answered=0), (), 0, 0, "0 of 0 tasks"),
        # People are still answering; more answers than questions are no more than all.
        (standing(89, answered=89), (), 0, None, "89 of 100 tasks are answered; 90% are enough"),
        (standing(90, answered=90), (), 0, 0, "90 of 100"),
        (standing(120, answered=120), (), 0, 0, "100 of 100"),
        # A challenger is being trained, whatever came in meanwhile.
        (standing(900), (measured(0, gold=100),), 0, None, "round misinfo-french-000 is training a challenger"),
        (standing(900), WENT_ON, 1, None, "round misinfo-french-001 is training a challenger"),
        # It was decided on, promoted or refused: new labels begin the next round, the same ones do not.
        (standing(150), (measured(0, gold=100),), 1, 1, "measure iteration 1"),
        (standing(149), (measured(0, gold=100),), 1, None, "49 new labels"),
        (standing(150, answered=10), (measured(0, gold=100),), 1, None, "10 of 100 tasks are answered"),
        (standing(100, "h0"), (measured(0, gold=100),), 1, None, "the labels are those that round misinfo-french-000 was"),
        (standing(250), WENT_ON, 2, 2, "measure iteration 2"),
        # Other labels of as many items: a person has changed their mind, and nothing is new.
        (standing(100, "other"), (measured(0, gold=100),), 1, None, "0 new labels"),
        (standing(60, "fewer"), (measured(0, gold=100),), 1, None, "-40 new labels"),
        # It stopped, or waits for people, or its measure is not defined: new labels measure it again.
        (standing(150), (measured(0, Move.STOP_MET, gold=100, value=0.9),), 0, 1, "measure iteration 0"),
        (standing(150), (measured(0, Move.STOP_NO_NEW_LABELS, gold=100),), 0, 1, "measure iteration 0"),
        (standing(150), (measured(0, Move.LABELLING, gold=100),), 0, 1, "measure iteration 0"),
        (standing(150), (measured(0, Move.EVALUATED, gold=100, value=None),), 0, 1, "measure iteration 0"),
        (standing(350), (*WENT_ON, measured(2, Move.STOP_MAX_ITER, iteration=2, gold=300)), 2, 3, "measure iteration 2"),
        (standing(350), (*WENT_ON, measured(2, Move.STOP_NO_GAIN, iteration=2, gold=300)), 2, 3, "measure iteration 2"),
        (standing(100, "h0"), (measured(0, Move.EVALUATED, gold=100, value=None),), 0, None, "the labels are those"),
    ],
)
def test_when_a_round_is_due(now: Standing, rounds: tuple[Round, ...], decided: int, number: int | None, says: str) -> None:
    found = due(now, rounds, decided, GATE, POLICY)
    assert found.number == number
    assert says in found.why
    assert found.why.endswith(".")


@pytest.mark.parametrize(
    ("champion", "rounds", "decided", "number", "says"),
    [
        # Before the first round any champion is the one that labels are waited for.
        ("student-2", (), 0, None, "10 new labels"),
        (None, (measured(0, gold=10),), 1, None, "the labels are those"),
        ("student-1", (measured(0, gold=10),), 1, None, "the labels are those"),
        # A promoted challenger, or one that a person put in place, is measured on the labels there are; once.
        ("student-2", (measured(0, gold=10),), 1, 1, "student-2 is in use since round misinfo-french-000: it is measured."),
        ("student-2", (measured(0, Move.STOP_MET, gold=10),), 0, 1, "student-2 is in use"),
        (
            "student-2",
            (measured(0), measured(1, iteration=1, champion_id="student-2", data_hash="h0")),
            2,
            None,
            "the labels are",
        ),
        # While a challenger is being trained it would be compared with another model than the one in use.
        ("student-2", (measured(0, gold=10),), 0, None, "is training a challenger"),
    ],
)
def test_another_champion_is_measured_at_once(
    champion: str | None, rounds: tuple[Round, ...], decided: int, number: int | None, says: str
) -> None:
    found = due(standing(10, "h0", answered=0), rounds, decided, GATE, POLICY, champion)
    assert found.number == number
    assert says in found.why


@pytest.mark.parametrize(
    ("made", "before", "move", "iteration", "says"),
    [
        (measured(0, value=0.8), (), Move.STOP_MET, 0, "at or above the standard"),
        (measured(0, value=0.5), (), Move.RETRAIN, 1, "train again"),
        (measured(0, value=0.5, new_gold=49), (), Move.STOP_NO_NEW_LABELS, 0, "no task is open"),
        (measured(0, value=0.5, new_gold=49, answered=95), (), Move.LABELLING, 0, "95 of 100"),
        (measured(0, value=None), (), Move.EVALUATED, 0, "F1 is not defined (no case in gold)"),
        # More answers than questions, as where tasks were made again.
        (measured(0, value=0.5, asked=10, answered=12), (), Move.RETRAIN, 1, "train again"),
        (measured(1, iteration=1, value=0.6), (measured(0),), Move.RETRAIN, 2, "train again"),
        (measured(2, iteration=2, value=0.7), WENT_ON, Move.STOP_MAX_ITER, 2, "after 2 trainings of 2 allowed"),
        (measured(2, iteration=2, value=0.85), WENT_ON, Move.STOP_MET, 2, "at or above"),
        # A round without a training stays in its iteration, and what is measured last there counts.
        (measured(1, value=0.6), (measured(0, Move.LABELLING),), Move.RETRAIN, 1, "train again"),
        (measured(1, value=0.9), (measured(0, Move.STOP_NO_NEW_LABELS),), Move.STOP_MET, 0, "at or above"),
    ],
)
def test_what_follows_from_a_measurement(made: Round, before: tuple[Round, ...], move: Move, iteration: int, says: str) -> None:
    step = after_evaluation(made, before, replace(GATE, reason="no case in gold"), POLICY)
    assert (step.move, step.iteration) == (move, iteration)
    assert says in step.why


def test_two_refused_challengers_end_it_until_many_labels_come() -> None:
    policy = replace(POLICY, most_iterations=9)
    before = [measured(0, value=0.6), measured(1, iteration=1, value=0.6)]
    assert after_evaluation(measured(2, iteration=2, value=0.6), before, GATE, policy).move is Move.STOP_NO_GAIN
    fresh = measured(2, iteration=2, value=0.6, new_gold=300)
    assert after_evaluation(fresh, before, GATE, policy).move is Move.RETRAIN


def test_the_history_has_one_iteration_a_training() -> None:
    rounds = [
        measured(0, Move.LABELLING, value=0.4),
        measured(1, value=0.5),
        measured(2, Move.EVALUATED, iteration=1, value=None, answered=7),
    ]
    assert history_of(rounds) == [Iteration(0, 100, 100, True, 0.5), Iteration(1, 100, 7, True, None)]
    now = Iteration(1, 10, 3, False, None)
    assert history_of(rounds, now)[1:] == [now]
    assert history_of([]) == []
    assert history_of([], replace(now, number=0)) == [replace(now, number=0)]
    assert trainings(rounds) == 1


def test_a_round_that_is_lost_from_the_table_is_no_ordinary_history() -> None:
    with pytest.raises(Permanent, match="look at model_versions"):
        after_evaluation(measured(3, iteration=2), [measured(0)], GATE, POLICY)


@dataclass
class World:
    """A line of models as tables hold it; nothing else is remembered from one event to the next."""

    rounds: list[Round]
    decided: int = 0
    asked: int = 0
    answered: int = 0
    gold: int = 0

    def due(self) -> Due:
        now = Standing(self.asked, self.answered, self.gold, f"labels of {self.gold}")
        return due(now, self.rounds, self.decided, GATE, POLICY)

    def measure(self, value: float | None) -> None:
        """What the evaluation of a round writes down."""
        now = self.due()
        assert now.number == len(self.rounds)
        at_training = next((r.gold for r in reversed(self.rounds) if r.move == Move.RETRAIN), 0)
        made = measured(
            now.number,
            iteration=trainings(self.rounds),
            asked=self.asked,
            answered=self.answered,
            gold=self.gold,
            new_gold=self.gold - at_training,
            data_hash=f"labels of {self.gold}",
            value=value,
        )
        self.rounds.append(replace(made, move=after_evaluation(made, self.rounds, GATE, POLICY).move.value))


EVENTS = st.one_of(
    st.tuples(st.just("ask"), st.integers(1, 80)),
    st.tuples(st.just("answer"), st.integers(1, 200)),
    st.tuples(st.just("tick"), st.none() | st.floats(0, 1)),
    st.tuples(st.just("decide"), st.none()),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(EVENTS, max_size=60))
def test_whatever_comes_in_whatever_order_the_loop_is_neither_stuck_nor_in_a_circle(events: list[tuple[str, float]]) -> None:
    world = World([])
    for what, number in events:
        if what == "ask":
            world.asked += int(number)
        elif what == "answer":
            new = min(int(number), world.asked - world.answered)
            world.answered, world.gold = world.answered + new, world.gold + new
        elif what == "decide":
            world.decided = trainings(world.rounds)
        elif world.due().number is not None:
            world.measure(number)
            # The same labels are not measured twice, and nobody trains twice at once.
            assert world.due().number is None
    assert trainings(world.rounds) <= POLICY.most_iterations
    assert len({r.data_hash for r in world.rounds}) == len(world.rounds)
    gains = [b.gold - a.gold for a, b in itertools.pairwise(world.rounds)]
    assert all(gain >= POLICY.least_new_gold for gain in gains)
    history_of(world.rounds)
    # Whatever has happened: once the challenger is decided on and people answer, the next round begins.
    world.decided = trainings(world.rounds)
    world.asked += POLICY.least_new_gold
    world.gold += world.asked - world.answered
    world.answered = world.asked
    assert world.due().number == len(world.rounds)
