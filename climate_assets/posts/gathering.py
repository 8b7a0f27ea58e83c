"""Gathering what sources of posts have: each piece is kept untouched, and then the days it concerns are pending.

A piece is in the lake before anything reads it; its row and the days that wait for it are written in one. Cut off anywhere,
it is taken again, and no day is forgotten. Making a day of what is kept is `reading_days.py`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from climate_assets import partitions
from climate_assets.countries import Country, PostsChoice, PostSourceChoice
from climate_assets.failures import Permanent, Transient
from climate_assets.posts import batches
from climate_assets.posts.marks import next_reading, read_to_end
from climate_assets.posts.records import PostBatch, PostMark, RefusedPost
from climate_assets.posts.source_lines import Asked
from climate_assets.states import StageState, State
from resources.post_sources import Piece, PostSource, PostSources
from resources.postgres import Barometre, merge, table_of
from resources.s3 import LAKE, Lake

STAGE: Final = "posts"


@dataclass(frozen=True)
class Gathering:
    """The sources of one country; `now` is when what comes is fetched, UTC."""

    country: Country
    choice: PostsChoice
    sources: PostSources
    barometre: Barometre
    lake: Lake
    now: datetime

    def take_files(self, most_files: int, most_bytes: int) -> tuple[int, list[str]]:
        """Keep what is new or changed in the inboxes, a bounded part of it: files kept, and a line on each that is not."""
        taken, size, left = 0, 0, list[str]()
        for choice in self._of_kind(batches.FILES):
            asked = self._asked(choice)
            with self.barometre.lock(f"posts of {self.country.code}/{choice.name}"):
                for piece, before in self._unknown(self.sources.source(choice), asked):
                    if reason := batches.too_large(piece.size):
                        left.append(f"{piece.origin}: {reason}")
                        self._refuse(asked, piece, reason)
                    elif taken and (taken >= most_files or size + piece.size > most_bytes):
                        left.append(f"{piece.origin}: taken at the next look")
                    else:
                        self._keep(asked, batches.FILES, piece, before)
                        taken, size = taken + 1, size + piece.size
        return taken, left

    def ask_servers(self, days: Sequence[date]) -> list[StageState]:
        """Keep what servers have of some days; what kept them from being read to the end, as states of those days."""
        troubles: list[StageState] = []
        for choice in self._of_kind(batches.MASTODON):
            source, trouble = self.sources.source(choice), None
            for day in days:
                for stream in source.streams(self.choice.keywords):
                    with self.barometre.lock(f"posts of {self.country.code}/{choice.name}"):
                        mark = self._due(choice, stream, day)
                        if mark is None:
                            continue
                        # After trouble a server is left alone until the next run.
                        trouble = trouble or self._read(source, choice, mark)
                    if trouble is not None:
                        troubles.append(self._state(choice, stream, day, trouble))
        return troubles

    def _of_kind(self, kind: str) -> list[PostSourceChoice]:
        return [choice for choice in self.choice.sources if choice.kind == kind]

    def _asked(self, choice: PostSourceChoice, day: date | None = None) -> Asked:
        since, until = self.country.day_bounds(day) if day else (None, None)
        return Asked(choice.name, self.country.code, self.country.tz, self.choice.keywords, since, until)

    def _unknown(self, source: PostSource, asked: Asked) -> Iterator[tuple[Piece, PostBatch | None]]:
        """Pieces that are not kept as they are now, each with the batch that its origin had before."""
        kept = self.barometre.read(PostBatch, country=asked.country, source=asked.source)
        known = {batch.origin: batch for batch in batches.standing_batches(kept)}
        for piece in source.posts(asked, "", ""):
            before = known.get(piece.origin)
            if before is None or before.etag != piece.etag:
                yield piece, before

    def _keep(self, asked: Asked, kind: str, piece: Piece, before: PostBatch | None = None) -> None:
        """Keep a piece: its bytes, the days it concerns as pending, its rows."""
        content = piece.content()
        if reason := batches.too_large(len(content)):
            raise Transient(f"{piece.origin} has grown while it was taken ({reason})")
        sha256 = hashlib.sha256(content).hexdigest()
        if before is not None and before.sha256 == sha256:
            # Put there again as it was: another mark, and nothing else.
            self.barometre.upsert([replace(before, etag=piece.etag)], PostBatch)
            return
        key = batches.raw_key(asked.country, asked.source, kind, sha256)
        self.lake.put(LAKE, key, content)
        secret = self.sources.key_for(self.country)
        came = batches.Came(kind, piece.origin, piece.etag, key, sha256, content, self.now)
        batch, refused = batches.batch_of(asked, came, secret)
        pending = self._pending(batch, [*batches.days_of(batch), *(batches.days_of(before) if before else [])])
        # Together: a run that sees a day pending sees the batch too, and so does not settle what it has not read.
        with self.barometre.connect() as connection:
            merge(connection, refused, table_of(RefusedPost), {"country": asked.country, "origin": piece.origin})
            merge(connection, pending, table_of(StageState), None)
            merge(connection, [batch], table_of(PostBatch), None)

    def _pending(self, batch: PostBatch, days: Iterable[date]) -> list[StageState]:
        """A state of each day that there is something to read in; of days before the first partition nothing is made."""
        first, last = date.fromisoformat(partitions.FIRST_DAY), self.now.date() + timedelta(days=1)
        code, why = self.country.code, f"posts came: {batch.origin}"[:300]
        return [
            StageState(STAGE, f"{code}/{day}/{batch.batch_id}", code, day, State.PENDING.value, why, 0)
            for day in sorted(set(days))
            if first <= day <= last
        ]

    def _refuse(self, asked: Asked, piece: Piece, reason: str) -> None:
        row = batches.refused_whole(asked, piece.origin, piece.etag, reason, self.now)
        if not self.barometre.read(RefusedPost, batch_id=row.batch_id, number=0):
            self.barometre.upsert([row], RefusedPost)

    def _due(self, choice: PostSourceChoice, stream: str, day: date) -> PostMark | None:
        """The mark that a stream of a day is read on from; none if nothing is to be asked."""
        code = self.country.code
        known = self.barometre.read(PostMark, country=code, source=choice.name, stream=stream, day=day)
        mark = known[0] if known else PostMark(code, choice.name, stream, day, "", 0)
        return next_reading(mark, self.country.day_bounds(day)[1], self.now)

    def _read(self, source: PostSource, choice: PostSourceChoice, mark: PostMark) -> Permanent | Transient | None:
        """Read a stream of a day on from its mark, which moves after each page; what kept it from its end."""
        asked = self._asked(choice, mark.day)
        try:
            for piece in source.posts(asked, mark.stream, mark.newest_id):
                if not self.barometre.read(PostBatch, country=asked.country, source=asked.source, origin=piece.origin):
                    self._keep(asked, batches.MASTODON, piece)
                mark = replace(mark, newest_id=piece.cursor)
                self.barometre.upsert([mark], PostMark)
        except (Permanent, Transient) as trouble:
            return trouble
        self.barometre.upsert([read_to_end(mark, self.country.day_bounds(mark.day)[1], self.now)], PostMark)
        return None

    def _state(self, choice: PostSourceChoice, stream: str, day: date, trouble: Permanent | Transient) -> StageState:
        item = f"{self.country.code}/{choice.name}/{stream}/{day}"
        before = self.barometre.read(StageState, stage=STAGE, item_id=item)
        state = State.FAILED if isinstance(trouble, Transient) else State.DEAD
        attempts = 1 + (before[0].attempts if before else 0)
        return StageState(STAGE, item, self.country.code, day, state.value, str(trouble)[:500], attempts)
