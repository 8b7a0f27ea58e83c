"""How far a source was read for a day, and from where the next reading goes on: values of one mark.

While a day lasts it is read on from the newest post. When it is over it is read to its end, and once more from its
beginning two days later, for servers hear of each other's posts late. After that it is not asked for again.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from climate_assets.posts.records import PostMark

LATE: Final = timedelta(days=2)
"""After the end of a day, what came late is there."""
_OVER, _SETTLED = 1, 2


def next_reading(mark: PostMark, end: datetime, now: datetime) -> PostMark | None:
    """The mark that a reading goes on from; none if nothing is to be asked. `end` is the first instant after the day."""
    if mark.readings >= _SETTLED or (mark.readings == _OVER and now < end + LATE):
        return None
    # A second reading that was cut off has left its mark somewhere in the day, and goes on from there.
    return mark


def read_to_end(mark: PostMark, end: datetime, begun: datetime) -> PostMark:
    """The mark after a reading, begun at an instant, that came to the end of what there is."""
    if begun < end:
        return mark
    if mark.readings == 0 and begun < end + LATE:
        return replace(mark, newest_id="", readings=_OVER)
    return replace(mark, newest_id="", readings=_SETTLED)
