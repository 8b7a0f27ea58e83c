"""Prices: what a call may and did cost, and no call to a model whose price nobody knows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.claims.prices import prices_from, prompt_tokens_at_most
from climate_assets.failures import Permanent
from resources.llm import Llm

TABLE = """
currency: EUR
models:
  good: {input: 1.5, output: 6, source: the page, read_on: 2026-11-20}
  "ft:base-1": {input: 3, output: 12, source: the page, read_on: 2026-11-20}
  own: {input: 0, output: 0, source: own machine, read_on: 2026-11-20}
"""
PRICES = prices_from(TABLE, "prices.yaml")


def test_a_call_costs_its_tokens() -> None:
    assert PRICES.cost("good", 1_000_000, 0) == 1.5
    assert PRICES.cost("good", 0, 500_000) == 3.0
    assert PRICES.cost("own", 10**6, 10**6) == 0.0
    assert PRICES.currency == "EUR"


def test_a_fine_tune_has_the_price_of_its_base() -> None:
    assert PRICES.price("ft:base-1:owner:name:id").input == 3


@pytest.mark.parametrize("model", ["", "goods", "good:x", "ft:good:owner", "ft:"])
def test_an_unknown_model_is_refused_with_the_remedy(model: str) -> None:
    with pytest.raises(Permanent, match=r"prices\.yaml.*add it"):
        PRICES.cost(model, 1, 1)


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 10**5), st.integers(0, 10**5))
def test_no_call_costs_more_than_its_bound(prompt: int, more: int, written: int, left: int) -> None:
    assert PRICES.cost("good", prompt, written) <= PRICES.upper_bound("good", prompt + more, written + left)


@given(st.lists(st.text(max_size=50), max_size=4))
def test_a_prompt_has_at_most_its_bytes_and_frames(texts: list[str]) -> None:
    assert prompt_tokens_at_most(texts) >= len("".join(texts).encode())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[", "not YAML"),
        ("models: {}", "currency"),
        ("currency: EUR\nmodels: []", "models"),
        (TABLE.replace("1.5", "-1"), "input of 'good' is -1"),
        (TABLE.replace("1.5", ".nan"), "input of 'good' is nan"),
        (TABLE.replace("1.5", ".inf"), "input of 'good' is inf"),
        (TABLE.replace("1.5", "yes"), "input of 'good' is True"),
        (TABLE.replace("1.5", "free"), "input of 'good' is 'free'"),
        (TABLE.replace("read_on: 2026-11-20", "read_on: yesterday"), "read_on of 'good'"),
        (TABLE.replace("source: the page, ", ""), "needs exactly"),
        (TABLE.replace("source: the page", "source: x, discount: 1"), "needs exactly"),
    ],
)
def test_a_bad_table_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(Permanent, match=f"prices.yaml: .*{says}"):
        prices_from(text, "prices.yaml")


def test_the_packaged_table_is_good_and_dated() -> None:
    table = Llm().price_table()
    assert table.currency == "USD"
    assert all(price.source and price.output >= price.input > 0 for price in table.by_model.values())
    assert "gpt-4o-mini" in table.by_model


def test_a_table_that_cannot_be_read_is_named() -> None:
    with pytest.raises(Permanent, match=r"nowhere\.yaml.*prices_file"):
        Llm(prices_file="nowhere.yaml").price_table()
