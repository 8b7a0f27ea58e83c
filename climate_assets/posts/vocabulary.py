"""What each base model calls the labels of an entity: the way from a model's names to ours and back.

Belongs here: the names of base models, the refusal of a name that is in no list. Does not belong here: the closed list itself
(`labelling/entity_labels.py`), how labels look on a screen (`post_screen.py`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from climate_assets.failures import Permanent
from climate_assets.labelling.entity_labels import Label as Label

Vocabulary = Mapping[str, Label | None]
"""A base model's names -> our label; none where ours has no counterpart and the span is left out."""

FRENCH: Final[Vocabulary] = MappingProxyType(
    {"PER": Label.PERSON, "ORG": Label.ORGANISATION, "LOC": Label.PLACE, "MISC": None},
)
"""`fr-core-news`: WikiNER's four (facts on the entity loop, section 7). MISC mixes laws, works, events and brands."""
ENGLISH: Final[Vocabulary] = MappingProxyType(
    {
        "PERSON": Label.PERSON,
        "ORG": Label.ORGANISATION,
        "GPE": Label.PLACE,
        "LOC": Label.PLACE,
        "FAC": Label.PLACE,
        "LAW": Label.LAW,
        "QUANTITY": Label.FIGURE,
        "MONEY": Label.FIGURE,
        "PERCENT": Label.FIGURE,
        "PRODUCT": Label.BRAND,
        # A bare number has no unit, and a work of art may be a film as well as a study.
        **dict.fromkeys(("CARDINAL", "ORDINAL", "DATE", "TIME", "EVENT", "LANGUAGE", "NORP", "WORK_OF_ART"), None),
    },
)
"""`en_core_web`: the eighteen of OntoNotes 5."""
OURS: Final[Vocabulary] = MappingProxyType({})
"""A model that began blank: it knows our names only."""
VOCABULARIES: Final[Mapping[str, Vocabulary]] = MappingProxyType({"fr": FRENCH, "en": ENGLISH})
"""Language -> names of its base model."""


def vocabulary_of(lang: str) -> Vocabulary:
    """The base model's names for a language; raises `Permanent` for a language without one."""
    try:
        return VOCABULARIES[lang]
    except KeyError:
        raise Permanent(f"no base model is known for language {lang!r}; known: {', '.join(sorted(VOCABULARIES))}") from None


def label_of(name: str, vocabulary: Vocabulary = OURS) -> Label | None:
    """Our label for a name that a model or a person wrote; none for a known name without counterpart.

    A trained model says the base model's names and ours side by side, so both are read. Raises `Permanent` for any other.
    """
    if name in vocabulary:
        return vocabulary[name]
    try:
        return Label(name)
    except ValueError:
        known = ", ".join([*vocabulary, *Label])
        raise Permanent(f"label {name!r:.80} is not in the vocabulary ({known}); map it in posts/vocabulary.py") from None


def own_label(name: str) -> Label:
    """Our label of that very name; raises `Permanent` for any other."""
    try:
        return Label(name)
    except ValueError:
        raise Permanent(f"label {name!r:.80} is none of {', '.join(Label)}; correct it where it was written") from None


def name_for(label: Label, vocabulary: Vocabulary) -> str:
    """What a model over `vocabulary` calls the label: the base model's first name for it, else ours.

    A model goes on learning `PER` rather than beginning anew with `person`, which would leave two names for one thing.
    """
    return next((name for name, ours in vocabulary.items() if ours is label), label.value)


def unknown_to(vocabulary: Vocabulary) -> frozenset[Label]:
    """Labels that a base model cannot say until it has been trained on them."""
    return frozenset(Label) - {label for label in vocabulary.values() if label}
