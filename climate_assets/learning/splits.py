"""Which labelled items a model learns from and which it is measured on, so that nothing is in both, not even nearly.

An item's side hangs on a hash of its ISO week and its group of near-duplicates, never on its row: what is added later moves
nothing else. Belongs here: sides, and what links items. Does not belong here: which texts are alike (`leakage.py`), and which
airings people label once (the labelling stage).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final

from climate_assets.claims.sampling import uniform
from climate_assets.failures import Permanent
from climate_assets.learning.leakage import Leak, leaks_of_runs, runs_of
from climate_assets.learning.records import Split

DEV_SHARE: Final = 0.2
TEST_SHARE: Final = 0.3
"""Labels are few at first, and two models are told apart on these alone."""
SALT: Final = "split-2"
"""Part of the hash; another salt divides anew, which makes every model that was trained before incomparable."""
_ROUNDS: Final = 20
# What a model has learnt from is no longer held out, and what a threshold was chosen on is no test.
_STRICTEST: Final = (Split.TRAIN, Split.DEV, Split.TEST)


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled item, as far as its side hangs on it."""

    item_id: Annotated[str, "Chunk id, or id of a post."]
    day: Annotated[date, "Day of the item in its country."]
    group_id: Annotated[str, "Group of near-duplicates it belongs to; its own id if alone."]


def iso_week(day: date) -> str:
    """ISO 8601 year and week of a day, such as `2026-W47`."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def splits_of(
    items: Iterable[Item],
    *,
    linked: Iterable[tuple[str, str]] = (),
    before: Mapping[str, Split] | None = None,
    dev: float = DEV_SHARE,
    test: float = TEST_SHARE,
    salt: str = SALT,
    whole_weeks: bool = False,
) -> dict[str, Split]:
    """Side of each item, by its id; the order of the items plays no part.

    Items of one group, and pairs in `linked`, are on one side, whatever their weeks (connected components). The side is
    the hash of the component's first (week, group); with `whole_weeks`, of its first week alone, so that all other news of
    the week goes with it (use it once there are 30 weeks or more). `before` holds sides that were given earlier: they
    stand, and where an item has come to link two of them, `train` wins over `dev` and `dev` over `test`, since what was
    learnt from cannot be unlearnt. Raises `Permanent` for an item with two days or groups, `ValueError` for other shares.
    """
    if not (dev >= 0 and test >= 0 and dev + test <= 1):
        raise ValueError(f"shares dev {dev} and test {test} do not leave a share for train")
    known = _distinct(items)
    roots = _components(known, linked)
    members: dict[str, list[Item]] = {}
    for item_id, item in known.items():
        members.setdefault(roots[item_id], []).append(item)
    sides: dict[str, Split] = {}
    for component in members.values():
        week, group = min((iso_week(item.day), item.group_id) for item in component)
        given = {before[item.item_id] for item in component if item.item_id in before} if before else set()
        earlier = next((side for side in _STRICTEST if side in given), None)
        side = earlier or _side(uniform(salt, week) if whole_weeks else uniform(salt, week, group), dev, test)
        sides.update((item.item_id, side) for item in component)
    return sides


def sound_splits(
    items: Iterable[Item],
    texts: Mapping[str, str],
    *,
    before: Mapping[str, Split] | None = None,
    dev: float = DEV_SHARE,
    test: float = TEST_SHARE,
    salt: str = SALT,
    whole_weeks: bool = False,
) -> tuple[dict[str, Split], list[Leak]]:
    """Sides with nothing alike across them, and what was found alike on the way: groups alone had divided it.

    What leaks is linked and divided again until nothing leaks. Raises `Permanent` if that takes more than 20 rounds.
    """
    known = list(items)
    runs = {name: runs_of(text, name) for name, text in texts.items()}
    found: list[Leak] = []
    for _ in range(_ROUNDS):
        linked = [(leak.one, leak.other) for leak in found]
        sides = splits_of(known, linked=linked, before=before, dev=dev, test=test, salt=salt, whole_weeks=whole_weeks)
        across = leaks_of_runs(runs, sides)
        if not across:
            return sides, found
        found += across
    raise Permanent(
        f"{len(found)} pairs of texts are alike and still divided after {_ROUNDS} rounds; look at them for stock text"
    )


def _distinct(items: Iterable[Item]) -> dict[str, Item]:
    known: dict[str, Item] = {}
    for item in sorted(items, key=lambda i: i.item_id):
        if known.setdefault(item.item_id, item) != item:
            raise Permanent(f"{item.item_id} has two days or two groups; make gold_labels of its day again")
    return known


def _components(items: Mapping[str, Item], linked: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The component of each item, named by one of its nodes; groups are nodes as well."""
    parent: dict[tuple[str, str], tuple[str, str]] = {}

    def root(node: tuple[str, str]) -> tuple[str, str]:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for item in items.values():
        parent[root(("item", item.item_id))] = root(("group", item.group_id))
    for one, other in linked:
        if one in items and other in items:
            parent[root(("item", one))] = root(("item", other))
    return {item_id: " ".join(root(("item", item_id))) for item_id in items}


def _side(point: float, dev: float, test: float) -> Split:
    if point < test:
        return Split.TEST
    return Split.DEV if point < test + dev else Split.TRAIN
