"""Posts that nobody labelled, as the model in use finds them: what a training on gold mixes in against forgetting.

How many is `entity_examples.py`. Belongs here: which ones, so that nothing held out is learnt from, now or later.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from climate_assets import policies
from climate_assets.learning.dividing import known_sides
from climate_assets.learning.entity_examples import REHEARSED_SHARE, Example, rehearsal_mix
from climate_assets.learning.entity_reading import unlabelled_posts
from climate_assets.learning.label_reading import held_out_texts
from climate_assets.learning.labelled_posts import LabelledPost, rehearsed
from climate_assets.learning.leakage import leaks
from climate_assets.learning.lines import Line
from climate_assets.learning.records import Side, Split, TrainingExample
from climate_assets.learning.splits import Item, sound_splits
from climate_assets.posts.records import Post
from climate_assets.posts.repeats import group_ids
from climate_assets.posts.spans import Span
from resources.postgres import Barometre

_POOL: Final = 4
"""Unlabelled posts that are looked at for one that is rehearsed: some would be held out, or are alike to what is."""

Reader = Callable[[Sequence[str]], Sequence[Sequence[Span]]]
"""What a model finds in texts."""


def rehearsal(
    line: Line,
    codes: Sequence[str],
    labels: Sequence[LabelledPost],
    sides: Mapping[str, Split],
    read: Reader,
    barometre: Barometre,
) -> list[TrainingExample]:
    """Unlabelled posts to mix in, drawn with the seed among those whose own hash puts them on the side to learn from.

    They are learnt from, so they stay on that side when people label them later; that is written down.
    """
    gold = [x for x in labels if sides[x.item_id] is Split.TRAIN]
    most = _POOL * math.ceil(REHEARSED_SHARE * len(gold) / (1 - REHEARSED_SHARE))
    labelled = {x.item_id for x in labels}
    pool = [p for p in unlabelled_posts(codes, line.language, most, barometre) if p.post_id not in labelled]
    before, groups = known_sides(line, barometre), group_ids(pool)
    free = _free(line, pool, groups, labels, {**before, **sides}, barometre)
    new = [Example(x.item_id, "", ()) for x in gold]
    old = [Example(post_id, "", ()) for post_id in free]
    mixed = rehearsal_mix(new, old, REHEARSED_SHARE, np.random.default_rng(policies.SEED))
    drawn = {e.post_id for e in mixed} & free
    posts = [p for p in pool if p.post_id in drawn]
    rows = [Side(str(line), p.post_id, Split.TRAIN.value, groups[p.post_id]) for p in posts if p.post_id not in before]
    barometre.upsert(rows, Side)
    found = read([p.text for p in posts])
    return [rehearsed(p, spans, groups[p.post_id]) for p, spans in zip(posts, found, strict=True)]


def _free(
    line: Line,
    pool: Sequence[Post],
    groups: Mapping[str, str],
    labels: Sequence[LabelledPost],
    before: Mapping[str, Split],
    barometre: Barometre,
) -> set[str]:
    """Posts of the pool on the side to learn from, none of them nearly the same as one that is held out."""
    held = held_out_texts(line, barometre)
    texts = {**held, **{x.item_id: x.post.text for x in labels}, **{p.post_id: p.text for p in pool}}
    items = [*(x.item for x in labels), *(Item(p.post_id, p.day, groups[p.post_id]) for p in pool)]
    own, _ = sound_splits(items, texts, before=before, dev=0.0)
    free = {p.post_id for p in pool if own[p.post_id] is before.get(p.post_id, Split.TRAIN) is Split.TRAIN}
    sides = {**dict.fromkeys(held, "held out"), **dict.fromkeys(free, "learnt")}
    across = leaks(texts, sides)
    return free - {leak.one for leak in across} - {leak.other for leak in across}
