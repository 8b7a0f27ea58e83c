"""Folding keeps one space for one space, and makes equal what recognition and spelling leave alike."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.broadcast.folding import borders_as_spaces, folded, same_accents


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Énergie SOLAIRE", " energie solaire "),
        ("l’eau l'eau l`eau", " l'eau l'eau l'eau "),
        ("cœur œuf ŒUVRE", " coeur oeuf oeuvre "),
        ("æther Æ", " aether ae "),
        ("Straße STRAẞE", " strasse strasse "),
        ("zażółć gęślą jaźń ŁÓDŹ", " zazolc gesla jazn lodz "),
        ("emissão emissões ñandú", " emissao emissoes nandu "),
        ("Zeeën coöperatie", " zeeen cooperatie "),
        ("CO₂ CO²", " co2 co2 "),
        ("« climat » (eau) “gaz”", "  climat  eau gaz "),
        ("climat, eau. gaz… fin ! — ¶ 3,5", " climat. eau. gaz. fin . . . 3.5 "),
        ("terre-neuve terre‑neuve", " terre-neuve terre-neuve "),
        ("climat\u00a0? cli\u00admat cli\u200bmat", " climat'. climat climat "),
        ("日本 eau Москва", "  eau  "),
        ("100% R&D", " 100% r&d "),
        ("", "  "),
    ],
)
def test_folded(text: str, expected: str) -> None:
    assert folded(text) == expected.encode()


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8")))
def test_no_step_adds_or_removes_a_space(text: str) -> None:
    form = folded(text)
    assert form.count(b" ") == text.count(" ") + 2
    assert set(form) <= set(b"abcdefghijklmnopqrstuvwxyz0123456789%& '-.")
    assert len(borders_as_spaces(form)) == len(form)


@settings(deadline=None)
@given(st.text(st.characters(codec="iso8859-15")))
def test_composed_and_decomposed_text_fold_alike(text: str) -> None:
    assert folded(unicodedata.normalize("NFC", text)) == folded(unicodedata.normalize("NFD", text))


@settings(deadline=None)
@given(st.text(st.sampled_from("abcéàçñüAZ '-.")))
def test_folding_twice_changes_nothing(text: str) -> None:
    once = folded(text)
    assert folded(once.decode()) == b" %b " % once


def test_borders_as_spaces_keeps_letters_in_place() -> None:
    assert borders_as_spaces(b" l'eau-de. vie ") == b" l eau de  vie "


@pytest.mark.parametrize(
    ("keyword", "said", "same"),
    [
        ("maïs", "maïs", True),
        ("maïs", "mais", False),
        ("maïs", "d'maïs", True),
        ("pêche", "pêches", True),
        ("pêche", "péché", False),
        ("Pêche", "PÊCHE", True),
        ("maïs", unicodedata.normalize("NFD", "maïs"), True),
    ],
)
def test_same_accents(keyword: str, said: str, same: bool) -> None:
    assert same_accents(keyword, said) is same
