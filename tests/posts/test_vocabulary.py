"""One list of labels: each base model's names lead into it, trained ones lead back, and no other name passes."""

import pytest

from climate_assets.failures import Permanent
from climate_assets.posts.vocabulary import (
    ENGLISH,
    FRENCH,
    OURS,
    VOCABULARIES,
    Label,
    label_of,
    name_for,
    own_label,
    unknown_to,
    vocabulary_of,
)

FRENCH_BASE = ["LOC", "MISC", "ORG", "PER"]
ONTONOTES = [
    *("CARDINAL", "DATE", "EVENT", "FAC", "GPE", "LANGUAGE", "LAW", "LOC", "MONEY", "NORP", "ORDINAL", "ORG", "PERCENT"),
    *("PERSON", "PRODUCT", "QUANTITY", "TIME", "WORK_OF_ART"),
]


@pytest.mark.parametrize(
    ("name", "lang", "label"),
    [
        ("PER", "fr", Label.PERSON),
        ("LOC", "fr", Label.PLACE),
        ("MISC", "fr", None),
        ("energy_source", "fr", Label.ENERGY),
        ("GPE", "en", Label.PLACE),
        ("MONEY", "en", Label.FIGURE),
        ("CARDINAL", "en", None),
        ("figure", "en", Label.FIGURE),
    ],
)
def test_a_name_leads_to_one_label(name: str, lang: str, label: Label | None) -> None:
    assert label_of(name, vocabulary_of(lang)) is label


@pytest.mark.parametrize(("lang", "names"), [("fr", FRENCH_BASE), ("en", ONTONOTES)])
def test_every_name_of_a_base_model_is_mapped_on_purpose(lang: str, names: list[str]) -> None:
    assert sorted(VOCABULARIES[lang]) == names


@pytest.mark.parametrize("name", ["PERSON", "GPE", "per", "", "BRAND", "climate"])
def test_a_name_of_another_vocabulary_is_refused(name: str) -> None:
    with pytest.raises(Permanent, match="not in the vocabulary"):
        label_of(name, FRENCH)


def test_a_person_writes_our_names_only() -> None:
    assert own_label("law_or_policy") is Label.LAW
    with pytest.raises(Permanent, match="none of person"):
        own_label("PER")


@pytest.mark.parametrize("vocabulary", [FRENCH, ENGLISH, OURS])
@pytest.mark.parametrize("label", Label)
def test_what_a_model_is_taught_comes_back_as_the_same_label(vocabulary, label: Label) -> None:  # type: ignore[no-untyped-def]
    assert label_of(name_for(label, vocabulary), vocabulary) is label


def test_what_a_base_model_cannot_know() -> None:
    new = {Label.CHANNEL, Label.LAW, Label.ENERGY, Label.FIGURE, Label.STUDY, Label.BRAND}
    assert unknown_to(FRENCH) == new
    assert unknown_to(ENGLISH) == {Label.CHANNEL, Label.ENERGY, Label.STUDY}
    assert unknown_to(OURS) == set(Label)
    assert name_for(Label.PERSON, FRENCH) == "PER"
    assert name_for(Label.LAW, FRENCH) == "law_or_policy"


def test_a_language_without_a_base_model_is_refused() -> None:
    with pytest.raises(Permanent, match="known: en, fr"):
        vocabulary_of("pl")
