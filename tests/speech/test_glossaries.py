"""Names told to a recogniser: each language has some, they fit, and what is no name is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.countries import LANGUAGES
from climate_assets.failures import Permanent
from climate_assets.speech.glossaries import BUDGET, Glossary, glossary_from_text, version
from resources.reference import ReferenceFiles


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_ships_names_that_all_fit(language: str) -> None:
    glossary = ReferenceFiles().glossary(language)
    assert 20 <= len(glossary.names) <= 40
    assert glossary.hotwords == ", ".join(glossary.names)


def test_no_language_and_an_unknown_one_have_no_names() -> None:
    assert ReferenceFiles().glossary("").hotwords == ReferenceFiles().glossary("basque").hotwords == ""


def test_remarks_blank_lines_and_repetitions_are_left_out() -> None:
    assert glossary_from_text("# first\nGIEC\n\n  Météo-France  # state\nGIEC\n", "x").names == ("GIEC", "Météo-France")


@pytest.mark.parametrize("line", ["a" * 61, "GIEC, ADEME", "<|endoftext|>", "GI\x1bEC"])
def test_what_is_no_name_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(Permanent, match=r"names\.txt:2"):
        glossary_from_text(f"GIEC\n{line}\n", "names.txt")


@given(st.lists(st.text(min_size=1, max_size=60), max_size=60))
def test_hotwords_are_the_first_names_whole_within_the_budget(names: list[str]) -> None:
    hotwords = Glossary(tuple(names)).hotwords
    assert len(hotwords.encode()) <= BUDGET
    assert hotwords in {", ".join(names[:count]) for count in range(len(names) + 1)}


def test_other_names_are_another_version() -> None:
    assert version("GIEC") == version("GIEC") != version("ADEME") != version("") == "names-none"
