"""What one row of the posts stage is: a batch, a post, an entity that a model found, and a post with the spans that stand.

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
class PostBatch:
    """One piece of what a source gave, untouched in the lake: a file, or a page of an answer (a row of `post_batches`)."""

    batch_id: Annotated[str, "Hash of country, source, origin, content and time of fetching."]
    country: Annotated[str, "Country that asked for it."]
    source: Annotated[str, "Source it comes from."]
    kind: Annotated[str, "files or mastodon: how it is read."]
    origin: Annotated[str, "Key in the inbox, or question; the newest batch of an origin is the one that counts."]
    etag: Annotated[str, "What tells whether the origin has changed since."]
    object_key: Annotated[str, "Where its bytes are in the lake."]
    sha256: Annotated[str, "Hash of its bytes."]
    bytes: Annotated[int, "Its size."]
    fetched_at: Annotated[datetime, "When it was fetched, UTC."]
    first_day: Annotated[date, "Day of its oldest post, in the country's zone; the day of fetching if none can be read."]
    last_day: Annotated[date, "Day of its newest post."]
    posts: Annotated[int, "Posts that can be read, whatever was asked for."]
    refused: Annotated[int, "Lines that cannot."]


@dataclass(frozen=True, slots=True)
class RefusedPost:
    """One line of a batch that is no post, and why (a row of `refused_posts`); its bytes are in the batch."""

    batch_id: Annotated[str, "Batch it stands in."]
    number: Annotated[int, "Line, from 1, or place in the page; 0 for the batch as a whole."]
    country: Annotated[str, "Country of the batch."]
    day: Annotated[date, "First day of the batch: such a line has no day of its own."]
    origin: Annotated[str, "Where the batch came from."]
    reason: Annotated[str, "What is wrong with it."]
    sha256: Annotated[str, "Hash of the line as it was read."]


@dataclass(frozen=True, slots=True)
class PostMark:
    """How far one question to a source was read for one day (a row of `post_marks`); it moves after what was read is kept."""

    country: Annotated[str, "Country that asks."]
    source: Annotated[str, "Source that is asked."]
    stream: Annotated[str, "What it is asked for, such as a hashtag."]
    day: Annotated[date, "Day of the country that is asked for."]
    newest_id: Annotated[str, "Newest post read, by the source's own number; empty before the first."]
    readings: Annotated[int, "Times the whole day was read to its end, once it was over."]


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
class PostReading:
    """One post as one model version read it (a row of `post_readings`); that it found nothing is a fact too."""

    post_id: Annotated[str, "Post."]
    model_version: Annotated[str, "Model that read it."]
    text_sha256: Annotated[str, "Hash of the text that it read."]
    country: Annotated[str, "Country of the post."]
    day: Annotated[date, "Day of the post."]
    lang: Annotated[str, "Language of the post."]
    entities: Annotated[int, "Spans that it found."]
    read_at: Annotated[datetime, "When, UTC: the newest reading is the prediction that people are shown."]


@dataclass(frozen=True, slots=True)
class GoldPost:
    """One post with the spans that stand in it; no span is a fact too, and is learnt from."""

    post_id: Annotated[str, "Post."]
    lang: Annotated[str, "Its language."]
    text: Annotated[str, "Its text."]
    spans: Annotated[frozenset[Span], "What stands in it."]
    group_id: Annotated[str, "First post of the group of near duplicates it belongs to; its own id if alone."]
