"""A text as it may be shown to a fact-checker, whoever wrote it.

Only what makes a text harmless to read and to store; where it is shown is `tasks.py`, `heard.py` and `labelling_config.py`.
"""

import re
import unicodedata
from typing import Final

# Marks that make a text look reordered, and halves of characters, which no JSON in UTF-8 can carry.
_HIDDEN: Final = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]")


def shown(text: str) -> str:
    """A text as it may be shown: control characters are spaces, reordering marks and broken characters are gone.

    Markup stays as it is and is shown as text. `://` loses a slash, as Label Studio resolves the addresses of objects in
    the storages that it knows, wherever they stand in a task; speech has none.
    """
    spaced = "".join(" " if unicodedata.category(letter) == "Cc" else letter for letter in text)
    return _HIDDEN.sub("", spaced).replace("://", ":/")
