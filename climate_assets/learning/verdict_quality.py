"""How good a model of verdicts is on chunks with a label: the rows of `scores`, calibration, confusion by category.

Every chunk counts by the inverse of its chance to be asked about, so that figures speak of all chunks that were judged, and
not of those that a model chose. Belongs here: labels and answers to figures. Does not belong here: reading either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final

from climate_assets.claims.records import Category
from climate_assets.learning.comparison import Answer, decision
from climate_assets.learning.labelled import Labelled
from climate_assets.learning.lines import MISINFO
from climate_assets.learning.metrics import Bin, Measure, brier, calibration_error, confusion, reliability, weights_of
from climate_assets.learning.records import Score, Split
from climate_assets.learning.scores import WEIGHTED, HeldOut, Measured, scores_of

CHUNK: Final = "chunk"
UNSURE: Final = "a case, of no category"


@dataclass(frozen=True, slots=True)
class Judged:
    """What a model says of one chunk."""

    probability: Annotated[float, "How likely a case is, 0..1; of an endpoint, its score by ten."]
    found: Annotated[bool, "The model takes it for a case: its score reaches the threshold that was in force."]
    category: Annotated[str, "What it says is claimed."]


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured of one model."""

    scores: list[Score]
    calibration: list[Bin]
    brier: Measure
    calibration_error: Measure
    confusion: dict[tuple[str, str], float]
    """Weight of chunks by category in gold and category found; `none` where there is no case, `UNSURE` of one without any."""


def held_out(chunk: Labelled, judged: Judged) -> HeldOut:
    """A labelled chunk beside what a model says of it."""
    case, found = chunk.case, judged.found
    return HeldOut(
        item_id=chunk.item_id,
        group_id=chunk.block,
        slices=chunk.slices,
        tp=int(case and found),
        fp=int(found and not case),
        fn=int(case and not found),
        tn=int(not case and not found),
        probability=judged.probability,
        chance=chunk.chance,
    )


def answer_of(chunk: Labelled, judged: Judged) -> Answer:
    """The same as one answer in a comparison of two models."""
    return decision(
        chunk.item_id, chunk.block, chunk.channel, chunk.case, judged.probability, judged.found, chance=chunk.chance
    )


def quality(
    chunks: Sequence[Labelled],
    answers: Mapping[str, Judged],
    *,
    model: str,
    round_key: str,
    split: Split,
    threshold: float | None,
    seed: int,
) -> Quality:
    """Every figure of one model on held-out chunks: all, by slice, and by category.

    Raises `Permanent` as `scores_of` does, and `KeyError` for a chunk without an answer: none is passed over in silence.
    """
    measured = Measured(round_key, model, MISINFO, split, MISINFO, CHUNK, threshold, WEIGHTED, seed)
    pairs = [(chunk, answers[chunk.item_id]) for chunk in chunks]
    rows = scores_of([held_out(*pair) for pair in pairs], measured)
    for category in Category:
        if category is not Category.NONE and any(category in chunk.categories for chunk in chunks):
            of_one = [_held_out_of(category, *pair) for pair in pairs]
            rows += [row for row in scores_of(of_one, replace(measured, label=category.value)) if row.slice == "all"]
    gold, given = [chunk.case for chunk, _ in pairs], [judged.probability for _, judged in pairs]
    weights = weights_of([chunk.chance for chunk, _ in pairs])
    return Quality(
        scores=rows,
        calibration=reliability(gold, given, weights=weights),
        brier=brier(gold, given, weights),
        calibration_error=calibration_error(gold, given, weights=weights),
        confusion=confusion([_in_gold(chunk) for chunk, _ in pairs], [_said(judged) for _, judged in pairs], weights),
    )


def _held_out_of(category: Category, chunk: Labelled, judged: Judged) -> HeldOut:
    """Whether a case of one category was found as one of it."""
    case = chunk.case and category in chunk.categories
    found = judged.found and judged.category == category
    made = held_out(chunk, judged)
    return replace(
        made,
        slices=(),
        probability=None,
        tp=int(case and found),
        fp=int(found and not case),
        fn=int(case and not found),
        tn=int(not case and not found),
    )


def _in_gold(chunk: Labelled) -> str:
    return chunk.categories[0].value if chunk.case else "none"


def _said(judged: Judged) -> str:
    if not judged.found:
        return "none"
    # Below even odds the student names no category, while a low threshold may still ask about it.
    return UNSURE if judged.category == Category.NONE.value else judged.category
