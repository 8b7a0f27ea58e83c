"""Text reduced to what recognition and spelling leave alike: one byte a letter, borders kept apart by kind.

Belongs here: case, accents, ligatures, apostrophes, hyphens and marks, and the way back from an offset to a word.
Does not belong here: which words are looked for (`keywords.py`) and how they inflect (`inflection.py`).

A folded text holds `a-z 0-9 % &` and four borders: a space between words (and one at each end), `'` inside a word,
`-` inside a word, `.` for every clause mark. Quotation marks and brackets vanish. No step adds or removes a space,
so the n-th space-separated word of the text is the n-th of its folded form.
All steps are whole-string calls of C: 2 kB of French take 2 microseconds, other alphabets 15.
"""

import unicodedata

APOSTROPHE, HYPHEN, MARK, SPACE = b"'", b"-", b".", b" "

_DROPPED = '"«»()[]{}*\xad'
_APOSTROPHES = "'`´\xa0"  # A space that never breaks lies inside a word, as an apostrophe does.
_KEPT = "%&æß -"
_DIGITS = {"¹": "1", "²": "2", "³": "3"}

# Beyond Latin-1 and without a canonical decomposition into a plain letter.
_BEYOND_LATIN_1 = (
    *((quote, "'") for quote in "‘’ʼ′"),
    *((quote, '"') for quote in "“”„‹›"),
    *((dash, "-") for dash in "‐‑"),
    *((mark, ".") for mark in "‒–—…•"),
    *((letter, plain) for letter, plain in zip("łŁđĐıẞ₂", "lLdDiß2", strict=True)),
    ("œ", "oe"),
    ("Œ", "OE"),
    ("\u202f", "\xa0"),
)


# Folded words whose accents tell two everyday words apart (maïs, mais; prés, près; Förderung, Forderung).
_TELLING = {
    "french": "age cote cotes du foret forets gele gene genes grele jeune jeunes la mais marche marches mur murs ou "
    "pate pates peche peches pre pres sale sales sur tache taches traite",
    "german": "forderung forderungen fordern fordert hohe losung losungen masse massen warme",
    "spanish": "ano anos cana canas mas papa si",
    "portuguese": "avo esta pais por",
    "polish": "bak kat lad maz rzad sad",
}
TELLING_ACCENTS = {language: frozenset(word.encode() for word in words.split()) for language, words in _TELLING.items()}


def _byte_of(code: int) -> int:
    """Folded byte of one Latin-1 character."""
    character = chr(code).lower()
    if character in _DROPPED:
        return 0
    if character in _APOSTROPHES:
        return APOSTROPHE[0]
    plain = _DIGITS.get(character) or unicodedata.normalize("NFD", character)[0]
    plain = {"ø": "o", "ð": "d", "þ": "t"}.get(plain, plain)
    if plain in _KEPT or (plain.isascii() and plain.isalnum()):
        return ord(plain)
    return MARK[0]


_FOLD = bytes(_byte_of(code) for code in range(256))
_ONE_BORDER = bytes(SPACE[0] if byte in b"'-." else byte for byte in range(256))


def folded(text: str) -> bytes:
    """The text's folded form, with one space added at each end; offsets below are offsets into this form."""
    try:
        latin = text.encode("latin-1")
    except UnicodeEncodeError:
        latin = _latin(text)
    plain = latin.translate(_FOLD).replace(b"\0", b"").replace(b"\xe6", b"ae").replace(b"\xdf", b"ss")
    return b" %b " % plain


def _latin(text: str) -> bytes:
    """The text in Latin-1: what lies beyond is spelt with plain letters, or left out."""
    for character, plain in _BEYOND_LATIN_1:
        text = text.replace(character, plain)
    return unicodedata.normalize("NFD", text).encode("latin-1", "ignore")


def borders_as_spaces(form: bytes) -> bytes:
    """A folded form of the same length in which every border is a space: what an automaton scans."""
    return form.translate(_ONE_BORDER)


def same_accents(keyword: str, said: str) -> bool:
    """Whether a word that was said holds the keyword letter by letter, accents included, a plural's last letter aside."""
    return unicodedata.normalize("NFC", keyword).lower().rstrip("sx") in unicodedata.normalize("NFC", said).lower()
