"""Batches of posts: what each is called, which of them count, and which version of a post stands.

A batch is a file or a page as it came. Belongs here: names, choice, order. Does not: reading a line (`source_lines.py`),
asking a source (`resources/post_sources.py`), storing (`gathering.py`).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from climate_assets.failures import Permanent
from climate_assets.posts.records import Post, PostBatch, RefusedPost
from climate_assets.posts.source_lines import MOST_BYTES, SHORTEST_KEY, Asked, Lines, posts_of_lines
from climate_assets.posts.statuses import lines_of_statuses

FILES: Final = "files"
MASTODON: Final = "mastodon"
INBOX: Final = "posts/inbox/"
_ENDING: Final = {FILES: "jsonl", MASTODON: "json"}
MOST_REFUSED: Final = 1_000
"""Refused lines of a batch that get a row; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Came:
    """A piece that came from a source and is in the lake."""

    kind: str
    origin: str
    etag: str
    object_key: str
    sha256: str
    content: bytes
    fetched_at: datetime


def inbox_of(country: str, source: str) -> str:
    """Where people put the files of a source: the prefix of their keys."""
    return f"{INBOX}country={country}/source={source}/"


def raw_key(country: str, source: str, kind: str, sha256: str) -> str:
    """Where a batch lies, by its content."""
    return f"posts/raw/country={country}/source={source}/sha256={sha256}.{_ENDING[kind]}"


def too_large(size: int) -> str:
    """Why a batch of so many bytes is not read; empty if it is."""
    return f"file of {size} bytes; {MOST_BYTES} are read: split it at line ends" if size > MOST_BYTES else ""


def lines_of(kind: str, content: bytes, asked: Asked, fetched_at: datetime, key: bytes) -> Lines:
    """What the bytes of a batch hold."""
    return posts_of_lines(lines_of_statuses(content) if kind == MASTODON else content, asked, fetched_at, key)


def batch_of(asked: Asked, came: Came, key: bytes) -> tuple[PostBatch, list[RefusedPost]]:
    """The row of a piece that came, and of each line of it that is refused; `asked` names country, zone and source."""
    lines = lines_of(came.kind, came.content, Asked(asked.source, asked.country, asked.zone), came.fetched_at, key)
    days = [post.day for post in lines.posts] or [came.fetched_at.astimezone(asked.zone).date()]
    batch = PostBatch(
        batch_id=_identity(asked, came.origin, f"{came.sha256} {came.fetched_at.isoformat()}"),
        country=asked.country,
        source=asked.source,
        kind=came.kind,
        origin=came.origin,
        etag=came.etag,
        object_key=came.object_key,
        sha256=came.sha256,
        bytes=len(came.content),
        fetched_at=came.fetched_at,
        first_day=min(days),
        last_day=max(days),
        posts=len(lines.posts),
        refused=len(lines.refused),
    )
    return batch, refused_rows(batch, lines)


def refused_whole(asked: Asked, origin: str, etag: str, reason: str, seen_at: datetime) -> RefusedPost:
    """The row of a file that is not read at all and stays where it is."""
    day = seen_at.astimezone(asked.zone).date()
    return RefusedPost(_identity(asked, origin, etag), 0, asked.country, day, origin, reason, "")


def refused_rows(batch: PostBatch, lines: Lines) -> list[RefusedPost]:
    """A row for each refused line of a batch, the first thousand."""
    return [
        RefusedPost(batch.batch_id, one.number, batch.country, batch.first_day, batch.origin, one.reason, one.sha256)
        for one in lines.refused[:MOST_REFUSED]
    ]


def days_of(batch: PostBatch) -> list[date]:
    """Days from a batch's first to its last."""
    return [batch.first_day + timedelta(days=n) for n in range((batch.last_day - batch.first_day).days + 1)]


def standing_batches(batches: Iterable[PostBatch]) -> list[PostBatch]:
    """The newest batch of each origin, in the order they were fetched in: a file that was replaced counts as it is now."""
    newest: dict[tuple[str, str, str], PostBatch] = {}
    for batch in sorted(batches, key=_age):
        newest[batch.country, batch.source, batch.origin] = batch
    return sorted(newest.values(), key=_age)


def standing_posts(read: Iterable[Sequence[Post]]) -> dict[str, Post]:
    """The version of each post that stands, by post id; `read` is batch by batch, as they were fetched.

    The newest version stands, with the time at which it was fetched first: to fetch the same again changes nothing.
    """
    standing: dict[str, Post] = {}
    for posts in read:
        for post in posts:
            before = standing.get(post.post_id)
            if before is None or replace(post, fetched_at=before.fetched_at) != before:
                standing[post.post_id] = post
    return standing


def not_overtaken(posts: Iterable[Post], known: Mapping[str, Post]) -> list[Post]:
    """Posts without those that stand on another day by a later version: a post is of one day, whichever day is made last."""
    return [
        post
        for post in posts
        if (there := known.get(post.post_id)) is None
        or there.day == post.day
        or (there.fetched_at, there.day) < (post.fetched_at, post.day)
    ]


def usable_key(key: str, country: str) -> bytes:
    """The key of pseudonyms; raises `Permanent` without one."""
    if len(key.encode()) < SHORTEST_KEY:
        said = "is not set" if not key else f"has {len(key)} characters"
        raise Permanent(
            f"{country} has posts, and POSTS_KEY {said}: set one of {SHORTEST_KEY} characters or more (`openssl rand -hex 20`),"
            " and keep it, for another one gives other pseudonyms"
        )
    return key.encode()


def _identity(asked: Asked, origin: str, mark: str) -> str:
    return hashlib.sha256(f"{asked.country}\0{asked.source}\0{origin}\0{mark}".encode()).hexdigest()[:32]


def _age(batch: PostBatch) -> tuple[datetime, str]:
    return batch.fetched_at, batch.batch_id
