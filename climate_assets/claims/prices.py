"""What a call may cost at most and what it did cost, from a dated price table.

The figures are in `prices.yaml`; a model that is not there is refused, since a budget that cannot be reckoned is none.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import yaml

from climate_assets.failures import Permanent

_MILLION: Final = 1_000_000
_FRAME_TOKENS: Final = 16
"""Tokens that a chat template adds around one message, generously."""


@dataclass(frozen=True, slots=True)
class Price:
    """What one model costs, per million tokens in the table's currency."""

    model: str
    input: float
    output: float
    source: str
    read_on: date


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices by model name, all in one currency."""

    currency: str
    by_model: dict[str, Price]
    source: str

    def price(self, model: str) -> Price:
        """The price of a model; a fine-tune `ft:BASE:owner:…` is found as `ft:BASE`. Raises `Permanent` if there is none."""
        tuned = ":".join(model.split(":")[:2]) if model.startswith("ft:") else model
        for name in (model, tuned):
            if name in self.by_model:
                return self.by_model[name]
        raise Permanent(
            f"{self.source}: no price for model {model!r}, so no budget can be kept; add it with input, output, source and "
            f"read_on (0 for a model of your own), or choose one of {', '.join(sorted(self.by_model))}"
        )

    def cost(self, model: str, prompt_tokens: int, completion_tokens: int) -> float:
        """What a call cost, in the table's currency; discounts for cached input are left out, so it is never too low."""
        price = self.price(model)
        return (prompt_tokens * price.input + completion_tokens * price.output) / _MILLION

    def upper_bound(self, model: str, prompt_tokens: int, max_tokens: int) -> float:
        """What a call can cost at most: all `prompt_tokens` read and all `max_tokens` written."""
        return self.cost(model, prompt_tokens, max_tokens)


def prompt_tokens_at_most(texts: Sequence[str]) -> int:
    """Tokens that messages can come to, whatever the tokeniser: byte-level ones never make more tokens than bytes."""
    return sum(len(text.encode()) + _FRAME_TOKENS for text in texts)


def prices_from(text: str, source: str) -> PriceTable:
    """The price table of a YAML text; `source` is the name errors carry. Raises `Permanent` naming model and remedy."""
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Permanent(f"{source}: not YAML: {error}") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("models"), dict) or not isinstance(raw.get("currency"), str):
        raise Permanent(f"{source}: expected `currency:` and a mapping `models:` with one block a model")
    return PriceTable(raw["currency"], {str(m): _price(str(m), block, source) for m, block in raw["models"].items()}, source)


def _price(model: str, block: Any, source: str) -> Price:
    expected = ("input", "output", "source", "read_on")
    if not isinstance(block, dict) or set(block) != set(expected):
        raise Permanent(f"{source}: model {model!r} needs exactly {', '.join(expected)}; got {block!r}")
    for name in ("input", "output"):
        value = block[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise Permanent(f"{source}: {name} of {model!r} is {value!r}; write a price per million tokens, 0 or more")
    if type(block["read_on"]) is not date:
        raise Permanent(f"{source}: read_on of {model!r} is {block['read_on']!r}; write the day it was read, YYYY-MM-DD")
    return Price(model, float(block["input"]), float(block["output"]), str(block["source"]), block["read_on"])
