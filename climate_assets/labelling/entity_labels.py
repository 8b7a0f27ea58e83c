"""What a marked span of a post names: the closed list that people mark, models say and scores count.

It stands here, left of the stage of posts, because answers are read in this stage. What base models call these labels is
`posts/vocabulary.py`, how they look on the screen `posts/post_screen.py`.
"""

from enum import StrEnum
from typing import Final

TEXT: Final = "text"
"""Name of the tag that shows a post: `to_name` of every region."""
LABEL: Final = "label"
"""Name of the tag with the labels: `from_name` of every span."""
NOTHING: Final = "nothing"
"""Name of the box, and its one value, that says that nothing is to be marked: an answer without a mark is then meant."""


class Label(StrEnum):
    """What a span names."""

    PERSON = "person"
    ORGANISATION = "organisation"
    CHANNEL = "channel_or_programme"
    """A television or radio channel, a newspaper, a programme, a podcast."""
    PLACE = "place"
    LAW = "law_or_policy"
    """A law, decree, tax, plan, treaty or public scheme that is called by a name."""
    ENERGY = "energy_source"
    """A source or carrier of energy, or the kind of plant that makes it: wind at sea, coal, nuclear, hydrogen."""
    FIGURE = "figure"
    """A number with its unit of measure or currency, or a percentage; no bare number, count, date or duration."""
    STUDY = "study_or_source"
    """A study, report, survey or data set that is called by a name."""
    BRAND = "brand"
    """A product or commercial brand, not the company where that is meant as an actor."""
