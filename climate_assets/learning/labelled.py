"""Chunks with a label that stands, as the loop learns from them and is measured on them.

A case is a chunk in which misinformation stands unchallenged: that is what the student's probability speaks of. Belongs here:
the shape, the lesson a chunk teaches, the example it is in a training set. Does not belong here: where rows come from
(`label_reading.py`), and figures (`verdict_quality.py`).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final

from climate_assets.claims.records import Category
from climate_assets.claims.student_lessons import Lesson
from climate_assets.labelling.votes import CASE
from climate_assets.learning.records import Split, TrainingExample
from climate_assets.learning.splits import Item, iso_week

CHALLENGED: Final = "challenged"
CLAIMED: Final = frozenset({"misinformation", "misleading"})
"""Labels of spans that mark what is claimed."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One chunk with a label that stands."""

    item_id: Annotated[str, "Chunk id."]
    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day of the chunk."]
    channel: Annotated[str, "Channel."]
    programme_type: Annotated[str, "Kind of programme; empty if the grid has none."]
    whole: Annotated[bool, "No advert was cut out of its text."]
    text: Annotated[str, "Text that was judged and asked about, adverts cut."]
    assessment: Annotated[str, "`unchallenged`, `challenged` or `none`."]
    category: Annotated[str, "What is claimed, several joined by a comma; empty if nothing is, or it does not stand."]
    marked: Annotated[tuple[str, ...], "Words that people marked as what is claimed."]
    group_id: Annotated[str, "Group of near-duplicates."]
    sampling: Annotated[str, "`score`, `audit` or `gold`."]
    chance: Annotated[float, "Chance with which it would be asked about, by all models that asked: 1 if one of them flags it."]

    @property
    def case(self) -> bool:
        """Misinformation stands in it."""
        return self.assessment == CASE

    @property
    def block(self) -> str:
        """A channel's day, which is divided and resampled as a whole: chunks of one debate know each other's words."""
        return f"{self.country}/{self.channel}/{self.day}"

    @property
    def item(self) -> Item:
        """What its side of the split hangs on; near-duplicates are found by their texts, whatever their blocks."""
        return Item(self.item_id, self.day, self.block)

    @property
    def slices(self) -> tuple[str, ...]:
        """What it counts for beside all items."""
        named = (f"country={self.country}", f"channel={self.channel}", f"text={'whole' if self.whole else 'adverts cut'}")
        return (*named, f"programme={self.programme_type}") if self.programme_type else named

    @property
    def categories(self) -> tuple[Category, ...]:
        """What is claimed; `OTHER` where people say that something is and not what."""
        if self.assessment not in (CASE, CHALLENGED):
            return ()
        return tuple(Category(name) for name in self.category.split(",") if name) or (Category.OTHER,)


def lesson_of(example: TrainingExample, most_claimed: Callable[[str], str]) -> Lesson:
    """What the student learns from a row of a training set: the words people marked, else those in which most is claimed.

    Of a chunk without a case that is what the champion (`most_claimed`) could take for one: the hardest example it offers. Of
    several categories the first is learnt.
    """
    named = [name for name in example.category.split(",") if name]
    passages = tuple(example.marked) if named and example.marked else (most_claimed(example.text),)
    return Lesson(
        item_id=example.item_id,
        group=example.group_id,
        text=example.text,
        category=Category(named[0]) if named else Category.NONE,
        challenged=example.label == CHALLENGED,
        passages=tuple(passage for passage in passages if passage),
    )


def example_of(chunk: Labelled, split: Split) -> TrainingExample:
    """The chunk as a row of a training set."""
    return TrainingExample(
        item_id=chunk.item_id,
        text=chunk.text,
        label=chunk.assessment,
        category=",".join(category.value for category in chunk.categories),
        split=split.value,
        group_id=chunk.block,
        week=iso_week(chunk.day),
        source="gold",
        sampling=chunk.sampling,
        probability=chunk.chance,
        marked=list(chunk.marked),
    )


def marked_words(spans: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
    """Words that spans of answers mark as what is claimed, each run once, in order of place, whichever text they are of."""
    wanted = [s for s in spans if s.get("label") in CLAIMED and isinstance(s.get("text"), str)]
    runs = [
        " ".join(str(s["text"]).split()) for s in sorted(wanted, key=lambda s: (str(s.get("start")).zfill(9), str(s["text"])))
    ]
    return tuple(dict.fromkeys(run for run in runs if run))
