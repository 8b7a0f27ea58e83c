"""A round has one key, and a key that is none is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.countries import LANGUAGES
from climate_assets.failures import Permanent
from climate_assets.learning.lines import MISINFO, NER, Line, line_of, training_key

LINES = st.builds(Line, st.sampled_from([MISINFO, NER]), st.sampled_from(sorted(LANGUAGES)))


@given(LINES, st.integers(0, 999_999))
def test_a_key_gives_its_line_and_number_back(line: Line, number: int) -> None:
    assert line_of(line.round(number)) == (line, number)


@given(st.from_regex(r"(misinfo|ner)-[a-z]{1,8}-\d{1,8}", fullmatch=True))
def test_no_round_has_two_keys(key: str) -> None:
    try:
        line, number = line_of(key)
    except Permanent:
        return
    assert line.round(number) == key


@given(LINES, st.integers(0, 998))
def test_keys_are_in_order_of_their_numbers(line: Line, number: int) -> None:
    assert line.round(number) < line.round(number + 1)


def test_how_keys_look() -> None:
    assert str(Line(NER, "english")) == "ner-english"
    assert Line(MISINFO, "french").round(3) == "misinfo-french-003"
    assert training_key("ner-english-012") == "training_sets/line=ner-english/round=ner-english-012/examples.parquet"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "misinfo-french",
        "misinfo-french-",
        "misinfo-french-3",
        "misinfo-french-0003",
        "misinfo-french-٠٠٣",
        "misinfo-french--03",
        "misinfo-French-003",
        "misinfo-fr/../x-003",
        "posts-french-003",
        " misinfo-french-003",
        "misinfo-french-003\n",
        "misinfo-french-" + "9" * 5_000,
    ],
)
def test_a_key_that_is_none_is_refused_and_said_in_short(key: str) -> None:
    with pytest.raises(Permanent, match="is no round; write task kind, language and number") as refused:
        line_of(key)
    assert len(str(refused.value)) < 250
    with pytest.raises(Permanent):
        training_key(key)
