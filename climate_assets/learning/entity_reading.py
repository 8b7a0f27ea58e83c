"""Posts of a line's countries from the database: those whose spans stand, and those that nobody has labelled.

What they mean is `labelled_posts.py`.
"""

from collections.abc import Sequence
from typing import Final

from climate_assets.labelling.records import GoldLabel, LabellingTask
from climate_assets.learning.labelled_posts import LabelledPost
from climate_assets.learning.lines import NER
from climate_assets.posts.post_tasks import post_key, shown_post
from climate_assets.posts.records import GoldPost, Post
from climate_assets.posts.repeats import group_ids
from climate_assets.posts.spans import from_json
from climate_assets.speech.languages import code
from resources.postgres import Barometre

_UNLABELLED: Final = """
    SELECT p.post_id FROM posts p LEFT JOIN gold_labels g ON g.item_id = p.post_id AND g.field = 'spans'
    WHERE p.country = ANY(%(countries)s) AND p.lang = %(lang)s AND g.value IS NULL
    ORDER BY md5(p.post_id), p.post_id LIMIT %(most)s"""


def labelled_posts(codes: Sequence[str], language: str, barometre: Barometre) -> list[LabelledPost]:
    """Every post in the language whose spans stand, by post id.

    A post that was edited after people saw it is left out: its spans are of a text that is gone.
    """
    gold = {g.item_id: g for g in barometre.read(GoldLabel, country=list(codes), task_kind=NER, field="spans") if g.value}
    asked = {t.chunk_id: t.object_key for t in barometre.read(LabellingTask, chunk_id=sorted(gold), task_kind=NER)}
    posts = barometre.read(Post, post_id=sorted(gold), lang=code(language))
    groups = group_ids(posts)
    found = []
    for post in posts:
        if asked.get(post.post_id) != post_key(post):
            continue
        label, group = gold[post.post_id], groups[post.post_id]
        spans = from_json(shown_post(post.text), label.value or "")
        known = GoldPost(post.post_id, post.lang, post.text, spans, group)
        found.append(LabelledPost(known, post.day, label.sampling, label.probability))
    return found


def unlabelled_posts(codes: Sequence[str], language: str, most: int, barometre: Barometre) -> list[Post]:
    """Some posts in the language whose spans are not known, at most so many, drawn by a hash of their ids."""
    wanted = {"countries": list(codes), "lang": code(language), "most": most}
    ids = [row["post_id"] for row in barometre.rows(_UNLABELLED, wanted)]
    return barometre.read(Post, post_id=ids, order_by=("post_id",))
