"""Which hits count: the rule for keywords with a high risk of false positive (HRFP).

Belongs here: that rule alone. Does not belong here: how hits are found (`keywords.py`) and the legacy rule, whose result
depends on the order of the dictionary (`legacy_keywords.py`).

The rule. Within one chunk and one subject, call two windows connected when both hold a hit of that subject, direct or HRFP,
and they are the same or neighbours (their numbers differ by at most 1). A direct hit counts. An HRFP hit counts if and only
if a chain of connected windows leads from its window to a window with a direct hit. This is a fixpoint: it does not depend
on the order of hits, entries or chunks. A gap of one empty window ends the chain; other subjects never promote.
"""

from collections.abc import Iterable

Occurrence = tuple[str, int, bool]
"""Subject, window 0..5, HRFP."""


def counting_windows(occurrences: Iterable[Occurrence]) -> dict[str, int]:
    """Per subject, the windows in which its hits count, as bits (bit n = window n).

    Every direct hit lies in such a window, so a hit counts if and only if its window's bit is set.
    """
    present: dict[str, int] = {}
    direct: dict[str, int] = {}
    for subject, window, hrfp in occurrences:
        bit = 1 << window
        present[subject] = present.get(subject, 0) | bit
        direct[subject] = direct.get(subject, 0) | (0 if hrfp else bit)
    return {subject: _reached(direct[subject], windows) for subject, windows in present.items()}


def _reached(reached: int, windows: int) -> int:
    """The bits of `windows` that steps of one reach from `reached`."""
    while (further := (reached | reached << 1 | reached >> 1) & windows) != reached:
        reached = further
    return reached
