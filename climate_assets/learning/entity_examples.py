"""What a model of entities is trained on: examples in the model's own names, and what is mixed in against forgetting.

Belongs here: examples, rehearsal, the hash that names the data. Does not belong here: training itself, which needs spaCy
(`resources/entities.py`); which posts are held out (`splits.py`), are alike (`posts/repeats.py`) or leak (`leakage.py`).
Everything is a function of its arguments; chance is a seeded generator.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from climate_assets.posts.records import GoldPost
from climate_assets.posts.spans import checked, without_overlaps
from climate_assets.posts.vocabulary import Vocabulary, name_for

MOST_EPOCHS: Final = 200
REHEARSED_SHARE: Final = 0.3
"""Share of the mix that is rehearsed. On the written posts, with the base model's own answers on unlabelled transcripts as
old examples, it keeps a third more of what the base model says of other transcripts (agreement 0.60 for 0.47) and costs
nothing on held-out posts (F1 0.93 for 0.93). On posts with gold the base model's answers are never mixed in: gold is whole."""


@dataclass(frozen=True, slots=True)
class Example:
    """One text to learn from, with entities in the model's own names, in order, none overlapping; may have none."""

    post_id: str
    text: str
    entities: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True)
class Parameters:
    """How a model of entities learns, examples and seed aside; `asdict` of it goes into `ModelVersion.parameters`."""

    epochs: int = 20
    """How often each example is shown."""
    dropout: float = 0.3
    """Share of inputs of each layer that is left out while learning."""
    learn_rate: float = 0.001
    """Step of Adam; the base models were trained with it."""
    l2: float = 0.01
    """Decay of weights."""
    first_batch: float = 4.0
    last_batch: float = 16.0
    compound: float = 1.01
    """Examples a step: from the first, growing by this factor each step, to the last."""

    def __post_init__(self) -> None:
        """Raises `ValueError` for a figure with which nothing is learnt, or without end."""
        if not (1 <= self.epochs <= MOST_EPOCHS and 0 <= self.dropout < 1 and 0 < self.learn_rate <= 0.1 and 0 <= self.l2 <= 1):
            raise ValueError(f"nothing is learnt so: {self}")
        if not (1 <= self.first_batch <= self.last_batch <= 1_000 and self.compound >= 1):
            raise ValueError(f"batches grow from the first size to the last: {self}")


def training_examples(posts: Iterable[GoldPost], vocabulary: Vocabulary) -> list[Example]:
    """An example for each post, those without a span too: they teach what is no entity. By post id.

    Raises `Permanent` if a span does not lie in its text.
    """
    return [
        Example(
            post.post_id,
            post.text,
            tuple((s.start, s.end, name_for(s.label, vocabulary)) for s in without_overlaps(checked(post.text, post.spans))),
        )
        for post in sorted(posts, key=lambda post: post.post_id)
    ]


def rehearsal_mix(new: Sequence[Example], old: Sequence[Example], share: float, chance: np.random.Generator) -> list[Example]:
    """New examples with as many old ones that these make `share` of the mix, or all there are; shuffled.

    A model that only sees the newest gold forgets: eleven posts alone took F1 of held-out posts from 0.89 to 0.69. Old are
    earlier gold, and texts that nobody labelled with what the model in use says of them. Old ones are drawn without
    repetition; an old example of a post that is new again is left out. Raises `ValueError` unless 0 <= share < 1.
    """
    if not 0 <= share < 1:
        raise ValueError(f"a share of {share} old examples leaves no room for new ones; give 0 to below 1")
    known = {example.post_id for example in new}
    pool = sorted((example for example in old if example.post_id not in known), key=lambda example: example.post_id)
    size = min(len(pool), math.ceil(share * len(new) / (1 - share)))
    drawn = [pool[index] for index in sorted(chance.choice(len(pool), size, replace=False).tolist())] if size else []
    mixed = [*sorted(new, key=lambda example: example.post_id), *drawn]
    return [mixed[index] for index in chance.permutation(len(mixed)).tolist()]


def data_hash(examples: Iterable[Example]) -> str:
    """SHA-256 of what is learnt, whatever its order: text and entities, not where they come from."""
    rows = sorted(json.dumps([e.text, e.entities], ensure_ascii=False) for e in examples)
    return hashlib.sha256("\n".join(rows).encode("utf-8", "surrogatepass")).hexdigest()
