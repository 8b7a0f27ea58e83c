"""Making days of posts from the batches that are kept: read, the standing version of each post chosen, written.

What a day is made from is the table of batches, never what a run remembers. How batches come is `gathering.py`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby

from climate_assets.countries import Country
from climate_assets.posts import batches
from climate_assets.posts.gathering import STAGE
from climate_assets.posts.records import Post, PostBatch, RefusedPost
from climate_assets.posts.source_lines import Asked
from climate_assets.states import StageState
from resources.postgres import Barometre, Change
from resources.s3 import LAKE, Lake


@dataclass
class DayRead:
    """What making one day came to."""

    change: Change = field(default_factory=Change)
    posts: list[Post] = field(default_factory=list)
    batches: int = 0
    refused: int = 0
    """Refused lines of the batches that begin on this day."""


@dataclass(frozen=True)
class DayReading:
    """The days of one country; `key` makes pseudonyms."""

    country: Country
    keywords: Sequence[str]
    key: bytes
    barometre: Barometre
    lake: Lake

    def states_of(self, day: date) -> set[str]:
        """Items of a day that have a state now; asked before the day is read."""
        return {row.item_id for row in self.barometre.read(StageState, stage=STAGE, country=self.country.code, day=day)}

    def settle(self, day: date, before: Iterable[str], troubles: Iterable[StageState]) -> Change:
        """Replace the states that a day had before it was read; what came meanwhile stays pending."""
        rows = [row for row in troubles if row.day == day]
        items = sorted({*before, *(row.item_id for row in rows)})
        if not items:
            return Change()
        return self.barometre.replace(rows, StageState, stage=STAGE, country=self.country.code, day=day, item_id=items)

    def read(self, days: Sequence[date]) -> Iterator[tuple[date, DayRead]]:
        """Make some days, a month at a time, for memory."""
        for _, month in groupby(sorted(days), key=lambda day: (day.year, day.month)):
            yield from self._month(list(month))

    def _month(self, days: Sequence[date]) -> Iterator[tuple[date, DayRead]]:
        found = {day: DayRead() for day in days}
        held: dict[date, list[list[Post]]] = defaultdict(list)
        for batch in self._batches_of(days):
            posts = self._posts_in(batch, days)
            for day in days:
                held[day].append(posts.get(day, []))
                found[day].batches += batch.first_day <= day <= batch.last_day
            if batch.first_day in found:
                found[batch.first_day].refused += batch.refused
        for day in days:
            standing = batches.standing_posts(held[day])
            known = self.barometre.read(Post, post_id=list(standing)) if standing else []
            found[day].posts = batches.not_overtaken(standing.values(), {post.post_id: post for post in known})
            found[day].change = self.barometre.replace(found[day].posts, Post, country=self.country.code, day=day)
            yield day, found[day]

    def _batches_of(self, days: Sequence[date]) -> list[PostBatch]:
        """Batches that hold one of the days, those that were replaced left out."""
        kept = batches.standing_batches(self.barometre.read(PostBatch, country=self.country.code))
        return [batch for batch in kept if any(batch.first_day <= day <= batch.last_day for day in days)]

    def _posts_in(self, batch: PostBatch, days: Sequence[date]) -> dict[date, list[Post]]:
        """The posts of a batch that are asked for, by day; its refused lines are written anew."""
        asked = Asked(batch.source, self.country.code, self.country.tz, self.keywords)
        content = self.lake.get(LAKE, batch.object_key)
        lines = batches.lines_of(batch.kind, content, asked, batch.fetched_at, self.key)
        self.barometre.replace(batches.refused_rows(batch, lines), RefusedPost, batch_id=batch.batch_id)
        held: dict[date, list[Post]] = defaultdict(list)
        for post in lines.posts:
            if post.day in days:
                held[post.day].append(post)
        return held
