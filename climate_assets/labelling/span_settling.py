"""Settling which spans stand in one country's posts: votes span by span, and how far people mark alike.

The rule is `span_gold.py`, agreement is `span_agreement.py`; settling chunks is `settling.py`, which calls this.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from climate_assets.labelling.entity_labels import Label
from climate_assets.labelling.records import Annotation, GoldLabel, LabellingTask, TaskKind
from climate_assets.labelling.span_agreement import SpanAgreement, marked_of, span_agreement
from climate_assets.labelling.span_gold import marks_of, span_gold_labels
from climate_assets.labelling.votes import standing_annotations
from resources.postgres import Barometre, Change


@dataclass(frozen=True)
class SettledSpans:
    """What settling a country's posts came to."""

    change: Change = field(default_factory=Change)
    labels: int = 0
    standing: Counter[str] = field(default_factory=Counter)
    """Posts by why their spans stand, or why they do not."""
    agreements: Sequence[tuple[str, SpanAgreement]] = ()
    """Agreement of each label, and of all (empty name), exact and overlapping."""

    @property
    def f1(self) -> dict[str, float]:
        """Agreement on all labels where it is defined, named so that it is drawn over time."""
        return {f"span_f1_{one.match}": one.f1 for label, one in self.agreements if not label and one.f1 is not None}

    def agreement_rows(self) -> list[dict[str, Any]]:
        """Agreement with its interval and on how much it stands, for a person."""
        return [
            {
                "label": label or "(all)",
                "match": one.match,
                "F1 of two people": one.f1,
                "95 % from": one.low,
                "to": one.high,
                "posts": one.items,
                "pairs": one.pairs,
                "undefined": one.reason or one.interval_reason,
            }
            for label, one in self.agreements
        ]


def settle_spans(
    country: str,
    answers: Iterable[Annotation],
    tasks: Iterable[LabellingTask],
    barometre: Barometre,
    *,
    wanted: Mapping[str, int] | None = None,
    adjudications: Iterable[Annotation] = (),
) -> SettledSpans:
    """Make the labels of a country's posts exactly what its standing answers say; `wanted` as in `span_gold_labels`."""
    mine = [answer for answer in answers if answer.task_kind == TaskKind.NER]
    decisions = list(adjudications)
    labels = span_gold_labels(mine, tasks, wanted=wanted, adjudications=decisions)
    apart = {answer.project_id for answer in decisions}
    # Somebody whose newest answer says nothing has not marked nothing.
    voting = [a for a in standing_annotations(a for a in mine if a.project_id not in apart) if marks_of(a) is not None]
    marked = marked_of(voting)
    return SettledSpans(
        change=barometre.replace(labels, GoldLabel, country=country, task_kind=TaskKind.NER.value),
        labels=len(labels),
        standing=Counter(label.standing for label in labels),
        agreements=[(label, span_agreement(marked, match, label)) for label in ("", *Label) for match in ("exact", "overlap")],
    )
