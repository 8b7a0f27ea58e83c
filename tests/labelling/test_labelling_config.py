"""The screen: every field there, every hotkey once, every text from outside bound to a tag that shows text."""

import re
from collections import Counter
from xml.etree import ElementTree as ET

import pytest

from climate_assets.claims.records import Category
from climate_assets.labelling.labelling_config import (
    CATEGORIES,
    LEGACY_FIELDS,
    SOURCE_TEXT,
    guideline,
    guideline_version,
    labelling_config,
)
from tests.labelling.cases import task

ROOT = ET.fromstring(labelling_config())
CONTROLS = ("Choices", "TextArea", "Labels")
# The legacy fields and values, as facts about another system's interface.
LEGACY = {
    ("misinformation", "misinformation"),
    ("misinformation", "misleading"),
    ("choice", "Correct"),
    ("choice", "Incorrect"),
    ("Was Misinformation Corrected?", "corrected"),
    ("Was Misinformation Corrected?", "not_corrected"),
    ("claim", ""),
    *(
        ("speaker_choice", v)
        for v in ("Journalist", "Commentator", "Guest (not a politician)", "Politician", "Audience", "Unknown")
    ),
    ("explanation", ""),
    ("references", ""),
    ("comments", ""),
    ("Salient choice", "Salient"),
    ("Case relevancy (optional)", "Salient"),
    ("Case relevancy (optional)", "Corrected"),
    ("Double Annotation", "corrected"),
    ("Double Annotation", "not_corrected"),
    ("double_annotation_comments", ""),
    *(("cards", category.value) for category in Category if category != Category.NONE),
    ("comments_others", ""),
}


def answers() -> set[tuple[str, str]]:
    found = set()
    for control in ROOT.iter():
        if control.tag in CONTROLS:
            values = [child.get("alias") for child in control] or ["*"]
            found |= {(control.get("name", ""), str(value)) for value in values}
    return found


def test_every_hotkey_is_used_once() -> None:
    keys = Counter(tag.get("hotkey") for tag in ROOT.iter() if tag.tag in ("Choice", "Label"))
    assert None not in keys
    assert not [key for key, times in keys.items() if times > 1]


def test_names_are_unique_and_every_control_points_at_a_text() -> None:
    names = Counter(tag.get("name") for tag in ROOT.iter() if tag.get("name"))
    assert max(names.values()) == 1
    assert {tag.get("toName") for tag in ROOT.iter() if tag.tag in CONTROLS} == {SOURCE_TEXT}
    for tag in ROOT.iter():
        if tag.get("whenTagName"):
            values = {value for name, value in answers() if name == tag.get("whenTagName")}
            assert set(str(tag.get("whenChoiceValue")).split(",")) <= values


def test_every_legacy_answer_has_its_place() -> None:
    mapped = {(answer.field, answer.value) for told in LEGACY_FIELDS.values() for answer in told}
    assert mapped == LEGACY


def test_every_answer_but_the_suggestion_is_mapped_and_nothing_else() -> None:
    assert set(LEGACY_FIELDS) == answers() - {("spans", "suggested")}


@pytest.mark.parametrize("dialect", ["french", "international"])
def test_no_two_answers_were_the_same_in_one_dialect(dialect: str) -> None:
    told = Counter(
        tuple(sorted((a.field, a.value) for a in answer if dialect in a.dialects)) for answer in LEGACY_FIELDS.values()
    )
    doubled = {answer for answer, times in told.items() if times > 1 and answer}
    # The French question did not tell a challenged claim from none: both were `Incorrect`.
    assert doubled <= ({(("choice", "Incorrect"),)} if dialect == "french" else set())


def test_text_from_outside_reaches_only_tags_that_show_text() -> None:
    for tag in ROOT.iter():
        bound = re.findall(r"\$[\w.]+", " ".join(tag.attrib.values()))
        if not bound:
            continue
        assert tag.tag in ("Text", "Header", "Markdown", "Paragraphs", "Repeater"), tag.tag
        if tag.tag == "Repeater":
            assert bound == ["$item.sounds"]
        if tag.tag == "Markdown":
            assert bound == ["$item.url_mediatree"]
        if tag.tag == "Text":
            assert tag.get("valueType") == "text"
    assert not [tag for tag in ROOT.iter() if tag.tag in ("HyperText", "Audio", "Image", "Video")]


def test_every_field_the_screen_shows_is_in_every_task() -> None:
    item = task()["data"]["item"]
    wanted = {name for tag in ROOT.iter() for name in re.findall(r"\$item\.(\w+)", " ".join(tag.attrib.values()))}
    assert wanted <= set(item)


def test_the_player_stands_only_where_a_task_has_sound() -> None:
    (repeater,) = ROOT.iter("Repeater")
    (paragraphs,) = ROOT.iter("Paragraphs")
    assert paragraphs in list(repeater.iter())
    # The player looks its address up beside `item`, never inside it.
    assert (paragraphs.get("audioUrl"), "sound" in task()["data"]) == ("$sound", True)
    assert {tag.get("toName") for tag in repeater.iter() if tag.get("toName")} == {paragraphs.get("name")}


def test_categories_are_all_but_none() -> None:
    assert set(CATEGORIES) == set(Category) - {Category.NONE}


def test_guideline_version_changes_with_screen_or_text() -> None:
    versions = {
        guideline_version("a", "b"),
        guideline_version("ab", ""),
        guideline_version("a", "c"),
        guideline_version("x", "b"),
    }
    assert len(versions) == 4
    assert guideline_version(labelling_config(), guideline()) == guideline_version(labelling_config(), guideline())
    assert re.fullmatch("[0-9a-f]{12}", guideline_version("a", "b"))
