"""What one row of the posts stage is: a post, an entity that a model found in it, and a post with the spans that stand.

Only shapes. How a line becomes a post is `source_lines.py`; what a label is, `vocabulary.py`; what a span is, `spans.py`.
Offsets are code points of `Post.text` wherever they stand, end exclusive.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from climate_assets.posts.spans import Span


@dataclass(frozen=True, slots=True)
class Post:
    """One public post as it was fetched (a row of `posts`); who wrote it is a pseudonym, never a name."""

    post_id: Annotated[str, "`source/native id`."]
    source: Annotated[str, "Source it comes from."]
    country: Annotated[str, "Code of the country that asked for it."]
    day: Annotated[date, "Day of publication in the country's own time zone."]
    author: Annotated[str, "Keyed hash of source and author: the same for one author of a source, and no way back."]
    published_at: Annotated[datetime, "When it was published, UTC."]
    lang: Annotated[str, "Language as the source says, two or three letters."]
    text: Annotated[str, "Its text: line ends are one character, control characters spaces, reordering marks gone."]
    url: Annotated[str, "Public address, http or https; empty if the source gives none."]
    keywords: Annotated[list[str], "Keywords that were asked for and occur in it, sorted."]
    content_sha256: Annotated[str, "Hash of `text` in UTF-8; the same text is never asked about twice."]
    fetched_at: Annotated[datetime, "When it was fetched, UTC."]


@dataclass(frozen=True, slots=True)
class PostEntity:
    """One span that one model version found in one post (a row of `post_entities`); `text[start:end]` is its text."""

    post_id: Annotated[str, "Post."]
    model_version: Annotated[str, "Model that found it."]
    start: Annotated[int, "First code point."]
    end: Annotated[int, "Code point after the last."]
    label: Annotated[str, "What it is: a label of the stage's vocabulary."]
    text: Annotated[str, "The span as it stands in the post."]
    score: Annotated[float | None, "Confidence of the model, 0..1; none where it gives none."]
    text_sha256: Annotated[str, "Hash of the post's text that the offsets belong to."]


@dataclass(frozen=True, slots=True)
class GoldPost:
    """One post with the spans that stand in it; no span is a fact too, and is learnt from."""

    post_id: Annotated[str, "Post."]
    lang: Annotated[str, "Its language."]
    text: Annotated[str, "Its text."]
    spans: Annotated[frozenset[Span], "What stands in it."]
    group_id: Annotated[str, "First post of the group of near duplicates it belongs to; its own id if alone."]
