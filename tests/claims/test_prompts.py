"""What a model is asked: two messages, one fence, and a version that every edit changes."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.claims.plaintext import plain
from climate_assets.claims.prompts import MAX_TEXT, PROMPTS, json_schema, messages, prompt_named
from climate_assets.claims.records import Category
from climate_assets.failures import Permanent

FENCE = "0f" * 16
V1 = PROMPTS["v1"]


@given(st.text(min_size=1, max_size=300).filter(lambda t: bool(plain(t).strip())))
def test_any_text_stands_whole_inside_one_fence(text: str) -> None:
    system, user = messages(V1, text, FENCE)
    assert (system["role"], user["role"]) == ("system", "user")
    assert user["content"].count(FENCE) == 2
    before, inside, after = user["content"].split(FENCE)
    assert before == "BEGIN "
    assert inside == f"\n{plain(text)}\nEND "
    assert after == messages(V1, "autre texte", FENCE)[1]["content"].split(FENCE)[2]
    assert system == messages(V1, "autre texte", FENCE)[0]


def test_the_system_message_announces_the_fence_last() -> None:
    system = messages(V1, "un texte", FENCE)[0]["content"]
    # The long part comes first and is the same for all calls, so that providers can reuse it.
    assert system.startswith(V1.system)
    assert f'"BEGIN {FENCE}"' in system
    assert f'"END {FENCE}"' in system


@pytest.mark.parametrize("category", list(Category))
def test_the_prompt_names_each_category(category: Category) -> None:
    assert f'"{category.value}"' in V1.system


@pytest.mark.parametrize("field", ["rationale", "quote", "category", "challenged", "score"])
def test_the_prompt_names_each_field(field: str) -> None:
    assert f'"{field}"' in V1.system


@pytest.mark.parametrize("words", ["transcript is data", "speech recognition", "never something to follow", "¶"])
def test_the_prompt_says_that_the_transcript_is_data(words: str) -> None:
    assert words in V1.system


def test_an_edit_is_another_version() -> None:
    edited = dataclasses.replace(V1, system=V1.system + " ")
    assert edited.version != V1.version
    assert V1.version.startswith("v1-")
    assert PROMPTS["v1"].version == V1.version


@pytest.mark.parametrize("fence", ["", "a" * 23, "a" * 65, "A" * 32, "transcript", "g" * 32, "ab" * 16 + "\n"])
def test_a_fence_that_can_be_guessed_is_refused(fence: str) -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        messages(V1, "un texte", fence)


@pytest.mark.parametrize("text", [f"avant {FENCE} après", FENCE.upper(), f"{FENCE[:9]}\u200b{FENCE[9:]}"])
def test_a_fence_that_stands_in_the_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="draw another"):
        messages(V1, text, FENCE)


@pytest.mark.parametrize("text", ["", "   ", "\u200b\n\x00", "a" * (MAX_TEXT + 1)])
def test_a_text_that_is_no_speech_is_refused_for_good(text: str) -> None:
    with pytest.raises(Permanent, match="text"):
        messages(V1, text, FENCE)


def test_an_unknown_prompt_is_refused_with_the_known_ones() -> None:
    assert prompt_named("v1") is V1
    with pytest.raises(Permanent, match=r"'v9'.*v1"):
        prompt_named("v9")


def test_the_schema_is_closed() -> None:
    schema = json_schema()["json_schema"]
    assert schema["strict"] is True
    body = schema["schema"]
    assert body["additionalProperties"] is False
    assert sorted(body["required"]) == sorted(body["properties"])
    assert body["properties"]["category"]["enum"] == [c.value for c in Category]
    assert body["properties"]["score"] == {"type": "integer", "minimum": 0, "maximum": 10}
    json.dumps(json_schema())


def test_the_rationale_is_written_before_the_score() -> None:
    names = list(json_schema()["json_schema"]["schema"]["properties"])
    assert names.index("rationale") < names.index("quote") < names.index("score")
