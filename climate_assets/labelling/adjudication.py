"""Which disputed items an adjudicator is asked about, and what they are shown: the item, and every answer without its author.

What disputed means is `gold.py`; the screen is that of `labelling_config.py` with one panel more, so hotkeys, fields and the
reading of answers are the same. Answers stand as A, B, C in an order that a hash gives, new for each item, so that nobody is
recognised by their place. No prediction is sent: the adjudicator begins from nothing.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Annotated, Any, Final
from xml.etree import ElementTree as ET

from climate_assets.claims.records import Category
from climate_assets.failures import Permanent
from climate_assets.labelling.labelling_config import (
    ASSESSMENTS,
    CATEGORIES,
    SPAN_LABELS,
    SPEAKERS,
    SUGGESTED,
    labelling_config,
)
from climate_assets.labelling.records import Annotation, GoldLabel, Standing
from climate_assets.labelling.shown import shown
from climate_assets.labelling.tasks import PLAYER
from climate_assets.labelling.votes import TASK_KIND, standing_annotations

ANSWERS: Final = "answers"
MOST_LETTERS: Final = 600
"""Of one text of one answer; whoever wants to read more opens the answer itself."""
MOST_SPANS: Final = 20
_TITLE_LETTERS: Final = 50
_SUFFIX: Final = ", disputes"
_PLAYER_ADDRESS: Final = re.compile(re.escape(PLAYER) + r"\?[A-Za-z0-9_=&.%+-]*", re.ASCII)
# Free text of an answer that is shown, under the words that the screen uses.
_TEXTS: Final = {
    "claims": "Claims",
    "category_other": "What else",
    "debunk": "Why it is wrong",
    "sources": "Sources",
    "remarks": "Remarks",
}


@dataclass(frozen=True, slots=True)
class Disputed:
    """One item that waits for an adjudicator."""

    item_id: str
    fields: Annotated[tuple[str, ...], "Fields in dispute, sorted."]
    people: Annotated[int, "Most people whose answer counts in one of them."]
    key: Annotated[str, "Hash of the answers in dispute: tells whether a task still shows the answers as they are."]


def adjudication_title(project: str) -> str:
    """Title of the project for adjudicators beside a country's own, of at most the 50 letters that Label Studio takes."""
    if len(project) + len(_SUFFIX) <= _TITLE_LETTERS:
        return project + _SUFFIX
    # What tells two long titles apart may be in what is cut.
    mark = hashlib.sha256(project.encode()).hexdigest()[:6]
    return f"{project[: _TITLE_LETTERS - len(_SUFFIX) - len(mark) - 1]} {mark}{_SUFFIX}"


def adjudication_queue(gold: Iterable[GoldLabel], asked: Collection[str] = (), most: int | None = None) -> list[Disputed]:
    """Items in dispute that were not asked yet (`asked`: items), those with most answers first, then by day and id.

    An item is asked once: an adjudicator who differs from another answers the same task. At most `most` are returned.
    """
    rows: dict[str, list[GoldLabel]] = {}
    for label in gold:
        if label.task_kind == TASK_KIND and label.standing == Standing.DISPUTED and label.item_id not in asked:
            rows.setdefault(label.item_id, []).append(label)
    found = sorted(rows.items(), key=lambda row: (-max(label.people for label in row[1]), row[1][0].day, row[0]))
    return [
        Disputed(item, tuple(sorted(label.field for label in labels)), max(label.people for label in labels), _key(labels))
        for item, labels in found[: most if most is None else max(0, most)]
    ]


def adjudication_task(data: Mapping[str, Any], answers: Iterable[Annotation], disputed: Disputed) -> dict[str, Any]:
    """The task for an adjudicator, as Label Studio imports it: the `data` of the item's own task, and all answers, unsigned.

    Raises `Permanent` if the data or an answer is of another item, nobody answered, or the address of the sound's archive,
    the one thing that is shown as HTML, is not one that `tasks.py` makes.
    """
    item = data.get("item")
    if not isinstance(item, dict) or item.get("id") != disputed.item_id:
        raise Permanent(f"the task that is to be adjudicated is not about {disputed.item_id}; read its JSON anew")
    if not _PLAYER_ADDRESS.fullmatch(str(item.get("url_mediatree", ""))):
        raise Permanent(f"the task of {disputed.item_id} has a strange archive address; make the task again")
    standing = standing_annotations(answers)
    others = sorted({answer.item_id for answer in standing} - {disputed.item_id})
    if others or not standing:
        raise Permanent(f"answers to {', '.join(others) or 'nothing'} were passed to adjudicate {disputed.item_id}")
    asked = {
        **item,
        # One phrase a line: the panel does not break lines within one.
        ANSWERS: [
            {"who": _letter(number), "text": line}
            for number, answer in enumerate(_mixed(standing))
            for line in _answer_lines(answer)
        ],
        "disputed": ", ".join(disputed.fields),
        "answers_key": disputed.key,
    }
    return {"data": {**data, "item": asked}, "annotations": [], "predictions": []}


def adjudication_config(screen: str | None = None) -> str:
    """The XML of an adjudicator's screen: the labelling screen with the answers above the questions.

    `screen` is a variant of it, such as one that hides scores. The panel is a list of texts (`Paragraphs`), which shows text
    only, and takes no hotkey.
    """
    root = ET.fromstring(screen or labelling_config())  # noqa: S314 - the XML is our own
    column = next((view for view in root.iter("View") if "ca-questions" in view.get("className", "").split()), None)
    if column is None or any(tag.get("name") == ANSWERS for tag in root.iter()):
        raise Permanent("the screen has no column of questions, or has a panel of answers already; pass `labelling_config()`")
    panel = ET.Element("View", {"className": "ca-answers ca-text ca-heard"})
    ET.SubElement(panel, "Header", {"value": "Answers so far, in no order", "size": "5"})
    keys = {"nameKey": "who", "textKey": "text", "layout": "dialogue"}
    ET.SubElement(panel, "Paragraphs", {"name": ANSWERS, "value": f"$item.{ANSWERS}", **keys})
    column.insert(0, panel)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode")


def _key(labels: Iterable[GoldLabel]) -> str:
    told = [[label.field, label.votes, sorted(label.annotations)] for label in sorted(labels, key=lambda label: label.field)]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()[:16]


def _mixed(answers: Sequence[Annotation]) -> list[Annotation]:
    def place(answer: Annotation) -> bytes:
        return hashlib.sha256(f"{answer.item_id}|{answer.annotator}".encode()).digest()

    return sorted(answers, key=place)


def _letter(number: int) -> str:
    """A, B, ... Z, A2, B2, ..."""
    turn, letter = divmod(number, len(ascii_uppercase))
    return ascii_uppercase[letter] + (str(turn + 1) if turn else "")


def _answer_lines(answer: Annotation) -> list[str]:
    """One answer in the words of the screen, one line a field; the first is the assessment."""
    assessment = ASSESSMENTS[answer.assessment][0] if answer.assessment in ASSESSMENTS else "no answer to the question"
    lines = [assessment]
    known = {category.value: label for category, (label, _) in CATEGORIES.items()}
    if named := [
        known[category] for category in sorted(set(answer.categories)) if category in known and category != Category.NONE
    ]:
        lines.append(f"What is claimed: {'; '.join(named)}")
    lines += _marked(_loaded(answer, answer.spans, list))
    texts = _loaded(answer, answer.texts, dict)
    if roles := [SPEAKERS[role][0] for role in texts.get("speaker_role", []) if role in SPEAKERS]:
        lines.append(f"Who says it: {'; '.join(roles)}")
    for field, title in _TEXTS.items():
        if values := [_short(value) for value in texts.get(field, []) if isinstance(value, str) and value.strip()]:
            lines.append(f"{title}: {'; '.join(values)}")
    return lines


def _marked(spans: Sequence[Any]) -> list[str]:
    marks = [span for span in spans if isinstance(span, dict) and span.get("label") in SPAN_LABELS]
    own = [span for span in marks if span["label"] != SUGGESTED]
    lines = [
        f"Marked as {SPAN_LABELS[span['label']][0].lower()}: {_short(str(span.get('text', '')))}" for span in own[:MOST_SPANS]
    ]
    return lines + ([f"and {len(own) - MOST_SPANS} more"] if len(own) > MOST_SPANS else [])


def _loaded(answer: Annotation, text: str, shape: type) -> Any:
    try:
        loaded = json.loads(text or ("[]" if shape is list else "{}"))
    except ValueError:
        loaded = None
    if not isinstance(loaded, shape):
        name = f"{answer.project_id}/{answer.annotation_id}"
        raise Permanent(
            f"the spans or texts of annotation {name} are not JSON of the expected shape; read it from Label Studio anew"
        )
    return loaded


def _short(text: str) -> str:
    clean = shown(text)
    return clean if len(clean) <= MOST_LETTERS else f"{clean[:MOST_LETTERS]} …"
