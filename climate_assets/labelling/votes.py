"""Whose answer counts, and what it says: the votes that agreement, aggregation and gold are computed from.

All versions of all annotations in, one standing answer of each person to each item out. Which of several people's answers
stands is `gold.py`.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

from climate_assets.failures import Permanent
from climate_assets.labelling.records import Annotation, Answered, TaskKind

ASSESSMENT: Final = "assessment"
CATEGORIES: Final = "categories"
CASE: Final = "unchallenged"
"""Assessment of a case: misinformation stands."""
MISINFORMATION: Final = frozenset({CASE, "challenged"})
"""Assessments after which the screen asks what is claimed."""
TASK_KIND: Final = TaskKind.MISINFO.value


class Vote(NamedTuple):
    """What one person says of one item in one field; several values at once are joined by a comma, sorted."""

    item: str
    annotator: int
    value: str


def standing_annotations(annotations: Iterable[Annotation]) -> list[Annotation]:
    """The answers that may vote, by item and person: one each, submitted, not deleted.

    The newest version of each annotation counts, and of a person's annotations of an item the newest, even if that is a skip.
    Somebody who gives two answers at the same instant that differ has none.
    """
    return [answer for answer in latest_answers(annotations) if answer.state == Answered.SUBMITTED]


def votes_of(annotations: Iterable[Annotation], field: str) -> list[Vote]:
    """The votes of the standing answers in one field.

    `categories` is asked of those who say it is misinformation only, and one who names none votes for the empty value.
    """
    standing = standing_annotations(annotations)
    if field == ASSESSMENT:
        return [Vote(a.item_id, a.annotator, a.assessment) for a in standing if a.assessment]
    if field == CATEGORIES:
        return [
            Vote(a.item_id, a.annotator, ",".join(sorted(set(a.categories))))
            for a in standing
            if a.assessment in MISINFORMATION
        ]
    raise Permanent(f"there are votes on {ASSESSMENT} and {CATEGORIES}, not on {field!r}")


def latest_answers(annotations: Iterable[Annotation]) -> list[Annotation]:
    """The newest answer of each person to each item, skips included and deleted ones left out, in order of item and person."""
    versions: dict[tuple[int, int], Annotation] = {}
    for version in annotations:
        key = (version.project_id, version.annotation_id)
        known = versions.get(key)
        if known is None or _age(version) > _age(known):
            versions[key] = version
    by_person: dict[tuple[str, int], list[Annotation]] = defaultdict(list)
    for answer in versions.values():
        if answer.state != Answered.DELETED:
            by_person[answer.item_id, answer.annotator].append(answer)
    latest = []
    for _, answers in sorted(by_person.items()):
        when = max(answer.updated_at for answer in answers)
        newest = [answer for answer in answers if answer.updated_at == when]
        if len({_said(answer) for answer in newest}) == 1:
            latest.append(min(newest, key=number_of))
    return latest


def _age(version: Annotation) -> tuple[object, ...]:
    """Order of an annotation's versions; one instant has one version, and a deletion found at that instant is the later."""
    deleted = version.state == Answered.DELETED
    return (version.updated_at, deleted, version.item_id, version.annotator, version.result, _said(version))


def _said(answer: Annotation) -> tuple[str, str, tuple[str, ...], str]:
    """What an answer votes for; the marks of a chunk are no vote, those of a post are all there is."""
    marks = f"{answer.spans}|{answer.texts}" if answer.task_kind == TaskKind.NER else ""
    return (answer.state, answer.assessment or "", tuple(sorted(set(answer.categories))), marks)


def number_of(answer: Annotation) -> tuple[int, int]:
    """Project and number of an annotation: its name, and never a reason to prefer it."""
    return (answer.project_id, answer.annotation_id)
