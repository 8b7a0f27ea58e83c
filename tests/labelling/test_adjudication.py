"""The adjudicator's queue, task and screen: every answer shown, nobody named, nothing rendered but text."""

import json
import random
import re
from collections import Counter
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from climate_assets.failures import Permanent
from climate_assets.labelling.adjudication import (
    Disputed,
    adjudication_config,
    adjudication_queue,
    adjudication_task,
    adjudication_title,
)
from climate_assets.labelling.gold import gold_labels
from climate_assets.labelling.labelling_config import labelling_config
from climate_assets.labelling.records import Annotation
from tests.labelling.cases import task
from tests.labelling.test_gold import ITEM, RERUN, THIRD, answer, asked, decision

SPANS = json.dumps(
    [
        {"start": 0, "end": 7, "label": "misinformation", "text": "bonsoir"},
        {"start": 8, "end": 10, "label": "suggested", "text": "et"},
    ]
)
TEXTS = json.dumps(
    {"claims": ["one claim"], "remarks": ["<b>bold</b> \u202e x"], "speaker_role": ["guest"], "second_reader": ["agree"]}
)
ANSWERS = [
    answer(11, "challenged", who=9021, categories=["2_humans_are_not_the_cause"], spans=SPANS, texts=TEXTS),
    answer(12, "none", who=9022),
    answer(13, "unchallenged", who=9023),
]
IN_DISPUTE = Disputed(ITEM, ("assessment",), 3, "0123456789abcdef")


def told(made: dict[str, Any]) -> dict[str, list[str]]:
    """Letter to the lines of that answer, in the order shown."""
    lines: dict[str, list[str]] = {}
    for row in made["data"]["item"]["answers"]:
        lines.setdefault(row["who"], []).append(row["text"])
    return lines


def adjudicated(answers: list[Annotation] = ANSWERS, **item: Any) -> dict[str, Any]:
    data = task()["data"]
    return adjudication_task({**data, "item": {**data["item"], **item}}, answers, IN_DISPUTE)


def test_disputed_items_are_asked_once_those_with_most_answers_first() -> None:
    said = [
        *(answer(11, "none"), answer(12, "challenged")),
        *(answer(n, value, item=RERUN) for n, value in ((21, "none"), (22, "challenged"), (23, "unchallenged"))),
        *(answer(n, "challenged", item=THIRD, categories=[c]) for n, c in ((31, "a"), (32, "b"))),
    ]
    gold = gold_labels(said, [asked(i) for i in (ITEM, RERUN, THIRD)], wanted={ITEM: 2, RERUN: 3, THIRD: 2})
    found = adjudication_queue(gold)
    assert [(one.item_id, one.fields, one.people) for one in found] == [
        (RERUN, ("assessment",), 3),
        (ITEM, ("assessment",), 2),
        (THIRD, ("categories",), 2),
    ]
    assert adjudication_queue(random.Random(1).sample(gold, len(gold))) == found
    assert [one.item_id for one in adjudication_queue(gold, asked={RERUN}, most=1)] == [ITEM]
    assert adjudication_queue(gold, most=0) == []
    settled = gold_labels(said, [asked()], wanted={ITEM: 2}, adjudications=[decision(1, "none")])
    assert adjudication_queue(settled) == []


def test_the_key_changes_with_the_answers() -> None:
    def key(*said: Annotation) -> str:
        return adjudication_queue(gold_labels(said, [asked()], wanted={ITEM: 2}))[0].key

    one = key(answer(11, "none"), answer(12, "challenged"))
    assert one == key(answer(12, "challenged"), answer(11, "none"))
    assert one != key(answer(11, "none"), answer(12, "unchallenged"))
    assert one != key(answer(11, "none"), answer(13, "challenged"))


def test_every_answer_is_shown_and_nobody_is_named() -> None:
    made = adjudicated()
    item = made["data"]["item"]
    assert list(told(made)) == ["A", "B", "C"]
    texts = {lines[0]: lines[1:] for lines in told(made).values()}
    assert len(texts) == 3
    assert texts["Misinformation, but it is challenged on air"] == [
        "What is claimed: 2 · Humans are not the cause",
        "Marked as factually incorrect: bonsoir",
        "Who says it: Guest (not a politician)",
        "Claims: one claim",
        "Remarks: <b>bold</b>  x",
    ]
    added = json.dumps({key: value for key, value in item.items() if key not in task()["data"]["item"]})
    assert not re.search(r"902[123]|6/1[123]|annotat", added)
    assert (made["annotations"], made["predictions"]) == ([], [])
    assert {key: item[key] for key in task()["data"]["item"]} == task()["data"]["item"]
    assert (item["answers_key"], item["disputed"]) == (IN_DISPUTE.key, "assessment")


def test_the_order_of_the_answers_is_the_items_own_and_tells_nothing() -> None:
    assert adjudicated() == adjudicated(ANSWERS[::-1])
    firsts = Counter()
    for n in range(60):
        minute = task(minute=n)
        identity = minute["data"]["item"]["id"]
        said = [replace(one, item_id=identity) for one in ANSWERS]
        made = adjudication_task(minute["data"], said, replace(IN_DISPUTE, item_id=identity))
        firsts[made["data"]["item"]["answers"][0]["text"]] += 1
    assert len(firsts) == 3
    assert min(firsts.values()) >= 8


def test_only_standing_answers_are_shown() -> None:
    edited = replace(ANSWERS[1], assessment="challenged", updated_at=ANSWERS[2].updated_at)
    made = adjudicated([*ANSWERS, edited, answer(14, None, state="skipped")])
    shown = [lines[0] for lines in told(made).values()]
    assert len(shown) == 3
    assert "No misinformation" not in shown


def test_long_texts_and_many_spans_are_cut() -> None:
    spans = [{"start": n, "end": n + 1, "label": "misleading", "text": "x" * 9000} for n in range(300)]
    made = adjudicated([answer(11, "none", spans=json.dumps(spans), texts=json.dumps({"claims": ["y" * 90_000, 7]}))])
    lines = told(made)["A"]
    assert sum(map(len, lines)) < 20_000
    assert "and 280 more" in lines


def test_more_people_than_letters_are_still_told_apart() -> None:
    made = adjudicated([answer(n, "none") for n in range(11, 41)])
    letters = list(told(made))
    assert len(set(letters)) == 30
    assert letters[26] == "A2"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        'https://keywords.mediatree.fr/player/?fifo=x"><script>',
        "https://example.org/?https://keywords.mediatree.fr/player/",
    ],
)
def test_an_address_that_is_not_the_archives_is_refused(url: str) -> None:
    with pytest.raises(Permanent, match="archive address"):
        adjudicated(url_mediatree=url)


def test_data_or_answers_of_another_item_are_refused() -> None:
    with pytest.raises(Permanent, match="not about"):
        adjudicated(id="borealie/canal-un/2026-11-20T18:06:00Z")
    with pytest.raises(Permanent, match=RERUN):
        adjudicated([*ANSWERS, answer(20, "none", item=RERUN)])
    with pytest.raises(Permanent, match="nothing"):
        adjudicated([])
    with pytest.raises(Permanent, match="annotation 6/11"):
        adjudicated([answer(11, "none", spans="{")])


ROOT = ET.fromstring(adjudication_config())


def test_the_screen_is_the_labelling_screen_and_one_panel() -> None:
    names = Counter(tag.get("name") for tag in ROOT.iter() if tag.get("name"))
    known = {tag.get("name") for tag in ET.fromstring(labelling_config()).iter() if tag.get("name")}
    assert set(names) == known | {"answers"}
    assert max(names.values()) == 1
    keys = Counter(tag.get("hotkey") for tag in ROOT.iter() if tag.get("hotkey"))
    assert max(keys.values()) == 1
    (panel,) = (tag for tag in ROOT.iter("Paragraphs") if tag.get("name") == "answers")
    assert (panel.get("value"), panel.get("nameKey"), panel.get("textKey")) == ("$item.answers", "who", "text")
    assert panel.get("audioUrl") is None
    assert {tag.get("toName") for tag in ROOT.iter() if tag.get("toName")} == {"source_text", "dialogue"}


def test_text_from_outside_reaches_only_tags_that_show_text() -> None:
    for tag in ROOT.iter():
        bound = re.findall(r"\$[\w.]+", " ".join(tag.attrib.values()))
        if tag.tag == "Markdown":
            assert bound in ([], ["$item.url_mediatree"])
        elif bound:
            assert tag.tag in ("Text", "Header", "Paragraphs", "Repeater"), tag.tag


def test_every_field_the_screen_shows_is_in_every_task() -> None:
    wanted = {name for tag in ROOT.iter() for name in re.findall(r"\$item\.(\w+)", " ".join(tag.attrib.values()))}
    assert wanted <= set(adjudicated()["data"]["item"])


def test_label_studio_accepts_the_screen_and_the_task() -> None:
    interface = pytest.importorskip("label_studio_sdk.label_interface", reason="label-studio-sdk is not installed")
    screen = interface.LabelInterface(adjudication_config())
    screen.validate()
    assert {"answers", "source_text"} <= set(screen._objects)


def test_a_variant_of_the_screen_keeps_its_shape_and_another_is_refused() -> None:
    variant = labelling_config().replace("What the model says", "What a machine says")
    assert "What a machine says" in adjudication_config(variant)
    with pytest.raises(Permanent, match="column of questions"):
        adjudication_config("<View/>")
    with pytest.raises(Permanent, match="already"):
        adjudication_config(adjudication_config())


@pytest.mark.parametrize("project", ["Boréalie", "p" * 40, "p" * 41, "p" * 50])
def test_the_title_is_one_that_label_studio_takes(project: str) -> None:
    assert len(adjudication_title(project)) <= 50
    assert adjudication_title(project).endswith(", disputes")


def test_two_long_projects_have_two_titles() -> None:
    assert adjudication_title("p" * 49 + "a") != adjudication_title("p" * 49 + "b")
    assert adjudication_title("Boréalie") == "Boréalie, disputes"
