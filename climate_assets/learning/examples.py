"""Gold as examples for hosted models: a fine-tuning set as JSON lines of chats, and a few shots for a prompt.

A hosted model is told the same, and shown the transcript in the same fence, as when it judges (`claims/prompts.py`), and
answers in the same shape. Only examples of the train split pass: whatever a model has been shown is no longer held out.
Belongs here: which examples, and their messages. Does not belong here: sending them, and the split (`splits.py`).
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Final

import numpy as np
import orjson

from climate_assets.claims.plaintext import plain
from climate_assets.claims.prompts import MAX_TEXT, Prompt, messages
from climate_assets.claims.quotes import locate
from climate_assets.claims.records import Category, Judgement
from climate_assets.claims.sampling import uniform
from climate_assets.claims.verdicts import HIGHEST_WITHOUT_CLAIM
from climate_assets.failures import Permanent
from climate_assets.learning.leakage import Hashes, runs_of
from climate_assets.learning.records import Split, TrainingExample

LEAST_EXAMPLES: Final = 10
"""Lines that hosted fine-tuning asks for at least (OpenAI's guide to supervised fine-tuning)."""
MOST_EXAMPLES: Final = 50_000
MOST_BYTES: Final = 200_000_000
"""Of the whole file; hosts take 512 MB an upload, and a set beyond this is a mistake."""
MOST_LINE_BYTES: Final = 120_000
"""Of one line: four times `MAX_TEXT` in the widest script, and a prompt."""
MOST_SHOTS: Final = 20
SHOT_CHARACTERS: Final = 4_000
"""Characters of a shot: two minutes of fast speech are about 3,000."""
_POOL: Final = 200
"""Examples of a category that are compared: the choice is as good as among all, and its cost is bounded."""
# What the prompt's scale says of a false statement that nobody contradicts, of one that somebody does, and of none.
_SCORES: Final = {"unchallenged": 9, "challenged": 7, "none": 0}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One example that is not in the set."""

    item_id: Annotated[str, "Item."]
    reason: Annotated[str, "Why, for a person."]


@dataclass(frozen=True, slots=True)
class FineTuning:
    """A fine-tuning set: its bytes, what they are made of, and what is not in it."""

    lines: Annotated[bytes, "JSON lines, one chat of system, user and assistant each; the same set gives the same bytes."]
    items: Annotated[list[str], "Item of each line, in order."]
    left_out: Annotated[list[LeftOut], "Examples that cannot be shown, with reasons."]
    sha256: Annotated[str, "Hash of the bytes."]


def judgement_of(assessment: str, category: Category, quote: str, why: str) -> Judgement:
    """Gold in the shape a model answers in; `assessment` is `unchallenged`, `challenged` or `none`.

    The score follows the prompt's own scale: 9 for what is asserted and stands, 7 for what is challenged, 0 for nothing.
    `why` is what the fact-checker wrote; where that is blank, a sentence that says no more than the gold itself. Raises
    `Permanent` for another assessment, and for a claim without a category.
    """
    if assessment not in _SCORES:
        raise Permanent(f"no assessment {assessment!r}; gold says one of {', '.join(_SCORES)}")
    if assessment == "none":
        return Judgement(0, Category.NONE, "", False, why.strip() or "Nobody claims anything false about climate.")
    if category is Category.NONE:
        raise Permanent(f"gold says {assessment} and no category; ask what is claimed")
    challenged = assessment == "challenged"
    claim = category.value.partition("_")[2].replace("_", " ")
    plainly = f"Somebody makes a false claim ({claim}), and {'somebody' if challenged else 'nobody'} contradicts it."
    return Judgement(_SCORES[assessment], category, quote, challenged, why.strip() or plainly)


def training_set_hash(examples: Iterable[TrainingExample]) -> str:
    """SHA-256 over every field of the examples, whatever their order: what `data_hash` of a model says."""
    return hashlib.sha256(orjson.dumps(sorted(orjson.dumps(asdict(e)).decode() for e in examples))).hexdigest()


def fine_tuning(examples: Iterable[TrainingExample], answers: Mapping[str, Judgement], prompt: Prompt) -> FineTuning:
    """The set for a hosted model: examples of the train split whose gold is a whole answer, in order of their ids.

    `answers` holds gold by item. Left out, with reasons: other splits, no answer, a quote that nobody said, an answer that
    contradicts the schema, a text that is blank or too long. Raises `Permanent` if fewer than `LEAST_EXAMPLES` are left,
    and beyond the limits of the file.
    """
    lines: list[bytes] = []
    items: list[str] = []
    left_out: list[LeftOut] = []
    for example in sorted(examples, key=lambda e: e.item_id):
        reason = _unfit(example, answers.get(example.item_id))
        line = b"" if reason else _line(example, answers[example.item_id], prompt)
        if len(line) > MOST_LINE_BYTES:
            reason = f"its line has {len(line)} bytes, more than {MOST_LINE_BYTES}"
        if reason:
            left_out.append(LeftOut(example.item_id, reason))
        else:
            lines.append(line)
            items.append(example.item_id)
    whole = b"".join(lines)
    if len(lines) < LEAST_EXAMPLES:
        raise Permanent(
            f"{len(lines)} examples are fit for fine-tuning, {LEAST_EXAMPLES} are needed; "
            f"{len(left_out)} are left out{', the first: ' + left_out[0].reason if left_out else ''}"
        )
    if len(lines) > MOST_EXAMPLES or len(whole) > MOST_BYTES:
        raise Permanent(
            f"{len(lines)} examples with {len(whole)} bytes are more than {MOST_EXAMPLES} or {MOST_BYTES}; take fewer"
        )
    return FineTuning(whole, items, left_out, hashlib.sha256(whole).hexdigest())


def few_shots(examples: Iterable[TrainingExample], number: int, *, seed: int) -> list[TrainingExample]:
    """A few different examples from gold of the train split, in the order they were chosen.

    Greedy: each turn takes the category that has had the fewest, and of it the text farthest from all that are chosen (one
    less the share of words' runs in common). Nothing of a group that is also held out, and nothing over
    `SHOT_CHARACTERS`. Fewer come back if fewer are fit. Raises `ValueError` outside 0..`MOST_SHOTS`.
    """
    if not 0 <= number <= MOST_SHOTS:
        raise ValueError(f"{number} shots; a prompt holds 0 to {MOST_SHOTS}")
    known = sorted(examples, key=lambda e: e.item_id)
    held_out = {e.group_id for e in known if e.split != Split.TRAIN}
    fit = [
        e
        for e in known
        if e.split == Split.TRAIN and e.source == "gold" and e.group_id not in held_out and _shown(e.text, SHOT_CHARACTERS)
    ]
    waiting: dict[str, list[tuple[float, str, TrainingExample, Hashes]]] = {}
    for example in sorted(fit, key=lambda e: uniform(str(seed), e.item_id)):
        pool = waiting.setdefault(example.category, [])
        if len(pool) < _POOL:
            pool.append((1.0, example.item_id, example, runs_of(example.text, example.item_id)))
    chosen: list[TrainingExample] = []
    turns: Counter[str] = Counter()
    while len(chosen) < number and any(waiting.values()):
        category = min((c for c, pool in waiting.items() if pool), key=lambda c: (turns[c], uniform(str(seed), "category", c)))
        # The first of the farthest in an order that the seed has mixed.
        farthest = max(waiting[category], key=lambda entry: entry[0])
        turns[category] += 1
        chosen.append(farthest[2])
        for name, pool in waiting.items():
            waiting[name] = [
                (min(distance, _distance(runs, farthest[3])), item_id, example, runs)
                for distance, item_id, example, runs in pool
                if item_id != farthest[1] and example.group_id != farthest[2].group_id
            ]
    return chosen


def messages_with_shots(prompt: Prompt, shots: Sequence[tuple[str, Judgement]], text: str, fence: str) -> list[dict[str, str]]:
    """The messages that judge `text`, with worked examples as earlier turns of the chat, each in the same fence.

    `shots`: text and answer. Raises as `claims.prompts.messages`, `ValueError` as well if the fence stands in a shot.
    """
    system, question = messages(prompt, text, fence)
    turns: list[dict[str, str]] = []
    for shot, answer in shots:
        turns += [messages(prompt, shot, fence)[1], {"role": "assistant", "content": _answer(answer)}]
    return [system, *turns, question]


def _unfit(example: TrainingExample, answer: Judgement | None) -> str:
    """Why an example cannot be shown; empty if it can."""
    if example.split != Split.TRAIN:
        return f"it is held out ({example.split})"
    if not _shown(example.text, MAX_TEXT):
        return f"its text is blank or longer than {MAX_TEXT} characters"
    if answer is None:
        return "no gold answers it in whole"
    claims = answer.category is not Category.NONE
    if not 0 <= answer.score <= 10 or claims != bool(answer.quote.strip()) or (not claims and answer.challenged):
        return "its answer contradicts itself: a claim has a score, a category and a quote, and nothing else has a quote"
    if (not claims and answer.score > HIGHEST_WITHOUT_CLAIM) or (claims and answer.score < 1):
        return f"its score of {answer.score} contradicts its category"
    if not answer.rationale.strip():
        return "it gives no reason: a model that is shown answers without reasons learns to give none"
    if claims and locate(answer.quote, example.text) is None:
        return "its quote is not in its text"
    return ""


def _shown(text: str, longest: int) -> bool:
    return bool(plain(text).strip()) and len(text) <= longest


def _line(example: TrainingExample, answer: Judgement, prompt: Prompt) -> bytes:
    turns = messages(prompt, example.text, _fence(example))
    return orjson.dumps(
        {"messages": [*turns, {"role": "assistant", "content": _answer(answer)}]}, option=orjson.OPT_APPEND_NEWLINE
    )


def _answer(answer: Judgement) -> str:
    """The answer as the schema orders its fields."""
    fields = {
        "rationale": answer.rationale,
        "quote": answer.quote,
        "category": answer.category.value,
        "challenged": answer.challenged,
        "score": answer.score,
    }
    return orjson.dumps(fields).decode()


def _fence(example: TrainingExample) -> str:
    """A fence of the example's own that its text does not hold; not drawn, so that the same set has the same bytes."""
    text = plain(example.text).casefold()
    fences = (hashlib.sha256(f"{turn}|{example.item_id}|{example.text}".encode()).hexdigest()[:32] for turn in range(1000))
    return next(fence for fence in fences if fence not in text)


def _distance(one: Hashes, other: Hashes) -> float:
    """One less the share of runs in common (Jaccard distance)."""
    common = len(np.intersect1d(one, other, assume_unique=True))
    whole = len(one) + len(other) - common
    return 1 - common / whole if whole else 0.0
