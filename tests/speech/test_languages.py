"""Every language a country may speak can be heard, and is told back."""

import pytest

from climate_assets.countries import LANGUAGES
from climate_assets.failures import Permanent
from climate_assets.speech.languages import code, word


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_a_code_and_the_code_names_it(language: str) -> None:
    assert len(code(language)) == 2
    assert word(code(language)) == language


def test_codes_are_those_of_iso_639() -> None:
    assert [code(language) for language in LANGUAGES] == ["fr", "en", "de", "es", "pt", "pl", "nl"]


def test_no_language_stays_none_and_an_unknown_one_is_refused() -> None:
    assert code("") == ""
    assert word("ja") == word("") == ""
    with pytest.raises(Permanent, match="klingon"):
        code("klingon")
