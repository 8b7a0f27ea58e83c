"""Joins a day's posts with the model of their language in use: what it finds is kept, and a post that it has read is passed by.

The way from a model's labels and offsets to ours is `spans.py` and `vocabulary.py`; the models are resources. A post in a
language without a model is skipped with its reason, and one language's trouble keeps no other from being read.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Protocol

from climate_assets.failures import Permanent, Transient
from climate_assets.labelling.records import TaskKind
from climate_assets.posts.entities import Found, entities_of
from climate_assets.posts.records import Post, PostEntity, PostReading
from climate_assets.posts.vocabulary import VOCABULARIES
from climate_assets.states import StageState, State
from resources.postgres import Barometre, Change

STAGE: Final = "post_entities"
# A run that is cut loses what one batch took: some seconds of a small model.
BATCH: Final = 500
LANGUAGES: Final = {"fr": "french", "en": "english"}
"""Language of a post -> that of the line of models that read it."""


class Version(Protocol):
    """A trained model, as the registry knows it."""

    @property
    def model_id(self) -> str: ...  # noqa: D102
    @property
    def artefact_key(self) -> str: ...  # noqa: D102


class Champions(Protocol):
    """The registry: which model of a line is in use, and its bytes."""

    def champion(self, task_kind: str, language: str) -> Version | None: ...  # noqa: D102
    def artefact(self, model: Any) -> bytes: ...  # noqa: D102


class Finder(Protocol):
    """What applies a model of entities; without a model's bytes, the language's base model."""

    def base_version(self, language: str) -> str: ...  # noqa: D102
    def find(self, model: bytes | None, language: str, texts: Sequence[str]) -> Sequence[Sequence[Found]]: ...  # noqa: D102


@dataclass
class Reading:
    """What reading a day's posts came to."""

    change: Change = field(default_factory=Change)
    read_now: int = 0
    entities: Counter[str] = field(default_factory=Counter)
    """Entities of the day by label, as the models in use see them."""
    posts: int = 0
    """Posts that the models in use have read, with or without an entity."""
    skipped: int = 0
    models: dict[str, str] = field(default_factory=dict)
    """Model in use by language."""
    troubles: list[Permanent | Transient] = field(default_factory=list)


def read_posts(country: str, day: date, champions: Champions, finder: Finder, barometre: Barometre, now: datetime) -> Reading:
    """Let the models in use read the posts of a day that they have not read as they are now."""
    done = Reading()
    by_lang: dict[str, list[Post]] = defaultdict(list)
    for post in barometre.read(Post, country=country, day=day):
        by_lang[post.lang].append(post)
    for lang, posts in sorted(by_lang.items()):
        if lang not in LANGUAGES:
            done.skipped += len(posts)
            _tell(posts, State.SKIPPED, f"no model of entities for language {lang!r}", barometre)
            continue
        try:
            _read(lang, posts, champions, finder, barometre, now, done)
        except (Permanent, Transient) as trouble:
            done.troubles.append(trouble)
    return done


def _read(
    lang: str,
    posts: Sequence[Post],
    champions: Champions,
    finder: Finder,
    barometre: Barometre,
    now: datetime,
    done: Reading,
) -> None:
    language = LANGUAGES[lang]
    champion = champions.champion(TaskKind.NER.value, language)
    # A base model has no bytes of ours: it is whichever is installed.
    champion = champion if champion and champion.artefact_key else None
    version = champion.model_id if champion else finder.base_version(language)
    done.models[lang] = version
    ids = [post.post_id for post in posts]
    known = {r.post_id: r.text_sha256 for r in barometre.read(PostReading, post_id=ids, model_version=version)}
    unread = [post for post in posts if known.get(post.post_id) != post.content_sha256]
    model = champions.artefact(champion) if champion and unread else None
    left = unread
    try:
        while left:
            batch = left[:BATCH]
            _keep(version, batch, finder.find(model, language, [post.text for post in batch]), barometre, now, done)
            left = left[BATCH:]
    except (Permanent, Transient) as trouble:
        state = State.DEAD if isinstance(trouble, Permanent) else State.FAILED
        _tell(left, state, str(trouble), barometre)
        raise
    _tell(posts, State.OK, "", barometre)
    done.posts += len(posts)
    done.entities.update(e.label for e in barometre.read(PostEntity, post_id=ids, model_version=version))


def _keep(
    version: str,
    posts: Sequence[Post],
    found: Sequence[Sequence[Found]],
    barometre: Barometre,
    now: datetime,
    done: Reading,
) -> None:
    """Entities first, then that they were looked for: a run that is cut in between reads again."""
    if len(found) != len(posts):
        raise Permanent(f"model {version} answered {len(found)} of {len(posts)} texts; its answers belong to no post")
    entities, readings = [], []
    for post, spans in zip(posts, found, strict=True):
        mine = entities_of(post, version, spans, VOCABULARIES[post.lang])
        entities += mine
        readings.append(
            PostReading(post.post_id, version, post.content_sha256, post.country, post.day, post.lang, len(mine), now)
        )
    scope = {"post_id": [post.post_id for post in posts], "model_version": version}
    done.change += barometre.replace(entities, PostEntity, **scope)
    barometre.upsert(readings, PostReading)
    done.read_now += len(posts)


def _tell(posts: Sequence[Post], state: State, reason: str, barometre: Barometre) -> None:
    rows = [StageState(STAGE, p.post_id, p.country, p.day, state.value, reason, 0) for p in posts]
    barometre.upsert(rows, StageState)
