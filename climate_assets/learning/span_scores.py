"""How well a model's spans match gold: counts by post and label, ready for `scores.py` and `comparison.py`.

Two ways to match, both within one post and one label, one to one. Exact: same start and end. Overlap: pairs that share
characters, the pair that shares most first, then the earliest gold, then the earliest prediction (greedy, so now and then
one pair fewer than the most possible). Belongs here: what counts as found, and which label is worst. Does not belong here:
figures and their intervals (`scores.py`), which posts are held out (`splits.py`), what a gate asks for.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from climate_assets.failures import Permanent
from climate_assets.learning.comparison import Answer
from climate_assets.learning.intervals import ROUNDS, Interval, bootstrap_of_sums
from climate_assets.learning.metrics import Measure
from climate_assets.learning.records import Score
from climate_assets.learning.scores import ALL, HeldOut
from climate_assets.posts.records import GoldPost
from climate_assets.posts.spans import Span
from climate_assets.posts.vocabulary import Label

LEAST_SUPPORT: Final = 20
"""Gold spans that a label needs to be judged by: with 20, one span more or less is a twentieth of recall."""

Found = Mapping[str, Iterable[Span]]
"""Post id -> spans that the model found; a post in which it found nothing is there, with none."""


class Match(StrEnum):
    """When a predicted span counts as a gold one."""

    EXACT = "exact"
    OVERLAP = "overlap"


@dataclass(frozen=True, slots=True)
class Worst:
    """The label that a model finds worst, among those with enough gold to say so."""

    label: Annotated[str, "Label; empty if none can be judged."]
    value: Annotated[float | None, "Its F1; 0 where gold has spans and F1 is not defined; None if no label can be judged."]
    support: Annotated[int, "Gold spans of it."]
    thin: Annotated[tuple[str, ...], "Labels with too little gold to be judged, in order."]
    reason: Annotated[str, "Why its value is 0 or None; empty if it was measured."] = ""


def held_out(
    posts: Iterable[GoldPost],
    found: Found,
    match: Match = Match.EXACT,
    labels: Iterable[Label] = tuple(Label),
    chances: Mapping[str, float] | None = None,
) -> dict[str, list[HeldOut]]:
    """What `scores_of` measures, for each label and for `all` of `labels` together (micro average): one item a post.

    A post without the label is an item too, or groups without it would not be resampled. Slices are source and language.
    `chances`: post id -> chance with which it was picked to be labelled; 1 without. Raises `Permanent` if a post of gold
    has no prediction: a model's silence there is no answer.
    """
    known = _asked(posts, found)
    wanted = tuple(labels)
    items: dict[str, list[HeldOut]] = {label: [] for label in (*wanted, ALL)}
    for post in known:
        counts = {
            label: row for label, row in counts_by_label(post.spans, found[post.post_id], match).items() if label in wanted
        }
        rows = {**{str(label): counts.get(label, (0, 0, 0)) for label in wanted}, ALL: _sum(counts.values())}
        for label, (tp, fp, fn) in rows.items():
            slices = (f"channel={_source(post)}", f"language={post.lang}")
            chance = chances[post.post_id] if chances else 1.0
            items[label].append(HeldOut(post.post_id, post.group_id, slices, tp, fp, fn, chance=chance))
    return items


def answers(posts: Iterable[GoldPost], found: Found, match: Match = Match.EXACT) -> list[Answer]:
    """What `compared` compares: each post with its counts by label, by post id. Raises `Permanent` like `held_out`."""
    return [
        Answer(
            post.post_id,
            post.group_id,
            _source(post),
            {str(label): row for label, row in counts_by_label(post.spans, found[post.post_id], match).items()},
        )
        for post in _asked(posts, found)
    ]


def post_accuracy(posts: Iterable[GoldPost], found: Found, *, seed: int, rounds: int = ROUNDS) -> tuple[Measure, Interval]:
    """Share of posts whose whole set of spans is right, to the character and the label, and its interval."""
    known = answers(posts, found)
    if not known:
        return Measure(None, "no post in gold"), Interval(None, None, 0.95, 0, "no post in gold")
    table = [[float(answer.right), 1.0] for answer in known]
    groups = [answer.group_id for answer in known]
    limits = bootstrap_of_sums(table, lambda sums: sums[:, 0] / sums[:, 1], groups, seed=seed, rounds=rounds)
    return Measure(sum(answer.right for answer in known) / len(known)), limits


def worst_label(scores: Iterable[Score], labels: Collection[str] = tuple(Label), least: int = LEAST_SUPPORT) -> Worst:
    """The label a gate reads: lowest exact F1 over all held-out posts, ties to the one with more gold, then by name.

    A label whose F1 is not defined although gold has spans of it counts as 0: what was never found is not passed over. One
    with fewer than `least` gold spans, or without a row, is named in `thin` and decides nothing.
    """
    rows = {s.label: s for s in scores if s.slice == ALL and s.match == Match.EXACT and s.label in labels}
    judged = [row for row in rows.values() if row.support >= max(1, least)]
    thin = tuple(sorted(str(label) for label in labels if label not in {row.label for row in judged}))
    if not judged:
        return Worst("", None, 0, thin, f"no label has {least} spans in held-out gold: label more posts")
    worst = min(judged, key=lambda row: (row.f1 or 0.0, -row.support, row.label))
    reason = f"F1 is not defined ({worst.reason}) and {worst.support} spans are there" if worst.f1 is None else ""
    return Worst(worst.label, worst.f1 or 0.0, worst.support, thin, reason)


def counts_by_label(gold: Iterable[Span], predicted: Iterable[Span], match: Match) -> dict[Label, tuple[int, int, int]]:
    """True positives, false positives and false negatives of one post, by label; both sides are taken as sets."""
    wanted, found = frozenset(gold), frozenset(predicted)
    hits = Counter(g.label for g, _ in pairs(wanted, found, match))
    gold_of, found_of = Counter(s.label for s in wanted), Counter(s.label for s in found)
    labels = sorted(gold_of.keys() | found_of.keys())
    return {label: (hits[label], found_of[label] - hits[label], gold_of[label] - hits[label]) for label in labels}


def pairs(gold: frozenset[Span], predicted: frozenset[Span], match: Match) -> list[tuple[Span, Span]]:
    """Gold and predicted spans that count as one, each at most once, by place."""
    if match is Match.EXACT:
        return [(span, span) for span in sorted(gold & predicted)]
    close = [(g, p) for g in gold for p in predicted if g.label is p.label and g.overlap(p)]
    taken: list[tuple[Span, Span]] = []
    used: set[tuple[str, Span]] = set()
    for g, p in sorted(close, key=lambda pair: (-pair[0].overlap(pair[1]), pair)):
        if ("g", g) not in used and ("p", p) not in used:
            used |= {("g", g), ("p", p)}
            taken.append((g, p))
    return sorted(taken)


def _asked(posts: Iterable[GoldPost], found: Found) -> Sequence[GoldPost]:
    known = sorted(posts, key=lambda post: post.post_id)
    if missing := [post.post_id for post in known if post.post_id not in found]:
        raise Permanent(
            f"{len(missing)} of {len(known)} gold posts have no prediction, the first is {missing[0]}; apply the model first"
        )
    return known


def _sum(rows: Iterable[tuple[int, int, int]]) -> tuple[int, int, int]:
    table = list(rows)
    return sum(r[0] for r in table), sum(r[1] for r in table), sum(r[2] for r in table)


def _source(post: GoldPost) -> str:
    return post.post_id.partition("/")[0]
