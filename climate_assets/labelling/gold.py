"""Which answer stands for each item, and why, in a sentence that a channel's lawyer can check against the answers.

Answers, tasks, groups and decisions in, gold labels out; whose answers count is `votes.py`, and how sure a model of the people
is comes from `aggregation.py` and only stands beside. The rule counts people: between them, neither time nor the order of
numbers decides anything. An answer to an item without a task makes no label: it has no day and no channel.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Annotated, Final

from climate_assets.failures import Permanent
from climate_assets.labelling.records import Annotation, Answered, GoldLabel, LabellingTask, Standing
from climate_assets.labelling.votes import ASSESSMENT, CATEGORIES, MISINFORMATION, TASK_KIND, latest_answers, number_of

# What a label may be taken from for another airing, best founded first.
_SOURCES: Final = (Standing.ADJUDICATED, Standing.AGREED, Standing.SINGLE)


@dataclass(frozen=True, slots=True)
class Rule:
    """When people agree. Two thirds: one of three may err, one of two may not."""

    people: Annotated[int, "Fewest people who must say the same."] = 2
    share: Annotated[Fraction, "Share of the people, those still awaited included, who must say the same; beyond a half."] = (
        Fraction(2, 3)
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """What stands for one field of one item, before it is told."""

    standing: Standing
    value: str | None
    why: str
    votes: Mapping[str, int]
    people: int
    behind: Sequence[Annotation]


def gold_labels(
    annotations: Iterable[Annotation],
    tasks: Iterable[LabellingTask],
    *,
    wanted: Mapping[str, int] | None = None,
    groups: Mapping[str, str] | None = None,
    adjudications: Iterable[Annotation] = (),
    probabilities: Mapping[str, Mapping[str, float]] | None = None,
    rule: Rule | None = None,
) -> list[GoldLabel]:
    """The label of each task's item, in order of item and field; `categories` only where misinformation stands.

    `wanted`: how many people each item is for (1 if absent). `groups`: group of each item, from `duplicates.py` (its own if
    absent). `adjudications`: answers from the adjudication project; they win. `probabilities`: of each assessment of an item,
    from `aggregation.py`. Rows that stood before and are not returned have to go: their answers are gone.
    """
    rule = rule or Rule()
    if not Fraction(1, 2) < rule.share <= 1 or rule.people < 2:
        raise Permanent("people agree from 2 people and beyond a half on; below that two answers could stand at once")
    asked = {task.chunk_id: task for task in sorted(tasks, key=lambda task: task.chunk_id)}
    decided = [a for a in adjudications if a.task_kind == TASK_KIND]
    # Whoever passes all answers does not make adjudicators vote as well.
    apart = {a.project_id for a in decided}
    answers = _by_item(a for a in annotations if a.task_kind == TASK_KIND and a.project_id not in apart)
    decisions = _by_item(decided)
    own = {
        item: _assessed(answers.get(item, []), decisions.get(item, []), max(1, (wanted or {}).get(item, 1)), rule)
        for item in asked
    }
    sources = _sources(own, groups or {})
    labels = []
    for item, task in asked.items():
        found, of = own[item], item
        group = (groups or {}).get(item, item)
        if not _labelled(found, answers.get(item, [])) and group in sources:
            found, of = _propagated(found, sources[group], own)
        label = _label(task, ASSESSMENT, found, group)
        sure = (probabilities or {}).get(of, {}).get(found.value or "")
        labels.append(replace(label, confidence=sure))
        if found.value in MISINFORMATION:
            said = _categorised(answers.get(of, []), decisions.get(of, []))
            if of != item:
                said = _moved(said, of)
            labels.append(_label(task, CATEGORIES, said, group))
    return labels


def _by_item(annotations: Iterable[Annotation]) -> dict[str, list[Annotation]]:
    """The latest answers of each item, skipped ones included."""
    found: dict[str, list[Annotation]] = defaultdict(list)
    for answer in latest_answers(annotations):
        found[answer.item_id].append(answer)
    return found


def _voting(answers: Iterable[Annotation]) -> list[Annotation]:
    return sorted((a for a in answers if a.state == Answered.SUBMITTED and a.assessment), key=number_of)


def _assessed(answers: Sequence[Annotation], decisions: Sequence[Annotation], wanted: int, rule: Rule) -> _Found:
    voting, deciding = _voting(answers), _voting(decisions)
    votes = Counter(str(a.assessment) for a in voting)
    skipped = sum(a.state == Answered.SKIPPED for a in answers)
    told = _told(voting) + (f"; {skipped} skipped it" if skipped else "")
    if deciding:
        before = f" Before that: {told}." if voting else ""
        decided = {str(a.assessment) for a in deciding}
        if len(decided) == 1:
            who = "The adjudicator says" if len(deciding) == 1 else f"{len(deciding)} adjudicators say"
            why = f"{who} {deciding[0].assessment} ({_cited(deciding)}).{before}"
            return _Found(Standing.ADJUDICATED, deciding[0].assessment, why, votes, len(voting), [*voting, *deciding])
        why = f"Adjudicators differ: {_told(deciding)}.{before}"
        return _Found(Standing.DISPUTED, None, why, votes, len(voting), [*voting, *deciding])
    people = len(voting)
    most = max(votes.values(), default=0)
    if most >= rule.people and most >= rule.share * max(people, wanted):
        value = next(value for value, count in votes.items() if count == most)
        return _Found(Standing.AGREED, value, f"{told}.", votes, people, voting)
    if people < wanted:
        awaited = f"{people} of {wanted} people wanted {'has' if people == 1 else 'have'} answered"
        return _Found(Standing.WAITING, None, f"{awaited}: {told}." if told else f"{awaited}.", votes, people, voting)
    if people == 1:
        return _Found(Standing.SINGLE, voting[0].assessment, f"One person was asked: {told}.", votes, people, voting)
    why = f"{told}: no answer has {rule.share} of the people, and nobody has decided."
    return _Found(Standing.DISPUTED, None, why, votes, people, voting)


def _categorised(answers: Sequence[Annotation], decisions: Sequence[Annotation]) -> _Found:
    """What is claimed, by those whose answer is that it is misinformation; by adjudicators, if one said so."""
    deciding = [a for a in _voting(decisions) if a.assessment in MISINFORMATION]
    voting = [a for a in _voting(answers) if a.assessment in MISINFORMATION]
    callers = deciding or voting
    chosen: dict[str, list[Annotation]] = defaultdict(list)
    for answer in callers:
        for category in sorted(set(answer.categories)):
            chosen[category].append(answer)
    votes = {category: len(by) for category, by in chosen.items()}
    standing = sorted(category for category, by in chosen.items() if 2 * len(by) > len(callers))
    one, more = ("adjudicator", "adjudicators") if deciding else ("person", "people")
    who = f"1 {one} who calls" if len(callers) == 1 else f"{len(callers)} {more} who call"
    silent = [answer for answer in callers if not answer.categories]
    named = [*_ordered(chosen), *([("no category", silent)] if silent else [])]
    parts = [f"{len(by)} {_verb(len(by), 'name')} {category} ({_cited(by)})" for category, by in named]
    why = f"Of {who} it misinformation, {'; '.join(parts)}"
    if standing:
        state = Standing.ADJUDICATED if deciding else Standing.AGREED if len(callers) > 1 else Standing.SINGLE
        return _Found(state, ",".join(standing), f"{why}.", votes, len(callers), callers)
    if votes:
        return _Found(Standing.DISPUTED, None, f"{why}: no category has more than half.", votes, len(callers), callers)
    return _Found(Standing.WAITING, None, f"{why}.", votes, len(callers), callers)


def _sources(own: Mapping[str, _Found], groups: Mapping[str, str]) -> dict[str, list[str]]:
    """Items of each group whose label may go to the others, best founded first, then by id."""
    found: dict[str, list[str]] = defaultdict(list)
    for item in sorted(own):
        if item in groups and own[item].standing in _SOURCES:
            found[groups[item]].append(item)
    return {group: sorted(items, key=lambda i: _SOURCES.index(own[i].standing)) for group, items in found.items()}


def _labelled(found: _Found, answers: Sequence[Annotation]) -> bool:
    return bool(found.behind) or any(a.state == Answered.SUBMITTED for a in answers)


def _propagated(found: _Found, sources: Sequence[str], own: Mapping[str, _Found]) -> tuple[_Found, str]:
    """The label of another airing and which one that is; none while labelled airings differ."""
    source = own[sources[0]]
    if len({own[item].value for item in sources}) > 1:
        told = "; ".join(f"{item} is {own[item].value}" for item in sources)
        why = f"{found.why} Airings of nearly the same words differ, so none is followed: {told}."
        return replace(found, why=why), ""
    more = f" ({len(sources) - 1} more {'airing has' if len(sources) == 2 else 'airings have'} it too)" if sources[1:] else ""
    why = f"Nobody labelled this airing; nearly the same words as {sources[0]}{more}, where: {source.why}"
    return _Found(Standing.PROPAGATED, source.value, why, {}, 0, source.behind), sources[0]


def _moved(said: _Found, source: str) -> _Found:
    """Categories of another airing; where they do not stand, they do not stand here either, and never as a dispute."""
    standing = Standing.PROPAGATED if said.value is not None else Standing.WAITING
    why = f"Nobody labelled this airing; nearly the same words as {source}, where: {said.why}"
    return _Found(standing, said.value, why, {}, 0, said.behind)


def _label(task: LabellingTask, field: str, found: _Found, group: str) -> GoldLabel:
    votes = dict(sorted(found.votes.items(), key=lambda pair: (-pair[1], pair[0])))
    behind = sorted({number_of(answer) for answer in found.behind})
    return GoldLabel(
        item_id=task.chunk_id,
        field=field,
        country=task.country,
        day=task.day,
        channel=task.channel,
        task_kind=TASK_KIND,
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


def _told(voting: Sequence[Annotation]) -> str:
    """The votes in words: `2 of 3 people say challenged (annotations 6/12, 6/15); 1 says none (annotation 6/19)`."""
    said: dict[str, list[Annotation]] = defaultdict(list)
    for answer in voting:
        said[str(answer.assessment)].append(answer)
    if not said:
        return ""
    (value, first), *rest = _ordered(said)
    people = f"{len(first)} of {len(voting)} people" if len(voting) > 1 else "1 person"
    parts = [f"{people} {_verb(len(first), 'say')} {value} ({_cited(first)})"]
    return "; ".join([*parts, *(f"{len(by)} {_verb(len(by), 'say')} {value} ({_cited(by)})" for value, by in rest)])


def _ordered(said: Mapping[str, list[Annotation]]) -> list[tuple[str, list[Annotation]]]:
    return sorted(said.items(), key=lambda pair: (-len(pair[1]), pair[0]))


def _verb(people: int, verb: str) -> str:
    return f"{verb}s" if people == 1 else verb


def _cited(answers: Sequence[Annotation]) -> str:
    names = ", ".join(f"{project}/{number}" for project, number in sorted(number_of(answer) for answer in answers))
    return f"annotation{'s' if len(answers) > 1 else ''} {names}"
