"""Collecting the answers of one country: what Label Studio has and the table has not is added, and nothing is ever changed.

A changed answer is a new version, one that is gone ends with a version that says so, one that cannot be read is set aside.
Reading one answer is `answers.py`, which versions are new `answer_versions.py`, asking Label Studio is a resource.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from climate_assets.failures import Permanent, Transient
from climate_assets.labelling.answer_screens import SCREENS, Screen
from climate_assets.labelling.answer_versions import deletions, new_versions, returned, standing, version_of, with_gone_tasks
from climate_assets.labelling.answers import TOO_LARGE, Reading, SetAside, answers_of_task
from climate_assets.labelling.reading import whole_read_is_due
from climate_assets.labelling.records import Adjudication, Annotation, Answered, ReadMark, RefusedAnnotation
from resources.label_studio import LabelStudio
from resources.label_studio_annotations import PAGE, Summary, all_tasks, summary, tasks_changed
from resources.postgres import Barometre, Change
from resources.s3 import LAKE, Lake

STANDING: Final = "SELECT DISTINCT ON (project_id, annotation_id) * FROM annotations WHERE {} ORDER BY 1, 2, updated_at DESC"
"""The newest version of each annotation of some; deleted ones are among them."""
ASKED: Final = """(SELECT country, project_id, task_id, chunk_id, task_kind FROM labelling_tasks WHERE project_id IS NOT NULL
    UNION ALL SELECT country, project_id, task_id, item_id, 'misinfo' FROM adjudications WHERE project_id IS NOT NULL)"""
"""Every task of ours in Label Studio: of people who answer, and of adjudicators."""
FOREIGN: Final = f"""EXISTS (SELECT FROM {ASKED} t WHERE t.project_id = a.project_id) AND NOT EXISTS (
    SELECT FROM {ASKED} t WHERE (t.project_id, t.task_id, t.chunk_id) = (a.project_id, a.task_id, a.item_id))"""  # noqa: S608
"""Of an annotation `a`: a project of ours has its task from elsewhere, or somebody edited what the task is about."""
_PROJECTS: Final = f"""SELECT project_id, array_agg(DISTINCT task_kind) AS kinds FROM {ASKED} t WHERE country = %(c)s
    GROUP BY 1 ORDER BY 1"""  # noqa: S608
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
# The parts are constants of this module; values are parameters.
_ANSWERS: Final = f"SELECT count(*) AS answers FROM ({STANDING.format('country = %(c)s')}) a WHERE state <> 'deleted'"  # noqa: S608
_SUBMITTED: Final = f"""SELECT count(*) AS known, count(*) FILTER (WHERE created_at <= %(until)s) AS known_then
    FROM ({STANDING.format("project_id = %(p)s")}) a WHERE state = 'submitted'"""  # noqa: S608
_LEFT_OUT: Final = f"""SELECT project_id, annotation_id FROM ({STANDING.format("country = %(c)s")}) a WHERE ({FOREIGN})
    OR EXISTS (SELECT FROM refused_annotations r WHERE r.present AND r.updated_at > a.updated_at
        AND (r.project_id, r.annotation_id) = (a.project_id, a.annotation_id))"""  # noqa: S608


@dataclass
class Collected:
    """What collecting the answers of a country came to."""

    change: Change = field(default_factory=Change)
    tasks: int = 0
    added: Counter[str] = field(default_factory=Counter)
    """New versions by state."""
    refused: int = 0
    whole: int = 0
    """Projects that were read as a whole, and not the changed tasks only."""
    answers: int = 0
    """Answers of the country that are there now."""
    troubles: list[Permanent | Transient] = field(default_factory=list)
    """What kept projects from being read; the others are."""


def collect(country: str, barometre: Barometre, lake: Lake, label_studio: LabelStudio, now: datetime) -> Collected:
    """Read what changed in the country's projects since they were read; all of it when that is due or something is missing."""
    done = Collected()
    projects = barometre.rows(
        _PROJECTS,
        {"c": country},
    )
    for row in projects:
        number = row["project_id"]
        try:
            reading = Reading(number, country, "api", _screen(number, row["kinds"]))
            with barometre.lock(f"annotations of project {number}"):
                _Project(reading, barometre, lake, label_studio, done).read(now)
        except (Permanent, Transient) as trouble:
            # A project that is gone does not keep its successor from being read.
            done.troubles.append(trouble)
    done.answers = int(barometre.rows(_ANSWERS, {"c": country})[0]["answers"])
    return done


def _screen(project_id: int, kinds: Sequence[str]) -> Screen:
    """The screen of a project's tasks."""
    if len(kinds) > 1 or kinds[0] not in SCREENS:
        told = " and ".join(kinds)
        raise Permanent(f"project {project_id} has tasks of kind {told}; a project has one screen: give each kind its own")
    return SCREENS[kinds[0]]


@dataclass(frozen=True)
class _Project:
    """One project that is being read."""

    reading: Reading
    barometre: Barometre
    lake: Lake
    label_studio: LabelStudio
    done: Collected

    def read(self, now: datetime) -> None:
        """Read the project; its mark moves last, so that a read that is cut off is made again."""
        number = self.reading.project_id
        mark = next(iter(self.barometre.read(ReadMark, project_id=number)), None)
        # Asked before the first task: what happens from here on is found by the next read.
        before = summary(self.label_studio, number)
        whole = whole_read_is_due(mark, now)
        if mark is not None and not whole:
            for page in _pages(tasks_changed(self.label_studio, number, mark.read_until)):
                self._take(page, now)
            # Copies that a lead makes of an answer, and deleted tasks, move no task's time of change.
            whole = self._lacks(before, mark)
        if whole:
            self._read_all(now)
        read_until = before.newest or _NEVER
        fully = now if whole or mark is None else mark.fully_read_at
        self.done.change += self.barometre.upsert(
            [ReadMark(number, self.reading.country, str(before), read_until, fully)], ReadMark
        )
        self.done.whole += whole

    def _lacks(self, before: Summary, mark: ReadMark) -> bool:
        """Whether the table holds another number of answers than Label Studio had; not told where some cannot be read."""
        if self.barometre.read(RefusedAnnotation, project_id=self.reading.project_id, present=True):
            return False
        # The newest task may be the one that is gone: then what was read before reaches further than what is there now.
        asked = {"p": self.reading.project_id, "until": max(before.newest or _NEVER, mark.read_until)}
        # Answers that are imported with their tasks are a little newer than any task; what was given meanwhile is newer too.
        return before.annotations not in self.barometre.rows(_SUBMITTED, asked)[0].values()

    def _read_all(self, now: datetime) -> None:
        met: list[int] = []
        for page in _pages(all_tasks(self.label_studio, self.reading.project_id)):
            self._take(page, now)
            met += [int(task["id"]) for task in page]
        unmet = self._versions(STANDING.format("project_id = %(p)s AND NOT task_id = ANY(%(met)s)"), {"met": met})
        # All of them were there before this reading began, which meets what is added meanwhile too: they are gone.
        latest = max([now, *(one.updated_at for one in unmet)])
        self._add(deletions(unmet, (), with_gone_tasks({}, unmet, latest), now))
        refused = self.barometre.read(RefusedAnnotation, project_id=self.reading.project_id, present=True)
        gone = [replace(row, present=False) for row in refused if row.task_id not in set(met)]
        self.done.change += self.barometre.upsert(gone, RefusedAnnotation)

    def _take(self, tasks: Sequence[dict[str, Any]], now: datetime) -> None:
        """Add what is new in some tasks; each state of a task is taken once."""
        ids = [int(task["id"]) for task in tasks]
        seen: list[Annotation] = []
        aside: list[SetAside] = []
        for task in tasks:
            for answer in answers_of_task(task, self.reading):
                (aside if isinstance(answer, SetAside) else seen).append(answer)  # type: ignore[arg-type]
        known = self._versions("SELECT * FROM annotations WHERE project_id = %(p)s AND task_id = ANY(%(ids)s)", {"ids": ids})
        new = new_versions(seen, {version_of(one): one.result for one in known})
        new += returned(seen, standing([*known, *new]))
        # Of a task that is too large to be read nothing is known, so nothing is gone.
        read_until = {
            int(t["id"]): datetime.fromisoformat(t["updated_at"]).astimezone(UTC) for t in tasks if TOO_LARGE not in t
        }
        present = {one.annotation_id for one in seen} | {one.row.annotation_id for one in aside}
        gone = deletions(standing([*known, *new]).values(), present, read_until, now)
        self._add([*new, *gone])
        self._set_aside(ids, aside)
        self.done.tasks += len(tasks)

    def _set_aside(self, task_ids: Sequence[int], aside: Sequence[SetAside]) -> None:
        before = self.barometre.read(RefusedAnnotation, project_id=self.reading.project_id, task_id=list(task_ids))
        rows = {(r.annotation_id, r.updated_at, r.sha256): replace(r, present=False) for r in before}
        for one in aside:
            key = f"annotations/refused/country={self.reading.country}/sha256={one.row.sha256}.json"
            self.lake.put(LAKE, key, one.content)
            rows[one.row.annotation_id, one.row.updated_at, one.row.sha256] = one.row
        change = self.barometre.upsert(list(rows.values()), RefusedAnnotation)
        self.done.refused += change.inserted
        self.done.change += change

    def _add(self, rows: Sequence[Annotation]) -> None:
        self.done.change += self.barometre.upsert(rows, Annotation)
        self.done.added.update(row.state for row in rows)

    def _versions(self, query: str, parameters: dict[str, Any]) -> list[Annotation]:
        rows = self.barometre.rows(query, {"p": self.reading.project_id, **parameters})
        return [Annotation(**row) for row in rows]


def standing_answers(country: str, barometre: Barometre) -> list[Annotation]:
    """The newest version of each answer of a country that is not deleted."""
    rows = barometre.rows(STANDING.format("country = %(c)s"), {"c": country})
    return [Annotation(**row) for row in rows if row["state"] != Answered.DELETED.value]


def voting_answers(country: str, barometre: Barometre) -> list[Annotation]:
    """Those of them that may count: not to a task that a project of ours has from elsewhere, nor since changed unreadably."""
    left_out = {(row["project_id"], row["annotation_id"]) for row in barometre.rows(_LEFT_OUT, {"c": country})}
    return [one for one in standing_answers(country, barometre) if (one.project_id, one.annotation_id) not in left_out]


def votes_and_decisions(country: str, barometre: Barometre) -> tuple[list[Annotation], list[Annotation]]:
    """Answers of a country that may count, and apart from them those of adjudicators, by the project they were given in."""
    projects = {row.project_id for row in barometre.read(Adjudication, country=country)} - {None}
    answers = voting_answers(country, barometre)
    return (
        [answer for answer in answers if answer.project_id not in projects],
        [answer for answer in answers if answer.project_id in projects],
    )


def _pages(tasks: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Pages of tasks; while one is worked on Label Studio makes the next, which is most of the time that reading takes."""
    remaining = iter(tasks)
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(_page, remaining)
        while page := coming.result():
            coming = reader.submit(_page, remaining)
            yield page


def _page(tasks: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(islice(tasks, PAGE))
