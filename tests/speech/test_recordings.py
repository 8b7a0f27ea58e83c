"""Uploaded files: what an inbox object is, what its sidecar may say, and names that want to do harm."""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.speech import arrivals, recordings
from climate_assets.speech.arrivals import INBOX, Kind, Listed
from climate_assets.speech.recordings import Description, Refused

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TODAY = NOW.date()
HASH = "ab" * 32


def listed(name: str, size: int = 100, age: float = 60) -> Listed:
    return Listed(f"{INBOX}{name}", size, f'"{name}"', NOW - timedelta(seconds=age))


@pytest.mark.parametrize(
    ("name", "size", "kind", "reason"),
    [
        ("debate.mp3", 5, Kind.RECORDING, ""),
        ("debate", 5, Kind.RECORDING, ""),
        ("notes.pdf", 5, Kind.RECORDING, ""),  # an ending is a hint: what it is, its content says
        ("Débat élections.MP3", 5, Kind.RECORDING, ""),
        ("debate.json", 5, Kind.SIDECAR, ""),
        ("debate.mp3.JSON", 0, Kind.SIDECAR, ""),
        ("", 0, Kind.IGNORED, "a folder"),
        ("today/", 0, Kind.IGNORED, "a folder"),
        ("today/debate.mp3", 5, Kind.IGNORED, "in a folder"),
        ("../../etc/passwd", 5, Kind.IGNORED, "in a folder"),
        ("debate.mp3", 0, Kind.IGNORED, "empty"),
        (".debate.mp3", 5, Kind.IGNORED, "hidden"),
        (".DS_Store", 5, Kind.IGNORED, "hidden"),
        ("Thumbs.db", 5, Kind.IGNORED, "hidden"),
        ("~$debate.mp3", 5, Kind.IGNORED, "hidden"),
        *((f"debate.mp3{end}", 5, Kind.IGNORED, "temporary") for end in (".part", ".PART", ".crdownload", ".tmp", "~")),
    ],
)
def test_what_an_object_is(name: str, size: int, kind: Kind, reason: str) -> None:
    found, why = arrivals.kind_of(f"{INBOX}{name}", size)
    assert found is kind
    assert reason in why
    assert bool(why) == (kind is Kind.IGNORED)


def test_arrivals_come_oldest_first_with_their_sidecars() -> None:
    objects = [
        listed("b.mp3", age=30), listed("a.ogg", age=20), listed("a.json"), listed("b.mp3.json"), listed("b.json"),
        listed("c.wav.part"), listed("d.mp3", age=3), listed("lost.json"),
    ]  # fmt: skip
    found, left = arrivals.arrivals(objects, NOW)
    assert [(a.key, a.sidecar) for a in found] == [
        (f"{INBOX}b.mp3", f"{INBOX}b.mp3.json"),
        (f"{INBOX}a.ogg", f"{INBOX}a.json"),
    ]
    assert [line.split(": ")[0].removeprefix(INBOX) for line in left] == ["c.wav.part", "b.json", "lost.json", "d.mp3"]


def test_a_sidecar_of_two_recordings_is_shared() -> None:
    found, left = arrivals.arrivals([listed("a.mp3"), listed("a.wav"), listed("a.json"), listed("b.mp3")], NOW)
    assert {a.key.removeprefix(INBOX): a.shared for a in found} == {"a.mp3": True, "a.wav": True, "b.mp3": False}
    assert left == []


@pytest.mark.parametrize(("age", "sidecar_age", "taken"), [(11, 60, 1), (9, 60, 0), (60, 9, 0), (-5, 60, 0)])
def test_what_just_came_is_left_to_settle(age: float, sidecar_age: float, taken: int) -> None:
    found, left = arrivals.arrivals([listed("a.mp3", age=age), listed("a.json", age=sidecar_age)], NOW)
    assert (len(found), len(left)) == (taken, 1 - taken)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, Description()),
        ({"title": "  Débat\n du soir "}, Description("Débat du soir")),
        ({"language": "French"}, Description(language="french")),
        ({"language": "fr"}, Description(language="french")),
        ({"day": "2026-11-20"}, Description(day=date(2026, 11, 20))),
        ({"day": "2026-11-22"}, Description(day=date(2026, 11, 22))),  # tomorrow here, today in Auckland
        ({"title": "x" * 900}, Description("x" * 200)),
        ({"title": "<script>\u202e\x00\x1b[31m"}, Description("<script> [31m")),
        ({"title": "", "language": "", "day": " "}, Description()),
    ],
)
def test_a_sidecar_that_can_be_read(said: dict[str, str], expected: Description) -> None:
    assert recordings.described(orjson.dumps(said), "a.json", TODAY) == expected


@pytest.mark.parametrize(
    ("content", "value", "remedy"),
    [
        (b"", "no JSON", "write an object"),
        (b"\xff\xfe", "no JSON", "write an object"),
        (b"{", "no JSON", "write an object"),
        (b"[" * 60_000, "no JSON", "write an object"),
        (b"[]", "no JSON object", "write one"),
        (b"null", "no JSON object", "write one"),
        (b"x" * 70_000, "70000 bytes", "say title"),
        (b'{"titel": "a"}', "'titel'", "title, language or day"),
        (b'{"title": 5}', "title is 5", "put it in quotes"),
        (b'{"title": ["a"]}', "title is ['a']", "put it in quotes"),
        (b'{"language": "klingon"}', "'klingon'", "french"),
        (b'{"language": "it"}', "'it'", "leave it out"),
        (b'{"day": "20/11/2026"}', "'20/11/2026'", "YYYY-MM-DD"),
        (b'{"day": "2026-W47-5"}', "'2026-W47-5'", "YYYY-MM-DD"),
        (b'{"day": "2026-02-30"}', "'2026-02-30'", "calendar"),
        (b'{"day": "2027-01-01"}', "2027-01-01", "the day it was recorded"),
        (b'{"day": "1066-10-14"}', "1066-10-14", "the day it was recorded"),
        ('{"day": "２０２６-11-20"}'.encode(), "no date", "YYYY-MM-DD"),
    ],
)
def test_a_sidecar_that_is_refused_names_value_place_and_remedy(content: bytes, value: str, remedy: str) -> None:
    with pytest.raises(Refused) as refused:
        recordings.described(content, "inbox/a.json", TODAY)
    assert str(refused.value).startswith("inbox/a.json")
    assert value in str(refused.value)
    assert remedy in str(refused.value)


@pytest.mark.parametrize(("size", "reason"), [(0, "empty"), (-1, "empty"), (4 * 1024**3 + 1, "4.0 GiB, over the limit of 4")])
def test_sizes_that_are_refused(size: int, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        recordings.checked_size(size, "debate.mp3")


def test_sizes_that_are_taken() -> None:
    assert [recordings.checked_size(n, "a") for n in (1, 4 * 1024**3)] == [1, 4 * 1024**3]


@pytest.mark.parametrize(
    ("name", "title", "safe"),
    [
        ("debate.mp3", "debate", "debate.mp3"),
        ("Débat_climat 2026.MP3", "Débat climat 2026", "Debat_climat-2026.mp3"),
        ("jean-pierre_debat.ogg", "jean-pierre debat", "jean-pierre_debat.ogg"),
        ("assemblee-generale-3.wav", "assemblee generale 3", "assemblee-generale-3.wav"),
        ("20.11.2026", "20.11.2026", "20.11.2026"),
        ("../../etc/passwd", "passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system", "system.ini"),
        ("..", "recording", "recording"),
        ("....mp3", "mp3", "mp3"),
        ("", "recording", "recording"),
        ("<img src=x onerror=alert(1)>.mp3", "<img src=x onerror=alert(1)>", "img-src-x-onerror-alert-1.mp3"),
        ("[red]a[/]b.mp3", "]b", "b.mp3"),  # what stands before a slash is a folder
        ("a\x00b\nc\x1b[31m.mp3", "a b c [31m", "a-b-c-31m.mp3"),
        ("invoice\u202e3pm.exe", "invoice3pm", "invoice3pm.exe"),
        ("节目.mp3", "节目", "recording.mp3"),
        ("\udcff\udcfe.mp3", "recording", "recording.mp3"),
        ("-rf.mp3", "rf", "rf.mp3"),
        ("$(reboot);`id`.mp3", "$(reboot);`id`", "reboot-id.mp3"),
        ("a" * 1000 + ".mp3", "a" * 200, "a" * 100 + ".mp3"),
    ],
)
def test_titles_and_safe_names(name: str, title: str, safe: str) -> None:
    assert recordings.title_of(name) == title
    assert recordings.safe_name(name) == safe


@given(st.text(max_size=1200))
def test_no_name_does_harm(name: str) -> None:
    key = recordings.object_key_of(HASH, name)
    assert re.fullmatch(rf"recordings/sha256={HASH}/[A-Za-z0-9_][A-Za-z0-9._-]*", key)
    assert ".." not in key
    assert len(key) < 300
    row = recordings.recording_of(name, HASH, 5, Description(), "climate-lake", NOW)
    for text in (row.title, row.filename):
        assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for c in text)
        assert len(text) <= 255
        text.encode()
    assert row.title


@given(st.text(max_size=300))
def test_plain_text_stays_as_it_is(text: str) -> None:
    once = recordings.plain(text)
    assert recordings.plain(once) == once


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_sidecar_is_read_or_refused(content: bytes) -> None:
    try:
        said = recordings.described(content, "a.json", TODAY)
    except Refused:
        return
    assert len(said.title) <= 200


def test_the_row_says_what_a_person_said() -> None:
    said = Description("Débat du soir", "french", date(2026, 11, 19))
    row = recordings.recording_of("soir.mp3", HASH, 5, said, "climate-lake", NOW)
    assert (row.title, row.language, row.day, row.added_at) == ("Débat du soir", "french", date(2026, 11, 19), NOW)
    unsaid = recordings.recording_of("soir.mp3", HASH, 5, Description(), "climate-lake", NOW)
    assert (unsaid.title, unsaid.language, unsaid.day) == ("soir", "", TODAY)
    assert recordings.redescribed(row, Description()) == row
    again = recordings.redescribed(row, Description(title="Débat du matin"))
    assert (again.title, again.language, again.day, again.added_at) == ("Débat du matin", "french", row.day, NOW)


@pytest.mark.parametrize(("name", "likely"), [("a.mp3", True), ("a.OPUS", True), ("a.pdf", False), ("mp3", False)])
def test_a_name_is_a_hint(name: str, likely: bool) -> None:
    assert recordings.looks_like_sound(name) is likely
