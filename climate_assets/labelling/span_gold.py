"""Which spans stand in each post, and why: votes on spans, and one standing for the post as a whole.

People are counted span by span, as each mark is an answer of its own, and the post stands or falls as a whole: where one mark
is in dispute none is told. Half of a post's entities would teach a model that the other half are none, and score one that
finds them as wrong; so does everybody who trains on whole documents. Spans are equal when place and label are: a boundary that
differs is another span, as it is for the measure that models are held to. Whose answers count is `votes.py`, how far people
mark alike `span_agreement.py`.

A span stands when two thirds of the people, and two at least, have marked it. It falls when two thirds have nothing at its
place, or where a span stands that it meets: then it is the outvoted reading of one place. Any other is in dispute: three
people with three boundaries around one name agree that there is one. People who are still awaited count as undecided.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from climate_assets.failures import Permanent
from climate_assets.labelling.entity_labels import NOTHING
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
from climate_assets.labelling.records import Annotation, Answered, GoldLabel, LabellingTask, Standing, TaskKind
from climate_assets.labelling.votes import number_of

SPANS: Final = "spans"
_POST: Final = Likeness("this post", "Posts of the same text", "the very same text")
# A sentence that nobody reads to its end convinces nobody; the votes are all in the row.
_TOLD: Final = 6


class Mark(NamedTuple):
    """One stretch of a post with its label: code points, end exclusive, and the text that the person saw there."""

    start: int
    end: int
    label: str
    text: str

    def meets(self, other: "Mark") -> bool:
        """Whether both have a character in common, whatever their labels."""
        return self.start < other.end and other.start < self.end


Marks = frozenset[Mark]


def span_gold_labels(
    annotations: Iterable[Annotation],
    tasks: Iterable[LabellingTask],
    *,
    wanted: Mapping[str, int] | None = None,
    adjudications: Iterable[Annotation] = (),
    rule: Rule | None = None,
) -> list[GoldLabel]:
    """The label of each post that was asked about, in order of item; its value is a JSON list, empty if nothing is in it.

    `wanted`: how many people each post is for (1 if absent). `adjudications`: answers from the adjudication project; they win.
    Posts of the very same text, whose tasks share an object, have one label: it goes to those that nobody was asked about.
    """
    rule = rule or Rule()
    asked = {t.chunk_id: t for t in sorted(tasks, key=lambda t: t.chunk_id) if t.task_kind == TaskKind.NER}
    decided = [a for a in adjudications if a.task_kind == TaskKind.NER]
    apart = {a.project_id for a in decided}
    answers = answers_by_item(a for a in annotations if a.task_kind == TaskKind.NER and a.project_id not in apart)
    decisions = answers_by_item(decided)
    own = {
        item: _marked(answers.get(item, []), decisions.get(item, []), max(1, (wanted or {}).get(item, 1)), rule)
        for item in asked
    }
    groups = same_text(asked.values())
    sources = sources_of(own, groups)
    labels = []
    for item, task in asked.items():
        found, group = own[item], groups[item]
        if not is_labelled(found, answers.get(item, [])) and group in sources:
            found, _ = propagated(found, sources[group], own, _POST)
        labels.append(gold_row(task, SPANS, found, group))
    return labels


def same_text(tasks: Iterable[LabellingTask]) -> dict[str, str]:
    """Group of each post: the first of those whose tasks share an object, which is one for each text."""
    members: dict[tuple[str, str], list[str]] = defaultdict(list)
    for task in tasks:
        members[task.bucket, task.object_key].append(task.chunk_id)
    return {item: min(items) for items in members.values() for item in items}


def marks_of(answer: Annotation) -> Marks | None:
    """What one answer marks; nothing, if it says so, and none if it does not say: no mark, and the box left empty.

    A slip of the hand sends an empty answer as well, and as gold it would teach that every name in the post is none.
    Raises `Permanent` for spans that are not a JSON list of objects with start, end, label and text.
    """
    try:
        marks = frozenset(Mark(s["start"], s["end"], s["label"], s["text"]) for s in json.loads(answer.spans or "[]"))
        said = json.loads(answer.texts or "{}")
        return marks if marks or said.get(NOTHING) else None
    except (ValueError, KeyError, TypeError, AttributeError) as cause:
        name = f"{answer.project_id}/{answer.annotation_id}"
        raise Permanent(f"the spans of annotation {name} cannot be read; read it from Label Studio anew") from cause


def canonical_spans(marks: Iterable[Mark]) -> str:
    """Marks as a JSON list in order of place: the same marks, the same text."""
    rows: list[dict[str, Any]] = [mark._asdict() for mark in sorted(set(marks))]
    return json.dumps(rows, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _marked(answers: Sequence[Annotation], decisions: Sequence[Annotation], wanted: int, rule: Rule) -> Found:
    voting, deciding = _voting(answers), _voting(decisions)
    votes = _votes(voting)
    counted = {_named(mark): len(by) for mark, by in votes.items()}
    if silent := [a for a, marks in voting if not marks]:
        counted[NOTHING] = len(silent)
    by = [answer for answer, _ in voting]
    told = _told(votes, voting) + _uncounted(answers)
    if deciding:
        both = [*by, *(answer for answer, _ in deciding)]
        who = cited([answer for answer, _ in deciding])
        before = f" Before that: {told}." if voting else ""
        first = deciding[0][1]
        if all(marks == first for _, marks in deciding):
            why = f"Decided by adjudication ({who}): {_listed(sorted(first))}.{before}"
            return Found(Standing.ADJUDICATED, canonical_spans(first), why, counted, len(voting), both)
        return Found(Standing.DISPUTED, None, f"Adjudicators differ ({who}).{before}", counted, len(voting), both)
    people = len(voting)
    if people == 1 and wanted == 1:
        return Found(Standing.SINGLE, canonical_spans(voting[0][1]), f"One person was asked: {told}.", counted, 1, by)
    open_marks = _in_dispute(votes, voting, max(people, wanted), rule)
    if people >= rule.people and people >= rule.share * max(people, wanted) and not open_marks:
        standing = _standing(votes, max(people, wanted), rule)
        return Found(Standing.AGREED, canonical_spans(standing), f"{told}: {_listed(standing)}.", counted, people, by)
    if people < wanted:
        awaited = f"{people} of {wanted} people wanted {'has' if people == 1 else 'have'} answered"
        why = f"{awaited}: {told}." if told else f"{awaited}."
        return Found(Standing.WAITING, None, why, counted, people, by)
    why = f"{told}: for {_listed(open_marks)} neither marking nor leaving it has {rule.share} of the people."
    return Found(Standing.DISPUTED, None, why, counted, people, by)


def _voting(answers: Iterable[Annotation]) -> list[tuple[Annotation, Marks]]:
    submitted = sorted((a for a in answers if a.state == Answered.SUBMITTED), key=number_of)
    return [(answer, marks) for answer in submitted if (marks := marks_of(answer)) is not None]


def _votes(voting: Iterable[tuple[Annotation, Marks]]) -> dict[Mark, list[Annotation]]:
    votes: dict[Mark, list[Annotation]] = defaultdict(list)
    for answer, marks in voting:
        for mark in sorted(marks):
            votes[mark].append(answer)
    return dict(sorted(votes.items()))


def _standing(votes: Mapping[Mark, Sequence[Annotation]], people: int, rule: Rule) -> list[Mark]:
    return [mark for mark, by in votes.items() if len(by) >= rule.people and len(by) >= rule.share * people]


def _in_dispute(
    votes: Mapping[Mark, Sequence[Annotation]], voting: Sequence[tuple[Annotation, Marks]], people: int, rule: Rule
) -> list[Mark]:
    """Marks that neither stand nor fall; of `people`, some may have to answer yet."""
    standing = _standing(votes, people, rule)
    disputed = []
    for mark in votes:
        if any(mark == one or mark.meets(one) for one in standing):
            continue
        without = sum(not any(mark.meets(one) for one in marks) for _, marks in voting)
        if without < rule.people or without < rule.share * people:
            disputed.append(mark)
    return disputed


def _named(mark: Mark) -> str:
    return f"{mark.start}-{mark.end} {mark.label}"


def _listed(marks: Sequence[Mark]) -> str:
    if not marks:
        return "nothing is marked"
    more = f" and {len(marks) - _TOLD} more" if len(marks) > _TOLD else ""
    return ", ".join(map(_named, marks[:_TOLD])) + more


def _told(votes: Mapping[Mark, Sequence[Annotation]], voting: Sequence[tuple[Annotation, Marks]]) -> str:
    """The votes in words: `of 3 people (annotations …) 3 mark 2-14 person, 1 marks 20-26 figure`."""
    if not voting:
        return ""
    said: list[tuple[int, str]] = [(len(by), _named(mark)) for mark, by in votes.items()]
    said.sort(key=lambda pair: -pair[0])
    parts = [f"{count} {verb(count, 'mark')} {what}" for count, what in said[:_TOLD]]
    parts += [f"{len(said) - _TOLD} more are marked"] if len(said) > _TOLD else []
    if silent := sum(not marks for _, marks in voting):
        parts.append(f"{silent} {verb(silent, 'say')} that nothing is to be marked")
    people = "1 person" if len(voting) == 1 else f"{len(voting)} people"
    return f"of {people} ({cited([answer for answer, _ in voting])}) {', '.join(parts)}"


def _uncounted(answers: Iterable[Annotation]) -> str:
    """Answers that say nothing, in words."""
    latest = list(answers)
    skipped = sum(a.state == Answered.SKIPPED for a in latest)
    unsaid = sum(a.state == Answered.SUBMITTED and marks_of(a) is None for a in latest)
    told = f"; {skipped} skipped it" if skipped else ""
    return told + (f"; {unsaid} sent it without a mark and without the box" if unsaid else "")
