"""Spans of a text: what they are, that they are exact, and how the offsets of others become ours.

Offsets are code points, end exclusive, so `text[start:end]` is the span (facts on the entity loop, section 7). Browsers
count UTF-16 units. Belongs here: checks, conversion, trimming, overlaps, JSON. Does not: what scores them (`span_scores.py`).
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from climate_assets.failures import Permanent
from climate_assets.posts.vocabulary import Label, Vocabulary, label_of, own_label

MOST_SPANS: Final = 500
"""Spans of one post that are read; a post has a few thousand characters at most."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a text with its label: code points `start` to `end`, exclusive; two are equal when all three are."""

    start: int
    end: int
    label: Label

    def __len__(self) -> int:
        return self.end - self.start

    def overlap(self, other: "Span") -> int:
        """Code points that both cover, whatever their labels."""
        return max(0, min(self.end, other.end) - max(self.start, other.start))


class Entity(Protocol):
    """An entity as spaCy gives it (`Span`)."""

    @property
    def start_char(self) -> int: ...  # noqa: D102
    @property
    def end_char(self) -> int: ...  # noqa: D102
    @property
    def label_(self) -> str: ...  # noqa: D102


class Doc(Protocol):
    """A text as spaCy read it (`Doc`)."""

    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def ents(self) -> Sequence[Entity]: ...  # noqa: D102


def checked(text: str, spans: Iterable[Span]) -> frozenset[Span]:
    """The spans as a set; raises `Permanent` for one that is empty or reaches outside the text."""
    found = frozenset(spans)
    for span in found:
        if not 0 <= span.start < span.end <= len(text):
            raise Permanent(f"span {span.start}..{span.end} ({span.label}) does not lie in its text of {len(text)} characters")
    return found


def trimmed(text: str, span: Span) -> Span | None:
    """The span without white space at its ends; none if nothing else is in it."""
    inside = text[span.start : span.end]
    start = span.start + len(inside) - len(inside.lstrip())
    end = span.end - (len(inside) - len(inside.rstrip()))
    return Span(start, end, span.label) if start < end else None


def without_overlaps(spans: Iterable[Span]) -> list[Span]:
    """Spans in order of place, no two of which share a character: the longer one stays, then the earlier, then by label.

    The rule of spaCy's `filter_spans`. Neighbours that only touch both stay, of one label too.
    """
    kept: list[Span] = []
    for span in sorted(set(spans), key=lambda s: (-len(s), s.start, s.label)):
        if not any(span.overlap(other) for other in kept):
            kept.append(span)
    return sorted(kept)


def spans_of_doc(text: str, doc: Doc, vocabulary: Vocabulary) -> list[Span]:
    """What a spaCy model found, in our labels and in order; names without counterpart are left out.

    Entities are read one by one and never joined, so two names side by side stay two. Raises `Permanent` if the model read
    another text than `text`, or says a label that the vocabulary does not know.
    """
    if doc.text != text:
        raise Permanent("the model returned another text than it was given, so its offsets mean nothing; check its tokenizer")
    spans = []
    for entity in doc.ents:
        label = label_of(entity.label_, vocabulary)
        if label and (span := trimmed(text, Span(entity.start_char, entity.end_char, label))):
            spans.append(span)
    return sorted(checked(text, spans))


def utf16_offset(text: str, offset: int) -> int:
    """The UTF-16 offset, as browsers count, of a code point offset; raises `ValueError` outside the text."""
    if not 0 <= offset <= len(text):
        raise ValueError(f"offset {offset} is outside a text of {len(text)} characters")
    return offset + sum(letter > "\uffff" for letter in text[:offset])


def code_point_offset(text: str, offset: int) -> int:
    """The code point offset of a UTF-16 offset; raises `ValueError` outside the text and inside a character."""
    units = place = 0
    while units < offset and place < len(text):
        units += 2 if text[place] > "\uffff" else 1
        place += 1
    if offset < 0 or units != offset:
        raise ValueError(f"UTF-16 offset {offset} lies outside the text or inside one of its characters")
    return place


def to_json(text: str, spans: Iterable[Span]) -> str:
    """Spans as the canonical JSON list that `annotations.spans` and `gold_labels.value` hold: same set, same text."""
    rows = [{"end": s.end, "label": s.label.value, "start": s.start, "text": text[s.start : s.end]} for s in sorted(set(spans))]
    return json.dumps(rows, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def from_json(text: str, said: str) -> frozenset[Span]:
    """The spans of such a JSON list; raises `Permanent` for what is no list of exact spans of `text`."""
    try:
        rows = json.loads(said)
    except (ValueError, RecursionError) as error:
        raise Permanent(f"spans are no JSON ({type(error).__name__}); read the annotation again") from error
    if not isinstance(rows, list) or len(rows) > MOST_SPANS:
        raise Permanent(f"spans are no list of at most {MOST_SPANS}; read the annotation again")
    return checked(text, [exact(text, row, row.get("label")) if isinstance(row, dict) else _no_object(row) for row in rows])


def exact(text: str, value: dict[str, Any], label: object) -> Span:
    """The span of one value with `start`, `end` and `text`; raises `Permanent` unless `text[start:end]` is what it says."""
    start, end, said = value.get("start"), value.get("end"), value.get("text")
    if type(start) is not int or type(end) is not int or not isinstance(said, str) or not isinstance(label, str):
        raise Permanent("a span needs whole numbers under `start` and `end`, and texts under `text` and its label")
    if not 0 <= start < end <= len(text):
        raise Permanent(f"span {start}..{end} does not lie in its text of {len(text)} characters")
    if text[start:end] != said:
        raise Permanent(
            f"the text from {start} to {end} is {text[start:end]!r:.80}, not {said!r:.80}{_counted(text, start, end, said)}"
        )
    return Span(start, end, own_label(label))


def _counted(text: str, start: int, end: int, said: str) -> str:
    try:
        wide = text[code_point_offset(text, start) : code_point_offset(text, end)]
    except ValueError:
        return ""
    return "; the offsets count UTF-16 units, give code points" if wide == said else ""


def _no_object(row: object) -> Span:
    raise Permanent(f"a span is a {type(row).__name__}, not an object; read the annotation again")
