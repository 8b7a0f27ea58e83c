"""Items whose answer is known: which are shown again, to how many people more, and what is known without a person's own answer.

A hidden gold task is a task that is there and is open again for people who did not answer it: the same data, no mark, no
second task. Its label goes on waiting for as many people as it was for. How well people do on them is `annotators.py`.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from math import ceil
from typing import Annotated, Final

from climate_assets.claims.sampling import uniform
from climate_assets.labelling.records import Annotation, GoldLabel, Standing
from climate_assets.labelling.votes import ASSESSMENT, standing_annotations

AGREEING: Final = 3
"""People behind an agreed label from which its item is known."""
AT_WORK: Final = timedelta(days=28)
_OTHERS: Final = 2
_SHARE: Final = Fraction(2, 3)
"""Others who must say the same, and their share: the rule of `gold.py`, without the person who is measured."""


@dataclass(frozen=True, slots=True)
class Known:
    """One item whose answer is known, and who may still be shown it."""

    item_id: str
    answered: Annotated[frozenset[int], "People who answered it, or skipped it."]
    awaited: Annotated[int, "People at work who may still answer it, as Label Studio was told; 0 if it is done."]


def known_items(gold: Iterable[GoldLabel]) -> set[str]:
    """Items whose assessment an adjudicator decided, or at least three people agree on."""
    return {
        label.item_id
        for label in gold
        if label.field == ASSESSMENT
        and (label.standing == Standing.ADJUDICATED or (label.standing == Standing.AGREED and label.people >= AGREEING))
    }


def opened_again(known: Iterable[Known], active: Collection[int], open_tasks: int, share: float) -> dict[str, int]:
    """Items to open again, with how many more people each, so that `share` of the open tasks have a known answer.

    `active`: people at work now; an item is opened for all of them who have not answered it. `open_tasks` counts every task
    that waits for somebody, those of `known` included. Which items: those that most people lack, then by a hash.
    """
    items = list(known)
    lacking = ceil(Fraction(share).limit_denominator(10_000) * open_tasks) - sum(item.awaited > 0 for item in items)
    fresh = {item.item_id: len(set(active) - item.answered) for item in items if item.awaited <= 0}
    order = sorted((item for item, people in fresh.items() if people), key=lambda i: (-fresh[i], uniform("hidden gold", i)))
    return {item: fresh[item] for item in order[: max(0, lacking)]}


def people_at_work(answers: Iterable[Annotation]) -> set[int]:
    """People who answered within four weeks of the newest answer: who left is waited for by nobody."""
    given = list(answers)
    latest = max((answer.created_at for answer in given), default=None)
    return {answer.annotator for answer in given if latest is not None and answer.created_at >= latest - AT_WORK}


def known_without(answers: Iterable[Annotation], decisions: Iterable[Annotation] = ()) -> dict[int, dict[str, str]]:
    """By person, the known assessment of each item that they answered, from everybody else: leave-one-out.

    What the other adjudicators decided; where none did, what at least two others and two thirds of them say. A person's own
    answer never stands behind what they are measured by, nor does what they decided as an adjudicator.
    """
    said: dict[str, dict[int, str]] = defaultdict(dict)
    for answer in standing_annotations(answers):
        if answer.assessment:
            said[answer.item_id][answer.annotator] = answer.assessment
    decided: dict[str, dict[int, str]] = defaultdict(dict)
    for answer in standing_annotations(decisions):
        if answer.assessment:
            decided[answer.item_id][answer.annotator] = answer.assessment
    known: dict[int, dict[str, str]] = defaultdict(dict)
    for item, votes in said.items():
        for person in votes:
            value = _without(person, votes, decided.get(item, {}))
            if value is not None:
                known[person][item] = value
    return dict(known)


def _without(person: int, votes: Mapping[int, str], decided: Mapping[int, str]) -> str | None:
    rulings = {value for who, value in decided.items() if who != person}
    if rulings:
        return next(iter(rulings)) if len(rulings) == 1 else None
    others = Counter(value for who, value in votes.items() if who != person)
    value, most = max(others.items(), key=lambda pair: pair[1], default=("", 0))
    return value if most >= _OTHERS and most >= _SHARE * others.total() else None
