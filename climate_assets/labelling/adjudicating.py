"""Joins disputed labels with a Label Studio project for adjudicators: one task for each disputed item, with all answers.

Which items, and what a task says, is `adjudication.py`; who decides answers it as any task, and `collecting.py` reads that. A
task whose answers change before anybody decided shows them as they are now; once somebody decided it stays as it was.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from climate_assets.countries import Country
from climate_assets.failures import Permanent, Transient
from climate_assets.labelling.adjudication import (
    Disputed,
    adjudication_config,
    adjudication_queue,
    adjudication_task,
    adjudication_title,
)
from climate_assets.labelling.blind import blind_screen
from climate_assets.labelling.collecting import votes_and_decisions
from climate_assets.labelling.forgetting import rewritten, shown_again
from climate_assets.labelling.heard import with_player
from climate_assets.labelling.labelling_config import guideline, labelling_config
from climate_assets.labelling.projects import made_once
from climate_assets.labelling.records import Adjudication, Annotation, GoldLabel, LabellingTask
from climate_assets.labelling.tasks import canonical_bytes, object_key
from climate_assets.speech.records import Clip
from climate_assets.states import State
from resources.label_studio import LabelStudio
from resources.postgres import Barometre, Change
from resources.s3 import Lake


@dataclass
class Adjudicating:
    """What asking adjudicators of a country came to."""

    change: Change = field(default_factory=Change)
    objects: int = 0
    states: Counter[str] = field(default_factory=Counter)
    decided: int = 0
    """Items that an adjudicator has answered."""
    troubles: list[str] = field(default_factory=list)
    """What kept items from being asked about; the next run tries again."""


def adjudicate(country: Country, barometre: Barometre, lake: Lake, label_studio: LabelStudio) -> Adjudicating:
    """Ask about every item of the country that is in dispute and was not asked about; write first, then deliver."""
    done = Adjudicating()
    with barometre.lock(f"adjudications of {country.code}"):
        known = {row.item_id: row for row in barometre.read(Adjudication, country=country.code)}
        votes, decisions = votes_and_decisions(country.code, barometre)
        decided = {answer.item_id for answer in decisions}
        disputed = adjudication_queue(barometre.read(GoldLabel, country=country.code))
        fresh = [one for one in disputed if one.item_id not in decided and _is_news(one, known.get(one.item_id))]
        rows, changed = _written(country, fresh, votes, known, barometre, lake, done)
        # A row that is delivered gets its new hash when Label Studio shows it, so that a cut run finds the difference.
        done.change += barometre.upsert([row for row in rows if row.task_id is None], Adjudication)
        nameless = rewritten(barometre.read(Adjudication, country=country.code), barometre, lake)
        done.objects += nameless.objects
        try:
            _show(changed, barometre, lake, label_studio, done)
            _deliver(country, barometre, lake, label_studio, done)
            now = barometre.read(Adjudication, country=country.code)
            done.change += shown_again(nameless, now, "push", barometre, label_studio)
        except Transient as error:
            done.troubles.append(str(error))
            waiting = [
                replace(row, reason=str(error))
                for row in barometre.read(Adjudication, country=country.code, state=State.PENDING.value)
            ]
            done.change += barometre.upsert(waiting, Adjudication)
        done.states.update(row.state for row in barometre.read(Adjudication, country=country.code))
        done.decided = len(decided)
    return done


def _is_news(disputed: Disputed, known: Adjudication | None) -> bool:
    return known is None or (known.answers_key != disputed.key and known.state != State.DEAD)


def _written(
    country: Country,
    disputed: Sequence[Disputed],
    votes: Sequence[Annotation],
    known: dict[str, Adjudication],
    barometre: Barometre,
    lake: Lake,
    done: Adjudicating,
) -> tuple[list[Adjudication], list[Adjudication]]:
    """Rows of the tasks that are written now, and those of them that Label Studio has with older answers."""
    by_item: dict[str, list[Annotation]] = defaultdict(list)
    for answer in votes:
        by_item[answer.item_id].append(answer)
    asked = {t.chunk_id: t for t in barometre.read(LabellingTask, chunk_id=[one.item_id for one in disputed])}
    rows = []
    for one in disputed:
        task = asked[one.item_id]
        try:
            data = json.loads(lake.get(task.bucket, task.object_key))["data"]
            content = canonical_bytes(adjudication_task(data, by_item[one.item_id], one))
        except (Permanent, KeyError, TypeError, ValueError) as error:
            # What became of one task keeps nobody from deciding about the others. Nothing makes it again: it is written once.
            lost = f"s3://{task.bucket}/{task.object_key}"
            done.troubles.append(f"{one.item_id} is disputed and cannot be asked about: {error!r}; restore {lost} from a copy")
            continue
        # Not under `country=`, which a storage of the country's own project may read.
        key = f"adjudications/{object_key(country.code, task.day, task.channel, one.item_id)}"
        done.objects += lake.put(country.bucket, key, content)
        row = known.get(one.item_id)
        where = (row.project_id, row.task_id) if row else (None, None)
        state = (row.state, row.reason) if row else (State.PENDING.value, "not delivered yet")
        sha256 = hashlib.sha256(content).hexdigest()
        rows.append(
            Adjudication(
                one.item_id, country.code, list(one.fields), one.people, one.key, country.bucket, key, sha256, *where, *state
            )
        )
    return rows, [row for row in rows if row.task_id is not None]


def _show(
    changed: Sequence[Adjudication], barometre: Barometre, lake: Lake, label_studio: LabelStudio, done: Adjudicating
) -> None:
    for row in changed:
        if row.task_id is not None and row.project_id is not None:
            task = with_player(json.loads(lake.get(row.bucket, row.object_key)), row.project_id)
            label_studio.update_data(row.task_id, task["data"])
            done.change += barometre.upsert([row], Adjudication)


def _deliver(country: Country, barometre: Barometre, lake: Lake, label_studio: LabelStudio, done: Adjudicating) -> None:
    rows = barometre.read(Adjudication, country=country.code, state=State.PENDING.value)
    if not rows:
        return
    title = adjudication_title(country.project)
    with barometre.lock(f"label_studio/{title}"):
        screen = adjudication_config(blind_screen(labelling_config()) if country.blind else None)
        about = f"Disputed claims, {country.code}"
        number = made_once(title, screen, about, guideline(), barometre, label_studio).project_id
        clips = barometre.read(Clip, clip_id=[row.item_id for row in rows])
        for bucket, folder in sorted({(c.bucket, c.object_key.split("/")[0]) for c in clips}):
            label_studio.ensure_sound(number, bucket, f"{folder}/", lake.endpoint_url, lake.access_key, lake.secret_key)
        bodies = [with_player(json.loads(lake.get(row.bucket, row.object_key)), number) for row in rows]
        pushed = label_studio.push(number, bodies)
    arrived = {**pushed.already_there, **pushed.arrived}
    done.change += barometre.upsert([_delivered(row, number, arrived, pushed.refused) for row in rows], Adjudication)


def _delivered(row: Adjudication, number: int, arrived: dict[str, int], refused: dict[str, str]) -> Adjudication:
    if row.item_id in arrived:
        return replace(row, project_id=number, task_id=arrived[row.item_id], state=State.OK.value, reason="")
    if row.item_id in refused:
        return replace(row, state=State.DEAD.value, reason=refused[row.item_id])
    return replace(row, reason="Label Studio did not say whether it has the task; the next run asks")
