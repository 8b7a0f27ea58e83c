"""The sides of a line's labelled items as they are written down: what was given once stands.

What a side hangs on is `splits.py`. Belongs here: reading and writing them, for chunks as for posts.
"""

from collections.abc import Iterable, Mapping

from climate_assets.learning.lines import Line
from climate_assets.learning.records import Side, Split
from climate_assets.learning.splits import DEV_SHARE, Item, sound_splits
from resources.postgres import Barometre


def known_sides(line: Line, barometre: Barometre) -> dict[str, Split]:
    """The sides that were given so far."""
    return {side.item_id: Split(side.split) for side in barometre.read(Side, line=str(line))}


def divided(
    line: Line, items: Iterable[Item], texts: Mapping[str, str], barometre: Barometre, dev: float = DEV_SHARE
) -> dict[str, Split]:
    """The side of each labelled item; those given earlier stand. New ones are written down."""
    known, before = list(items), known_sides(line, barometre)
    sides, _ = sound_splits(known, texts, before=before, dev=dev)
    groups = {item.item_id: item.group_id for item in known}
    # What has a side keeps its row: the group it had then is part of why it stands there.
    new = [Side(str(line), i, s.value, groups[i]) for i, s in sides.items() if before.get(i) is not s]
    barometre.upsert(new, Side)
    return sides
