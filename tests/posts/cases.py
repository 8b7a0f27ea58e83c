"""One post and what belongs to it, for the tests of this folder."""

import dataclasses
import hashlib
from datetime import UTC, date, datetime
from typing import Any

from climate_assets.posts.records import Post, PostEntity
from climate_assets.posts.spans import Span
from climate_assets.posts.vocabulary import Label

TEXT = "🌊 Maud Kerviel veut 2,5 GW d'éolien en mer à Brest"
SPANS = (
    Span(2, 14, Label.PERSON),
    Span(20, 26, Label.FIGURE),
    Span(29, 42, Label.ENERGY),
    Span(45, 50, Label.PLACE),
)


def post(text: str = TEXT, **changes: Any) -> Post:
    made = Post(
        post_id="ecume/p1",
        source="ecume",
        country="borealie",
        day=date(2026, 11, 20),
        author="0" * 32,
        published_at=datetime(2026, 11, 20, 18, 4, tzinfo=UTC),
        lang="fr",
        text=text,
        url="https://ecume.example/p/p1",
        keywords=["éolien"],
        content_sha256=hashlib.sha256(text.encode()).hexdigest(),
        fetched_at=datetime(2026, 11, 21, 5, 0, tzinfo=UTC),
    )
    return dataclasses.replace(made, **changes)


def entity(of: Post, span: Span, model_version: str = "ner-2", score: float | None = None) -> PostEntity:
    text = of.text[span.start : span.end]
    return PostEntity(of.post_id, model_version, span.start, span.end, span.label.value, text, score, of.content_sha256)
