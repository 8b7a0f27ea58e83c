"""Sources of posts behind one interface: asked for a stream and a period, each gives what it has, untouched, piece by piece.

Adapters: files that people put into the bucket (here), Mastodon's protocol (`post_sources_mastodon.py`). Does not belong
here: what a line means (`climate_assets/posts`), what was read already and where it is kept (`posts/gathering.py`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from dagster import ConfigurableResource
from pydantic import Field

from climate_assets.countries import Country, PostSourceChoice
from climate_assets.posts.batches import FILES, inbox_of, usable_key
from climate_assets.posts.source_lines import Asked
from resources import s3_objects
from resources.s3 import LAKE, Lake

# Files of one source that are looked at; a source with more of them is better split.
_LISTED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Piece:
    """A file or a page that a source has."""

    origin: str
    """Where it is: the newest piece of an origin takes the place of the one before."""
    etag: str
    """Differs when its content does."""
    size: int
    """Bytes."""
    cursor: str
    """What to go on after; empty where a source has no order."""
    content: Callable[[], bytes]
    """Fetches it, if it is not here yet."""


class PostSource(Protocol):
    """A source of posts."""

    @property
    def kind(self) -> str:
        """How what it gives is read."""

    def streams(self, keywords: Sequence[str]) -> list[str]:
        """What it is asked for, one after the other, to have the posts with these keywords."""

    def posts(self, asked: Asked, stream: str, after: str) -> Iterator[Piece]:
        """Its pieces of a stream and period that come after a cursor, in order.

        Raises `Transient` when it is out of order or asks to come back later, `Permanent` when a person has to act; what
        came before is good, and its last cursor is where to go on.
        """


@dataclass(frozen=True)
class FilesSource:
    """Files of JSON lines in the inbox. A file holds any days, so it is not asked by period: `asked` names the inbox."""

    lake: Lake
    kind: str = FILES

    def streams(self, keywords: Sequence[str]) -> list[str]:
        """One: files are read whole."""
        return [""]

    def posts(self, asked: Asked, stream: str, after: str) -> Iterator[Piece]:
        """Every file of the inbox, by key."""
        for listed in s3_objects.entries(self.lake, LAKE, inbox_of(asked.country, asked.source), _LISTED):
            if listed.key.endswith(".jsonl") and listed.bytes:
                yield Piece(listed.key, listed.etag, listed.bytes, "", lambda key=listed.key: self.lake.get(LAKE, key))  # type: ignore[misc]


class PostSources(ConfigurableResource):  # type: ignore[type-arg]
    """The sources of a country, and the secret that authors' pseudonyms are made with."""

    lake: Lake
    key: str = Field(default="", repr=False, description="16 characters or more; another key gives other pseudonyms.")

    def key_for(self, country: Country) -> bytes:
        """The key of pseudonyms; raises `Permanent` if there is none."""
        return usable_key(self.key, country.code)

    def source(self, choice: PostSourceChoice) -> PostSource:
        """The source that a country chose; one object has one budget of pages, bytes and time."""
        from resources.post_sources_mastodon import MastodonSource

        return FilesSource(self.lake) if choice.kind == FILES else MastodonSource(choice.url)
