"""Values of the learning stage with everything said that a test does not speak of."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from climate_assets.learning.iterations import Move
from climate_assets.learning.labelled import Labelled
from climate_assets.learning.records import Round, TrainingExample

AT = datetime(2026, 11, 20, 8, tzinfo=UTC)

_CHUNK = Labelled(
    item_id="borealie/canal-un/1",
    country="borealie",
    day=date(2026, 11, 20),
    channel="canal-un",
    programme_type="",
    whole=True,
    text="le climat a toujours changé et l' homme n' y est pour rien",
    assessment="none",
    category="",
    marked=(),
    group_id="borealie/canal-un/1",
    sampling="score",
    chance=1.0,
)
_EXAMPLE = TrainingExample(
    item_id="borealie/canal-un/1",
    text="le climat a toujours changé et l' homme n' y est pour rien",
    label="none",
    category="",
    split="train",
    group_id="borealie/canal-un/1",
    week="2026-W47",
    source="gold",
    sampling="score",
    probability=1.0,
    marked=[],
)
_ROUND = Round(
    round="misinfo-french-000",
    line="misinfo-french",
    number=0,
    iteration=0,
    champion_id="student-1",
    asked=100,
    answered=100,
    gold=100,
    new_gold=100,
    data_hash="h0",
    measure="F1",
    target=0.8,
    value=0.5,
    low=0.4,
    high=0.6,
    reason="",
    move=Move.RETRAIN.value,
    why="",
    evaluated_at=AT,
)


def chunk(**said: Any) -> Labelled:
    """A labelled chunk, alone in its group if no other is said."""
    if "item_id" in said:
        said = {"group_id": said["item_id"], **said}
    return replace(_CHUNK, **said)


def example(**said: Any) -> TrainingExample:
    """A row of a training set, alone in its group if no other is said."""
    if "item_id" in said:
        said = {"group_id": said["item_id"], **said}
    return replace(_EXAMPLE, **said)


def measured(number: int = 0, move: Move = Move.RETRAIN, **said: Any) -> Round:
    """A round of the line of French verdicts; its labels are its own if no others are said."""
    given = {"round": f"misinfo-french-{number:03}", "number": number, "move": move.value, "data_hash": f"h{number}", **said}
    return replace(_ROUND, **given)
