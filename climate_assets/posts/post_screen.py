"""The screen on which a person marks the entities of a post: Label Studio's labelling configuration.

The XML is built by a library, so every text is escaped; a post's text is bound to a tag that shows text. Its labels are the
vocabulary's, no more and no fewer. Belongs here: how labels look. Does not: a task's JSON (`post_tasks.py`).
"""

from typing import Final
from xml.etree import ElementTree as ET

from climate_assets.labelling.entity_labels import LABEL, NOTHING, TEXT, Label

# Label -> what people read, hotkey, colour. Every hotkey is used once.
LABELS: Final = {
    Label.PERSON: ("Person", "1", "#5b7fd6"),
    Label.ORGANISATION: ("Organisation", "2", "#2f9e8f"),
    Label.CHANNEL: ("Channel, paper or programme", "3", "#8a63d2"),
    Label.PLACE: ("Place", "4", "#5a9e3d"),
    Label.LAW: ("Law, plan or tax with a name", "5", "#d64545"),
    Label.ENERGY: ("Energy source", "6", "#e08b1d"),
    Label.FIGURE: ("Figure with unit", "7", "#8d6e63"),
    Label.STUDY: ("Study, report or survey with a name", "8", "#3d8fb8"),
    Label.BRAND: ("Brand or product", "9", "#c2559d"),
}
GUIDELINE: Final = """\
Mark every name and figure of the list, whole and exact, without the article before it and the mark after it.
Two names side by side are two marks. Marks do not overlap: where one lies in another, mark the longer.
A figure is marked with its sign, unit, currency or percent sign; a bare number, a count of things, a year, a date, an hour and
a duration are not. A source of energy is marked as it is called, with what makes it (wind turbines, solar panels).
A hashtag is marked without its # sign, a mention (@) not at all. A common noun alone (the law, this plan) is no name.
Nothing to mark is an answer too: tick the box and submit. Without a mark and without the box an answer does not count.
"""


def post_labelling_config() -> str:
    """The XML of the screen for posts; the same text for every country and language."""
    root = ET.Element("View")
    ET.SubElement(root, "Header", {"value": "$item.about", "size": "5"})
    labels = ET.SubElement(root, "Labels", {"name": LABEL, "toName": TEXT, "showInline": "true"})
    for label, (title, hotkey, colour) in LABELS.items():
        shown = {"value": title, "alias": label.value, "hotkey": hotkey, "background": colour}
        ET.SubElement(labels, "Label", shown)
    ET.SubElement(root, "Text", {"name": TEXT, "value": "$item.plaintext", "granularity": "symbol", "valueType": "text"})
    nothing = ET.SubElement(root, "Choices", {"name": NOTHING, "toName": TEXT, "choice": "multiple", "showInline": "true"})
    ET.SubElement(nothing, "Choice", {"value": "Nothing to mark", "alias": NOTHING, "hotkey": "0"})
    ET.indent(root)
    return ET.tostring(root, encoding="unicode")
