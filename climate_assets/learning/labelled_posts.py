"""Posts whose spans stand, as the loop of entities learns from them and is measured on them.

Belongs here: the shape, the row a post is in a training set and what a model is shown of it. Does not belong here: where rows
come from (`entity_reading.py`), training (`entity_learning.py`), how spans are counted (`span_scores.py`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final

from climate_assets.learning.entity_examples import Example, training_examples
from climate_assets.learning.records import Split, TrainingExample
from climate_assets.learning.splits import Item, iso_week
from climate_assets.posts.records import GoldPost, Post
from climate_assets.posts.spans import Span, from_json, to_json
from climate_assets.posts.vocabulary import Vocabulary

GOLD: Final = "gold"
REHEARSED: Final = "rehearsed"


@dataclass(frozen=True, slots=True)
class LabelledPost:
    """One post with the spans that stand in it."""

    post: GoldPost
    day: Annotated[date, "Day of the post in its country."]
    sampling: Annotated[str, "How it was picked: `all`, or `gold`."]
    chance: Annotated[float, "Chance with which it was picked; 1 for all."]

    @property
    def item_id(self) -> str:
        """Post id."""
        return self.post.post_id

    @property
    def item(self) -> Item:
        """What its side of the split hangs on."""
        return Item(self.post.post_id, self.day, self.post.group_id)


def example_of(labelled: LabelledPost, split: Split) -> TrainingExample:
    """The post as a row of a training set; a post without a span is one too."""
    return _row(labelled.item, labelled.post.text, labelled.post.spans, split, GOLD, labelled.sampling, labelled.chance)


def rehearsed(post: Post, found: Iterable[Span], group_id: str) -> TrainingExample:
    """A post that nobody labelled, with what the model in use finds in it."""
    return _row(Item(post.post_id, post.day, group_id), post.text, found, Split.TRAIN, REHEARSED, "", 1.0)


def lessons_of(examples: Sequence[TrainingExample], lang: str, vocabulary: Vocabulary) -> list[Example]:
    """What a model learns from the rows of a training set that are there to learn from, by post id."""
    posts = [
        GoldPost(e.item_id, lang, e.text, from_json(e.text, e.label), e.group_id) for e in examples if e.split == Split.TRAIN
    ]
    return training_examples(posts, vocabulary)


def _row(
    item: Item, text: str, spans: Iterable[Span], split: Split, source: str, sampling: str, chance: float
) -> TrainingExample:
    return TrainingExample(
        item_id=item.item_id,
        text=text,
        label=to_json(text, spans),
        category="",
        split=split.value,
        group_id=item.group_id,
        week=iso_week(item.day),
        source=source,
        sampling=sampling,
        probability=chance,
        marked=[],
    )
