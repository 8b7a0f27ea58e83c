"""Texts as numbers of their words: a word as it is folded has one number, found for all words of many texts at once.

A short form is two machine words, and a table that its hash leads into says its number; whoever asks checks the form itself,
so texts made to collide are slower and nothing else. Belongs here: tokens to numbers. Does not belong here: what a number
weighs (`student_sums.py`), and what a word is (`student_words.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from climate_assets.broadcast.cleaning import BARRIER
from climate_assets.broadcast.folding import SPACE, folded

BARRIER_NUMBER: Final = 0
_SHORT: Final = 16
"""Letters of a form that is looked up with all others; longer ones, one in a hundred, are looked up one by one."""
_REMEMBERED_LETTERS: Final = 60
_SLOTS: Final = 16
"""Bits of a place in the table."""
_MULTIPLIERS: Final = tuple(
    np.array([[0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], [0xD6E8FEB86659FD93, 0xA0761D6478BD642F]], np.uint64)
)
"""Odd numbers without pattern, for either of two places: multiply and take the highest bits (Fibonacci hashing)."""
_MASKS: Final = np.array([[255] * n + [0] * (_SHORT - n) for n in range(_SHORT + 1)], np.uint8).view(np.uint64)

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Texts one behind the other."""

    numbers: Places
    """Of each whitespace-separated token; `BARRIER_NUMBER` for a barrier, and after each text."""
    begins: Places
    """Index of each text's first token."""


class Forms:
    """Numbers of the folded tokens that were met; `number_of` gives that of a new one, and is asked once for each."""

    def __init__(self, number_of: Callable[[str], int]) -> None:
        self._number_of = number_of
        self._known: dict[bytes, int] = {}
        # Where a hash leads to: forms in the order in which they were met, so that the usual ones lie together; 0 is none.
        self._slots = np.zeros(1 << _SLOTS, np.int32)
        self._keys = np.full((1024, 2), 2**64 - 1, np.uint64)
        self._numbers = np.full(1024, -1, np.int64)
        self._met = 1

    def __len__(self) -> int:
        return len(self._known)

    def tokens(self, texts: Sequence[str]) -> Tokens:
        """The tokens of some texts."""
        whole = [_with_single_spaces(text) for text in texts]
        forms = [folded(text) for text in whole]
        # Between two texts stand two spaces, and between those an empty token: the barrier after the first of them.
        letters = np.frombuffer(b"".join([*forms, bytes(_SHORT)]), np.uint8)
        spaces = np.flatnonzero(letters == SPACE[0])
        ends = spaces.searchsorted(np.cumsum([len(form) for form in forms]))
        begins = np.append(0, ends[:-1])
        numbers = self._numbers_of(letters, spaces[:-1] + 1, np.diff(spaces) - 1)
        numbers = np.append(numbers, BARRIER_NUMBER)
        numbers[ends - 1] = BARRIER_NUMBER
        for text, begin in zip(whole, begins.tolist(), strict=True):
            at = text.find(BARRIER)
            while at >= 0:
                numbers[begin + text.count(" ", 0, at)] = BARRIER_NUMBER
                at = text.find(BARRIER, at + 1)
        return Tokens(numbers, begins)

    def _numbers_of(self, letters: NDArray[np.uint8], starts: Places, lengths: Places) -> Places:
        """Numbers of forms by their place in the letters."""
        pieces = np.ndarray((len(letters) - _SHORT + 1,), f"V{_SHORT}", letters, strides=(1,))
        keys = pieces[starts].view(np.uint64).reshape(-1, 2)
        keys &= _MASKS[np.minimum(lengths, _SHORT)]
        numbers = self._looked_up(keys, lengths, 0)
        again = np.flatnonzero(numbers < 0)
        numbers[again] = second = self._looked_up(keys[again], lengths[again], 1)
        unmet = again[second < 0]
        places = np.stack([_slots(keys[unmet], which) for which in (0, 1)], axis=1)
        # A form that is new is often said more than once in the same texts.
        new: dict[bytes, int] = {}
        for n, place in zip(unmet.tolist(), places.tolist(), strict=True):
            form = letters[starts[n] : starts[n] + lengths[n]].tobytes()
            if form not in new:
                new[form] = self._number(form, keys[n], *place)
            numbers[n] = new[form]
        return numbers

    def _looked_up(self, keys: NDArray[np.uint64], lengths: Places, place: int) -> Places:
        """Numbers in one of a form's two places of the table, -1 where it is not there."""
        at = self._slots[_slots(keys, place)]
        there = self._keys[at]
        numbers = self._numbers[at]
        numbers[(there[:, 0] != keys[:, 0]) | (there[:, 1] != keys[:, 1]) | (lengths > _SHORT)] = -1
        return numbers

    def _number(self, form: bytes, key: NDArray[np.uint64], first: int, second: int) -> int:
        number = self._known.get(form)
        if number is None:
            number = self._number_of(form.decode("ascii"))
            if len(form) <= _REMEMBERED_LETTERS:
                self._known[form] = number
        if len(form) <= _SHORT:
            slot = second if self._slots[first] else first
            # Of many forms with the same places the last one is kept, in the place of the one before.
            at = int(self._slots[slot]) or self._met
            if at == len(self._numbers):
                self._keys = np.concatenate([self._keys, np.zeros_like(self._keys)])
                self._numbers = np.concatenate([self._numbers, np.full_like(self._numbers, -1)])
            self._met = max(self._met, at + 1)
            self._slots[slot], self._keys[at], self._numbers[at] = at, key, number
        return number


def _slots(keys: NDArray[np.uint64], which: int) -> Places:
    one, two = _MULTIPLIERS[which]
    mixed = keys[:, 0] * one ^ keys[:, 1] * two
    mixed ^= mixed >> np.uint64(32)
    mixed *= one
    found: Places = (mixed >> np.uint64(64 - _SLOTS)).view(np.int64)
    return found


def _with_single_spaces(text: str) -> str:
    """The text with one plain space between its tokens, and none at its ends."""
    if "  " not in text and text.isprintable() and not text.startswith(" ") and not text.endswith(" "):
        return text
    return " ".join(text.split())
