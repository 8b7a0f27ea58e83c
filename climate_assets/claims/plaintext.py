"""Text without what cannot be seen: control, invisible and direction characters.

What a model is shown and what it answers both pass through here. Markup is left as it is: it is data, and escaping
belongs to the screen that shows it.
"""

import unicodedata
from typing import Final

# Invisible although Unicode calls them letters, marks or symbols: they hide text, or smuggle it (variation selectors).
_UNSEEN: Final = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}
    | {*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
)
_BREAKS: Final = frozenset({"Cc", "Zl", "Zp", "Zs"})


def plain(text: str) -> str:
    """The text with line breaks, controls and odd spaces as one space each, and invisible characters gone."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_seen, text))


def _seen(character: str) -> str:
    if character.isprintable():
        return "" if ord(character) in _UNSEEN else character
    return " " if unicodedata.category(character) in _BREAKS else ""


def capped(text: str, limit: int) -> str:
    """The plain text, at most `limit` characters of it; an ellipsis says where it was cut."""
    shown = plain(text).strip()
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
