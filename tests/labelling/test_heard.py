"""What a task shows of its sound: nothing that was not heard, the quote to the character, and nobody's name for ever."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.labelling.erasure import without_person
from climate_assets.labelling.heard import STAGES, Speech, clock, first_second, heard_item, quote_region, with_player
from climate_assets.labelling.listening import is_awaited
from climate_assets.labelling.tasks import canonical_bytes
from climate_assets.states import State
from tests.labelling.cases import QUOTE, chunk, clean, task, verdict
from tests.labelling.spoken import (
    JEANNE,
    OFFSET,
    QUOTE_AT,
    SECONDS,
    attributed,
    clip,
    speech,
    spoken_task,
    states,
    transcript,
    utterances,
)

SOURCE = chunk()
JUDGED = verdict(clean(SOURCE))
NEW_FIELDS = set(heard_item(Speech(), JUDGED))


def item(**changes: Any) -> dict[str, Any]:
    return heard_item(speech(SOURCE, **changes), JUDGED)


def test_a_task_without_speech_is_as_before_with_empty_fields() -> None:
    made = task()
    fields = {name: made["data"]["item"][name] for name in NEW_FIELDS}
    note = fields.pop("sound_note")
    assert note == "No sound: nobody has asked for it"
    assert not any(fields.values())
    assert made["data"]["sound"] == ""
    assert [r["to_name"] for r in made["predictions"][0]["result"]] == ["source_text", "source_text"]


def test_speech_adds_a_region_and_changes_nothing_else() -> None:
    with_sound, without = spoken_task(), task()
    for made in (with_sound, without):
        for name in NEW_FIELDS:
            del made["data"]["item"][name]
        del made["data"]["sound"]
    region = with_sound["predictions"][0]["result"].pop(1)
    assert with_sound == without
    assert (region["from_name"], region["to_name"], region["type"]) == ("heard", "dialogue", "paragraphlabels")
    assert region["value"]["paragraphlabels"] == ["suggested"]


def test_what_is_shown_of_a_clip() -> None:
    shown = item()
    assert shown["media"] == f"s3://climate-lake/{clip(SOURCE).object_key}"
    assert shown["sounds"] == [int(QUOTE_AT) - 5]
    assert shown["sound_note"] == f"The player starts at {clock(shown['sounds'][0])}, 5 s before the quote."
    assert shown["plaintext_whisper"] == transcript(clip(SOURCE)).text
    assert (shown["word_error_rate"], shown["quote_heard"], shown["quote_seconds"]) == (0.084, QUOTE, QUOTE_AT)
    assert "8% of the source's words differ" in shown["heard_note"]
    assert [p["speaker"] for p in shown["dialogue"]] == [
        *["Jeanne Durand (journalist)"] * 2,
        "SPEAKER_01",
        "Speaker not known",
    ]
    assert [p["text"].endswith("[somebody else speaks at the same time]") for p in shown["dialogue"]] == [
        False,
        True,
        False,
        False,
    ]
    assert shown["quote_speaker_label"] == "SPEAKER_01 says the quote."
    assert shown["challenged_hint_label"] == "Jeanne Durand (journalist) answers and contradicts: “vous n êtes pas d accord”."


@pytest.mark.parametrize(
    ("change", "label"),
    [
        ({"challenged_hint": False, "challenge_cue": ""}, "Jeanne Durand (journalist) answers and does not contradict"),
        ({"answered_by": "", "challenged_hint": False}, "Nobody answers the quote."),
        ({"quote_start": None, "quote_heard": "", "quote_speaker": "", "answered_by": ""}, ""),
    ],
)
def test_the_hint_says_who_answers(change: dict[str, Any], label: str) -> None:
    assert item(attributed=attributed(clip(SOURCE), **change))["challenged_hint_label"].startswith(label)


@pytest.mark.parametrize(
    ("reasons", "note"),
    [
        ({"audio_clips": "the archive has no sound of this time"}, "No sound: the archive has no sound of this time"),
        ({"whisper_transcripts": "another stage"}, "No sound: nobody has asked for it"),
        ({"audio_clips": "see s3://bucket/key\x00"}, "No sound: see s3:/bucket/key "),
    ],
)
def test_a_task_without_sound_says_why(reasons: dict[str, str], note: str) -> None:
    shown = heard_item(Speech(reasons=reasons), JUDGED)
    assert shown["sound_note"] == note
    assert (shown["sounds"], shown["dialogue"], shown["media"]) == ([], [], "")


@pytest.mark.parametrize(
    ("change", "speaker", "text"),
    [
        (
            {"transcript": None, "reasons": {"whisper_transcripts": "the recogniser failed"}},
            "Sound",
            "Not transcribed: the recogniser failed",
        ),
        ({"utterances": [], "transcript": transcript(clip(SOURCE), "")}, "Sound", "Nobody was heard to speak."),
        ({"attributed": None}, "Heard, not divided by speaker", transcript(clip(SOURCE)).text),
    ],
)
def test_a_sound_has_a_phrase_whatever_is_missing(change: dict[str, Any], speaker: str, text: str) -> None:
    (phrase,) = item(**change)["dialogue"]
    assert (phrase["speaker"], phrase["text"], phrase["start"], phrase["end"]) == (speaker, text, 0.0, SECONDS)


@pytest.mark.parametrize(
    "stale",
    [
        {"transcript": transcript(clip(SOURCE), audio_sha256="f" * 64)},
        {"transcript": transcript(clip(SOURCE), origin="copy_of_source")},
        {"clip": clip(SOURCE, b"fetched again")},
        {"clip": None},
    ],
)
def test_words_that_were_not_heard_in_this_sound_are_not_shown(stale: dict[str, Any]) -> None:
    shown = item(**stale)
    assert shown["plaintext_whisper"] == shown["difference"] == ""
    assert shown["word_error_rate"] is None
    assert not any(phrase["text"].startswith("bonsoir") for phrase in shown["dialogue"])


def test_speech_of_another_chunk_is_refused() -> None:
    with pytest.raises(Permanent, match="with speech of"):
        heard_item(speech(chunk(minute=6)), JUDGED)


def test_the_quote_is_marked_to_the_character() -> None:
    shown = item()
    region = quote_region(shown)
    assert region is not None
    assert (region["start"], region["end"], region["text"]) == ("2", "2", QUOTE)
    assert shown["dialogue"][2]["text"][region["startOffset"] : region["endOffset"]] == QUOTE


words = st.lists(
    st.sampled_from(["le", "climat", "a", "changé", "non", "\u202eoui", "a\u00a0b", "x://y"]), min_size=1, max_size=30
)


@given(words, st.data())
def test_a_quote_over_phrases_is_marked_from_its_first_to_its_last_word(said: list[str], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(said) - 1))
    last = data.draw(st.integers(first, len(said) - 1))
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(said) - 1)), max_size=4)) - {len(said)})
    template = utterances(clip(SOURCE))[0]
    parts = [said[a:b] for a, b in zip([0, *cuts], [*cuts, len(said)], strict=True)]
    spoken = [
        replace(template, number=n, start=float(n), text=" ".join(part), overlap=data.draw(st.booleans()))
        for n, part in enumerate(parts)
    ]
    found = attributed(clip(SOURCE), quote_heard=" ".join(said[first : last + 1]), quote_start=0.0)
    shown = item(utterances=spoken, attributed=found)
    region = quote_region(shown)
    assert region is not None
    phrases = [p["text"].removesuffix(" [somebody else speaks at the same time]") for p in shown["dialogue"]]
    start, end = int(region["start"]), int(region["end"])
    phrases[end] = phrases[end][: region["endOffset"]]
    phrases[start] = phrases[start][region["startOffset"] :]
    assert " ".join(phrases[start : end + 1]).split() == shown["quote_heard"].split()


def test_of_a_repeated_quote_the_one_at_its_second_is_marked() -> None:
    template = utterances(clip(SOURCE))[0]
    spoken = [replace(template, number=n, start=20.0 * n, end=20.0 * n + 9, text="il ment") for n in range(4)]
    found = attributed(clip(SOURCE), quote_heard="il ment", quote_start=41.0)
    region = quote_region(item(utterances=spoken, attributed=found))
    assert region is not None
    assert region["start"] == "2"


def test_a_quote_that_is_in_no_phrase_is_marked_nowhere() -> None:
    assert quote_region(item(attributed=attributed(clip(SOURCE), quote_heard="autre chose"))) is None


@pytest.mark.parametrize(
    ("quote_start", "seconds", "expected"),
    [(60.9, None, 55), (3.0, None, 0), (500.0, None, 130), (None, 30.0, 30), (None, None, 5)],
)
def test_the_player_starts_five_seconds_before_the_quote(
    quote_start: float | None, seconds: float | None, expected: int
) -> None:
    told = speech(SOURCE, attributed=attributed(clip(SOURCE), quote_start=quote_start))
    assert first_second(told, replace(JUDGED, quote_seconds=seconds)) == expected
    assert OFFSET == 5.0


def test_the_task_that_is_sent_plays_through_its_project_from_the_right_second() -> None:
    made = spoken_task()
    sent = with_player(made, 7)
    path, second = sent["data"]["sound"].split("#t=")
    assert path.startswith("/projects/7/resolve/?fileuri=")
    assert base64.urlsafe_b64decode(path.split("=", 1)[1]).decode() == made["data"]["sound"] == made["data"]["item"]["media"]
    assert int(second) == made["data"]["item"]["sounds"][0]
    assert {**sent["data"], "sound": ""} == {**made["data"], "sound": ""}
    assert with_player(task(), 7) == task()


def test_tasks_that_were_written_before_there_was_sound_are_sent_as_they_are() -> None:
    old = task()
    for name in NEW_FIELDS - {"media", "plaintext_whisper"}:
        del old["data"]["item"][name]
    assert with_player(old, 7) is old
    assert without_person(old, {JEANNE}) is old


@given(st.text(), st.text(), st.text())
def test_what_was_heard_can_be_stored_and_does_nothing(text: str, name: str, cue: str) -> None:
    spoken = [replace(u, text=text, name=name, role=name, speaker=name) for u in utterances(clip(SOURCE))]
    found = attributed(clip(SOURCE), quote_heard=text, challenge_cue=cue, quote_speaker=name, answered_by=name)
    shown = item(utterances=spoken, attributed=found, transcript=transcript(clip(SOURCE), text, difference=text, model=name))
    told = canonical_bytes({**shown, "media": "", "dialogue": shown["dialogue"]}).decode()
    assert "://" not in told
    assert not any(mark in told for mark in "\u202e\u2066\ufeff")


def test_a_name_that_is_forgotten_leaves_the_label() -> None:
    made = spoken_task()
    nameless = without_person(made, {JEANNE})
    told = json.dumps(nameless, ensure_ascii=False)
    assert "Jeanne" not in told
    assert JEANNE not in told
    assert [p["speaker"] for p in nameless["data"]["item"]["dialogue"]][:3] == ["SPEAKER_00", "SPEAKER_00", "SPEAKER_01"]
    assert nameless["data"]["item"]["challenged_hint_label"].startswith("SPEAKER_00 answers and contradicts")
    assert nameless["predictions"] == made["predictions"]
    texts = [[p["text"] for p in t["data"]["item"]["dialogue"]] for t in (made, nameless)]
    assert texts[0] == texts[1]
    assert without_person(nameless, {JEANNE}) is nameless
    assert without_person(made, {"somebody-else"}) is made
    assert "Jeanne" in json.dumps(made)


@pytest.mark.parametrize(
    ("told", "awaited"),
    [
        ({}, False),
        (dict.fromkeys(STAGES, "absent"), False),
        ({"audio_clips": "pending"}, True),
        ({"audio_clips": "failed"}, True),
        ({"audio_clips": "dead", "whisper_transcripts": "pending", "attributed_transcripts": "pending"}, False),
        ({"audio_clips": "skipped"}, False),
        ({"whisper_transcripts": "failed"}, True),
        ({"whisper_transcripts": "dead", "attributed_transcripts": "pending"}, False),
        ({"speaker_turns": "pending"}, True),
        ({"speaker_turns": "skipped", "named_speakers": "skipped"}, False),
        ({"speaker_turns": "dead", "named_speakers": "pending"}, False),
        ({"named_speakers": "failed"}, True),
        ({"named_speakers": "pending"}, True),
        ({"attributed_transcripts": "pending"}, True),
        ({"attributed_transcripts": "dead"}, False),
    ],
)
def test_a_task_waits_for_what_will_be_tried_again(told: dict[str, str], awaited: bool) -> None:
    assert set(told.values()) <= {*State, "absent"}
    assert is_awaited({state.stage: state for state in states(SOURCE, **told)}) is awaited


@pytest.mark.parametrize(
    ("parts", "phrases"),
    [
        ([(0, 4, "A"), (4, 9, "A"), (9, 14, "A")], ["0 1 2"]),
        ([(0, 4, "A"), (4, 9, "A"), (9, 16, "A")], ["0 1", "2"]),
        ([(0, 4, "A"), (7, 9, "A")], ["0", "1"]),
        ([(0, 4, "A"), (4, 9, "B"), (9, 12, "A")], ["0", "1", "2"]),
        ([(0, 40, "A"), (40, 41, "A")], ["0", "1"]),
    ],
    ids=["neighbours", "too long for one", "after a pause", "somebody else between", "one that is long by itself"],
)
def test_neighbours_of_one_speaker_are_one_phrase(parts: list[tuple[float, float, str]], phrases: list[str]) -> None:
    model = utterances(clip(SOURCE))[2]
    said = [
        replace(model, number=n, start=start, end=end, speaker=speaker, text=str(n), words=1)
        for n, (start, end, speaker) in enumerate(parts)
    ]
    dialogue = item(utterances=said)["dialogue"]
    assert [phrase["text"] for phrase in dialogue] == phrases
    assert [(d["start"], d["end"]) for d in dialogue] == [
        (parts[int(p.split()[0])][0], parts[int(p.split()[-1])][1]) for p in phrases
    ]
