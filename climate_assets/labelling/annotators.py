"""How well each person answers, by hidden items whose answer is known: accuracy, drift, pace, and who is careless.

Answers in, one row a person out. People are numbers: names stay in Label Studio. What follows from a row (a talk, a pause) is
for a lead to decide; no vote is weighed or dropped by it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import comb, sqrt
from statistics import NormalDist, median
from typing import Annotated

from climate_assets.labelling.records import Annotation
from climate_assets.labelling.votes import standing_annotations


class Drift(StrEnum):
    """Whether a person's latest answers are worse than those before."""

    OK = "ok"
    DRIFTING = "drifting"
    TOO_FEW = "too few"


class Care(StrEnum):
    """Whether a person reads before they answer, as far as figures tell."""

    OK = "ok"
    CARELESS = "careless"
    TOO_FEW = "too few"


@dataclass(frozen=True, slots=True)
class Rule:
    """What is compared with what, and from where on it is told."""

    latest: Annotated[int, "Answers to known items that count as the latest; as many must lie before."] = 20
    chance: Annotated[float, "Drift is told below this p value; low, as the question is asked again after every answer."] = 0.01
    accuracy: Annotated[float, "Careless: even the upper end of the interval is below it."] = 0.7
    known: Annotated[int, "Answers to known items from which accuracy tells anything."] = 10
    seconds: Annotated[float, "Careless: half of the answers take less; two minutes of speech take longer to read."] = 8.0
    timed: Annotated[int, "Timed answers from which pace tells anything."] = 20
    level: Annotated[float, "Of the Wilson interval."] = 0.95


@dataclass(frozen=True, slots=True)
class Answer:
    """One standing answer of one person to one item."""

    annotator: int
    item: str
    value: str
    answered_at: datetime
    lead_seconds: float | None


@dataclass(frozen=True, slots=True)
class AnnotatorQuality:
    """One person's record on hidden known items, and their pace."""

    annotator: Annotated[int, "Number of the person."]
    answers: Annotated[int, "Standing answers."]
    known: Annotated[int, "Of them, those to items whose answer is known."]
    right: Annotated[int, "Of these, those that say the same."]
    accuracy: Annotated[float | None, "right / known; none without a known item."]
    low: Annotated[float | None, "Lower end of the Wilson interval."]
    high: Annotated[float | None, "Upper end of it."]
    drift: Annotated[str, "`ok`, `drifting` or `too few`."]
    latest_accuracy: Annotated[float | None, "Accuracy of the latest answers; none if too few."]
    earlier_accuracy: Annotated[float | None, "Accuracy of all before them; none if too few."]
    drift_p: Annotated[float | None, "One-sided p value of Fisher's exact test; none if too few."]
    median_seconds: Annotated[float | None, "Median time of an answer; none without a timed one."]
    timed: Annotated[int, "Answers with a time."]
    care: Annotated[str, "`ok`, `careless` or `too few`."]
    why: Annotated[str, "The figures behind it, in sentences."]


def answers_of(annotations: Iterable[Annotation]) -> list[Answer]:
    """The standing answers with an assessment, each at the time when it was first given; an edit keeps its place."""
    return [
        Answer(a.annotator, a.item_id, a.assessment, a.created_at, a.lead_seconds)
        for a in standing_annotations(annotations)
        if a.assessment
    ]


def annotator_quality(answers: Iterable[Answer], known: Mapping[str, str], rule: Rule | None = None) -> list[AnnotatorQuality]:
    """One row a person, in order of their numbers; `known` is the answer of each hidden item.

    Answers are taken in order of time, those of one instant in order of items.
    """
    by_person: dict[int, list[Answer]] = defaultdict(list)
    for answer in sorted(answers, key=lambda a: (a.annotator, a.answered_at, a.item)):
        by_person[answer.annotator].append(answer)
    return [_quality(annotator, given, known, rule or Rule()) for annotator, given in sorted(by_person.items())]


def wilson_interval(right: float, of: float, level: float = 0.95) -> tuple[float, float] | None:
    """Interval of a share (E. B. Wilson, Probable inference, JASA 22, 1927), 0 to 1; none of nothing."""
    if of == 0:
        return None
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = right / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return (0.0 if right == 0 else max(0.0, middle - half)), (1.0 if right == of else min(1.0, middle + half))


def fisher_worse(latest_right: int, latest: int, earlier_right: int, earlier: int) -> float:
    """Chance of so few right ones among the latest, or fewer, if nothing changed (Fisher's exact test, one-sided)."""
    right, of = latest_right + earlier_right, latest + earlier
    least = max(0, right - earlier)
    ways = sum(comb(latest, k) * comb(earlier, right - k) for k in range(least, latest_right + 1))
    return ways / comb(of, right)


def _quality(annotator: int, given: Sequence[Answer], known: Mapping[str, str], rule: Rule) -> AnnotatorQuality:
    marks = [answer.value == known[answer.item] for answer in given if answer.item in known]
    right = sum(marks)
    interval = wilson_interval(right, len(marks), rule.level)
    drift, latest, earlier, chance = _drift(marks, rule)
    times = [answer.lead_seconds for answer in given if answer.lead_seconds is not None]
    pace = median(times) if times else None
    care, reasons = _care(interval, right, len(marks), pace, len(times), rule)
    if drift == Drift.DRIFTING and latest is not None and earlier is not None:
        reasons.append(f"The latest {rule.latest} are {latest:.0%} right, those before {earlier:.0%} (p = {chance:.4f}).")
    return AnnotatorQuality(
        annotator=annotator,
        answers=len(given),
        known=len(marks),
        right=right,
        accuracy=right / len(marks) if marks else None,
        low=interval[0] if interval else None,
        high=interval[1] if interval else None,
        drift=drift.value,
        latest_accuracy=latest,
        earlier_accuracy=earlier,
        drift_p=chance,
        median_seconds=pace,
        timed=len(times),
        care=care.value,
        why=" ".join(reasons),
    )


def _drift(marks: Sequence[bool], rule: Rule) -> tuple[Drift, float | None, float | None, float | None]:
    latest, earlier = marks[-rule.latest :], marks[: -rule.latest]
    if len(latest) < rule.latest or len(earlier) < rule.latest:
        return Drift.TOO_FEW, None, None, None
    chance = fisher_worse(sum(latest), len(latest), sum(earlier), len(earlier))
    state = Drift.DRIFTING if chance < rule.chance else Drift.OK
    return state, sum(latest) / len(latest), sum(earlier) / len(earlier), chance


def _care(
    interval: tuple[float, float] | None, right: int, known: int, pace: float | None, timed: int, rule: Rule
) -> tuple[Care, list[str]]:
    reasons = []
    judged = interval is not None and known >= rule.known
    paced = pace is not None and timed >= rule.timed
    if judged and interval is not None and interval[1] < rule.accuracy:
        share = f"{right} of {known} known items are right, {interval[1]:.0%} at best"
        reasons.append(f"{share}: below {rule.accuracy:.0%}.")
    if paced and pace is not None and pace < rule.seconds:
        reasons.append(f"Half of {timed} answers take less than {pace:.1f} s: too short to read the text.")
    if reasons:
        return Care.CARELESS, reasons
    if judged:
        return Care.OK, [f"{right} of {known} known items are right."]
    return Care.TOO_FEW, [f"{known} known items are answered; {rule.known} are needed."]
