"""What stands for one field of one item, and how it goes to other items of its group and into a row: for every kind of task.

What makes an answer stand is `gold.py` for chunks and `span_gold.py` for posts; whose answers count is `votes.py`.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Annotated, Final, NamedTuple

from climate_assets.failures import Permanent
from climate_assets.labelling.records import Annotation, Answered, GoldLabel, LabellingTask, Standing
from climate_assets.labelling.votes import latest_answers, number_of

# What a label may be taken from for another item, best founded first.
_SOURCES: Final = (Standing.ADJUDICATED, Standing.AGREED, Standing.SINGLE)


@dataclass(frozen=True, slots=True)
class Rule:
    """When people agree. Two thirds: one of three may err, one of two may not."""

    people: Annotated[int, "Fewest people who must say the same."] = 2
    share: Annotated[Fraction, "Share of the people, those still awaited included, who must say the same; beyond a half."] = (
        Fraction(2, 3)
    )

    def __post_init__(self) -> None:
        """Refuse a rule by which two answers could stand at once."""
        if not Fraction(1, 2) < self.share <= 1 or self.people < 2:
            raise Permanent("people agree from 2 people and beyond a half on; below that two answers could stand at once")


@dataclass(frozen=True, slots=True)
class Found:
    """What stands for one field of one item, before it is told."""

    standing: Standing
    value: str | None
    why: str
    votes: Mapping[str, int]
    people: int
    behind: Sequence[Annotation]


class Likeness(NamedTuple):
    """Words for items that are one in their group: what they are, and how alike."""

    this: Annotated[str, "Such as `this airing`."]
    others: Annotated[str, "Such as `Airings of nearly the same words`."]
    same: Annotated[str, "Such as `nearly the same words`."]


def answers_by_item(annotations: Iterable[Annotation]) -> dict[str, list[Annotation]]:
    """The latest answers of each item, skipped ones included."""
    found: dict[str, list[Annotation]] = defaultdict(list)
    for answer in latest_answers(annotations):
        found[answer.item_id].append(answer)
    return found


def is_labelled(found: Found, answers: Sequence[Annotation]) -> bool:
    """Whether somebody has answered about the item itself."""
    return bool(found.behind) or any(a.state == Answered.SUBMITTED for a in answers)


def sources_of(own: Mapping[str, Found], groups: Mapping[str, str]) -> dict[str, list[str]]:
    """Items of each group whose label may go to the others, best founded first, then by id."""
    found: dict[str, list[str]] = defaultdict(list)
    for item in sorted(own):
        if item in groups and own[item].standing in _SOURCES:
            found[groups[item]].append(item)
    return {group: sorted(items, key=lambda i: _SOURCES.index(own[i].standing)) for group, items in found.items()}


def propagated(found: Found, sources: Sequence[str], own: Mapping[str, Found], likeness: Likeness) -> tuple[Found, str]:
    """The label of another item of the group and which one that is; none while labelled ones differ."""
    source = own[sources[0]]
    if len({own[item].value for item in sources}) > 1:
        told = "; ".join(f"{item} is {own[item].value}" for item in sources)
        return replace(found, why=f"{found.why} {likeness.others} differ, so none is followed: {told}."), ""
    one = likeness.this.removeprefix("this ")
    more = f" ({len(sources) - 1} more {f'{one} has' if len(sources) == 2 else f'{one}s have'} it too)" if sources[1:] else ""
    why = f"Nobody labelled {likeness.this}; {likeness.same} as {sources[0]}{more}, where: {source.why}"
    return Found(Standing.PROPAGATED, source.value, why, {}, 0, source.behind), sources[0]


def gold_row(task: LabellingTask, field: str, found: Found, group: str) -> GoldLabel:
    """The row of what stands for a field of a task's item."""
    votes = dict(sorted(found.votes.items(), key=lambda pair: (-pair[1], pair[0])))
    behind = sorted({number_of(answer) for answer in found.behind})
    return GoldLabel(
        item_id=task.chunk_id,
        field=field,
        country=task.country,
        day=task.day,
        channel=task.channel,
        task_kind=task.task_kind,
        value=found.value,
        standing=found.standing.value,
        why=found.why,
        votes=json.dumps(votes, ensure_ascii=False, separators=(",", ":")),
        people=found.people,
        confidence=None,
        annotations=[f"{project}/{annotation}" for project, annotation in behind],
        group_id=group,
        sampling=task.sampling,
        probability=task.probability,
    )


def verb(people: int, word: str) -> str:
    """The verb as so many people need it."""
    return f"{word}s" if people == 1 else word


def cited(answers: Sequence[Annotation]) -> str:
    """The answers by their names, as `annotations 6/12, 6/15`."""
    names = ", ".join(f"{project}/{number}" for project, number in sorted(number_of(answer) for answer in answers))
    return f"annotation{'s' if len(answers) > 1 else ''} {names}"
