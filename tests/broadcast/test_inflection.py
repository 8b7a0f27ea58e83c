"""Endings by language: what has to be met, and what must not be."""

import pytest

from climate_assets.broadcast.inflection import variants
from climate_assets.countries import LANGUAGES
from climate_assets.failures import Permanent


@pytest.mark.parametrize(
    ("language", "word", "met"),
    [
        ("french", "energie", {"energies"}),
        ("french", "energies", {"energie"}),
        ("french", "journal", {"journaux", "journals"}),
        ("french", "coraux", {"corail", "coral"}),
        ("french", "corail", {"coraux"}),
        ("french", "eau", {"eaux"}),
        ("french", "eaux", {"eau"}),
        ("french", "feu", {"feux"}),
        ("french", "prix", {"pri"}),
        ("french", "de", {"des"}),
        ("english", "emission", {"emissions"}),
        ("english", "emissions", {"emission"}),
        ("english", "energy", {"energies"}),
        ("english", "policies", {"policy"}),
        ("english", "gas", {"gases"}),
        ("english", "gases", {"gas"}),
        ("english", "crisis", {"crises"}),
        ("english", "beach", {"beaches"}),
        ("english", "day", {"days"}),
        ("german", "emission", {"emissionen"}),
        ("german", "emissionen", {"emission"}),
        ("german", "erneuerbare", {"erneuerbaren", "erneuerbarer", "erneuerbares", "erneuerbar"}),
        ("german", "energie", {"energien"}),
        ("german", "flut", {"fluten"}),
        ("german", "wald", {"walder", "waldes", "walds"}),
        ("german", "heizung", {"heizungen"}),
        ("spanish", "emision", {"emisiones"}),
        ("spanish", "emisiones", {"emision"}),
        ("spanish", "sequia", {"sequias"}),
        ("spanish", "bosques", {"bosque"}),
        ("spanish", "luz", {"luces"}),
        ("portuguese", "emissao", {"emissoes"}),
        ("portuguese", "emissoes", {"emissao"}),
        ("portuguese", "combustivel", {"combustiveis"}),
        ("portuguese", "florestal", {"florestais"}),
        ("portuguese", "nuvem", {"nuvens"}),
        ("polish", "odnawialna", {"odnawialnej", "odnawialne", "odnawialnych"}),
        ("polish", "emisja", {"emisji", "emisje"}),
        ("polish", "ocieplenie", {"ocieplenia", "ociepleniu", "ociepleniem"}),
        ("polish", "klimat", {"klimatu", "klimatem", "klimacie"}),
        ("polish", "zmiana", {"zmiany", "zmian"}),
        ("polish", "susza", {"suszy", "susze"}),
        ("dutch", "emissie", {"emissies", "emissien"}),
        ("dutch", "overstroming", {"overstromingen"}),
        ("dutch", "klimaatramp", {"klimaatrampen"}),
        ("dutch", "brandstof", {"brandstoffen"}),
        ("dutch", "boom", {"bomen"}),
        ("dutch", "duurzaam", {"duurzame"}),
    ],
)
def test_inflected_spellings_are_met(language: str, word: str, met: set[str]) -> None:
    assert met <= set(variants(word, language))


@pytest.mark.parametrize(
    ("language", "word", "other"),
    [
        ("french", "bus", "bu"),
        ("french", "gaz", "gazs"),
        ("french", "la", "las"),
        ("english", "gas", "ga"),
        ("german", "kohle", "kohl"),
        ("german", "kohle", "kohler"),
        ("german", "meer", "me"),
        ("spanish", "mes", "m"),
        ("polish", "las", "l"),
        ("french", "co2", "co2s"),
    ],
)
def test_other_words_are_not(language: str, word: str, other: str) -> None:
    assert other not in variants(word, language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("word", ["a", "es", "bus", "emissionen", "odnawialnymi", "klimaat", "eaux", "x1"])
def test_the_word_itself_comes_first_and_each_spelling_once(language: str, word: str) -> None:
    spellings = variants(word, language)
    assert spellings[0] == word
    assert len(set(spellings)) == len(spellings)
    assert all(spellings)


def test_unknown_language_is_named() -> None:
    with pytest.raises(Permanent, match=r"'klingon'.*choose one of french"):
        variants("word", "klingon")
