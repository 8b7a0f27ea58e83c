"""Which verdicts people and dearer steps look at: all at or above the country's threshold, and a random slice below it.

The slice is one and the same for every stage, so that what is asked of people was also heard again. A function of the
verdicts alone: no clock, no dice. The order in which people are asked is `labelling/queue.py`.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from climate_assets.claims.records import Verdict

SCORE: Final = "score"
AUDIT: Final = "audit"
BAND: Final = 2


def audit_slice(verdicts: Sequence[Verdict], share: float) -> list[Verdict]:
    """A random slice of each channel, day and score band (two points wide), every chunk with chance `share`.

    Of n chunks the floor(n x share + u) with the lowest hashes are taken, u in [0, 1) being the stratum's own hash: the number
    is right on average whatever n is, so the chance of each chunk is `share` exactly, and a late chunk moves at most one pick.
    """
    strata: dict[tuple[str, str, str, int], list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        strata[verdict.country, verdict.channel, verdict.day.isoformat(), verdict.score // BAND].append(verdict)
    picks = []
    for key, members in sorted(strata.items()):
        number = int(len(members) * share + uniform("stratum", *map(str, key)))
        picks += sorted(members, key=lambda v: uniform("audit", v.chunk_id))[: min(number, len(members))]
    return picks


def uniform(*parts: str) -> float:
    """A number in [0, 1) that the parts determine."""
    digest = hashlib.sha256("|".join(parts).encode()).digest()
    return (int.from_bytes(digest[:8]) >> 11) / 2**53
