"""What is looked for: dictionary entries, read from CSV text, with a version that names their content.

Belongs here: the shape of an entry, the two CSV forms (ours and the legacy one), validation, the version.
Does not belong here: where the text comes from, and how entries are matched (`keywords.py`).
"""

import csv
import hashlib
import io
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import orjson

from climate_assets.broadcast.folding import folded
from climate_assets.broadcast.records import Theme
from climate_assets.failures import Permanent

COLUMNS = ("keyword", "theme", "category", "hrfp", "rationale")
LEGACY_COLUMNS = ("keyword", "theme", "category", "high_risk_of_false_positive", "language")
INDIRECT = "_indirectes"
LONGEST_KEYWORD = 100
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One keyword in one theme; `hrfp` says that it has a high risk of false positive."""

    keyword: str
    theme: Theme
    category: str = ""
    hrfp: bool = False
    rationale: str = ""


@dataclass(frozen=True, slots=True)
class Dictionary:
    """The entries of one language, sorted; `version` is the same for the same content. Made by `dictionary_of`."""

    language: str
    entries: tuple[Entry, ...]
    version: str


def dictionary_of(language: str, entries: Iterable[Entry]) -> Dictionary:
    """The dictionary of these entries, in canonical order.

    Its version is 12 hexadecimal digits of SHA-256 over language, keyword, theme, category and HRFP flag of the sorted
    entries. A rationale explains an entry and changes no hit, so it is left out.
    """
    ordered = tuple(sorted(entries))
    content = [language, sorted([e.keyword, e.theme.value, e.category, e.hrfp] for e in ordered)]
    return Dictionary(language, ordered, hashlib.sha256(orjson.dumps(content)).hexdigest()[:12])


def dictionary_from_csv(text: str, language: str, source: str) -> Dictionary:
    """The dictionary in CSV text with the columns `COLUMNS`, in any order; `source` names the text in errors.

    Raises `Permanent` with source, line, value and remedy for a missing column, an unknown theme, a wrong flag,
    an empty or too long keyword, and a keyword that a theme already has (spelling folded).
    """
    entries: list[Entry] = []
    seen: dict[tuple[bytes, Theme], int] = {}
    for line, row in _rows(text, COLUMNS, source):
        where = f"{source}:{line}"
        keyword = _keyword(row["keyword"], where)
        theme = _theme(row["theme"], where)
        first = seen.setdefault((folded(keyword), theme), line)
        if first != line:
            raise Permanent(f"{where}: keyword {keyword!r} is in theme {theme} since line {first}; keep one of the two")
        hrfp = _flag(row["hrfp"], where, "hrfp")
        entries.append(Entry(keyword, theme, _spaced(row["category"]), hrfp, _spaced(row["rationale"])))
    if not entries:
        raise Permanent(f"{source}: no entry; a dictionary needs at least one row below its header")
    return dictionary_of(language, entries)


def dictionary_from_legacy_csv(text: str, language: str, source: str) -> Dictionary:
    """The rows of `language` in CSV text with the legacy columns; paused keywords (with `#`) are left out.

    A theme with the suffix `_indirectes`, or the column's flag, makes an entry HRFP. The legacy form may repeat a keyword
    in a theme with another category or flag: categories are joined with `;` and a direct row outweighs an HRFP one.
    """
    merged: dict[tuple[str, Theme], tuple[set[str], bool]] = {}
    for line, row in _rows(text, LEGACY_COLUMNS, source):
        where = f"{source}:{line}"
        if _spaced(row["language"]).lower() != language or "#" in row["keyword"]:
            continue
        theme_name = _spaced(row["theme"])
        key = _keyword(row["keyword"], where).lower(), _theme(theme_name.removesuffix(INDIRECT), where)
        hrfp = _flag(row["high_risk_of_false_positive"] or "false", where, "high_risk_of_false_positive")
        categories, only_hrfp = merged.setdefault(key, (set(), True))
        merged[key] = categories | {_spaced(row["category"])} - {""}, only_hrfp and (hrfp or theme_name.endswith(INDIRECT))
    if not merged:
        raise Permanent(f"{source}: no row of language {language!r}; check the column `language`")
    return dictionary_of(language, (Entry(k, t, ";".join(sorted(c)), hrfp) for (k, t), (c, hrfp) in merged.items()))


def _rows(text: str, columns: tuple[str, ...], source: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells by column of each row that is not blank."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), restkey="", restval="")
    reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
    missing = [column for column in columns if column not in reader.fieldnames]
    if missing:
        raise Permanent(f"{source}:1: no column {', '.join(missing)}; the header needs {','.join(columns)}")
    for row in reader:
        if row.get(""):
            raise Permanent(
                f"{source}:{reader.line_num}: more cells than columns ({row['']!r:.80}); quote a cell that has a comma"
            )
        if any(cell.strip() for cell in row.values()):
            yield reader.line_num, row


def _spaced(cell: str) -> str:
    return unicodedata.normalize("NFC", " ".join(cell.split()))


def _keyword(cell: str, where: str) -> str:
    keyword = _spaced(cell)
    if not folded(keyword).strip(b" '.-"):
        raise Permanent(f"{where}: keyword {cell!r} has no Latin letter or digit; write a word or remove the row")
    if len(keyword) > LONGEST_KEYWORD:
        raise Permanent(
            f"{where}: keyword {keyword!r:.60} has {len(keyword)} characters; at most {LONGEST_KEYWORD} are allowed"
        )
    return keyword


def _theme(cell: str, where: str) -> Theme:
    try:
        return Theme(cell.strip())
    except ValueError:
        raise Permanent(f"{where}: theme {cell!r} is unknown; choose one of {', '.join(Theme)}") from None


def _flag(cell: str, where: str, column: str) -> bool:
    try:
        return _TRUTH[cell.strip().lower()]
    except KeyError:
        raise Permanent(f"{where}: {column} {cell!r} is no flag; write true or false") from None
