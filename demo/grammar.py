"""Templates of spoken French and the words they become.

Belongs here: the template notation, numbers in words, hesitations. Does not: what is said when (`rundown.py`).
Notation: `{this|that}` is a choice, `<name>` a slot of the same name, anything else is said as it stands.
Words come out as a speech recogniser writes them: lower case, no punctuation, a space after each apostrophe.
"""

import re
from collections.abc import Callable, Mapping

Node = tuple["list[str] | Choice", ...]
_TOKEN = re.compile(r"[{}|]|<[a-z_]+>|[^{}|<]+")
_LINKED = frozenset({"de", "à", "le", "la", "que"})
_CONTRACTED = {("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux"}
_ASPIRATED = frozenset(
    {"huit", "onze", "haut", "haute", "hautmesnil-la-rive", "hautechène", "hurtebizet", "hennequard", "huées"}
)
_SMALL = (
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf"
)
_UNITS = _SMALL.split()
_TENS = ("", "", "vingt", "trente", "quarante", "cinquante", "soixante", "soixante", "quatre-vingt", "quatre-vingt")


class Choice:
    """Alternatives of which one is said."""

    __slots__ = ("options",)

    def __init__(self) -> None:
        self.options: list[list[str] | Node] = []


class Grammar:
    """Slots, and the templates that use them."""

    def __init__(self, slots: Mapping[str, str]) -> None:
        """`slots`: name -> alternatives separated by `|`. Raises `ValueError` for a slot that is used and not defined."""
        self._slots = {name: Choice() for name in slots}
        for name, alternatives in slots.items():
            self._slots[name].options = self._choice(f"{{{alternatives}}}").options

    def template(self, text: str) -> Node:
        """A template ready to be said."""
        tokens = _TOKEN.findall(text)
        options = self._options(tokens, closed=False)
        if tokens or len(options) != 1:
            raise ValueError(f"template {text!r}: braces do not match, or `|` stands outside of them")
        return options[0]

    def _choice(self, text: str) -> Choice:
        part = self.template(text)[0]
        if not isinstance(part, Choice):
            raise ValueError(f"{text!r} is no choice")
        return part

    def _options(self, tokens: list[str], closed: bool) -> list[Node]:
        """Reads `tokens` up to the closing brace (or the end) and returns the alternatives found."""
        options: list[list[list[str] | Choice]] = [[]]
        while tokens:
            token = tokens.pop(0)
            if token == "}" and closed:
                return [tuple(option) for option in options]
            if token == "|":
                options.append([])
            elif token == "{":
                inner = Choice()
                inner.options = _flat(self._options(tokens, closed=True))
                options[-1].append(inner)
            elif token.startswith("<"):
                if token[1:-1] not in self._slots:
                    raise ValueError(f"slot {token} is not defined; there are {', '.join(sorted(self._slots))}")
                options[-1].append(self._slots[token[1:-1]])
            elif token == "}":
                raise ValueError("a closing brace without an opening one")
            else:
                options[-1].append(spoken(token))
        if closed:
            raise ValueError("an opening brace without a closing one")
        return [tuple(option) for option in options]


def _flat(options: list[Node]) -> list[list[str] | Node]:
    """The options, one that is only words as these words: most are, and saying them needs no descent."""
    return [option[0] if len(option) == 1 and isinstance(option[0], list) else option for option in options]


def spoken(text: str) -> list[str]:
    """Words of a written text, an apostrophe ending its word."""
    return text.replace("'", "' ").split()


def say(node: Node, random: Callable[[], float]) -> list[str]:
    """One rendering of a template; `random` gives numbers in [0, 1)."""
    words: list[str] = []
    _say(node, random, words)
    return words


def _say(node: Node, random: Callable[[], float], words: list[str]) -> None:
    for part in node:
        if type(part) is list:
            words += part
        else:
            options = part.options  # type: ignore[union-attr]  # a type test by identity is what makes this fast
            option = options[int(random() * len(options))]
            seam = len(words)
            if type(option) is list:
                words += option
            else:
                _say(option, random, words)  # type: ignore[arg-type]
            if seam and words[seam - 1] in _LINKED and seam < len(words):
                _link(words, seam)


def _link(words: list[str], seam: int) -> None:
    """Contracts or elides the word before `seam` with the one after it: `de` `le` to `du`, `de` `armelle` to `d'` `armelle`."""
    before, after = words[seam - 1 : seam + 1]
    if (before, after) in _CONTRACTED:
        words[seam - 1 : seam + 1] = [_CONTRACTED[before, after]]
    elif before != "à" and after[0] in "aeiouéèêâîïôh" and after not in _ASPIRATED:
        words[seam - 1] = before[:-1] + "'"


def hesitating(words: list[str], hesitation: Node, share: float, random: Callable[[], float]) -> list[str]:
    """The words with a hesitation after about `share` of them."""
    for _ in range(int(len(words) * share + random())):
        at = int(random() * len(words))
        words[at:at] = say(hesitation, random)
    return words


def number(n: int) -> str:
    """A whole number below a million in French words, with the hyphens that a recogniser writes."""
    if n >= 1000:
        thousands = "" if n < 2000 else re.sub("(vingt|cent)s$", r"\1", number(n // 1000)) + " "
        return f"{thousands}mille {number(n % 1000)}" if n % 1000 else f"{thousands}mille"
    if n >= 100:
        hundreds = "" if n < 200 else _UNITS[n // 100] + " "
        return f"{hundreds}cent {number(n % 100)}" if n % 100 else f"{hundreds}cent" + ("s" if n >= 200 else "")
    if n < 20:
        return _UNITS[n]
    tens, unit = divmod(n, 10)
    if tens in {7, 9}:
        unit += 10
    if unit in {1, 11} and tens < 8:
        return f"{_TENS[tens]} et {_UNITS[unit]}"
    return f"{_TENS[tens]}-{_UNITS[unit]}" if unit else _TENS[tens] + ("s" if n == 80 else "")


def number_slots() -> dict[str, str]:
    """Slots of numbers in words: `n` 2 to 99, `petit` 2 to 12, `cent` hundreds, `mille` thousands, `annee` years."""
    return {
        "n": "|".join(number(n) for n in range(2, 100)),
        "petit": "|".join(number(n) for n in range(2, 13)),
        "cent": "|".join(number(n) for n in range(110, 1000, 10)),
        "mille": "|".join(number(n) for n in range(1200, 98000, 1100)),
        "jour_du_mois": "|".join(number(n) for n in range(2, 29)),
        "annee": "|".join(number(n) for n in range(2027, 2061)),
        "minutes": "|".join(number(n) for n in range(5, 60, 5)),
    }
