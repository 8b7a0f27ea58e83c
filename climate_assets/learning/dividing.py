"""The sides of a line's labelled items as they are written down: what was given once stands.

What a side hangs on is `splits.py`. Belongs here: reading and writing them, for chunks as for posts.
"""

from collections.abc import Iterable, Mapping

from climate_assets.learning.lines import Line
from climate_assets.learning.records import Side, Split
from climate_assets.learning.splits import DEV_SHARE, Item, sound_splits
from resources.postgres import Barometre

_SIDED = """SELECT s.item_id, s.group_id, coalesce(c.day, p.day) AS day, coalesce(c.text, p.text) AS text FROM sides s
    LEFT JOIN clean_chunks c ON c.chunk_id = s.item_id LEFT JOIN posts p ON p.post_id = s.item_id
    WHERE s.line = %(line)s AND coalesce(c.text, p.text) IS NOT NULL ORDER BY s.item_id"""


def known_sides(line: Line, barometre: Barometre) -> dict[str, Split]:
    """The sides that were given so far."""
    return {side.item_id: Split(side.split) for side in barometre.read(Side, line=str(line))}


def divided(
    line: Line, items: Iterable[Item], texts: Mapping[str, str], barometre: Barometre, dev: float = DEV_SHARE
) -> dict[str, Split]:
    """The side of each labelled item; those given earlier stand. New ones are written down."""
    known = list(items)
    groups = {item.item_id: item.group_id for item in known}
    with barometre.lock(f"sides of {line}"):
        before = known_sides(line, barometre)
        # What was learnt from once and has no label now, or was rehearsed, still draws its near-duplicates to its side.
        others = [row for row in barometre.rows(_SIDED, {"line": str(line)}) if row["item_id"] not in groups]
        known += [Item(row["item_id"], row["day"], row["group_id"]) for row in others]
        whole = {**texts, **{row["item_id"]: row["text"] for row in others}}
        found, _ = sound_splits(known, whole, before=before, dev=dev)
        sides = {item_id: found[item_id] for item_id in groups}
        # What has a side keeps its row: the group it had then is part of why it stands there.
        new = [Side(str(line), i, s.value, groups[i]) for i, s in sides.items() if before.get(i) is not s]
        barometre.upsert(new, Side)
    return sides
