"""Where a quote stands in a text, or that it does not: nothing is shown that nobody said.

Tokens are compared after folding, since speech-to-text writes `l' eau` where a model writes `l’eau`. A quote is
contiguous: an ellipsis is never bridged, and neither is the barrier that stands where an advert was cut.
"""

import re
from typing import Final

from climate_assets.broadcast.cleaning import BARRIER
from climate_assets.broadcast.folding import folded
from climate_assets.claims.plaintext import plain

MIN_TOKENS: Final = 3
"""Shorter quotes prove nothing: the same two words stand everywhere. The whole text may be shorter."""

_TOKEN: Final = re.compile(rb"[a-z0-9]+")
_BARRIER: Final = BARRIER.encode()


def tokens(text: str) -> list[bytes]:
    """Runs of folded letters and digits; apostrophes, hyphens and marks divide, since recognisers write them at will."""
    return _TOKEN.findall(folded(plain(text)))


def locate(quote: str, text: str) -> tuple[int, int] | None:
    """First word and number of words that `quote` spans in `text`, counted between single spaces; None if it is not there.

    At least `MIN_TOKENS` tokens, or every token of the text.
    """
    wanted = tokens(quote)
    if not wanted or BARRIER in quote:
        return None
    owners: list[int] = []
    spoken: list[bytes] = []
    for index, spaced in enumerate(text.split(" ")):
        found = [_BARRIER] if spaced == BARRIER else tokens(spaced)
        spoken += found
        owners += [index] * len(found)
    if len(wanted) < MIN_TOKENS and wanted != spoken:
        return None
    line = b" %b " % b" ".join(spoken)
    at = line.find(b" %b " % b" ".join(wanted))
    if at < 0:
        return None
    start = line.count(b" ", 0, at)
    first, last = owners[start], owners[start + len(wanted) - 1]
    return first, last - first + 1
