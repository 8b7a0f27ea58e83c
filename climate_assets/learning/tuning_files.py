"""Files of a training set for hosted models: a fine-tuning set in JSON lines, and a few shots for a prompt.

Belongs here: which files, from which examples. Does not belong here: their format (`examples.py`), sending them.
"""

from collections.abc import Sequence
from typing import Final

import orjson

from climate_assets.claims.prompts import PROMPTS, prompt_named
from climate_assets.claims.records import Category, Judgement
from climate_assets.failures import Permanent
from climate_assets.learning.examples import few_shots, fine_tuning, judgement_of
from climate_assets.learning.lines import MISINFO, line_of, training_key
from climate_assets.learning.records import TrainingExample

SHOTS: Final = 6
_SEED: Final = 20261121
_PROMPT: Final = next(reversed(PROMPTS))
"""The newest: a model that is tuned today is asked with it."""


def tuning_files(round_key: str, examples: Sequence[TrainingExample], prompt: str = _PROMPT) -> tuple[dict[str, bytes], str]:
    """Key in the lake -> bytes; none, with the reason, for entities and where too few examples are fit to be shown."""
    line, _ = line_of(round_key)
    if line.task_kind != MISINFO:
        return {}, "hosted models are tuned for verdicts only"
    answers = {e.item_id: _answer(e) for e in examples}
    folder, told = training_key(round_key).rsplit("/", 1)[0], prompt_named(prompt)
    try:
        tuning = fine_tuning(examples, answers, told)
    except Permanent as few:
        return {}, str(few)
    shots = [
        {"text": shot.text, "label": shot.label, "category": shot.category, "item_id": shot.item_id}
        for shot in few_shots(examples, SHOTS, seed=_SEED)
    ]
    return {
        f"{folder}/fine_tuning.jsonl": tuning.lines,
        f"{folder}/few_shots.json": orjson.dumps(shots, option=orjson.OPT_INDENT_2),
    }, ""


def _answer(example: TrainingExample) -> Judgement:
    """Gold in the shape a model answers in: the first category, and the first words that people marked."""
    named = [name for name in example.category.split(",") if name]
    quote = example.marked[0] if example.marked else ""
    return judgement_of(example.label, Category(named[0]) if named else Category.NONE, quote if named else "", "")
