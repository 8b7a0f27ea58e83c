"""What the `result` of one answer says, field by field, checked against the closed lists of the screen it was given on.

Everything in a result is written by a person or by somebody who has a key of Label Studio, and is checked here: sizes, types,
names, values, offsets, and text that is meant to run. Which version of an answer stands, and in which shapes answers come, is
no part of this.
"""

import html
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from climate_assets.labelling.answer_screens import Screen

# A long answer (20 spans, every text field full) is 30 KB; what is far above that is no person's.
RESULT_BYTES: Final = 256 * 1024
REGIONS: Final = 500
TEXT_LENGTH: Final = 5_000
VALUES: Final = 20
DEPTH: Final = 16
_QUOTED: Final = 60

# Control characters but tabs and line ends, halves of characters, which no UTF-8 holds, marks that make a text look reordered,
# and what is no character.
_BROKEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
# What runs needs one of these, written as it is, as an entity or in percents.
_SIGNS: Final = re.compile("[<:=&%]")
# Browsers skip these inside a tag or a scheme.
_SKIPPED: Final = re.compile("[\x00-\x08\x09-\x0d\x0e-\x1f\u00ad\u200b-\u200f\u2060\ufeff]")
# Every repetition is bounded, so that no text takes long to search.
_RUNS: Final = re.compile(
    r"<\s{0,9}/?\s{0,9}(?:script|iframe|object|embed|svg|math|img|style|link|meta|base|form|template|video|audio)\b"
    r"|(?:java|vb|live)script:|data:text/html"
    r"|<[^<>]{0,500}[\s/\"']on[a-z]{3,30}\s{0,9}="
    r"|\bon(?:error|load|click|focus|blur|toggle|input|change|submit|(?:mouse|pointer|key|animation)[a-z]{1,30})\s{0,9}=",
    re.IGNORECASE,
)


class Unreadable(Exception):
    """An answer that cannot be read: what is wrong with it and where, in words that are safe to show."""


@dataclass(slots=True)
class Fields:
    """What one result says: spans in order of their place, and for each other field its values as they came."""

    spans: list[dict[str, Any]] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    result: str = "[]"
    """The result itself, canonical JSON."""


def canonical(value: Any) -> str:
    """The same JSON text for the same value."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def safe(value: Any) -> str:
    """A value as a reason may quote it: short, one line, without a character that markup is made of."""
    text = value if isinstance(value, str) else _kind(value)
    letters = (letter if letter.isalnum() or letter in " .,;-_=/'?!+%" else "·" for letter in text[: 4 * _QUOTED])
    quoted = " ".join("".join(letters).split())
    return f"'{quoted[:_QUOTED]}{'…' if len(quoted) > _QUOTED or len(text) > 4 * _QUOTED else ''}'"


def fields_of(result: Any, item: Mapping[str, Any], screen: Screen) -> Fields:
    """The fields of one result; `item` holds the texts that the spans lie in. Raises `Unreadable`."""
    if not isinstance(result, list):
        raise Unreadable(f"result is {_kind(result)}, not a list")
    if len(result) > REGIONS:
        raise Unreadable(f"result has {len(result)} regions; {REGIONS} are read at most")
    found = Fields(result=small(result))
    for number, region in enumerate(result):
        if not isinstance(region, dict):
            raise Unreadable(f"region {number} is {_kind(region)}, not an object")
        _read(region, number, item, screen, found)
    for name in sorted(screen.single & found.choices.keys()):
        if len(set(found.choices[name])) > 1:
            raise Unreadable(
                f"field {safe(name)} has several values where one is asked: {safe(', '.join(found.choices[name]))}"
            )
    if found.choices.get(screen.unmarked) and found.spans:
        raise Unreadable(f"field {safe(screen.unmarked)} says that nothing is marked, beside {len(found.spans)} marks")
    found.spans.sort(key=lambda span: (span["start"], span["end"], span["label"]))
    found.spans = [span for n, span in enumerate(found.spans) if n == 0 or span != found.spans[n - 1]]
    return found


def small(result: Any) -> str:
    """The value as canonical JSON; raises `Unreadable` if it is too deep or too large, or holds what JSON does not know."""
    level: list[Any] = [result]
    for _ in range(DEPTH):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            break
        if len(level) > RESULT_BYTES:
            raise Unreadable(f"result has more than {RESULT_BYTES} parts")
    else:
        raise Unreadable(f"result is nested more than {DEPTH} levels deep")
    try:
        text = canonical(result)
    except (ValueError, TypeError):
        raise Unreadable("result holds a number or a value that JSON does not know") from None
    if (size := len(text.encode("utf-8", "surrogatepass"))) > RESULT_BYTES:
        raise Unreadable(f"result has {size} bytes; {RESULT_BYTES} are read at most")
    return text


def require_harmless(name: str, text: str) -> None:
    """Raise `Unreadable` for a text that holds control characters or reordering marks, or markup that runs."""
    if broken := _BROKEN.search(text):
        raise Unreadable(f"field {safe(name)} holds the control character U+{ord(broken[0]):04X}: {safe(text)}")
    if not _SIGNS.search(text):
        return
    # A text may be written in entities or in percents, as an address is.
    for reading in (text, html.unescape(text), html.unescape(unquote(text))):
        if _RUNS.search(reading) or _RUNS.search(_SKIPPED.sub("", reading)):
            raise Unreadable(f"field {safe(name)} holds script or active markup: {safe(text)}")


def whole_number(value: Any, what: str, least: int = 0, most: int = 2**63 - 1) -> int:
    """The value, which is a whole number in those bounds; raises `Unreadable` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        shown = value if isinstance(value, int) and abs(value) < 10**20 else _kind(value)
        raise Unreadable(f"{what} is {shown}, not a whole number from {least} to {most}")
    return value


def seconds(value: Any, what: str) -> float | None:
    """A length of time as Label Studio gives it, or none."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unreadable(f"{what} is {_kind(value)}, not a number")
    if not (math.isfinite(value) and 0 <= value < 1e9):
        raise Unreadable(f"{what} is not a length of time in seconds")
    return float(value)


def _read(region: dict[str, Any], number: int, item: Mapping[str, Any], screen: Screen, found: Fields) -> None:
    """Add what one region says to what was found."""
    if region.get("type") == "relation" and "from_name" not in region:
        # An arrow between two regions, which the editor always offers and no question asks for.
        _require_all_harmless("relation", region)
        return
    name, value = region.get("from_name"), region.get("value")
    if not isinstance(name, str):
        raise Unreadable(f"region {number} names no field")
    if not isinstance(value, dict):
        raise Unreadable(f"value of field {safe(name)} is {_kind(value)}, not an object")
    if name in screen.spans:
        _read_span(region, name, value, item, screen, found)
        return
    _require_all_harmless(name, region)
    if name in screen.choices:
        chosen = _values(value, "choices", name)
        if unknown := [one for one in chosen if one not in screen.choices[name]]:
            raise Unreadable(f"field {safe(name)} has the value {safe(unknown[0])}, which is none of its answers")
        found.choices[name] = _with(found.choices.get(name, []), chosen, name)
    elif name in screen.texts:
        written = [text for text in _values(value, "text", name) if text.strip()]
        found.texts[name] = _with(found.texts.get(name, []), written, name)
    elif name not in screen.machine:
        raise Unreadable(f"no question of the screen is called {safe(name)}")


def _read_span(
    region: dict[str, Any], name: str, value: dict[str, Any], item: Mapping[str, Any], screen: Screen, found: Fields
) -> None:
    labels = _values(value, "labels", name)
    answers = screen.spans[name]
    if unknown := [label for label in labels if label not in answers]:
        raise Unreadable(f"field {safe(name)} has the label {safe(unknown[0])}, which is none of its labels")
    wanted = [label for label in labels if answers[label] != ""]
    if not wanted:
        _require_all_harmless(name, region)
        return
    if screen.unmarked and len(set(wanted)) > 1:
        raise Unreadable(f"field {safe(name)} gives one stretch {len(set(wanted))} labels; one names one thing")
    start, end = _offsets(value, name)
    texts = [text for source in screen.sources if isinstance(text := item.get(source), str)]
    fitting = [text[start:end] for text in texts if end <= len(text)]
    told = value.get("text", fitting[0] if fitting else None)
    if not isinstance(told, str):
        raise Unreadable(f"field {safe(name)}: characters {start} to {end} are not in the text of the task")
    # The editor writes a line break inside a marked text as two characters.
    if not any(told in (text, text.replace("\n", "\\n")) for text in fitting):
        raise Unreadable(
            f"field {safe(name)}: characters {start} to {end} of the text are "
            f"{safe(fitting[0]) if fitting else 'outside it'}, and the answer says {safe(told)}"
        )
    _require_all_harmless(name, {**region, "value": {**value, "text": ""}})
    exact = next(text for text in fitting if told in (text, text.replace("\n", "\\n")))
    for label in dict.fromkeys(wanted):
        found.spans.append({"start": start, "end": end, "label": answers[label], "text": exact, "field": name})


def _offsets(value: dict[str, Any], name: str) -> tuple[int, int]:
    # A text that the editor treats as a page has paths in `start`, and places in the whole text beside them.
    place = value["globalOffsets"] if isinstance(value.get("globalOffsets"), dict) else value
    start = whole_number(place.get("start"), f"start of a span of {safe(name)}", 0, 10**9)
    return start, whole_number(place.get("end"), f"end of a span of {safe(name)}", start + 1, 10**9)


def _values(value: dict[str, Any], key: str, name: str) -> list[str]:
    given = value.get(key)
    values = [given] if isinstance(given, str) and key == "text" else given
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise Unreadable(f"{key} of field {safe(name)} is {_kind(given)}, not a list of texts")
    return values


def _with(known: list[str], added: Sequence[str], name: str) -> list[str]:
    together = list(dict.fromkeys([*known, *added]))
    if len(together) > VALUES:
        raise Unreadable(f"field {safe(name)} has {len(together)} values; {VALUES} are read at most")
    return together


def _require_all_harmless(name: str, value: Any) -> None:
    for text in _texts(value):
        if len(text) > TEXT_LENGTH:
            raise Unreadable(f"field {safe(name)} holds {len(text)} characters; {TEXT_LENGTH} are read at most: {safe(text)}")
        require_harmless(name, text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in _inside(value):
        yield from _texts(inner)


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.keys()
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "missing"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else "something else")
