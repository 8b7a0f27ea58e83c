"""Plain text: what cannot be seen is gone, what can be read is as it was."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.claims.plaintext import capped, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("l' eau à 20 %", "l' eau à 20 %"),
        ("a\x00b\x1b[0m", "a b [0m"),
        ("a\r\nb\u2028c\u2029d\u00a0e\u202ff", "a  b c d e f"),
        ("cli\u200bm\u2060at \ufeff\u202eok\u202c", "climat ok"),
        ("so\u00adleil\ufe0f\U000e0101\U000e0041", "soleil"),
        ("\ud83dx\uffff\ue000", "x"),
        ("<script>&amp;</script> ¶ 🔥", "<script>&amp;</script> ¶ 🔥"),
        ("\u3164\u2800\u115fx", "x"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text(st.characters(), max_size=60))
def test_only_printable_characters_are_left_and_twice_is_once(text: str) -> None:
    shown = plain(text)
    assert shown.isprintable()
    assert plain(shown) == shown
    assert [c for c in text if unicodedata.category(c)[0] in "LNP" and ord(c) < 0x250 and c != "\u034f"] == [
        c for c in shown if unicodedata.category(c)[0] in "LNP" and ord(c) < 0x250
    ]


@given(st.text(max_size=50), st.integers(1, 20))
def test_a_capped_text_is_never_longer(text: str, limit: int) -> None:
    assert len(capped(text, limit)) <= limit


def test_a_cut_is_marked() -> None:
    assert capped("abcdef", 4) == "abc…"
