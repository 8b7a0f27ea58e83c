"""Joins tasks with the people they are for: how many, how many answers fit today, and what Label Studio is told of it.

How many people is `overlap.py`, what fits is `workload.py`, which known tasks are opened again is `hidden_gold.py`; telling
Label Studio is `resources/label_studio_people.py`. A task without a row of `assignments` is for one person.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from climate_assets.countries import Country
from climate_assets.failures import Permanent
from climate_assets.labelling.collecting import votes_and_decisions
from climate_assets.labelling.hidden_gold import Known, known_items, opened_again, people_at_work
from climate_assets.labelling.overlap import people_for, people_needed
from climate_assets.labelling.records import Annotation, Assignment, GoldLabel, LabellingTask
from climate_assets.labelling.votes import ASSESSMENT, TASK_KIND, latest_answers, votes_of
from climate_assets.labelling.workload import handed_over_today
from climate_assets.states import State
from resources.label_studio import LabelStudio
from resources.label_studio_people import tell_people
from resources.postgres import Barometre, Change


@dataclass
class Told:
    """What telling Label Studio came to."""

    change: Change = field(default_factory=Change)
    tasks: int = 0
    """Tasks whose number of people is new."""
    troubles: list[str] = field(default_factory=list)
    """Tasks that could not be told, as somebody removed them there."""


def assigned(item_ids: Iterable[str], country: Country) -> list[Assignment]:
    """How each of some new tasks is put to people, by the country's settings of today; it stays so."""
    return [
        Assignment(item, country.code, people_for(item, country.overlap), 0, 1, country.blind, country.second_look, None)
        for item in item_ids
    ]


def due_today(
    country: Country, tasks: Sequence[LabellingTask], barometre: Barometre, today: date
) -> tuple[list[LabellingTask], Change]:
    """Of a day's tasks, and under a workload of all that wait in the country, those to deliver now."""
    if country.workload is None:
        return [task for task in tasks if task.state != State.SKIPPED], Change()
    plans = _plans(country.code, barometre)
    costs = {item: plan.people for item, plan in plans.items()}
    # What a run that was cut has sent and not noted takes people's time too.
    sent = _sent_unnoted(country.code, barometre)
    given = [plan.people for item, plan in plans.items() if plan.handed_over_on == today or item in sent]
    pending = barometre.read(LabellingTask, country=country.code, state=State.PENDING.value, task_kind=TASK_KIND)
    room, patience = country.workload.answers_a_day - sum(given), country.workload.days_waiting
    part = handed_over_today(pending, costs, room, today, patience, fresh=not given)
    change = barometre.upsert([*part.waiting, *part.expired], LabellingTask)
    rest = [task for task in tasks if task.state not in (State.PENDING, State.SKIPPED)]
    return [*rest, *part.handed_over], change


def handed_over(
    country: Country, tasks: Sequence[LabellingTask], barometre: Barometre, label_studio: LabelStudio, today: date
) -> Told:
    """Note of tasks that Label Studio has got now when that was, and tell it for how many people each is.

    Those of other days that a run which was cut delivered and did not note are among them.
    """
    items = sorted({*_sent_unnoted(country.code, barometre), *(task.chunk_id for task in tasks)})
    there = {t.chunk_id: t for t in barometre.read(LabellingTask, chunk_id=items) if t.state == State.OK}
    plans = [plan for plan in barometre.read(Assignment, chunk_id=items) if plan.chunk_id in there]
    dated = [replace(plan, handed_over_on=today) if plan.handed_over_on is None else plan for plan in plans]
    done = Told(barometre.upsert(dated, Assignment))
    _tell(dated, there, barometre, label_studio, done)
    return done


def open_again(country: Country, barometre: Barometre, label_studio: LabelStudio) -> Told:
    """Open tasks again for people who have not answered them: missed cases that wait for a second look, and known tasks.

    Of tasks with a known answer as many are open as the country wants, for people at work.
    """
    with barometre.lock(f"tasks of {country.code} that are opened again"):
        tasks = {
            task.chunk_id: task
            for task in barometre.read(LabellingTask, country=country.code, state=State.OK.value, task_kind=TASK_KIND)
        }
        votes, decisions = votes_and_decisions(country.code, barometre)
        before = _plans(country.code, barometre)
        decided = {decision.item_id for decision in decisions}
        plans = _looked_at_again(before, tasks.values(), [vote for vote in votes if vote.item_id not in decided])
        if country.hidden_gold:
            # An adjudicator knows what was decided, and is not measured by it.
            plans |= _opened(country, plans, tasks, [*votes, *decisions], barometre)
        # Written first: a run that is cut here tells Label Studio when it is made again.
        done = Told(barometre.upsert([plan for item, plan in plans.items() if plan != before.get(item)], Assignment))
        _tell(list(plans.values()), tasks, barometre, label_studio, done)
        return done


def wanted_people(
    country: str, tasks: Iterable[LabellingTask], answers: Iterable[Annotation], barometre: Barometre
) -> dict[str, int]:
    """How many people each item is for, before its label stands; an item whose answer is known waits for nobody more."""
    plans = _looked_at_again(_plans(country, barometre), tasks, answers)
    return {item: plan.people for item, plan in plans.items()}


def _looked_at_again(
    plans: dict[str, Assignment], tasks: Iterable[LabellingTask], answers: Iterable[Annotation]
) -> dict[str, Assignment]:
    """The plans, those of missed cases for as many people as what was said of them asks for."""
    said: dict[str, list[str]] = defaultdict(list)
    for vote in votes_of(answers, ASSESSMENT):
        said[vote.item].append(vote.value)
    sampling = {task.chunk_id: task.sampling for task in tasks}
    now = dict(plans)
    for item, plan in plans.items():
        if plan.second_look and item in said:
            people = people_needed(plan.people, sampling.get(item, ""), said[item])
            # Who was asked because the answer was known may be one of them.
            now[item] = replace(plan, people=people, people_more=max(0, plan.people_more - (people - plan.people)))
    return now


def _opened(
    country: Country,
    plans: dict[str, Assignment],
    tasks: dict[str, LabellingTask],
    given: Sequence[Annotation],
    barometre: Barometre,
) -> dict[str, Assignment]:
    answers = [answer for answer in latest_answers(given) if answer.item_id in tasks]
    who, active = _people_by_item(answers), people_at_work(answers)
    told = {item: plans[item].people + plans[item].people_more if item in plans else 1 for item in tasks}
    awaited = {item: min(told[item] - len(who.get(item, ())), len(active - who.get(item, frozenset()))) for item in tasks}
    gold = barometre.read(GoldLabel, country=country.code, task_kind=TASK_KIND)
    known = [Known(i, who.get(i, frozenset()), awaited[i]) for i in sorted(known_items(gold) & tasks.keys())]
    more = opened_again(known, active, sum(number > 0 for number in awaited.values()), country.hidden_gold)
    rows = {}
    for item, people in more.items():
        plan = plans.get(item) or Assignment(item, country.code, 1, 0, 1, blind=False, second_look=False, handed_over_on=None)
        rows[item] = replace(plan, people_more=len(who.get(item, frozenset())) + people - plan.people)
    return rows


def _people_by_item(answers: Iterable[Annotation]) -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for answer in answers:
        found.setdefault(answer.item_id, set()).add(answer.annotator)
    return {item: frozenset(people) for item, people in found.items()}


def _tell(
    plans: Sequence[Assignment],
    tasks: dict[str, LabellingTask],
    barometre: Barometre,
    label_studio: LabelStudio,
    done: Told,
) -> None:
    for plan in plans:
        task, people = tasks.get(plan.chunk_id), plan.people + plan.people_more
        if task is None or task.task_id is None or people == plan.people_told:
            continue
        try:
            tell_people(label_studio, task.task_id, people)
        except Permanent as trouble:
            done.troubles.append(str(trouble))
            continue
        done.change += barometre.upsert([replace(plan, people_told=people)], Assignment)
        done.tasks += 1


def _sent_unnoted(country: str, barometre: Barometre) -> set[str]:
    """Tasks that Label Studio has, of which it is not noted since when."""
    rows = barometre.rows(
        "SELECT chunk_id FROM assignments JOIN labelling_tasks t USING (chunk_id)"
        " WHERE t.country = %(c)s AND t.state = 'ok' AND handed_over_on IS NULL",
        {"c": country},
    )
    return {row["chunk_id"] for row in rows}


def _plans(country: str, barometre: Barometre) -> dict[str, Assignment]:
    return {plan.chunk_id: plan for plan in barometre.read(Assignment, country=country)}
