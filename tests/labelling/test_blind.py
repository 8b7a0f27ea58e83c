"""A blind task tells nothing of the verdict, and is still a task that the screen and the reader of answers know."""

import json
from xml.etree import ElementTree as ET

import pytest

from climate_assets.failures import Permanent
from climate_assets.labelling.adjudication import adjudication_config
from climate_assets.labelling.answer_screens import MISINFO
from climate_assets.labelling.blind import blind_screen, blind_task
from climate_assets.labelling.labelling_config import labelling_config
from tests.labelling import cases


def test_two_verdicts_on_one_chunk_make_one_blind_task() -> None:
    """Whatever the model says, people see the same."""
    severe = cases.task(score=10)
    mild = cases.task(score=1, quote="", rationale="Nothing.", priority=0.1)
    assert severe != mild
    assert blind_task(severe) == blind_task(mild)


def test_the_fields_are_those_of_any_task() -> None:
    task = cases.task()
    shown = blind_task(task)
    assert task["data"]["item"].keys() <= shown["data"]["item"].keys(), "a screen whose fields are missing is refused"
    assert shown["data"]["item"]["plaintext"] == task["data"]["item"]["plaintext"]
    assert shown["predictions"] == []
    assert cases.QUOTE not in json.dumps({**shown["data"]["item"], "plaintext": ""})
    assert task["predictions"], "the task that was passed stays as it is"


def test_the_archive_opens_at_the_beginning() -> None:
    query = dict(part.split("=") for part in blind_task(cases.task())["data"]["item"]["url_mediatree"].split("?")[1].split("&"))
    assert query["position_cts"] == query["start_cts"]


def test_the_screen_asks_the_same_and_says_nothing_of_the_model() -> None:
    config = blind_screen(labelling_config())
    for word in ("model_", "challenged_", "category_label", "What the model says"):
        assert word not in config
    names = {tag.get("name") for tag in ET.fromstring(config).iter() if tag.get("name")}
    assert names == {tag.get("name") for tag in ET.fromstring(labelling_config()).iter() if tag.get("name")}
    assert {*MISINFO.choices, *MISINFO.texts, *MISINFO.spans} <= names
    assert "answers" in adjudication_config(config)


def test_a_screen_without_a_verdict_is_no_screen_of_ours() -> None:
    with pytest.raises(Permanent, match="nothing of a verdict"):
        blind_screen("<View><Text name='t' value='$text'/></View>")
