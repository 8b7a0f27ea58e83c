"""What one row of the labelling stage is: what a person is asked, what each person answered, and which answer stands.

Only shapes and closed lists. How a task's JSON is made is `tasks.py`; what the screen looks like is `labelling_config.py`; how
an answer is read is `answers.py`; which one stands is `gold.py`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated


class TaskKind(StrEnum):
    """What a task asks."""

    MISINFO = "misinfo"
    """Whether there is climate misinformation in a chunk, and what it claims."""
    NER = "ner"
    """What the names and figures in a post name."""


@dataclass(frozen=True, slots=True)
class LabellingTask:
    """One question to a person: a chunk or post, why it was picked, where the question lies (a row of `labelling_tasks`)."""

    chunk_id: Annotated[str, "Chunk, or post, that is asked about; one task for each, for ever."]
    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day of the chunk or post."]
    channel: Annotated[str, "Channel of the chunk; source of the post."]
    bucket: Annotated[str, "Bucket that holds the task's JSON, the record of truth."]
    object_key: Annotated[str, "Its key; posts of the very same text share it, and one of them is asked about."]
    sha256: Annotated[str, "Hash of the JSON."]
    sampling: Annotated[str, "`score`: at or above the threshold; `audit`: random slice below it; `all`: no choice is made."]
    probability: Annotated[float, "Chance with which it was picked; 1 for `score` and `all`."]
    priority: Annotated[float, "Order of usefulness, highest first."]
    model: Annotated[str, "Model whose verdict, or whose spans, are the prediction; empty if there is none."]
    prompt: Annotated[str, "Its prompt version; empty for a model without prompts."]
    guideline: Annotated[str, "Version of the guidelines and labelling configuration."]
    project_id: Annotated[int | None, "Label Studio project; none until delivered."]
    task_id: Annotated[int | None, "Label Studio task; none until delivered."]
    state: Annotated[str, "`pending` until Label Studio has it, then `ok`; `dead` if it refuses it; `skipped` if never asked."]
    reason: Annotated[str, "Why it is not delivered; empty when it is."]
    task_kind: Annotated[str, "`misinfo`: about a chunk; `ner`: about a post."] = TaskKind.MISINFO.value


@dataclass(frozen=True, slots=True)
class Assignment:
    """How one task is put to people (a row of `assignments`); a task without a row is for one person, who sees the verdict."""

    chunk_id: Annotated[str, "Item that is asked about."]
    country: Annotated[str, "Country code."]
    people: Annotated[int, "People who are to answer before a label stands."]
    people_more: Annotated[int, "Further people who are shown it because its answer is known: a hidden gold task; else 0."]
    people_told: Annotated[int, "Number of people that Label Studio was told; 1 is what it takes by itself."]
    blind: Annotated[bool, "The model's verdict is neither sent nor shown."]
    second_look: Annotated[bool, "A case that was found in the random slice waits for further people."]
    handed_over_on: Annotated[date | None, "Day in the country's zone on which Label Studio got it; none until then."]


@dataclass(frozen=True, slots=True)
class Adjudication:
    """One disputed item that an adjudicator is asked about, in a project of its own (a row of `adjudications`)."""

    item_id: Annotated[str, "Chunk that is in dispute; asked once."]
    country: Annotated[str, "Country code."]
    fields: Annotated[list[str], "Fields in dispute, sorted."]
    people: Annotated[int, "Most people whose answer counts in one of them."]
    answers_key: Annotated[str, "Hash of the answers that the task shows."]
    bucket: Annotated[str, "Bucket that holds the task's JSON."]
    object_key: Annotated[str, "Its key."]
    sha256: Annotated[str, "Hash of the JSON."]
    project_id: Annotated[int | None, "Label Studio project for adjudicators; none until delivered."]
    task_id: Annotated[int | None, "Label Studio task; none until delivered."]
    state: Annotated[str, "`pending` until Label Studio has it, then `ok`; `dead` if it refuses it."]
    reason: Annotated[str, "Why it is not delivered; empty when it is."]


class Answered(StrEnum):
    """What became of one version of an answer."""

    SUBMITTED = "submitted"
    SKIPPED = "skipped"
    DELETED = "deleted"


class Standing(StrEnum):
    """Why a gold label stands, or why none does yet."""

    AGREED = "agreed"
    """Two people or more, and enough of them say the same."""
    SINGLE = "single"
    """One person was asked, and one answered."""
    ADJUDICATED = "adjudicated"
    """People disagreed, and an adjudicator decided."""
    PROPAGATED = "propagated"
    """Another airing of nearly the same words was labelled."""
    DISPUTED = "disputed"
    """People disagree, and nobody has decided: no value stands."""
    WAITING = "waiting"
    """More people are asked than have answered: no value stands."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """One version of one person's answer to one task (a row of `annotations`); rows are added and never changed.

    The newest version of an annotation stands; an annotation that is gone ends with a version in state `deleted`.
    """

    project_id: Annotated[int, "Label Studio project."]
    annotation_id: Annotated[int, "Label Studio annotation."]
    updated_at: Annotated[datetime, "When this version was saved, UTC; of `deleted`, when it was found gone."]
    task_id: Annotated[int, "Label Studio task."]
    item_id: Annotated[str, "What the task asks about: chunk id, or id of a post."]
    country: Annotated[str, "Country code."]
    task_kind: Annotated[str, "`misinfo` or `ner`."]
    annotator: Annotated[int, "Number of the person in Label Studio; names stay there."]
    state: Annotated[str, "`submitted`, `skipped` or `deleted`."]
    assessment: Annotated[str | None, "`unchallenged`, `challenged` or `none`; empty if not answered."]
    categories: Annotated[list[str], "What is claimed, sorted; may be several."]
    spans: Annotated[str, "JSON list of marked spans: start and end in code points, label, text; in order."]
    texts: Annotated[str, "JSON object of the other fields that were filled: field to list of values."]
    guideline: Annotated[str, "Version of guideline and screen that the task carries."]
    suggested_by: Annotated[str, "Model version of the prediction the answer began from; empty if it began from nothing."]
    lead_seconds: Annotated[float | None, "Time the person took, as Label Studio counts it."]
    created_at: Annotated[datetime, "When the answer was first given, UTC."]
    source: Annotated[str, "`api` or `file`: how this version came in."]
    result: Annotated[str, "The answer's `result` as it came, canonical JSON."]


@dataclass(frozen=True, slots=True)
class RefusedAnnotation:
    """One version of an answer that cannot be read: set aside, never counted (a row of `refused_annotations`)."""

    project_id: Annotated[int, "Label Studio project."]
    annotation_id: Annotated[int, "Label Studio annotation; 0 if it names none."]
    updated_at: Annotated[datetime, "When this version was saved, UTC; the epoch if it does not say."]
    task_id: Annotated[int, "Label Studio task; 0 if it names none."]
    country: Annotated[str, "Country code."]
    reason: Annotated[str, "What is wrong with it and where, for a person."]
    sha256: Annotated[str, "Hash of what came; its bytes, up to a limit, are kept under this name."]
    present: Annotated[bool, "Label Studio still shows it; false once it was mended or removed there."] = True


@dataclass(frozen=True, slots=True)
class ReadMark:
    """How far a project's answers are read (a row of `read_marks`)."""

    project_id: Annotated[int, "Label Studio project."]
    country: Annotated[str, "Country code."]
    pulse: Annotated[str, "What Label Studio said of the project before the last read; it differs when anything changed."]
    read_until: Annotated[datetime, "Every change before this instant is read, by Label Studio's clock, UTC."]
    fully_read_at: Annotated[datetime, "When all tasks were last read, not the changed ones only, UTC."]


@dataclass(frozen=True, slots=True)
class Ring:
    """The last time Label Studio's webhook said that something changed in a project (a row of `rings`)."""

    project_id: Annotated[int, "Label Studio project."]
    rung_at: Annotated[datetime, "When, UTC."]


@dataclass(frozen=True, slots=True)
class GoldLabel:
    """Which answer stands for one field of one item, and why (a row of `gold_labels`)."""

    item_id: Annotated[str, "Chunk id, or id of a post."]
    field: Annotated[str, "`assessment` (one value), `categories` (joined by a comma, sorted) or `spans` (JSON list)."]
    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day of the item."]
    channel: Annotated[str, "Channel of the item."]
    task_kind: Annotated[str, "`misinfo` or `ner`."]
    value: Annotated[str | None, "What stands; none while disputed or waiting."]
    standing: Annotated[str, "`agreed`, `single`, `adjudicated`, `propagated`, `disputed` or `waiting`."]
    why: Annotated[str, "The rule that made it stand, in a sentence with its votes."]
    votes: Annotated[str, "JSON object: value to number of people, most votes first."]
    people: Annotated[int, "People whose answer counts; skipped ones do not."]
    confidence: Annotated[float | None, "Probability of the value by Dawid and Skene's model; none if not estimated."]
    annotations: Annotated[list[str], "Answers behind it, as `project/annotation`, sorted."]
    group_id: Annotated[str, "First item of its group of nearly equal airings; its own id if alone."]
    sampling: Annotated[str, "How the item was picked: `score`, `audit`, `all` or `gold`."]
    probability: Annotated[float, "Chance with which it was picked."]
