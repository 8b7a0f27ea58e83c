"""The shipped base models read posts of both languages, once each; what they find are the characters at its place."""

from datetime import UTC, date, datetime

import pytest

from climate_assets.failures import Permanent
from climate_assets.posts.finding import LANGUAGES, read_posts
from climate_assets.posts.records import Post, PostEntity, PostReading
from climate_assets.posts.vocabulary import VOCABULARIES
from climate_assets.states import StageState
from resources.entities import Entities
from resources.postgres import Barometre
from tests.posts.cases import post

DAY, NOW = date(2026, 11, 20), datetime(2026, 11, 21, 6, tzinfo=UTC)
FRENCH = "🌊 La préfète de Bretagne a reçu Maud Kerviel à Brest."
ENGLISH = "👩🏽‍🔬 Angela Dawson met the mayor of London in Paris."


class Nobody:
    """A registry without models."""

    def champion(self, task_kind: str, language: str) -> None:
        return None

    def artefact(self, model: object) -> bytes:
        raise AssertionError("there is no model")


def test_every_language_with_a_vocabulary_has_a_line() -> None:
    assert LANGUAGES.keys() == VOCABULARIES.keys()


def test_base_models_read_what_is_new(barometre: Barometre) -> None:
    made = [post(FRENCH), post(ENGLISH, post_id="ecume/p2", lang="en"), post("Hallo", post_id="ecume/p3", lang="de")]
    barometre.upsert(made, Post)
    finder = Entities()
    try:
        finder.base_version("english")
    except Permanent as missing:
        pytest.skip(str(missing))
    done = read_posts("borealie", DAY, Nobody(), finder, barometre, NOW)
    assert (done.read_now, done.posts, done.skipped, done.troubles) == (2, 2, 1, [])
    assert done.models == {"fr": finder.base_version("french"), "en": finder.base_version("english")}
    found = barometre.read(PostEntity)
    by_id = {one.post_id: one for one in made}
    assert all(by_id[e.post_id].text[e.start : e.end] == e.text for e in found)
    assert {("ecume/p1", "Maud Kerviel", "person"), ("ecume/p2", "London", "place")} <= {
        (e.post_id, e.text, e.label) for e in found
    }
    assert all(e.score is not None and 0 <= e.score <= 1 for e in found)
    assert sum(done.entities.values()) == len(found) == sum(r.entities for r in barometre.read(PostReading))
    again = read_posts("borealie", DAY, Nobody(), finder, barometre, datetime(2026, 11, 22, tzinfo=UTC))
    assert (again.read_now, again.change.changed, again.posts) == (0, 0, 2)
    assert {r.read_at for r in barometre.read(PostReading)} == {NOW}
    assert {(s.item_id, s.state) for s in barometre.read(StageState)} == {
        ("ecume/p1", "ok"),
        ("ecume/p2", "ok"),
        ("ecume/p3", "skipped"),
    }
