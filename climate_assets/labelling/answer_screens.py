"""The screens that answers were given on: which fields there are, and the closed lists of what each may say.

Today's screen is `labelling_config.py`; the two dialects of legacy projects are read off its mapping, and what they say is
told in today's words. How one result is read and checked is `answer_fields.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from climate_assets.labelling.entity_labels import LABEL, NOTHING, Label
from climate_assets.labelling.labelling_config import (
    ASSESSMENTS,
    CATEGORIES,
    CATEGORY,
    CORRECTED_LIVE,
    HEARD,
    LEGACY_FIELDS,
    SALIENT,
    SECOND_READER,
    SPAN_LABELS,
    SPANS,
    SPEAKERS,
    SUGGESTED,
)
from climate_assets.labelling.records import TaskKind

Dialect = Literal["french", "international"]
ASSESSMENT: Final = "assessment"
LEGACY_CHOICE: Final = "legacy_choice"
"""Field that keeps a legacy `choice` which, alone, leaves open what it says."""
_LEGACY_SPANS: Final = frozenset({"misinformation", "cards"})


@dataclass(frozen=True, slots=True)
class Screen:
    """The fields of one screen, by the name that results carry in `from_name`."""

    task_kind: str
    """`misinfo` or `ner`."""
    sources: tuple[str, ...]
    """Fields of `data.item` whose text spans may lie in."""
    spans: Mapping[str, Mapping[str, str]]
    """Field to its labels, each with what it is called here; empty: the machine's, and no answer."""
    choices: Mapping[str, frozenset[str]]
    single: frozenset[str]
    """Those of `choices` that take one value."""
    texts: frozenset[str]
    machine: frozenset[str]
    """Fields that only the machine fills."""
    unmarked: str = ""
    """That of `choices` which says that there is no span; a span beside it, or of two labels, is then a contradiction."""
    dialect: Dialect | None = None
    """For a legacy project, which of the two configurations it used."""


MISINFO: Final = Screen(
    task_kind=TaskKind.MISINFO.value,
    sources=("plaintext",),
    spans={SPANS: {label: "" if label == SUGGESTED else label for label in SPAN_LABELS}},
    choices={
        ASSESSMENT: frozenset(ASSESSMENTS),
        "corrected_live": frozenset(CORRECTED_LIVE),
        "speaker_role": frozenset(SPEAKERS),
        CATEGORY: frozenset(category.value for category in CATEGORIES),
        "importance": frozenset(SALIENT),
        "second_reader": frozenset(SECOND_READER),
    },
    single=frozenset({ASSESSMENT, "corrected_live", "second_reader"}),
    texts=frozenset({"claims", "category_other", "debunk", "sources", "remarks", "second_reader_remarks"}),
    machine=frozenset({HEARD}),
)


NER: Final = Screen(
    task_kind=TaskKind.NER.value,
    sources=("plaintext",),
    spans={LABEL: {label.value: label.value for label in Label}},
    choices={NOTHING: frozenset({NOTHING})},
    single=frozenset(),
    texts=frozenset(),
    machine=frozenset(),
    unmarked=NOTHING,
)
"""The screen of posts (`posts/post_screen.py`): spans in the post, and a box for those in which there is nothing to mark."""

SCREENS: Final[Mapping[str, Screen]] = {screen.task_kind: screen for screen in (MISINFO, NER)}
"""Today's screen of each kind of task."""


def legacy_screen(dialect: Dialect) -> Screen:
    """The screen of a legacy project, under its own field names; `modern` tells what its answers say in today's."""
    spans: dict[str, dict[str, str]] = {}
    choices: dict[str, set[str]] = {}
    texts: set[str] = set()
    for parts in LEGACY_FIELDS.values():
        for part in parts:
            if dialect not in part.dialects:
                continue
            if part.field in _LEGACY_SPANS:
                spans.setdefault(part.field, {})[part.value] = part.value
            elif part.value:
                choices.setdefault(part.field, set()).add(part.value)
            else:
                texts.add(part.field)
    return Screen(
        task_kind=TaskKind.MISINFO.value,
        sources=("plaintext_whisper", "plaintext"),
        spans=spans,
        choices={name: frozenset(values) for name, values in choices.items()},
        single=frozenset({"choice", "Was Misinformation Corrected?", "Double Annotation"} & choices.keys()),
        texts=frozenset(texts),
        machine=frozenset(),
        dialect=dialect,
    )


def modern(choices: Mapping[str, list[str]], texts: Mapping[str, list[str]], dialect: Dialect) -> dict[str, list[str]]:
    """What the choices and texts of a legacy answer say, by today's field; spans keep their labels.

    A `choice` that alone leaves open what it says (in French `Incorrect` is both a challenged claim and none; elsewhere when
    the question beside it is not answered) is no assessment: it is kept under `LEGACY_CHOICE`.
    """
    given = {(name, value) for name, values in choices.items() for value in values}
    said: dict[str, list[str]] = {}
    for (name, value), parts in LEGACY_FIELDS.items():
        here = [part for part in parts if dialect in part.dialects and part.field not in _LEGACY_SPANS]
        if value == "*":
            written = [text for part in here for text in texts.get(part.field, [])]
            if written:
                said[name] = written
            continue
        # An assessment is what several answers say together; any other value was said in one place or another.
        told = all if name == ASSESSMENT else any
        if here and told((part.field, part.value) in given for part in here):
            said.setdefault(name, []).append(value)
    if len(said.get(ASSESSMENT, [])) != 1 and choices.get("choice"):
        said.pop(ASSESSMENT, None)
        said[LEGACY_CHOICE] = list(choices["choice"])
    return said
