"""Turning one round of a loop: measure, put the training set together, train, decide; whichever task it is for.

What differs between verdicts and entities is behind `Learning`. Belongs here: the order of steps and what each writes. Does not
belong here: when a round begins (`rounds.py`), figures, models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from climate_assets import policies
from climate_assets.failures import Permanent
from climate_assets.learning.comparison import Answer, compared
from climate_assets.learning.iterations import Gate, Move, Step
from climate_assets.learning.label_reading import standing_of
from climate_assets.learning.lines import Line, line_of, training_key
from climate_assets.learning.promotions import nothing_learnt, promotion
from climate_assets.learning.records import ModelVersion, Promotion, Round, Score, Split, TrainingExample
from climate_assets.learning.rounds import after_evaluation, trainings
from climate_assets.learning.training_files import from_parquet, to_parquet
from resources.postgres import Barometre, Change
from resources.registry import ModelRegistry
from resources.s3 import LAKE, Lake


@dataclass(frozen=True)
class Figures:
    """What was measured of the champion on the test split."""

    scores: list[Score]
    gate: Score | None
    """The row that the standard is held against; none if it cannot be had."""
    reason: str
    """Why; empty if it can."""
    shown: Mapping[str, Any]
    """Tables and plots for a person."""


class Learning(Protocol):
    """One line of models: how its labels are read, and how its models are measured, trained and compared."""

    @property
    def line(self) -> Line:
        """The line."""

    @property
    def codes(self) -> list[str]:
        """Countries whose labels it learns from."""

    def champion(self) -> ModelVersion:
        """The model in use."""

    def labels(self) -> Sequence[Any]:
        """Every item with a label that stands."""

    def divided(self, labels: Sequence[Any]) -> Mapping[str, Split]:
        """The side of each of them; those given earlier stand."""

    def figures(self, model: ModelVersion, round_key: str, labels: Sequence[Any]) -> Figures:
        """What a model is worth on the test split."""

    def training_set(self, parent: ModelVersion, labels: Sequence[Any]) -> list[TrainingExample]:
        """What the model that goes on from `parent` may see."""

    def candidate(self, round_key: str, parent: ModelVersion, examples: Sequence[TrainingExample]) -> ModelVersion:
        """A challenger that goes on from `parent`; one that is registered already is not trained again."""

    def answers(self, model: ModelVersion, labels: Sequence[Any]) -> list[Answer]:
        """What a model says of the items that neither it nor its rival has learnt from, beside gold."""


@dataclass(frozen=True)
class Evaluated:
    """What evaluating a round came to."""

    change: Change
    round: Round
    figures: Figures
    sides: Mapping[str, int]
    """Labelled items by side."""


@dataclass(frozen=True)
class Decided:
    """What became of a challenger."""

    change: Change
    promotion: Promotion
    figures: Figures


_STANDARD: Final = {"misinfo": "F1", "ner": "F1 of the worst label"}


def gate_of(task_kind: str, reason: str = "") -> Gate:
    """The standard of a task kind."""
    return Gate(_STANDARD[task_kind], policies.STANDARDS[task_kind], reason)


def rounds_of(line: Line, barometre: Barometre) -> list[Round]:
    """The rounds of a line so far, in order."""
    return barometre.read(Round, line=str(line), order_by=("number",))


def evaluated(round_key: str, learning: Learning, barometre: Barometre) -> Evaluated:
    """Measure the champion on the labels that stand now, and say what follows.

    The newest round may be measured again; an earlier one is closed, since later ones rest on it.
    """
    line, number = line_of(round_key)
    before = [r for r in rounds_of(line, barometre) if r.number != number]
    if any(r.number > number for r in before):
        raise Permanent(f"round {round_key} is closed: {before[-1].round} came after it, and rests on its figures")
    labels, standing = learning.labels(), standing_of(line, learning.codes, barometre)
    earlier = next(iter(barometre.read(Round, round=round_key)), None)
    trained = barometre.read(ModelVersion, round=round_key)
    if earlier and trained and earlier.data_hash != standing.data_hash:
        raise Permanent(f"round {round_key} is closed: it has trained {trained[0].model_id}; new labels begin a new round")
    # A round that has trained is measured again as it was; else the model that is in use by now is measured.
    champion = parent_of(round_key, learning, barometre) if trained else learning.champion()
    sides = learning.divided(labels)
    figures = learning.figures(champion, round_key, labels)
    at_training = next((r.gold for r in reversed(before) if r.move == Move.RETRAIN), 0)
    made = Round(
        round=round_key,
        line=str(line),
        number=number,
        iteration=trainings(before),
        champion_id=champion.model_id,
        asked=standing.asked,
        answered=standing.answered,
        gold=standing.gold,
        new_gold=max(0, standing.gold - at_training),
        data_hash=standing.data_hash,
        measure=_STANDARD[line.task_kind],
        target=policies.STANDARDS[line.task_kind],
        value=figures.gate.f1 if figures.gate else None,
        low=figures.gate.f1_low if figures.gate else None,
        high=figures.gate.f1_high if figures.gate else None,
        reason=figures.reason,
        move="",
        why="",
        evaluated_at=datetime.now(UTC),
    )
    step = after_evaluation(made, before, gate_of(line.task_kind, figures.reason), policies.LOOPS[line.task_kind])
    made = _kept(made, step, earlier)
    change = _written(round_key, figures, barometre) + barometre.upsert([made], Round)
    counted = {split.value: sum(side is split for side in sides.values()) for split in Split}
    return Evaluated(change, made, figures, counted)


def parent_of(round_key: str, learning: Learning, barometre: Barometre) -> ModelVersion:
    """The model that a round has measured, from which its challenger goes on; the champion, if it has measured none.

    Made again after a promotion, a round goes on from the same model as before, and not from its own child.
    """
    measured = barometre.read(Round, round=round_key)
    if not measured:
        return learning.champion()
    [parent] = barometre.read(ModelVersion, model_id=measured[0].champion_id)
    return parent


def training_set(round_key: str, learning: Learning, barometre: Barometre, lake: Lake) -> tuple[list[TrainingExample], bool]:
    """Put together and store what the next model may see; whether the file is a new one.

    Once a model was trained on it the set stands as it is: it is the evidence of what that model has seen.
    """
    if barometre.read(ModelVersion, round=round_key):
        return examples_of(round_key, lake), False
    examples = learning.training_set(parent_of(round_key, learning, barometre), learning.labels())
    if not any(e.split == Split.TRAIN for e in examples):
        raise Permanent(f"{round_key}: no label is there to learn from; all of them are held out, wait for more")
    return examples, lake.put(LAKE, training_key(round_key), to_parquet(examples))


def examples_of(round_key: str, lake: Lake) -> list[TrainingExample]:
    """The stored training set of a round."""
    return from_parquet(lake.get(LAKE, training_key(round_key)))


def candidate(round_key: str, learning: Learning, registry: ModelRegistry, lake: Lake) -> tuple[ModelVersion, Change]:
    """Train the challenger of a round on its stored training set, and register it."""
    parent = parent_of(round_key, learning, registry.barometre)
    made = learning.candidate(round_key, parent, examples_of(round_key, lake))
    change = registry.register(made)
    return registry.model(made.model_id), change


def decided(round_key: str, learning: Learning, registry: ModelRegistry, barometre: Barometre) -> Decided:
    """Compare the challenger of a round with the champion, and put it in place if it wins.

    A decision is made once, and the figures that were written down with it stay: they are of the labels of that time.
    """
    # A training that gave a model that is known already has no row of its own; asked again, it says which, and trains nothing.
    trained = barometre.read(ModelVersion, round=round_key)
    challenger, change = (trained[0], Change()) if trained else candidate(round_key, learning, registry, registry.lake)
    if earlier := barometre.read(Promotion, round=round_key):
        scores = barometre.read(Score, round=round_key, model_version=challenger.model_id)
        return Decided(change + registry.decide(earlier[0]), earlier[0], Figures(scores, None, "", {}))
    labels, champion = learning.labels(), learning.champion()
    if challenger.model_id == champion.model_id:
        made = nothing_learnt(challenger, round_key, decided_at=datetime.now(UTC))
    else:
        made = _promotion(round_key, champion, challenger, learning, labels)
    figures = learning.figures(challenger, round_key, labels)
    return Decided(change + _written(round_key, figures, barometre) + registry.decide(made), made, figures)


def _promotion(
    round_key: str, champion: ModelVersion, challenger: ModelVersion, learning: Learning, labels: Sequence[Any]
) -> Promotion:
    policy = policies.PROMOTIONS[learning.line.task_kind]
    return promotion(
        compared(learning.answers(champion, labels), learning.answers(challenger, labels), policy),
        policy,
        task_kind=learning.line.task_kind,
        language=learning.line.language,
        champion_id=champion.model_id,
        challenger_id=challenger.model_id,
        round_key=round_key,
        decided_at=datetime.now(UTC),
    )


def _written(round_key: str, figures: Figures, barometre: Barometre) -> Change:
    """The figures of each model that was measured, in place of those of this round that were there."""
    change = Change()
    for model in sorted({row.model_version for row in figures.scores}):
        rows = [row for row in figures.scores if row.model_version == model]
        change += barometre.replace(rows, Score, round=round_key, model_version=model)
    return change


def _kept(made: Round, step: Step, earlier: Round | None) -> Round:
    """The round with what follows; the same round measured again on the same labels keeps its time."""
    told = replace(made, move=step.move.value, why=step.why)
    if earlier and replace(told, evaluated_at=earlier.evaluated_at) == earlier:
        return earlier
    return told
