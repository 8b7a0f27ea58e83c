"""What one row of the learning stage is: a figure of quality, a model, a decision between two, an example to learn from.

Only shapes and closed lists. How a figure comes about is `metrics.py`, `intervals.py` and `missed.py`; which model wins is
`comparison.py`; what happens next is `iterations.py`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated


class Split(StrEnum):
    """What an item may be used for: to learn from, to choose a threshold on, or to be measured on, once."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"


class Stage(StrEnum):
    """Where a model stands."""

    CANDIDATE = "candidate"
    CHAMPION = "champion"
    RETIRED = "retired"


class Outcome(StrEnum):
    """What became of a comparison, or of a person's word."""

    PROMOTED = "promoted"
    REFUSED = "refused"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True, slots=True)
class Score:
    """How good one model is at one label, on one slice of held-out items (a row of `scores`).

    A figure that is not defined is none, and `reason` says why; it is never 0 or 1.
    """

    round: Annotated[str, "Round of the loop it was measured in."]
    model_version: Annotated[str, "Model that is measured: its `model_id`."]
    task_kind: Annotated[str, "`misinfo` or `ner`."]
    split: Annotated[str, "`dev` or `test`: items the model has not learnt from."]
    slice: Annotated[str, "`all`, or what the items have in common: `channel=…`, `category=…`, `language=…`."]
    label: Annotated[str, "What is looked for: `misinfo`, or a label of entities."]
    match: Annotated[str, "What counts as found: `exact` or `overlap` (spans), `chunk` (decisions)."]
    threshold: Annotated[float | None, "Score from which the model says yes; none where it has no threshold."]
    basis: Annotated[str, "How the items were picked: at `random`, `weighted` by inverse chance, or `chosen` by a model alone."]
    data_hash: Annotated[str, "Hash of the items and labels it is measured on."]
    tp: Annotated[float, "Found, and right; where items are weighted, a sum of weights."]
    fp: Annotated[float, "Found, and wrong."]
    fn: Annotated[float, "Missed."]
    tn: Annotated[float | None, "Rightly passed over; none for spans, which have no such number."]
    precision: Annotated[float | None, "tp / (tp + fp); none without anything found."]
    precision_low: Annotated[float | None, "Lower limit of its interval."]
    precision_high: Annotated[float | None, "Upper limit of its interval."]
    recall: Annotated[float | None, "tp / (tp + fn); none without anything to find."]
    recall_low: Annotated[float | None, "Lower limit of its interval."]
    recall_high: Annotated[float | None, "Upper limit of its interval."]
    f1: Annotated[float | None, "2 tp / (2 tp + fp + fn); none without anything to find."]
    f1_low: Annotated[float | None, "Lower limit of its interval."]
    f1_high: Annotated[float | None, "Upper limit of its interval."]
    pr_auc: Annotated[float | None, "Average precision over all thresholds; none without probabilities or anything to find."]
    pr_auc_low: Annotated[float | None, "Lower limit of its interval."]
    pr_auc_high: Annotated[float | None, "Upper limit of its interval."]
    support: Annotated[int, "Cases (or spans) in gold, unweighted."]
    items: Annotated[int, "Items measured on."]
    groups: Annotated[int, "Groups of near-duplicates among them: what the intervals resample."]
    level: Annotated[float, "Confidence level of the intervals."]
    seed: Annotated[int, "Seed of the resampling."]
    reason: Annotated[str, "Why figures are missing; empty if none is."]


@dataclass(frozen=True, slots=True)
class Side:
    """Which side of the split a labelled item is on, for ever (a row of `sides`); what was learnt from cannot be unlearnt."""

    line: Annotated[str, "Line of models: task kind and language."]
    item_id: Annotated[str, "Chunk id, or id of a post."]
    split: Annotated[str, "`train`, `dev` or `test`."]
    group_id: Annotated[str, "What it was divided with: a channel's day; of posts, its group of near-duplicates."]


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One trained model, and what it came from (a row of `model_versions`); only stage and reason ever change."""

    model_id: Annotated[str, "Its name, as verdicts and entities carry it; holds the hash of all that training hangs on."]
    parent_id: Annotated[str | None, "Model that training continued from; none for a first one."]
    task_kind: Annotated[str, "`misinfo` or `ner`."]
    language: Annotated[str, "Language it knows."]
    artefact_key: Annotated[str, "Object key of its bytes in the lake, named by their hash; empty for an installed one."]
    round: Annotated[str, "Round of the loop that trained it; empty for a first one."]
    data_hash: Annotated[str, "Hash of the training set."]
    code_version: Annotated[str, "Version of the code that trained it."]
    parameters: Annotated[str, "JSON object of everything else that training depends on."]
    seed: Annotated[int, "Seed of the training."]
    threshold: Annotated[float | None, "Score from which it says yes, chosen on dev labels; none where it was given none."]
    stage: Annotated[str, "`candidate`, `champion` or `retired`."]
    reason: Annotated[str, "Why it stands there, in a sentence."]
    created_at: Annotated[datetime, "When it was trained, UTC."]


@dataclass(frozen=True, slots=True)
class Promotion:
    """One decision which model is in use, and why (a row of `promotions`); rows are added and never changed."""

    decision_id: Annotated[str, "Hash of what was decided on and how: the same comparison twice is one decision."]
    task_kind: Annotated[str, "`misinfo` or `ner`."]
    language: Annotated[str, "Language of the models."]
    champion_id: Annotated[str | None, "Model in use before; none if there was none."]
    challenger_id: Annotated[str, "Model that wants its place, or is put back."]
    outcome: Annotated[str, "`promoted`, `refused` or `rolled_back`."]
    why: Annotated[str, "The reason, in a sentence with its figures."]
    decided_by: Annotated[str, "`rule`, or who decided."]
    measure: Annotated[str, "What decides: `f1`, `pr_auc` or `precision_at_recall`; empty where a person decided."]
    champion_value: Annotated[float | None, "The champion's measure; none if not defined."]
    challenger_value: Annotated[float | None, "The challenger's, on the same items."]
    difference: Annotated[float | None, "Challenger less champion."]
    difference_low: Annotated[float | None, "Lower limit of its paired interval."]
    difference_high: Annotated[float | None, "Upper limit of its paired interval."]
    p_value: Annotated[float | None, "McNemar's exact test of the items only one gets right; none if there is no such item."]
    items: Annotated[int, "Held-out items both were measured on."]
    groups: Annotated[int, "Groups of near-duplicates among them."]
    losses: Annotated[list[str], "Channels and labels on which the challenger is worse beyond the margin, with figures."]
    data_hash: Annotated[str, "Hash of the items and labels; empty where a person decided."]
    round: Annotated[str, "Round of the loop that it ends; empty for a first model and where a person decided."]
    decided_at: Annotated[datetime, "When, UTC."]


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a loop: what the model in use was worth when people had answered, and what follows (a row of `rounds`).

    Every move of the loop is such a row with its reason; none lives in memory.
    """

    round: Annotated[str, "Its key: line and number, such as `misinfo-french-003`."]
    line: Annotated[str, "Task kind and language: the models that succeed each other."]
    number: Annotated[int, "0 for the first evaluation, one more with each."]
    iteration: Annotated[int, "Trainings before it."]
    champion_id: Annotated[str, "Model in use, which is measured."]
    asked: Annotated[int, "Items that people were asked about since the model came into use."]
    answered: Annotated[int, "Those of them that have a label, or are settled without one."]
    gold: Annotated[int, "Items with a label that stands."]
    new_gold: Annotated[int, "Those of them that no training has seen."]
    data_hash: Annotated[str, "Hash of all labels that stood: the same labels make no second round."]
    measure: Annotated[str, "What the gate reads, in words."]
    target: Annotated[float, "The gate is met from this value on."]
    value: Annotated[float | None, "What was measured; none if it is not defined."]
    low: Annotated[float | None, "Lower limit of its interval."]
    high: Annotated[float | None, "Upper limit of its interval."]
    reason: Annotated[str, "Why it is not defined; empty if it is."]
    move: Annotated[str, "What follows: `retrain`, `labelling`, or why the loop stops."]
    why: Annotated[str, "The same in a sentence with its figures."]
    evaluated_at: Annotated[datetime, "When, UTC."]


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """One labelled text, and what it may be used for (a row of a training set)."""

    item_id: Annotated[str, "Chunk id, id of a post, or `shipped/…` of a statement that comes with the project."]
    text: Annotated[str, "What was labelled."]
    label: Annotated[str, "`unchallenged`, `challenged` or `none`; for entities, a JSON list of spans."]
    category: Annotated[str, "What is claimed, several joined by a comma; empty if nothing is, and for entities."]
    split: Annotated[str, "`train`, `dev` or `test`."]
    group_id: Annotated[str, "What is never divided: a channel's day; of posts, the group of near-duplicates."]
    week: Annotated[str, "ISO week of the item, such as `2026-W47`; empty for a shipped statement."]
    source: Annotated[str, "`shipped` with the project, `gold`: labelled by people, or `rehearsed`: said by a model."]
    sampling: Annotated[str, "How it was picked: `score`, `audit`, `all` or `gold`; empty for what is not gold."]
    probability: Annotated[float, "Chance with which it was picked; 1 for a shipped statement."]
    marked: Annotated[list[str], "Words that people marked as what is claimed; empty if they marked none."]
