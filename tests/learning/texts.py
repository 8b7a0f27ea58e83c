"""Texts as a recogniser writes them, and the same heard again with other words misheard."""

import random

_SYLLABLES = ("la", "ré", "mi", "tou", "cha", "fin", "gue", "bor", "ni", "sel", "pa", "vo", "dru", "qui", "ter", "zan")


def said(chance: random.Random, words: int) -> str:
    """So many words at random of about 2,000, a few of them said all the time."""
    pool = [a + b for a in _SYLLABLES for b in _SYLLABLES]
    return " ".join(chance.choice(["de", "et", "le"]) if chance.random() < 0.3 else chance.choice(pool) for _ in range(words))


def heard_again(chance: random.Random, text: str, share: float) -> str:
    """The same words, `share` of them misheard."""
    return " ".join(f"hm{chance.randrange(10**6)}" if chance.random() < share else word for word in text.split())
