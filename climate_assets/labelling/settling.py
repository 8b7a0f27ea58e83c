"""Settling which answers of one country stand: votes, near-duplicate airings and the model of the people, put together.

The rule is `gold.py`, groups are `duplicates.py`, the model is `aggregation.py`, agreement is `agreement.py`; spans in posts
are settled by `span_settling.py`.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from climate_assets.labelling.aggregation import dawid_skene
from climate_assets.labelling.agreement import Agreement, Disagreement, agreements, disagreements
from climate_assets.labelling.annotators import AnnotatorQuality, annotator_quality, answers_of
from climate_assets.labelling.assigning import wanted_people
from climate_assets.labelling.collecting import votes_and_decisions
from climate_assets.labelling.duplicates import Airing, group_of, near_duplicates
from climate_assets.labelling.gold import gold_labels
from climate_assets.labelling.hidden_gold import known_without
from climate_assets.labelling.records import Annotation, GoldLabel, LabellingTask
from climate_assets.labelling.span_settling import SettledSpans, settle_spans
from climate_assets.labelling.votes import ASSESSMENT, CATEGORIES, TASK_KIND, votes_of
from climate_assets.states import State
from resources.postgres import Barometre, Change


@dataclass(frozen=True)
class Settled:
    """What settling a country came to."""

    change: Change
    labels: int
    standing: Counter[str]
    """Assessments by why they stand, or why none does."""
    values: Counter[str]
    agreements: list[Agreement]
    disagreements: list[Disagreement]
    spans: SettledSpans
    """What stands in posts."""
    qualities: list[AnnotatorQuality]
    """How well each person answers, by what all others say."""

    @property
    def alphas(self) -> dict[str, float]:
        """Alpha of each field for which it is defined, named so that it is drawn over time."""
        return {f"alpha_{one.field}": one.alpha for one in self.agreements if not one.label and one.alpha is not None}

    def agreement_rows(self) -> list[dict[str, Any]]:
        """Alpha of each field and label with its interval and on how much it stands, for a person."""
        return [
            {
                "field": one.field,
                "label": one.label or "(as a whole)",
                "alpha": one.alpha,
                "95 % from": one.low,
                "to": one.high,
                "items": one.units,
                "people": one.raters,
                "undefined": one.reason or one.interval_reason,
            }
            for one in self.agreements
        ]

    @property
    def accuracies(self) -> dict[str, float]:
        """Accuracy on known items of each person who answered one, by number."""
        return {f"annotator {one.annotator}": one.accuracy for one in self.qualities if one.accuracy is not None}

    def quality_rows(self) -> list[dict[str, Any]]:
        """Each person's record on known items, and their pace, for a lead; people are numbers."""
        return [
            {
                "annotator": one.annotator,
                "answers": one.answers,
                "known": one.known,
                "right": one.right,
                "accuracy": one.accuracy,
                "95 % from": one.low,
                "to": one.high,
                "seconds": one.median_seconds,
                "drift": one.drift,
                "care": one.care,
                "why": one.why,
            }
            for one in self.qualities
        ]


def settle(country: str, barometre: Barometre) -> Settled:
    """Make the gold labels of a country exactly what its standing answers say, those that come in meanwhile too."""
    with barometre.lock(f"gold labels of {country}"):
        read, settled = _read_so_far(country, barometre), _settle(country, barometre)
        # Dagster takes what is asked for while this runs as done by it, so it is.
        while (now := _read_so_far(country, barometre)) != read:
            read, settled = now, _settle(country, barometre)
        return settled


def _read_so_far(country: str, barometre: Barometre) -> dict[str, Any]:
    """Tells whether answers were added or set aside."""
    return barometre.rows(
        "SELECT (SELECT count(*) FROM annotations WHERE country = %(c)s) AS read,"
        " (SELECT count(*) FROM refused_annotations WHERE country = %(c)s AND present) AS refused",
        {"c": country},
    )[0]


def _settle(country: str, barometre: Barometre) -> Settled:
    answers, decisions = votes_and_decisions(country, barometre)
    every_task = barometre.read(LabellingTask, country=country)
    wanted = wanted_people(country, every_task, answers, barometre)
    tasks = [task for task in every_task if task.task_kind == TASK_KIND and not _was_never_asked(task)]
    votes = {field: votes_of(answers, field) for field in (ASSESSMENT, CATEGORIES)}
    model = dawid_skene(votes[ASSESSMENT])
    labels = gold_labels(
        answers,
        tasks,
        wanted=wanted,
        adjudications=decisions,
        groups=group_of(near_duplicates(_airings([task.chunk_id for task in tasks], barometre))),
        probabilities=model.of_item() if model else None,
    )
    assessed = [label for label in labels if label.field == ASSESSMENT]
    spans = settle_spans(country, answers, every_task, barometre, wanted=wanted, adjudications=decisions)
    return Settled(
        change=barometre.replace(labels, GoldLabel, country=country, task_kind=TASK_KIND) + spans.change,
        labels=len(labels) + spans.labels,
        standing=Counter(label.standing for label in assessed),
        values=Counter(label.value for label in assessed if label.value),
        agreements=[one for field, cast in votes.items() for one in agreements(cast, field)],
        disagreements=disagreements(votes[ASSESSMENT]),
        spans=spans,
        qualities=_qualities(answers, decisions),
    )


def annotator_qualities(country: str, barometre: Barometre) -> list[AnnotatorQuality]:
    """How well each person of a country answers, as of now."""
    return _qualities(*votes_and_decisions(country, barometre))


def _qualities(answers: list[Annotation], decisions: list[Annotation]) -> list[AnnotatorQuality]:
    known, given = known_without(answers, decisions), answers_of(answers)
    people = sorted({answer.annotator for answer in given})
    # What is known of an item differs by who is measured: nobody is measured on their own vote.
    return [
        one
        for person in people
        for one in annotator_quality([answer for answer in given if answer.annotator == person], known.get(person, {}))
    ]


def _was_never_asked(task: LabellingTask) -> bool:
    """Whether people had no time for it: no label is due, and none may come from another airing, whose chance was another."""
    return task.task_kind == TASK_KIND and task.state == State.SKIPPED


def _airings(chunk_ids: list[str], barometre: Barometre) -> list[Airing]:
    """The words that were asked about, adverts cut, and when they were aired."""
    rows = barometre.rows(
        "SELECT chunk_id, start, clean.text FROM chunks JOIN clean_chunks clean USING (chunk_id) WHERE chunk_id = ANY(%(ids)s)",
        {"ids": chunk_ids},
    )
    return [Airing(row["chunk_id"], row["start"], row["text"]) for row in rows]
