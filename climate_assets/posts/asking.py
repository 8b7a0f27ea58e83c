"""Joins a day's posts with people: which are asked about, what was written for them, and what their project has of it.

All posts are asked about, in an order that is chance: whatever part people have answered is a random sample, and says how good
the model is. A text is asked about once: posts of the very same text share its task, and of posts of nearly the same words
the first is asked. What a task says is `post_tasks.py`; delivering it, as tasks of any kind, is `labelling/delivering.py`.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from climate_assets.claims.sampling import uniform
from climate_assets.countries import Country
from climate_assets.failures import Transient
from climate_assets.labelling.assigning import assigned, handed_over
from climate_assets.labelling.delivering import Recipient, deliver, kept_waiting
from climate_assets.labelling.labelling_config import guideline_version
from climate_assets.labelling.projects import made_once
from climate_assets.labelling.records import Assignment, LabellingTask
from climate_assets.labelling.tasks import canonical_bytes
from climate_assets.posts.finding import STAGE
from climate_assets.posts.post_screen import GUIDELINE, post_labelling_config
from climate_assets.posts.post_tasks import TASK_KIND, Prediction, post_key, post_task, prefix_of
from climate_assets.posts.records import Post, PostEntity, PostReading
from climate_assets.posts.repeats import groups_of
from climate_assets.states import StageState, State
from resources.label_studio import LabelStudio
from resources.postgres import Barometre, Change
from resources.s3 import Lake

ALL: Final = "all"
"""Sampling of a post: no choice is made."""
# Who repeats a text does so within days; a month of posts is not compared for the rest.
NEAR_DAYS: Final = 7


@dataclass
class Asked:
    """What asking about a day's posts came to."""

    change: Change = field(default_factory=Change)
    objects: int = 0
    states: Counter[str] = field(default_factory=Counter)
    waiting_for_entities: int = 0
    trouble: str = ""


def ask(country: Country, day: date, barometre: Barometre, lake: Lake, label_studio: LabelStudio) -> Asked:
    """Write the tasks that a day's posts still lack, then deliver all that are pending; nothing without a project for posts."""
    done = Asked()
    if country.posts is None:
        return done
    # One text is asked about once, also where two days are made at the same moment.
    with barometre.lock(f"tasks about posts of {country.code}"):
        _write(country, day, barometre, lake, done)
    tasks = [t for t in _tasks(barometre, country, day) if t.state != State.SKIPPED]
    try:
        done.change += deliver(tasks, _recipient(country, barometre, label_studio), barometre, lake, label_studio)
        told = handed_over(country, tasks, barometre, label_studio, datetime.now(country.tz).date())
        done.change += told.change
        done.trouble = "; ".join(told.troubles)
    except Transient as error:
        done.trouble = str(error)
        done.change += kept_waiting(tasks, error, barometre)
    done.states.update(t.state for t in _tasks(barometre, country, day))
    return done


def _write(country: Country, day: date, barometre: Barometre, lake: Lake, done: Asked) -> None:
    posts = barometre.read(Post, country=country.code, day=day, order_by=("published_at", "post_id"))
    known = {t.chunk_id for t in _tasks(barometre, country, day)}
    new = [post for post in posts if post.post_id not in known]
    predictions = _predictions(new, barometre)
    skipped = {s.item_id for s in barometre.read(StageState, stage=STAGE, item_id=[p.post_id for p in new], state="skipped")}
    # A language without a model is asked about blind; what a model has still to read waits for it.
    ready = [post for post in new if post.post_id in predictions or post.post_id in skipped]
    done.waiting_for_entities = len(new) - len(ready)
    if not ready:
        return
    version = guideline_version(post_labelling_config(), GUIDELINE)
    keys = [post_key(post) for post in ready]
    alike = barometre.read(LabellingTask, country=country.code, task_kind=TASK_KIND, object_key=keys)
    asked = {t.object_key: t for t in alike if t.state != State.SKIPPED}
    nearly = _repeated(ready, country, day, barometre)
    rows = []
    for post in ready:
        key, prediction = post_key(post), None if country.blind else predictions.get(post.post_id)
        priority = uniform(TASK_KIND, post.post_id)
        state, reason, digest = State.PENDING, "not delivered yet", ""
        if twin := asked.get(key):
            state, reason, digest = State.SKIPPED, f"the very same text as {twin.chunk_id}, which has the task", twin.sha256
        elif post.post_id in nearly:
            state, reason = State.SKIPPED, f"nearly the same words as {nearly[post.post_id]}, which is asked about"
        else:
            content = canonical_bytes(post_task(post, prediction, version, priority))
            done.objects += lake.put(country.bucket, key, content)
            digest = hashlib.sha256(content).hexdigest()
        row = LabellingTask(
            chunk_id=post.post_id,
            country=country.code,
            day=post.day,
            channel=post.source,
            bucket=country.bucket,
            object_key=key,
            sha256=digest,
            sampling=ALL,
            probability=1.0,
            priority=priority,
            model=prediction.model_version if prediction else "",
            prompt="",
            guideline=version,
            project_id=None,
            task_id=None,
            state=state.value,
            reason=reason,
            task_kind=TASK_KIND,
        )
        if state != State.SKIPPED:
            asked[key] = row
        rows.append(row)
    plans = assigned([row.chunk_id for row in rows if row.state != State.SKIPPED], country)
    done.change += barometre.upsert(plans, Assignment) + barometre.upsert(rows, LabellingTask)


def _predictions(posts: Sequence[Post], barometre: Barometre) -> dict[str, Prediction]:
    """What the model that read each post last says of its text, as it is now."""
    ids = [post.post_id for post in posts]
    texts = {post.post_id: post.content_sha256 for post in posts}
    latest: dict[str, PostReading] = {}
    for reading in sorted(barometre.read(PostReading, post_id=ids), key=lambda r: (r.read_at, r.model_version)):
        if reading.text_sha256 == texts[reading.post_id]:
            latest[reading.post_id] = reading
    entities: dict[tuple[str, str], list[PostEntity]] = defaultdict(list)
    for entity in barometre.read(PostEntity, post_id=list(latest)):
        entities[entity.post_id, entity.model_version].append(entity)
    return {
        post_id: Prediction(r.model_version, _confidence(found := entities[post_id, r.model_version]), found)
        for post_id, r in latest.items()
    }


def _confidence(entities: Sequence[PostEntity]) -> float | None:
    """That of the span of which the model is least sure; none if it does not say of each, or finds none."""
    scores = [entity.score for entity in entities if entity.score is not None]
    return min(scores) if scores and len(scores) == len(entities) else None


def _repeated(posts: Sequence[Post], country: Country, day: date, barometre: Barometre) -> dict[str, str]:
    """Posts of nearly the same words as another one of these days that has a task or comes first, and that one."""
    have_task = barometre.rows(
        "SELECT p.post_id, p.text FROM posts p JOIN labelling_tasks t ON t.chunk_id = p.post_id"
        " WHERE t.task_kind = %(kind)s AND t.state <> 'skipped' AND t.country = %(country)s"
        " AND t.day BETWEEN %(since)s AND %(until)s ORDER BY p.published_at, p.post_id",
        {
            "kind": TASK_KIND,
            "country": country.code,
            "since": day - timedelta(days=NEAR_DAYS),
            "until": day + timedelta(days=NEAR_DAYS),
        },
    )
    known = [(row["post_id"], row["text"]) for row in have_task]
    # Those with a task stand first, so a group that has one is named by it.
    groups = groups_of([*known, *((post.post_id, post.text) for post in posts)])
    return {post.post_id: groups[post.post_id] for post in posts if groups[post.post_id] != post.post_id}


def _recipient(country: Country, barometre: Barometre, label_studio: LabelStudio) -> Recipient:
    assert country.posts is not None  # noqa: S101 - asked first of all
    title, screen = country.posts.project, post_labelling_config()
    about = f"Names and figures in posts, {country.code}"
    return Recipient(
        title=title,
        delivery=country.delivery,
        bucket=country.bucket,
        prefix=prefix_of(country.code),
        number=lambda: made_once(title, screen, about, GUIDELINE, barometre, label_studio).project_id,
    )


def _tasks(barometre: Barometre, country: Country, day: date) -> list[LabellingTask]:
    return barometre.read(LabellingTask, country=country.code, day=day, task_kind=TASK_KIND)
