"""How far one text is from another, word by word: what a recogniser heard, beside what the source says was said.

Belongs here: the alignment, the word error rate, the line that shows it, the way from words of one text to those of the
other. Does not belong here: which text is right, and where the texts come from.

Words are those between single spaces. What is compared are their units: runs of folded letters and digits, so that `l' eau` is
`l’eau`, `2 000` is `2000`, `1,5` is `1.5` and `20 pour cent` is `20 %`. A word may hold several units, or none.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rapidfuzz.distance import Levenshtein

from climate_assets.broadcast.folding import folded

_UNIT: Final = re.compile(rb"[a-z0-9]+|%")
_PERCENT: Final = {b"percent", b"prozent", b"procent"}
_PERCENT_PAIRS: Final = {(b"pour", b"cent"), (b"per", b"cent"), (b"por", b"ciento"), (b"por", b"cento")}
_MARKS: Final = str.maketrans({"[": "(", "]": ")", "<": "‹", ">": "›"})

Unit = tuple[bytes, int]
"""What is compared, and the number of the word that it stands in."""


class Kind(StrEnum):
    """What became of some words of the source."""

    EQUAL = "equal"
    REPLACED = "replaced"
    MISSING = "missing"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Run:
    """Words that fared alike: `source[first:last]` became `heard[start:end]`; both are counted between spaces."""

    kind: Kind
    first: int
    last: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Counterpart:
    """Words `heard[start:end]` that stand for some words of the source; `agreement`: share of their units heard alike, 0..1."""

    start: int
    end: int
    agreement: float


@dataclass(frozen=True, slots=True)
class Difference:
    """Two texts, aligned with the fewest edits; runs cover every word of both, in order."""

    source: tuple[str, ...]
    heard: tuple[str, ...]
    source_units: tuple[Unit, ...]
    heard_units: tuple[Unit, ...]
    pairs: tuple[tuple[int | None, int | None], ...]
    """Source unit and heard unit that stand for each other; none: missing, or added."""
    runs: tuple[Run, ...]

    @property
    def edits(self) -> int:
        """Units replaced, missing or added."""
        return sum(not self._alike(pair) for pair in self.pairs)

    @property
    def word_error_rate(self) -> float | None:
        """Edits per unit of the source; above 1 when much was added; none for a source without words."""
        return self.edits / len(self.source_units) if self.source_units else None

    @property
    def shown(self) -> str:
        """Both texts in one line: `[said → heard]`, `[− not heard]`, `[+ only heard]`; plain text without markup."""
        return " ".join(shown for run in self.runs if (shown := self._shown(run)))

    def counterpart(self, words: range) -> Counterpart | None:
        """What was heard for these words of the source; none if nothing was."""
        inside = [(i, j) for i, j in self.pairs if i is not None and self.source_units[i][1] in words]
        found = [self.heard_units[j][1] for _, j in inside if j is not None]
        if not found:
            return None
        return Counterpart(found[0], found[-1] + 1, sum(map(self._alike, inside)) / len(inside))

    def _alike(self, pair: tuple[int | None, int | None]) -> bool:
        i, j = pair
        return i is not None and j is not None and self.source_units[i][0] == self.heard_units[j][0]

    def _shown(self, run: Run) -> str:
        said, heard = _plain(self.source[run.first : run.last]), _plain(self.heard[run.start : run.end])
        match run.kind:
            case Kind.EQUAL:
                return heard or said
            case Kind.REPLACED:
                return f"[{said} → {heard}]"
            case Kind.MISSING:
                return f"[− {said}]"
            case Kind.ADDED:
                return f"[+ {heard}]"


def difference(source: str, heard: str) -> Difference:
    """The alignment of two texts."""
    said_words, heard_words = _words(source), _words(heard)
    said, spoken = units(said_words), units(heard_words)
    operations = Levenshtein.opcodes([unit for unit, _ in said], [unit for unit, _ in spoken])
    pairs: list[tuple[int | None, int | None]] = []
    for operation in operations:
        sources = range(operation.src_start, operation.src_end)
        targets = range(operation.dest_start, operation.dest_end)
        match operation.tag:
            case "delete":
                pairs += [(i, None) for i in sources]
            case "insert":
                pairs += [(None, j) for j in targets]
            case _:  # equal and replace are one to one
                pairs += zip(sources, targets, strict=True)
    runs = tuple(_runs(said_words, heard_words, said, spoken, pairs))
    return Difference(said_words, heard_words, said, spoken, tuple(pairs), runs)


def _words(text: str) -> tuple[str, ...]:
    # At single spaces, as `quotes.locate` and the columns of words count them: a space that never breaks is inside a word.
    return tuple(text.split(" ")) if text else ()


def units(words: Sequence[str]) -> tuple[Unit, ...]:
    """What is compared of some words: folded letters and digits, groups of one number and words for per cent made one."""
    found: list[Unit] = []
    grows = False  # the last unit is a number that three more digits may go on with: `2 000 000`, but not `2023 300`
    for number, word in enumerate(words):
        for unit in _UNIT.findall(folded(word)):
            before, owner = found[-1] if found else (b"", 0)
            if grows and len(unit) == 3 and unit.isdigit():
                found[-1] = (before + unit, owner)
            elif (before, unit) in _PERCENT_PAIRS:
                found[-1] = (b"%", owner)
            else:
                found.append((b"%" if unit in _PERCENT else unit, number))
                grows = unit.isdigit() and len(unit) <= 3
    return tuple(found)


def _runs(
    source: Sequence[str],
    heard: Sequence[str],
    said: Sequence[Unit],
    spoken: Sequence[Unit],
    pairs: Sequence[tuple[int | None, int | None]],
) -> Iterator[Run]:
    """Runs between borders of words in both texts; words that hold several units are equal if all of these are."""
    run: Run | None = None
    for atom in _atoms(source, heard, said, spoken, pairs):
        if run is None:
            run = atom
        elif (run.kind is Kind.EQUAL) == (atom.kind is Kind.EQUAL):
            kind = run.kind if run.kind is atom.kind else Kind.REPLACED
            run = Run(kind, run.first, atom.last, run.start, atom.end)
        else:
            yield run
            run = atom
    if run is not None:
        yield run


def _atoms(
    source: Sequence[str],
    heard: Sequence[str],
    said: Sequence[Unit],
    spoken: Sequence[Unit],
    pairs: Sequence[tuple[int | None, int | None]],
) -> Iterator[Run]:
    """The smallest runs: cut wherever a word of both texts ends. A word without units goes with the word before it."""
    if not pairs:
        if source or heard:
            yield Run(Kind.EQUAL, 0, len(source), 0, len(heard))
        return
    # Word at which the unit at a place starts; behind the last unit, the number of words.
    word_of_source = [0, *(said[i][1] for i in range(1, len(said))), len(source)] if said else [len(source)]
    word_of_heard = [0, *(spoken[j][1] for j in range(1, len(spoken))), len(heard)] if spoken else [len(heard)]
    i = j = first = start = 0
    equal = True
    for number, (left, right) in enumerate(pairs):
        i, j = i + (left is not None), j + (right is not None)
        equal = equal and left is not None and right is not None and said[left][0] == spoken[right][0]
        ends = number + 1 == len(pairs)
        if ends or (_is_border(said, i) and _is_border(spoken, j)):
            last, end = (len(source), len(heard)) if ends else (word_of_source[i], word_of_heard[j])
            yield Run(_kind(equal, last > first, end > start), first, last, start, end)
            first, start, equal = last, end, True


def _is_border(units: Sequence[Unit], place: int) -> bool:
    """Whether a word ends before the unit at this place."""
    return place in (0, len(units)) or units[place - 1][1] != units[place][1]


def _kind(equal: bool, said: bool, heard: bool) -> Kind:
    if equal:
        return Kind.EQUAL
    if said and heard:
        return Kind.REPLACED
    return Kind.MISSING if said else Kind.ADDED


def _plain(words: Sequence[str]) -> str:
    """Words without what could pass for a mark of ours, for markup, or for the end of the line."""
    text = "".join(character if character.isprintable() else " " for character in " ".join(words).translate(_MARKS))
    return " ".join(text.split())
