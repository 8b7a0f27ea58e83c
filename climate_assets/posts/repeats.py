"""Groups of posts that say the same in the same words: reposts, quoted posts, one text under two ids.

Posts are short, so what tells is a run of words that two share, not a share of shingles (`labelling/duplicates.py` compares
airings that way). Belongs here: the groups. Does not belong here: what follows from them for labels and splits.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from climate_assets.broadcast.folding import borders_as_spaces, folded
from climate_assets.posts.records import Post

SHARED_RUN: Final = 8
"""Words in a row that two posts share to be near duplicates: a quoted headline is shorter, a repost longer."""
_NO_WORDS: Final = re.compile(r"https?://\S+|@\w+|^RT\b", re.MULTILINE)


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
