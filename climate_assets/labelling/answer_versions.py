"""Which versions of answers are new, which one of each stands, and which answers are gone.

Decisions from values: reading one answer is `answers.py`, asking for them is a resource. Times of versions are the server's
own, so that clocks which differ decide nothing.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from climate_assets.labelling.records import Annotation, Answered

Version = tuple[int, int, datetime]
"""Project, annotation and time of saving: what one version is known by."""
_TICK: Final = timedelta(microseconds=1)


def version_of(annotation: Annotation) -> Version:
    """What this version is known by."""
    return annotation.project_id, annotation.annotation_id, annotation.updated_at


def new_versions(seen: Iterable[Annotation], known: Collection[Version] | Mapping[Version, str]) -> list[Annotation]:
    """Rows to add, oldest first: each version seen that is not known, once.

    A version older than what is known is added too, as history: the newest stands, in whatever order versions come.
    Where `known` says the `result` of each version, one more thing is noticed: a lead who renames a label changes answers
    under their old time of saving. What the API shows then becomes a version of its own, one microsecond later.
    """
    have: Mapping[Version, str | None] = known if isinstance(known, Mapping) else dict.fromkeys(known)
    added: dict[Version, Annotation] = {}
    for annotation in seen:
        version = version_of(annotation)
        if version not in have and version not in added:
            added[version] = annotation
        elif annotation.source == "api" and isinstance(known, Mapping):
            last = version
            while (later := (*last[:2], last[2] + _TICK)) in have or later in added:
                last = later
            standing_result = added[last].result if last in added else have[last]
            if standing_result != annotation.result:
                added[later] = replace(annotation, updated_at=later[2])
    return [added[version] for version in sorted(added, key=lambda key: (key[2], key))]


def standing(versions: Iterable[Annotation]) -> dict[tuple[int, int], Annotation]:
    """The newest version of each annotation by project and annotation; deleted ones are among them, in that state."""
    newest: dict[tuple[int, int], Annotation] = {}
    for annotation in versions:
        key = annotation.project_id, annotation.annotation_id
        if key not in newest or newest[key].updated_at < annotation.updated_at:
            newest[key] = annotation
    return newest


def returned(seen: Iterable[Annotation], known: Mapping[tuple[int, int], Annotation]) -> list[Annotation]:
    """Rows for answers that are seen and whose standing version says that they are gone: the server was set back, or told
    us half. Each is the answer as it is seen, just behind its tombstone."""
    found: dict[tuple[int, int], Annotation] = {}
    for annotation in seen:
        key = annotation.project_id, annotation.annotation_id
        stands = known.get(key)
        if stands is not None and stands.state == Answered.DELETED.value and annotation.source == "api":
            found[key] = replace(annotation, updated_at=max(annotation.updated_at, stands.updated_at + _TICK))
    return [found[key] for key in sorted(found)]


def deletions(
    known_standing: Iterable[Annotation],
    present_ids: Collection[int],
    tasks_read: Mapping[int, datetime],
    at: datetime,
) -> list[Annotation]:
    """Rows in state `deleted` for the standing answers of one project's tasks that the tasks, as read, have no more.

    `present_ids` are all annotations of the tasks read, those set aside too. `tasks_read` says of each task up to when the
    reading knows it: the task's own `updated_at`, which every save of an answer moves on. An answer that is newer came after
    the reading, and nothing is said of it. A tombstone is newer than all it buries, and `at` if that is later.
    """
    present = frozenset(present_ids)
    gone = [
        annotation
        for annotation in known_standing
        if annotation.state != Answered.DELETED.value
        and annotation.annotation_id not in present
        and annotation.task_id in tasks_read
        and annotation.updated_at <= tasks_read[annotation.task_id]
    ]
    return [_tombstone(one, max(at, tasks_read[one.task_id], one.updated_at + _TICK)) for one in sorted(gone, key=version_of)]


def with_gone_tasks(
    tasks_read: Mapping[int, datetime], known_standing: Iterable[Annotation], complete_until: datetime
) -> dict[int, datetime]:
    """`tasks_read` of a reading of all tasks, and the tasks of standing answers that it did not meet: they are deleted.

    `complete_until`: newest change of the project before the reading began; a task made and answered since may be missing.
    """
    known = {annotation.task_id: complete_until for annotation in known_standing}
    return {**known, **tasks_read}


def _tombstone(of: Annotation, at: datetime) -> Annotation:
    empty = json.dumps([])
    return replace(
        of,
        updated_at=at,
        state=Answered.DELETED.value,
        assessment=None,
        categories=[],
        spans=empty,
        texts="{}",
        lead_seconds=None,
        result=empty,
        source="api",
    )
