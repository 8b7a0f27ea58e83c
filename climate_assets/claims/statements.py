"""What the student learns from: short labelled statements, read from CSV text, with a version that names their content.

Belongs here: the shape of a statement, its closed lists, validation, the version. Does not belong here: where the text
comes from, and what is learnt from it (`student_training.py`). The label guide stands beside the files, in
`reference/statements/README.md`.
"""

import csv
import hashlib
import io
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

import orjson

from climate_assets.broadcast.folding import borders_as_spaces, folded
from climate_assets.claims.records import Category
from climate_assets.failures import Permanent

COLUMNS: Final = ("text", "category", "challenged", "kind")
SHORTEST, LONGEST = 5, 120
"""Words of a statement: fewer say nothing, more are several statements."""

E = TypeVar("E", bound=StrEnum)
_TRUTH: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Kind(StrEnum):
    """What sort of speech a statement is; it spreads the examples and is not learnt."""

    CLAIM = "claim"
    REBUTTED = "rebutted"
    QUOTED = "quoted"
    NEUTRAL_CLIMATE = "neutral_climate"
    SCIENCE = "science"
    POLICY_DEBATE = "policy_debate"
    WEATHER = "weather"
    ECONOMY = "economy"
    ADVERT_LIKE = "advert_like"
    HOMONYM = "homonym"
    JOKE = "joke"
    OTHER = "other"


_CHALLENGED_KINDS: Final = frozenset({Kind.REBUTTED, Kind.QUOTED})


@dataclass(frozen=True, slots=True)
class Statement:
    """A few sentences as a recogniser writes them; `category` is what is claimed, even where it is contradicted."""

    text: str
    category: Category
    challenged: bool
    kind: Kind

    @property
    def misleading(self) -> bool:
        """Something false is claimed and nobody contradicts it."""
        return self.category is not Category.NONE and not self.challenged


def statements_from_csv(text: str, source: str) -> list[Statement]:
    """The statements in CSV text with the columns `COLUMNS`, in any order; `source` names the text in errors.

    Raises `Permanent` with source, line, value and remedy for a missing column, an unknown category or kind, a wrong
    flag, labels that contradict each other, a text of fewer than `SHORTEST` or more than `LONGEST` words, and a text
    that is there already (spelling folded).
    """
    statements: list[Statement] = []
    seen: dict[bytes, int] = {}
    for line, row in _rows(text, source):
        where = f"{source}:{line}"
        statement = Statement(
            text=_text(row["text"], where),
            category=_listed(Category, row["category"], where, "category"),
            challenged=_flag(row["challenged"], where),
            kind=_listed(Kind, row["kind"], where, "kind"),
        )
        _check_labels(statement, where)
        first = seen.setdefault(b" ".join(borders_as_spaces(folded(statement.text)).split()), line)
        if first != line:
            raise Permanent(f"{where}: {statement.text!r:.80} is there since line {first}; keep one of the two")
        statements.append(statement)
    if not statements:
        raise Permanent(f"{source}: no statement; write at least one row below the header {','.join(COLUMNS)}")
    return statements


def statements_version(statements: Iterable[Statement]) -> str:
    """Twelve hexadecimal digits of SHA-256 over text, category and challenged of the sorted statements.

    Order does not count, and neither does `kind`, which nothing is learnt from.
    """
    content = sorted([s.text, s.category.value, s.challenged] for s in statements)
    return hashlib.sha256(orjson.dumps(content)).hexdigest()[:12]


def _rows(text: str, source: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells by column of each row that is not blank."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), restkey="", restval="")
    reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
    if missing := [column for column in COLUMNS if column not in reader.fieldnames]:
        raise Permanent(f"{source}:1: no column {', '.join(missing)}; the header needs {','.join(COLUMNS)}")
    for row in reader:
        if row.get(""):
            raise Permanent(
                f"{source}:{reader.line_num}: more cells than columns ({row['']!r:.80}); remove commas from the text"
            )
        if any(cell.strip() for cell in row.values()):
            yield reader.line_num, row


def _text(cell: str, where: str) -> str:
    text = unicodedata.normalize("NFC", " ".join(cell.split()))
    words = len(text.split())
    if not SHORTEST <= words <= LONGEST:
        raise Permanent(f"{where}: {text!r:.80} has {words} words; write {SHORTEST} to {LONGEST}")
    return text


def _listed(names: type[E], cell: str, where: str, column: str) -> E:
    try:
        return names(cell.strip())
    except ValueError:
        raise Permanent(f"{where}: {column} {cell!r:.60} is unknown; choose one of {', '.join(names)}") from None


def _flag(cell: str, where: str) -> bool:
    try:
        return _TRUTH[cell.strip().lower()]
    except KeyError:
        raise Permanent(f"{where}: challenged {cell!r:.60} is no flag; write true or false") from None


def _check_labels(statement: Statement, where: str) -> None:
    claims = statement.category is not Category.NONE
    if statement.challenged and not claims:
        raise Permanent(f"{where}: challenged, and category {statement.category}; say which claim is contradicted")
    expected = statement.kind in _CHALLENGED_KINDS
    if statement.challenged is not expected or (claims and not expected and statement.kind is not Kind.CLAIM):
        raise Permanent(
            f"{where}: kind {statement.kind} does not fit; a claim that stands is `claim`, a contradicted one is "
            "`rebutted` or `quoted`"
        )
    if not claims and statement.kind is Kind.CLAIM:
        raise Permanent(f"{where}: kind claim, and category {statement.category}; choose the category or another kind")
