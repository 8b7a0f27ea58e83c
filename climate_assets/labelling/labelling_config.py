"""The screen a fact-checker works on: Label Studio's labelling configuration, and what its answers were once called.

The XML is built by a library, so every text is escaped. What a transcript, a grid or a model wrote is only bound to tags
that show text (`Text`, `Header`, `Paragraphs`); the one tag that renders HTML (`Markdown`) shows constant markup around the
archive's address, which `tasks.py` builds from checked parts. A changed question is a new field, never a new meaning of an
old one.
"""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Final
from xml.etree import ElementTree as ET

from climate_assets.claims.records import Category

SOURCE_TEXT: Final = "source_text"
WHISPER_TEXT: Final = "whisper_text"
DIALOGUE: Final = "dialogue"
HEARD: Final = "heard"
SPANS: Final = "spans"
SUGGESTED: Final = "suggested"
CATEGORY: Final = "category"

# Field and value of this configuration -> label and hotkey. Every hotkey is used once.
SPAN_LABELS: Final = {
    "misinformation": ("Factually incorrect", "1", "#d64545"),
    "misleading": ("High-impact misleading", "2", "#e08b1d"),
    SUGGESTED: ("Suggested by the model", "0", "#5b7fd6"),
}
# Marks the quote in the dialogue; shown there, and not for people to use.
HEARD_LABEL: Final = ("The quote, as heard", "9", "#5b7fd6")
ASSESSMENTS: Final = {
    "unchallenged": ("Misinformation, and nobody challenges it", "m"),
    "challenged": ("Misinformation, but it is challenged on air", "k"),
    "none": ("No misinformation", "n"),
}
CATEGORIES: Final = {
    Category.NOT_HAPPENING: ("1 · It is not happening", "q"),
    Category.NOT_US: ("2 · Humans are not the cause", "w"),
    Category.NOT_BAD: ("3 · Impacts are not bad", "e"),
    Category.SOLUTIONS_FAIL: ("4 · Solutions are ineffective or harmful", "r"),
    Category.SCIENCE_UNCERTAIN: ("5 · Science is uncertain", "t"),
    Category.ADVOCATES_BIASED: ("6 · Advocates are biased", "i"),
    Category.FOSSIL_NEEDED: ("7 · Fossil fuels are needed", "f"),
    Category.OTHER: ("8 · Something else", "o"),
}
SPEAKERS: Final = {
    "journalist": ("Journalist", "j"),
    "commentator": ("Commentator", "c"),
    "guest": ("Guest (not a politician)", "g"),
    "politician": ("Politician", "p"),
    "audience": ("Audience", "l"),
    "unknown": ("Unknown", "u"),
}
CORRECTED_LIVE: Final = {"yes": ("Yes", "y"), "no": ("No", "b")}
SALIENT: Final = {"salient": ("An important case", "s")}
SECOND_READER: Final = {"agree": ("Agrees", "a"), "disagree": ("Disagrees", "d")}


@dataclass(frozen=True, slots=True)
class LegacyAnswer:
    """The same answer in a legacy project: its field, its value (empty: any text) and which configurations said so."""

    field: str
    value: str
    dialects: tuple[str, ...] = ("french", "international")


_SPEAKER_NAMES: Final = {key: label for key, (label, _) in SPEAKERS.items()}
_INTERNATIONAL: Final = ("international",)
_FRENCH: Final = ("french",)

# (field, value) here -> the legacy answers that, together, say the same. Value `*` stands for a text or any value.
LEGACY_FIELDS: Final[dict[tuple[str, str], tuple[LegacyAnswer, ...]]] = {
    (SPANS, "misinformation"): (LegacyAnswer("misinformation", "misinformation"),),
    (SPANS, "misleading"): (LegacyAnswer("misinformation", "misleading"),),
    ("assessment", "unchallenged"): (LegacyAnswer("choice", "Correct"),),
    ("assessment", "challenged"): (
        LegacyAnswer("choice", "Incorrect"),
        LegacyAnswer("Was Misinformation Corrected?", "corrected", _INTERNATIONAL),
    ),
    ("assessment", "none"): (
        LegacyAnswer("choice", "Incorrect"),
        LegacyAnswer("Was Misinformation Corrected?", "not_corrected", _INTERNATIONAL),
    ),
    # The same legacy field asks something else in the French project, and only beside choice `Correct`.
    ("corrected_live", "yes"): (
        LegacyAnswer("Was Misinformation Corrected?", "corrected", _FRENCH),
        LegacyAnswer("Case relevancy (optional)", "Corrected", _INTERNATIONAL),
    ),
    ("corrected_live", "no"): (LegacyAnswer("Was Misinformation Corrected?", "not_corrected", _FRENCH),),
    ("claims", "*"): (LegacyAnswer("claim", ""),),
    **{("speaker_role", key): (LegacyAnswer("speaker_choice", name),) for key, name in _SPEAKER_NAMES.items()},
    **{(CATEGORY, category.value): (LegacyAnswer("cards", category.value, _FRENCH),) for category in CATEGORIES},
    ("category_other", "*"): (LegacyAnswer("comments_others", "", _FRENCH),),
    ("debunk", "*"): (LegacyAnswer("explanation", ""),),
    ("sources", "*"): (LegacyAnswer("references", ""),),
    ("remarks", "*"): (LegacyAnswer("comments", ""),),
    ("importance", "salient"): (
        LegacyAnswer("Salient choice", "Salient"),
        LegacyAnswer("Case relevancy (optional)", "Salient", _FRENCH),
    ),
    ("second_reader", "agree"): (LegacyAnswer("Double Annotation", "corrected", _FRENCH),),
    ("second_reader", "disagree"): (LegacyAnswer("Double Annotation", "not_corrected", _FRENCH),),
    ("second_reader_remarks", "*"): (LegacyAnswer("double_annotation_comments", "", _FRENCH),),
}

# What the dialogue's tag offers beside the words is hidden: people mark words in the text as broadcast, and nowhere else. The
# player stays in sight while a long dialogue is read.
_STYLE: Final = """
.ca-head { display: flex; flex-wrap: wrap; align-items: baseline; gap: 2px 18px; border-bottom: 1px solid #d8d8d8; }
.ca-columns { display: flex; flex-wrap: wrap; gap: 24px; align-items: flex-start; margin-top: 8px; }
.ca-texts { flex: 3 1 540px; min-width: 320px; }
.ca-questions { flex: 1 1 240px; min-width: 240px; position: sticky; top: 0; }
.ca-questions h4 { font-size: 15px; margin: 12px 0 0 !important; }
.ca-questions [data-testid="textarea-counts"], .ca-questions [data-testid="textarea-instruction"] { display: none; }
.ca-pair { display: flex; flex-wrap: wrap; gap: 20px; margin-bottom: 12px; align-items: flex-start; }
.ca-side { flex: 1 1 250px; min-width: 0; }
.ca-source { position: sticky; top: 0; }
.ca-side:not(:has(.lsf-paragraphs)):not(:has(.lsf-richtext)) { display: none; }
.ca-text h4, .ca-verdict h4, .ca-note h4 { font-size: 14px; font-weight: 400; opacity: 0.75; margin: 4px 0 !important; }
.ca-text .lsf-richtext__container { font-size: 16px; line-height: 1.6; }
.ca-marks, .ca-heard [class*="selectAllBtn"], .ca-heard [class*="authorFilter"] { display: none; }
.ca-heard audio { position: sticky; top: 0; z-index: 2; height: 40px; margin-bottom: 4px; }
.ca-heard [data-testid^="phrase:"] { padding: 4px 8px !important; font-size: 16px; }
.ca-heard [class*="titleWrapper"] { flex-wrap: wrap; column-gap: 8px; }
"""

_NEW_PAGE: Final = 'target="_blank" rel="noopener noreferrer"'
_LINK: Final = f'<a href="$item.url_mediatree" {_NEW_PAGE}>Listen in the archive, from 5 s before the quote</a>'


def labelling_config() -> str:
    """The XML of the screen; the same text for every country."""
    root = _view(None, "ca-task")
    _tag(root, "Style").text = _STYLE
    _head(root)
    columns = _view(root, "ca-columns")
    _texts(_view(columns, "ca-texts"))
    _questions(_view(columns, "ca-questions"))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode")


def guideline() -> str:
    """What fact-checkers are told, Markdown; a page of this package."""
    return files("climate_assets.labelling").joinpath("guideline.md").read_text(encoding="utf-8")


def guideline_version(config: str, instructions: str) -> str:
    """Twelve hex digits that change when the screen or the guideline does; stored with each task."""
    return hashlib.sha256(f"{config}\0{instructions}".encode()).hexdigest()[:12]


def _head(root: ET.Element) -> None:
    head = _view(root, "ca-head")
    _tag(head, "Header", value="$item.channel_title", size="3")
    _tag(head, "Header", value="$item.channel_program", size="4")
    _tag(head, "Header", value="$item.start_local", size="5")
    _tag(head, "Markdown", value=_LINK)


def _texts(column: ET.Element) -> None:
    spans = _tag(column, "Labels", name=SPANS, toName=SOURCE_TEXT, showInline="true")
    for value, (label, hotkey, colour) in SPAN_LABELS.items():
        _tag(spans, "Label", value=label, alias=value, hotkey=hotkey, background=colour)
    _tag(_view(column, "ca-note"), "Header", value="$item.sound_note", size="5")
    pair = _view(column, "ca-pair")
    source = _view(pair, "ca-side ca-source ca-text")
    _tag(source, "Header", value="As broadcast (speech to text of the source)", size="5")
    _text(source, SOURCE_TEXT, "$item.plaintext")
    _heard(pair)
    _panel(
        column,
        "What the model says (read the text first)",
        "Score: $item.model_result of 10",
        "Claim: $item.category_label",
        "On air: $item.challenged_label",
        "$item.model_reason",
    )


def _heard(parent: ET.Element) -> None:
    """The player and the words of each speaker, repeated over the sounds of a task, of which there is one or none.

    A player without an address is dead, and one without phrases breaks the screen: a task without sound has neither.
    """
    side = _view(_tag(parent, "Repeater", on="$item.sounds", indexFlag="{{idx}}", className="ca-side"), "ca-text ca-heard")
    _tag(side, "Header", value="As heard again, by speaker (▶ plays from there)", size="5")
    label, hotkey, colour = HEARD_LABEL
    marks = _tag(_view(side, "ca-marks"), "ParagraphLabels", name=HEARD, toName=DIALOGUE)
    _tag(marks, "Label", value=label, alias=SUGGESTED, hotkey=hotkey, background=colour)
    keys = {"nameKey": "speaker", "textKey": "text", "layout": "dialogue"}
    _tag(side, "Paragraphs", name=DIALOGUE, value="$item.dialogue", audioUrl="$sound", showPlayer="true", **keys)
    lines = ("$item.quote_speaker_label", "$item.challenged_hint_label", "$item.heard_note", "$item.difference")
    _text(_panel(side, "What the machine heard (listen first)", *lines), WHISPER_TEXT, "$item.plaintext_whisper")


def _text(parent: ET.Element, name: str, field: str) -> None:
    _tag(parent, "Text", name=name, value=field, granularity="word", valueType="text")


def _panel(parent: ET.Element, title: str, *lines: str) -> ET.Element:
    panel = _view(_tag(_tag(parent, "Collapse"), "Panel", value=title), "ca-verdict")
    for line in lines:
        _tag(panel, "Header", value=line, size="5")
    return panel


def _questions(column: ET.Element) -> None:
    _ask(column, "assessment", "Does this passage contain climate misinformation?", ASSESSMENTS, required=True)
    more = _view(
        column, "ca-more", visibleWhen="choice-selected", whenTagName="assessment", whenChoiceValue="unchallenged,challenged"
    )
    _ask(more, "corrected_live", "Did somebody correct it live?", CORRECTED_LIVE)
    _write(more, "claims", "Claims, one a line", rows=3)
    _ask(more, "speaker_role", "Who says it?", SPEAKERS, choice="multiple")
    _ask(more, CATEGORY, "What is claimed?", {k.value: v for k, v in CATEGORIES.items()}, choice="multiple", inline=False)
    other = _view(more, "ca-other", visibleWhen="choice-selected", whenTagName=CATEGORY, whenChoiceValue=Category.OTHER.value)
    _write(other, "category_other", "What else?", rows=1)
    _write(more, "debunk", "Why it is wrong", rows=3)
    _write(more, "sources", "Sources, up to three", rows=1, most=3)
    _ask(more, "importance", "Importance", SALIENT, choice="multiple")
    _write(column, "remarks", "Remarks", rows=2)
    second = _tag(_tag(column, "Collapse"), "Panel", value="Second reader")
    _ask(second, "second_reader", "The second reader", SECOND_READER)
    _write(second, "second_reader_remarks", "Why", rows=2)


def _ask(
    parent: ET.Element,
    name: str,
    title: str,
    answers: dict[str, tuple[str, str]],
    choice: str = "single",
    required: bool = False,
    inline: bool = True,
) -> None:
    _tag(parent, "Header", value=title, size="5")
    attributes = {"showInline": "true" if inline else "false", "choice": choice, "required": "true" if required else "false"}
    if required:
        attributes["requiredMessage"] = f"Answer the question: {title}"
    choices = _tag(parent, "Choices", name=name, toName=SOURCE_TEXT, **attributes)
    for value, (label, hotkey) in answers.items():
        _tag(choices, "Choice", value=label, alias=value, hotkey=hotkey)


def _write(parent: ET.Element, name: str, title: str, rows: int, most: int = 1) -> None:
    _tag(parent, "Header", value=title, size="5")
    size = {"rows": str(rows), "maxSubmissions": str(most)}
    # What stands in a field of one text is sent with the task; a button beside it would only be overlooked.
    button = {"showSubmitButton": "false"} if most == 1 else {}
    _tag(parent, "TextArea", name=name, toName=SOURCE_TEXT, editable="true", placeholder=title, **size, **button)


def _view(parent: ET.Element | None, style: str, **attributes: str) -> ET.Element:
    if parent is None:
        return ET.Element("View", {"className": style})
    return _tag(parent, "View", className=style, **attributes)


def _tag(parent: ET.Element, tag: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, tag, attributes)
