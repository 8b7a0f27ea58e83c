"""A span is what its text says at its place, whatever the letters; neighbours stay apart."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.posts.spans import (
    Span,
    checked,
    code_point_offset,
    from_json,
    spans_of_doc,
    to_json,
    trimmed,
    utf16_offset,
    without_overlaps,
)
from climate_assets.posts.vocabulary import FRENCH, Label
from tests.posts.cases import SPANS, TEXT

# Emoji with joiners and skin tones, flags, combining marks, letters beyond the basic plane, line breaks, spaces of all widths.
PIECES = [
    "👩🏽‍🔬",
    "🇫🇷",
    "e\u0301",
    "o\u0308\u0323",
    "𝔘",
    "𐍈",
    "é",
    "a",
    "Z",
    " ",
    "\n",
    "\u00a0",
    "\u202f",
    "'",
    "1",
    "️",
    "⚡️",
]
texts = st.lists(st.one_of(st.sampled_from(PIECES), st.characters(exclude_categories=["Cs"])), max_size=40).map("".join)
labels = st.sampled_from(list(Label))


@dataclass
class Ent:
    start_char: int
    end_char: int
    label_: str


@dataclass
class Doc:
    text: str
    ents: list[Ent] = field(default_factory=list)


@st.composite
def marked(draw: st.DrawFn) -> tuple[str, list[Span]]:
    text = draw(texts.filter(bool))
    spans = []
    for _ in range(draw(st.integers(0, 8))):
        start = draw(st.integers(0, len(text) - 1))
        spans.append(Span(start, draw(st.integers(start + 1, len(text))), draw(labels)))
    return text, spans


@given(texts)
def test_utf16_offsets_are_those_of_an_encoder_and_lead_back(text: str) -> None:
    for offset in range(len(text) + 1):
        units = len(text[:offset].encode("utf-16-le")) // 2
        assert utf16_offset(text, offset) == units
        assert code_point_offset(text, units) == offset


@pytest.mark.parametrize(("text", "offset"), [("🌊a", 1), ("🌊a", 4), ("🌊a", -1), ("", 1)])
def test_no_place_between_two_halves_or_outside(text: str, offset: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        code_point_offset(text, offset)


@pytest.mark.parametrize("offset", [-1, 3])
def test_no_utf16_offset_outside(offset: int) -> None:
    with pytest.raises(ValueError, match="outside a text of 2"):
        utf16_offset("🌊a", offset)


@given(marked())
def test_json_gives_the_same_set_back(case: tuple[str, list[Span]]) -> None:
    text, spans = case
    said = to_json(text, spans)
    assert from_json(text, said) == frozenset(spans)
    assert to_json(text, reversed(spans)) == said


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("{", "no JSON"),
        ("{}", "no list"),
        ("[1]", "not an object"),
        ('[{"start":1,"end":2,"label":"person","text":"x"}]', "not 'x'"),
        ('[{"start":2,"end":14,"label":"person","text":"Maud Kervie"}]', "not 'Maud Kervie'"),
        ('[{"start":3,"end":15,"label":"person","text":"Maud Kerviel"}]', "give code points"),
        ('[{"start":2,"end":14,"label":"PER","text":"Maud Kerviel"}]', "none of person"),
        ('[{"start":2,"end":2,"label":"person","text":""}]', "does not lie"),
        ('[{"start":-9,"end":4,"label":"person","text":"Ma"}]', "does not lie"),
        ('[{"start":2,"end":99,"label":"person","text":"Maud"}]', "does not lie"),
        ('[{"start":true,"end":2,"label":"person","text":" "}]', "whole numbers"),
        ('[{"start":2.0,"end":14,"label":"person","text":"Maud Kerviel"}]', "whole numbers"),
        ('[{"start":2,"end":14,"text":"Maud Kerviel"}]', "its label"),
        ("[" * 100_000, "no JSON"),
        (f"[{','.join(['{}'] * 501)}]", "at most 500"),
    ],
)
def test_spans_that_are_not_exact_are_refused(said: str, why: str) -> None:
    with pytest.raises(Permanent, match=why):
        from_json(TEXT, said)


@given(marked())
def test_trimming_takes_white_space_and_nothing_else(case: tuple[str, list[Span]]) -> None:
    text, spans = case
    for span in spans:
        inside = text[span.start : span.end]
        found = trimmed(text, span)
        assert (text[found.start : found.end] if found else "") == inside.strip()


@given(marked())
def test_what_is_left_never_overlaps_and_what_is_gone_overlapped(case: tuple[str, list[Span]]) -> None:
    _, spans = case
    kept = without_overlaps(spans)
    assert kept == sorted(kept)
    assert all(one.end <= other.start for one, other in pairwise(kept))
    for span in set(spans) - set(kept):
        assert any(span.overlap(other) and len(other) >= len(span) for other in kept)


def test_the_longer_stays_and_neighbours_both_do() -> None:
    law, energy = Span(0, 20, Label.LAW), Span(4, 10, Label.ENERGY)
    assert without_overlaps([energy, law]) == [law]
    assert len(law) == 20
    neighbours = [Span(0, 4, Label.PERSON), Span(4, 9, Label.PERSON)]
    assert without_overlaps(neighbours) == neighbours


def test_two_names_side_by_side_stay_two() -> None:
    text = "Rémi Castelvieux Nour Hadjali"
    doc = Doc(text, [Ent(17, 29, "PER"), Ent(0, 16, "PER")])
    found = spans_of_doc(text, doc, FRENCH)
    assert [text[s.start : s.end] for s in found] == ["Rémi Castelvieux", "Nour Hadjali"]


def test_an_entity_is_the_text_as_it_stands() -> None:
    text = "⚡️ coûte $5m  à Brest"
    doc = Doc(text, [Ent(9, 14, "figure"), Ent(16, 21, "LOC"), Ent(0, 2, "MISC"), Ent(2, 3, "ORG")])
    assert [(text[s.start : s.end], s.label) for s in spans_of_doc(text, doc, FRENCH)] == [
        ("$5m", Label.FIGURE),
        ("Brest", Label.PLACE),
    ]


@given(marked())
def test_a_span_from_a_model_is_exact_whatever_the_letters(case: tuple[str, list[Span]]) -> None:
    text, spans = case
    doc = Doc(text, [Ent(s.start, s.end, s.label.value) for s in spans])
    found = spans_of_doc(text, doc, FRENCH)
    assert {text[s.start : s.end] for s in found} == {text[s.start : s.end].strip() for s in spans} - {""}


def test_a_model_that_read_another_text_is_refused() -> None:
    with pytest.raises(Permanent, match="another text"):
        spans_of_doc("un  deux", Doc("un deux"), FRENCH)
    with pytest.raises(Permanent, match="not in the vocabulary"):
        spans_of_doc("Brest", Doc("Brest", [Ent(0, 5, "GPE")]), FRENCH)
    with pytest.raises(Permanent, match="does not lie"):
        spans_of_doc("Brest", Doc("Brest", [Ent(0, 6, "LOC")]), FRENCH)


def test_the_case_of_these_tests_is_exact() -> None:
    assert [TEXT[s.start : s.end] for s in SPANS] == ["Maud Kerviel", "2,5 GW", "éolien en mer", "Brest"]
    assert checked(TEXT, SPANS) == frozenset(SPANS)
