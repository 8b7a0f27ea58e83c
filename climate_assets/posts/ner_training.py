"""What a model of entities is trained on: which posts are held out, which are near duplicates, and what is mixed in.

Belongs here: examples, split, groups, rehearsal, the hash that names the data. Does not belong here: training itself, which
needs spaCy, and the decision to train. Everything is a function of its arguments; chance is a seeded generator.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from climate_assets.broadcast.folding import borders_as_spaces, folded
from climate_assets.posts.records import GoldPost, Post
from climate_assets.posts.spans import checked, without_overlaps
from climate_assets.posts.vocabulary import Vocabulary, name_for

HELD_OUT_SHARE: Final = 0.3
SHARED_RUN: Final = 8
"""Words in a row that two posts share to be near duplicates: a quoted headline is shorter, a repost longer."""
_NO_WORDS: Final = re.compile(r"https?://\S+|@\w+|^RT\b", re.MULTILINE)


class Split(StrEnum):
    """Which side of the wall a post is on."""

    TRAINING = "training"
    HELD_OUT = "held_out"


@dataclass(frozen=True, slots=True)
class Example:
    """One text to learn from, with entities in the model's own names, in order, none overlapping; may have none."""

    post_id: str
    text: str
    entities: tuple[tuple[int, int, str], ...]


def training_examples(posts: Iterable[GoldPost], vocabulary: Vocabulary) -> list[Example]:
    """An example for each post, those without a span too: they teach what is no entity. By post id.

    Raises `Permanent` if a span does not lie in its text.
    """
    return [
        Example(
            post.post_id,
            post.text,
            tuple((s.start, s.end, name_for(s.label, vocabulary)) for s in without_overlaps(checked(post.text, post.spans))),
        )
        for post in sorted(posts, key=lambda post: post.post_id)
    ]


def split_of(group_id: str, share: float = HELD_OUT_SHARE, salt: str = "posts/1") -> Split:
    """The side of a group of near duplicates, for ever: by hash of its id, which holds the source of its first post.

    Whatever is labelled later, in whatever order, a group stays where it is; another `salt` gives another split.
    """
    digest = hashlib.sha256(f"{salt}\0{group_id}".encode()).digest()
    return Split.HELD_OUT if int.from_bytes(digest[:8], "big") < share * 2**64 else Split.TRAINING


def sides(posts: Iterable[GoldPost], share: float = HELD_OUT_SHARE, salt: str = "posts/1") -> dict[Split, list[GoldPost]]:
    """Posts by side, each by post id."""
    parts: dict[Split, list[GoldPost]] = {split: [] for split in Split}
    for post in sorted(posts, key=lambda post: post.post_id):
        parts[split_of(post.group_id, share, salt)].append(post)
    return parts


def leaks(texts: Mapping[str, str], split: Mapping[str, Split]) -> list[tuple[str, str]]:
    """Pairs of near duplicates of which one is trained on and the other held out: first post of the group, and other side.

    Looks at texts and sides alone, so it finds what grouping missed.
    """
    found = []
    for post, first in sorted(groups_of([(post, texts[post]) for post in sorted(texts)]).items()):
        if split[post] is not split[first]:
            found.append((first, post))
    return found


def group_ids(posts: Iterable[Post]) -> dict[str, str]:
    """Post id -> id of the first post, by time of publication, of its group of near duplicates, sources together."""
    return groups_of([(post.post_id, post.text) for post in sorted(posts, key=lambda p: (p.published_at, p.post_id))])


def groups_of(texts: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Id -> first id of its group, over (id, text) in order: two texts are near duplicates when all words are the same, or
    `SHARED_RUN` in a row are, addresses and mentions aside. Groups are closed: a duplicate of a duplicate is one too.
    """
    parent = list(range(len(texts)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[tuple[bytes, ...], int] = {}
    for index, (_, text) in enumerate(texts):
        words = borders_as_spaces(folded(_NO_WORDS.sub(" ", text).replace("\n", " "))).split()
        for run in {tuple(words[i : i + SHARED_RUN]) for i in range(max(1, len(words) - SHARED_RUN + 1))}:
            if run:
                one, other = sorted((root(index), root(first.setdefault(run, index))))
                parent[other] = one
    return {name: texts[root(index)][0] for index, (name, _) in enumerate(texts)}


def rehearsal_mix(new: Sequence[Example], old: Sequence[Example], share: float, chance: np.random.Generator) -> list[Example]:
    """New examples with as many old ones that these make `share` of the mix, or all there are; shuffled.

    A model that only sees new labels forgets the old (facts on the entity loop, section 7). Old ones are drawn without
    repetition; an old example of a post that is new again is left out. Raises `ValueError` unless 0 <= share < 1.
    """
    if not 0 <= share < 1:
        raise ValueError(f"a share of {share} old examples leaves no room for new ones; give 0 to below 1")
    known = {example.post_id for example in new}
    pool = sorted((example for example in old if example.post_id not in known), key=lambda example: example.post_id)
    size = min(len(pool), math.ceil(share * len(new) / (1 - share)))
    drawn = [pool[index] for index in sorted(chance.choice(len(pool), size, replace=False).tolist())] if size else []
    mixed = [*sorted(new, key=lambda example: example.post_id), *drawn]
    return [mixed[index] for index in chance.permutation(len(mixed)).tolist()]


def data_hash(examples: Iterable[Example]) -> str:
    """SHA-256 of what is learnt, whatever its order: text and entities, not where they come from."""
    rows = sorted(json.dumps([e.text, e.entities], ensure_ascii=False) for e in examples)
    return hashlib.sha256("\n".join(rows).encode("utf-8", "surrogatepass")).hexdigest()
