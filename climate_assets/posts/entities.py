"""What a model found in a post, as rows: in our labels, without white space at the ends, each once, each exactly its text.

What a span is stands in `spans.py`, what labels models say in `vocabulary.py`. Which model reads which post is `finding.py`.
"""

from collections.abc import Iterable
from typing import Protocol

from climate_assets.failures import Permanent
from climate_assets.posts.records import Post, PostEntity
from climate_assets.posts.spans import MOST_SPANS, Span, checked, trimmed
from climate_assets.posts.vocabulary import Vocabulary, label_of


class Found(Protocol):
    """One span as a model tells it: code points, end exclusive, and its own name of the label, or ours."""

    @property
    def start(self) -> int: ...  # noqa: D102
    @property
    def end(self) -> int: ...  # noqa: D102
    @property
    def label(self) -> str: ...  # noqa: D102


def entities_of(post: Post, model_version: str, found: Iterable[Found], vocabulary: Vocabulary) -> list[PostEntity]:
    """The entities of a post in order of place; names without counterpart among ours are left out.

    Raises `Permanent` for a label that is in no list, a span that does not lie in the text, and more spans than a post has.
    """
    # One place and label is one entity, however often the model says so.
    scores: dict[Span, float | None] = {}
    for one in found:
        label = label_of(one.label, vocabulary)
        if label is None:
            continue
        [whole] = checked(post.text, [Span(one.start, one.end, label)])
        if span := trimmed(post.text, whole):
            scores[span] = getattr(one, "score", None)
    if len(scores) > MOST_SPANS:
        raise Permanent(f"{model_version} finds {len(scores)} entities in {post.post_id}, beyond {MOST_SPANS}; look at it")
    return [
        PostEntity(
            post.post_id, model_version, s.start, s.end, s.label.value, post.text[s.start : s.end], score, post.content_sha256
        )
        for s, score in sorted(scores.items(), key=lambda pair: pair[0])
    ]
