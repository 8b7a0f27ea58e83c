"""The other spellings a word of a keyword is met in: plural and case endings, by language, as tables.

Belongs here: endings. Does not belong here: folding, phrases and matching (`folding.py`, `keywords.py`).

Words are folded (`folding.py`): ending tables read `ao`, not `ão`. A row is (ending, shortest stem, endings instead,
the commonest first); of the rows of a language the first that fits a word is used. Rows are generous where a wrong form is
no word of the language (`taux` gives `tau`) and careful where it would be another one (`bus` does not give `bu`, `Kohle`
not `Kohl`). Endings follow the school grammars of each language; Polish keeps to those that leave the stem as it is.
"""

from functools import cache

from climate_assets.failures import Permanent

Row = tuple[str, int, tuple[str, ...]]

_FRENCH: tuple[Row, ...] = (
    ("eaux", 0, ("eau",)),
    ("aux", 2, ("al", "ail", "au")),
    ("ail", 2, ("aux", "ails")),
    ("al", 2, ("aux", "als")),
    ("au", 1, ("aux",)),
    ("eu", 1, ("eux", "eus")),
    ("s", 3, ("",)),
    ("x", 3, ("",)),
    ("s", 0, ()),
    ("x", 0, ()),
    ("z", 0, ()),
    ("", 2, ("s",)),
)

_ENGLISH: tuple[Row, ...] = (
    ("ies", 2, ("y",)),
    ("sses", 2, ("ss",)),
    ("ses", 2, ("s", "se", "sis")),
    ("xes", 2, ("x",)),
    ("ches", 2, ("ch", "che")),
    ("shes", 2, ("sh",)),
    ("sis", 2, ("ses",)),
    ("ss", 2, ("sses",)),
    ("s", 3, ("",)),
    ("s", 1, ("ses", "es")),
    ("x", 1, ("xes",)),
    ("ch", 2, ("ches",)),
    ("sh", 2, ("shes",)),
    *((vowel + "y", 1, (vowel + "ys",)) for vowel in "aeou"),
    ("y", 2, ("ies",)),
    ("", 2, ("s",)),
)

_GERMAN_ADJECTIVE = ("bar", "lich", "ig", "isch", "ell", "iv", "los", "frei", "neutral", "sam", "haft", "end", "arm")
_GERMAN_CASES = ("", "e", "en", "er", "es", "em")
_GERMAN: tuple[Row, ...] = (
    *(
        (ending + case, 2, tuple(ending + other for other in _GERMAN_CASES if other != case))
        for case in reversed(_GERMAN_CASES)
        for ending in _GERMAN_ADJECTIVE
    ),
    *((ending + "en", 2, (ending,)) for ending in ("ung", "ion", "heit", "keit", "schaft", "tat")),
    *((ending, 2, (ending + "en",)) for ending in ("ung", "ion", "heit", "keit", "schaft", "tat")),
    ("ern", 4, ("er", "ers")),
    ("en", 5, ("e", "", "s", "er")),
    ("en", 2, ("ens",)),
    ("er", 3, ("ern", "ers")),
    ("el", 3, ("eln", "els")),
    ("e", 2, ("en", "es")),
    ("s", 2, ("se", "sen", "ses")),
    ("", 3, ("e", "en", "er", "s", "es", "n", "ern")),
)

_SPANISH: tuple[Row, ...] = (
    ("ces", 2, ("z",)),
    ("z", 2, ("ces",)),
    ("es", 3, ("e", "")),
    ("s", 3, ("",)),
    ("s", 0, ("ses",)),
    *((vowel, 2, (vowel + "s",)) for vowel in "aeiou"),
    ("", 2, ("es",)),
)

_PORTUGUESE: tuple[Row, ...] = (
    ("oes", 1, ("ao",)),
    ("aes", 1, ("ao",)),
    ("aos", 1, ("ao",)),
    ("ao", 1, ("oes", "aos", "aes")),
    ("ns", 2, ("m",)),
    ("m", 2, ("ns",)),
    ("ais", 2, ("al", "ai")),
    ("eis", 2, ("el", "il")),
    ("al", 2, ("ais",)),
    ("el", 2, ("eis",)),
    ("il", 2, ("is", "eis")),
    ("ol", 2, ("ois",)),
    ("res", 2, ("r", "re")),
    ("zes", 2, ("z", "ze")),
    ("s", 3, ("",)),
    ("s", 0, ("ses",)),
    ("r", 1, ("res",)),
    ("z", 1, ("zes",)),
    ("", 2, ("s",)),
)

_POLISH_HARD = ("y", "a", "e", "ej", "ych", "ego", "ym", "", "ymi", "emu")
_POLISH_SOFT = ("i", "a", "ie", "iej", "ich", "iego", "im", "imi", "iemu")
_POLISH_FEMININE = ("ach", "ami", "om", "ie")
_POLISH_NOUN = ("u", "em", "y", "ow", "owi", "ach", "ami", "om", "a", "ie")
_POLISH: tuple[Row, ...] = (
    *(
        (stem + case, 3, tuple(stem + other for other in _POLISH_SOFT if other != case))
        for case in _POLISH_SOFT
        for stem in ("sk", "ck")
    ),
    *(
        (stem + case, 3, tuple(stem + other for other in (*_POLISH_HARD, *_POLISH_FEMININE) if other != case))
        for case in ("a", "y")
        for stem in "nw"
    ),
    *(
        (stem + case, 3, tuple(stem + other for other in _POLISH_HARD if other != case))
        for case in _POLISH_HARD[2:]
        for stem in "nw"
        if case
    ),
    ("ia", 3, ("ii", "ie", "iom", "iami", "iach")),
    ("ja", 3, ("ji", "je", "jom", "jami", "jach")),
    ("nie", 3, ("nia", "niu", "niem", "n", "niami", "niach")),
    ("osc", 3, ("osci", "oscia", "osciami", "osciach")),
    ("ka", 3, ("ki", "ke", "k", "kami", "kach")),
    ("ki", 3, ("ka", "k", "kow", "kami", "kach")),
    ("a", 3, ("y", "e", "", "om", "ami", "ach")),
    ("y", 3, ("", "ow", "om", "ami", "ach", "a")),
    *((vowel, 0, ()) for vowel in "eiou"),
    ("t", 3, ("tu", "tem", "towi", "cie", "ty", "tow", "tami", "tach")),
    ("", 4, _POLISH_NOUN),
)

_DUTCH: tuple[Row, ...] = (
    *(
        (2 * vowel + last, 1, (vowel + last + "en", vowel + last + "e", 2 * vowel + last + "s"))
        for vowel in "aeou"
        for last in "bdfgklmnprt"
    ),
    *(
        (vowel + last, 1, (vowel + 2 * last + "en", vowel + last + "s", vowel + 2 * last + "e"))
        for vowel in "aiou"
        for last in "bfgklmnprst"
    ),
    ("en", 4, ("", "e")),
    ("s", 4, ("", "sen")),
    ("e", 2, ("en", "es")),
    ("", 3, ("en", "s", "e")),
)

_TABLES = {
    "french": _FRENCH,
    "english": _ENGLISH,
    "german": _GERMAN,
    "spanish": _SPANISH,
    "portuguese": _PORTUGUESE,
    "polish": _POLISH,
    "dutch": _DUTCH,
}

# Articles, prepositions and conjunctions keep their form, except the one pair that number changes.
_FIXED_WORDS = {
    "french": "a au aux ce ces d dans du en et l la le les ou par pour qu sans se sous sur un une",
    "english": "a an and at by for from in of on or the to with",
    "german": "am an auf aus bei das dem den der des die durch ein eine fur im in mit und von vom zu zum zur",
    "spanish": "a al con de del e el en la las lo los o para por sin un una y",
    "portuguese": "a ao as com da das de do dos e em na nas no nos o os ou para pela pelo por sem um uma",
    "polish": "a bez dla do i lub na o od oraz po pod przez przy u w we z za ze",
    "dutch": "aan bij de door een en het in met of om op te tot uit van voor zonder",
}
_FIXED = {language: frozenset(words.split()) for language, words in _FIXED_WORDS.items()}
_PAIRS = {("french", "de"): ("des",), ("french", "des"): ("de",)}


@cache
def variants(word: str, language: str) -> tuple[str, ...]:
    """The folded word and its other spellings, itself first, each once. Raises `Permanent` for an unknown language."""
    if language not in _TABLES:
        raise Permanent(f"language {language!r} has no table of endings; choose one of {', '.join(_TABLES)}")
    if (language, word) in _PAIRS:
        return word, *_PAIRS[language, word]
    if word in _FIXED[language] or not word.isalpha():
        return (word,)
    for ending, shortest, instead in _TABLES[language]:
        if word.endswith(ending) and len(word) - len(ending) >= shortest:
            stem = word.removesuffix(ending)
            return tuple(dict.fromkeys((word, *(stem + other for other in instead))))
    return (word,)
