"""Words as a reader divides them: parts of one written word joined, a long decoding cut where a sentence or a breath ends.

A recogniser in batches gives segments of up to 20 s; guards judge, and readers read, sentences. Belongs here: how a
decoding is cut. Does not belong here: whether a sentence is believed (`guards.py`) and who says it (`fusion.py`).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from climate_assets.claims.plaintext import plain
from climate_assets.speech.records import Segment, Word

PAUSE_SECONDS: Final = 1.0
"""A silence between two words that ends a stretch, whatever the punctuation says."""

_ENDS: Final = (".", "!", "?", "…")
_CLOSING: Final = "\"'”’»)]"


def written_words(pieces: Iterable[Word]) -> tuple[Word, ...]:
    """Words as they are written, without spaces: a piece that does not start with a space goes on with the word before it.

    Recognisers time `l` and `'eau`, `1` and `.5` apart. The probability of a word is that of its least sure piece.
    """
    words: list[Word] = []
    for piece in pieces:
        # A word that shows nothing is no word: what is counted here is what can be read.
        text = "".join(plain(piece.text).split())
        if not text:
            continue
        if words and not piece.text[0].isspace():
            before = words[-1]
            probability = min(before.probability, piece.probability)
            words[-1] = Word(before.start, max(before.end, piece.end), before.text + text, probability)
        else:
            words.append(Word(piece.start, piece.end, text, piece.probability))
    return tuple(words)


def sentences(segment: Segment) -> Iterator[Segment]:
    """The segment cut behind each end of a sentence and at each long pause; figures of the decoding stay those of the whole."""
    for words in _stretches(segment.words):
        text = " ".join(word.text for word in words)
        yield replace(segment, start=words[0].start, end=max(word.end for word in words), text=text, words=tuple(words))


def _stretches(words: Sequence[Word]) -> Iterator[list[Word]]:
    stretch: list[Word] = []
    for word in words:
        if stretch and (stretch[-1].text.rstrip(_CLOSING).endswith(_ENDS) or word.start - stretch[-1].end > PAUSE_SECONDS):
            yield stretch
            stretch = []
        stretch.append(word)
    if stretch:
        yield stretch
