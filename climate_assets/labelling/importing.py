"""Joins an export file of Label Studio with the table of answers: what the table lacks is added, nothing is changed or ended.

A file says what there was, not what there is: an answer that it lacks is not deleted. What a file holds is `exports.py`.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from climate_assets.failures import Permanent
from climate_assets.labelling.answer_screens import SCREENS, Dialect, legacy_screen
from climate_assets.labelling.answer_versions import new_versions, version_of
from climate_assets.labelling.answers import Reading, SetAside
from climate_assets.labelling.exports import answers_in, exported_objects
from climate_assets.labelling.records import Annotation, RefusedAnnotation, TaskKind
from resources.postgres import Barometre, Change
from resources.s3 import LAKE, Lake

_BATCH: Final = 500
Progress = Callable[[int, int], None]
"""Told of objects that are done, and of how many there are."""


@dataclass
class Imported:
    """What importing a file came to."""

    change: Change = field(default_factory=Change)
    sha256: str = ""
    objects: int = 0
    answers: int = 0
    """Answers that could be read, those that the table had among them."""
    added: Counter[str] = field(default_factory=Counter)
    """New versions by state."""
    refused: Counter[str] = field(default_factory=Counter)
    """Answers that were set aside, by what is wrong."""


def import_answers(
    content: bytes,
    country: str,
    project_id: int,
    barometre: Barometre,
    lake: Lake,
    dialect: Dialect | None = None,
    task_kind: str = TaskKind.MISINFO.value,
    progress: Progress | None = None,
) -> Imported:
    """Add the answers of an export to those of a project, with the source `file`; again adds nothing.

    `dialect`: the file is of a legacy project with that screen. Raises `Permanent` for a file that is no export, and for a
    legacy one under the number of a project of the platform, whose answers would be mixed.
    """
    if dialect is not None and barometre.rows(
        "SELECT FROM labelling_tasks WHERE project_id = %(p)s LIMIT 1", {"p": project_id}
    ):
        raise Permanent(f"project {project_id} is one of the platform's own; give the legacy project another number")
    reading = Reading(project_id, country, "file", legacy_screen(dialect) if dialect else SCREENS[task_kind])
    objects = exported_objects(content)
    done = Imported(sha256=hashlib.sha256(content).hexdigest(), objects=len(objects))
    with barometre.lock(f"annotations of project {project_id}"):
        for start in range(0, len(objects), _BATCH):
            _take(objects[start : start + _BATCH], reading, barometre, lake, done)
            if progress is not None:
                progress(min(len(objects), start + _BATCH), len(objects))
    return done


def _take(objects: list[Any], reading: Reading, barometre: Barometre, lake: Lake, done: Imported) -> None:
    seen: list[Annotation] = []
    aside: list[SetAside] = []
    for exported in objects:
        for answer in answers_in(exported, reading):
            (aside if isinstance(answer, SetAside) else seen).append(answer)  # type: ignore[arg-type]
    ids = sorted({answer.annotation_id for answer in seen})
    known = barometre.read(Annotation, project_id=reading.project_id, annotation_id=ids)
    new = new_versions(seen, {version_of(one): one.result for one in known})
    done.change += barometre.upsert(new, Annotation)
    done.answers += len(seen)
    done.added.update(row.state for row in new)
    rows = {}
    for one in aside:
        lake.put(LAKE, f"annotations/refused/country={reading.country}/sha256={one.row.sha256}.json", one.content)
        rows[one.row.annotation_id, one.row.updated_at, one.row.sha256] = one.row
    done.refused.update(one.row.reason for one in aside)
    done.change += barometre.upsert(list(rows.values()), RefusedAnnotation)
