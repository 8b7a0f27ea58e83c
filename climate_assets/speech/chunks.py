"""Which stretches of speech are decoded together, and in which language.

Belongs here: joining of neighbours up to what a decoding can hear, one language out of several guesses. Does not belong
here: finding speech and telling languages (`resources/workers/whisper.py`).
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Final

CHUNK_SECONDS: Final = 20.0
"""What one decoding hears. Whisper takes 30: of fast speech a small model then leaves out up to a third (demo's recordings)."""
GAP_SECONDS: Final = 4.0
"""A silence that is not worth hearing: chunks end there."""
PIECE_SECONDS: Final = 10.0
"""What a language is told from: long enough to be sure, short enough that few pieces hold two."""
PIECE_GAP_SECONDS: Final = 0.3
"""Between stretches, which hold 0.4 s of pause at each end: who goes on in another language takes a breath before."""
SURE: Final = 0.6
"""Probability below which a piece is taken to be in the language of the piece before it."""

Span = tuple[float, float]
"""First and last second."""


def joined(spans: Sequence[Span], seconds: float, gap: float) -> list[Span]:
    """Neighbours made one, as long as the whole is no longer than `seconds` and no silence longer than `gap`."""
    chunks: list[Span] = []
    for start, end in spans:
        if chunks and end - chunks[-1][0] <= seconds and start - chunks[-1][1] <= gap:
            chunks[-1] = (chunks[-1][0], end)
        else:
            chunks.append((start, end))
    return chunks


def settled(told: Sequence[tuple[str, float]]) -> list[str]:
    """Language of each piece; one that is not sure takes that of the piece before it, the first ones that of the surest."""
    if not told:
        return []
    before = max(told, key=itemgetter(1))[0]
    languages = []
    for language, probability in told:
        before = language if probability >= SURE else before
        languages.append(before)
    return languages
