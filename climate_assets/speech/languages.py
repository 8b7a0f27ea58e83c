"""Names of languages: the words of the countries file on one side, what recognisers speak (ISO 639-1) on the other.

Belongs here: the two names of one language. Does not: which country speaks what (`countries.yaml`).
"""

from typing import Final

from climate_assets.failures import Permanent

_CODES: Final = {
    "french": "fr",
    "english": "en",
    "german": "de",
    "spanish": "es",
    "portuguese": "pt",
    "polish": "pl",
    "dutch": "nl",
}
_WORDS: Final = {code: word for word, code in _CODES.items()}


def code(language: str) -> str:
    """ISO 639-1 code of a language of the countries file; empty stays empty: it is to be detected.

    Raises `Permanent` for a language that no country may name.
    """
    if not language:
        return ""
    try:
        return _CODES[language]
    except KeyError:
        raise Permanent(f"no speech is heard in {language!r:.40}; choose one of {', '.join(_CODES)}") from None


def word(code: str) -> str:
    """Language of the countries file by its ISO 639-1 code; empty for one that no country speaks."""
    return _WORDS.get(code, "")
