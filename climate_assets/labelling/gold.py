"""Which answer stands for each item, and why, in a sentence that a channel's lawyer can check against the answers.

Answers, tasks, groups and decisions in, gold labels out; whose answers count is `votes.py`, and how sure a model of the people
is comes from `aggregation.py` and only stands beside. The rule counts people: between them, neither time nor the order of
numbers decides anything. An answer to an item without a task makes no label: it has no day and no channel.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from climate_assets.labelling.findings import (
    Found,
    Likeness,
    Rule,
    answers_by_item,
    cited,
    gold_row,
    is_labelled,
    propagated,
    sources_of,
    verb,
)
from climate_assets.labelling.records import Annotation, Answered, GoldLabel, LabellingTask, Standing
from climate_assets.labelling.votes import ASSESSMENT, CATEGORIES, MISINFORMATION, TASK_KIND, number_of

_AIRING: Final = Likeness("this airing", "Airings of nearly the same words", "nearly the same words")


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
    asked = {task.chunk_id: task for task in sorted(tasks, key=lambda task: task.chunk_id) if task.task_kind == TASK_KIND}
    decided = [a for a in adjudications if a.task_kind == TASK_KIND]
    # Whoever passes all answers does not make adjudicators vote as well.
    apart = {a.project_id for a in decided}
    answers = answers_by_item(a for a in annotations if a.task_kind == TASK_KIND and a.project_id not in apart)
    decisions = answers_by_item(decided)
    own = {
        item: _assessed(answers.get(item, []), decisions.get(item, []), max(1, (wanted or {}).get(item, 1)), rule)
        for item in asked
    }
    sources = sources_of(own, groups or {})
    labels = []
    for item, task in asked.items():
        found, of = own[item], item
        group = (groups or {}).get(item, item)
        if not is_labelled(found, answers.get(item, [])) and group in sources:
            found, of = propagated(found, sources[group], own, _AIRING)
        label = gold_row(task, ASSESSMENT, found, group)
        sure = (probabilities or {}).get(of, {}).get(found.value or "")
        labels.append(replace(label, confidence=sure))
        if found.value in MISINFORMATION:
            said = _categorised(answers.get(of, []), decisions.get(of, []))
            if of != item:
                said = _moved(said, of)
            labels.append(gold_row(task, CATEGORIES, said, group))
    return labels


def _voting(answers: Iterable[Annotation]) -> list[Annotation]:
    return sorted((a for a in answers if a.state == Answered.SUBMITTED and a.assessment), key=number_of)


def _assessed(answers: Sequence[Annotation], decisions: Sequence[Annotation], wanted: int, rule: Rule) -> Found:
    voting, deciding = _voting(answers), _voting(decisions)
    votes = Counter(str(a.assessment) for a in voting)
    skipped = sum(a.state == Answered.SKIPPED for a in answers)
    told = _told(voting) + (f"; {skipped} skipped it" if skipped else "")
    if deciding:
        before = f" Before that: {told}." if voting else ""
        decided = {str(a.assessment) for a in deciding}
        if len(decided) == 1:
            who = "The adjudicator says" if len(deciding) == 1 else f"{len(deciding)} adjudicators say"
            why = f"{who} {deciding[0].assessment} ({cited(deciding)}).{before}"
            return Found(Standing.ADJUDICATED, deciding[0].assessment, why, votes, len(voting), [*voting, *deciding])
        why = f"Adjudicators differ: {_told(deciding)}.{before}"
        return Found(Standing.DISPUTED, None, why, votes, len(voting), [*voting, *deciding])
    people = len(voting)
    most = max(votes.values(), default=0)
    if most >= rule.people and most >= rule.share * max(people, wanted):
        value = next(value for value, count in votes.items() if count == most)
        return Found(Standing.AGREED, value, f"{told}.", votes, people, voting)
    if people < wanted:
        awaited = f"{people} of {wanted} people wanted {'has' if people == 1 else 'have'} answered"
        return Found(Standing.WAITING, None, f"{awaited}: {told}." if told else f"{awaited}.", votes, people, voting)
    if people == 1:
        return Found(Standing.SINGLE, voting[0].assessment, f"One person was asked: {told}.", votes, people, voting)
    why = f"{told}: no answer has {rule.share} of the people, and nobody has decided."
    return Found(Standing.DISPUTED, None, why, votes, people, voting)


def _categorised(answers: Sequence[Annotation], decisions: Sequence[Annotation]) -> Found:
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
    parts = [f"{len(by)} {verb(len(by), 'name')} {category} ({cited(by)})" for category, by in named]
    why = f"Of {who} it misinformation, {'; '.join(parts)}"
    if standing:
        state = Standing.ADJUDICATED if deciding else Standing.AGREED if len(callers) > 1 else Standing.SINGLE
        return Found(state, ",".join(standing), f"{why}.", votes, len(callers), callers)
    if votes:
        return Found(Standing.DISPUTED, None, f"{why}: no category has more than half.", votes, len(callers), callers)
    return Found(Standing.WAITING, None, f"{why}.", votes, len(callers), callers)


def _moved(said: Found, source: str) -> Found:
    """Categories of another airing; where they do not stand, they do not stand here either, and never as a dispute."""
    standing = Standing.PROPAGATED if said.value is not None else Standing.WAITING
    why = f"Nobody labelled {_AIRING.this}; {_AIRING.same} as {source}, where: {said.why}"
    return Found(standing, said.value, why, {}, 0, said.behind)


def _told(voting: Sequence[Annotation]) -> str:
    """The votes in words: `2 of 3 people say challenged (annotations 6/12, 6/15); 1 says none (annotation 6/19)`."""
    said: dict[str, list[Annotation]] = defaultdict(list)
    for answer in voting:
        said[str(answer.assessment)].append(answer)
    if not said:
        return ""
    (value, first), *rest = _ordered(said)
    people = f"{len(first)} of {len(voting)} people" if len(voting) > 1 else "1 person"
    parts = [f"{people} {verb(len(first), 'say')} {value} ({cited(first)})"]
    return "; ".join([*parts, *(f"{len(by)} {verb(len(by), 'say')} {value} ({cited(by)})" for value, by in rest)])


def _ordered(said: Mapping[str, list[Annotation]]) -> list[tuple[str, list[Annotation]]]:
    return sorted(said.items(), key=lambda pair: (-len(pair[1]), pair[0]))
