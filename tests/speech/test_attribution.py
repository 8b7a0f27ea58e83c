"""One clip put together: its folder, its files, its quote; the same input gives the same bytes."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.claims.records import Verdict
from climate_assets.failures import Permanent
from climate_assets.speech.attribution import Attribution, attributed, file_id, files_sha256, folder
from climate_assets.speech.records import Clip, Identity, Segment, Turn, Word
from resources.reference import ReferenceFiles
from tests.speech.spoken_parts import (
    CLIP_ID,
    HOSTILE_TEXTS,
    both,
    clip,
    fonts,
    heard,
    identity,
    segment,
    transcript,
    turn,
    verdict,
)
from tests.speech.test_captions import parsed
from tests.speech.test_reports import searchable

A, B = "SPEAKER_00", "SPEAKER_01"
FILES = {"transcription.json", "diarization.json", "fusion.json", "captions.vtt", "transcript.md", "transcript.pdf"}
CUES = ReferenceFiles().contradictions()
FONTS = fonts()
TALK = [
    segment(6, 12, "Le climat a toujours changé sans que l'homme y soit pour rien."),
    segment(12.2, 16, "Non, c'est faux. Les mesures montrent le contraire."),
]
TURNS = both(turn(5.8, 12.1, A), turn(12.1, 16.2, B))
QUOTE = verdict("le climat a toujours changé", 1.0)


def made(
    segments: Sequence[Segment] = TALK,
    turns: Sequence[Turn] = TURNS,
    identities: Sequence[Identity] = (),
    asked: Verdict | None = QUOTE,
    one: Clip | None = None,
    text: str = "",
) -> Attribution:
    one = one or clip()
    row = transcript(text, clip_id=one.clip_id)
    return attributed(one, heard(*segments), row, turns, identities, asked, CUES, FONTS)


def test_the_quote_is_found_with_its_speaker_and_who_contradicts_it() -> None:
    done = made(identities=[identity(A, "Ana Nowak"), identity(B)])
    row = done.row
    assert (row.quote_start, row.quote_end, row.quote_heard) == (6.0, 8.5, "Le climat a toujours changé")
    assert (row.quote_speaker, row.answered_by, row.challenged_hint, row.challenge_cue) == (A, B, True, "c'est faux.")
    assert (row.speakers, row.utterances, row.folder) == (2, 2, "results/20261116/france_canal-un_20261116T080400Z/")
    assert [u.name for u in done.utterances] == ["Ana Nowak", B]


def test_every_file_is_written_and_says_the_same() -> None:
    files = made(identities=[identity(A, "Ana Nowak"), identity(B)]).files
    assert set(files) == FILES
    fused = json.loads(files["fusion.json"])
    assert [(row["speaker"], row["text"]) for row in fused] == [("Ana Nowak", TALK[0].text), (B, TALK[1].text)]
    assert [{k: v for k, v in row.items() if k != "speaker"} for row in fused] == json.loads(files["transcription.json"])
    assert len(json.loads(files["diarization.json"])) == 2
    assert {cue.name for cue in parsed(files["captions.vtt"].decode())} == {"Ana Nowak", B}
    assert "**Ana Nowak** **quote**" in files["transcript.md"].decode().replace("0:06–0:12 ", "")
    assert "montrentlecontraire" in searchable(files["transcript.pdf"]).replace(" ", "")


@pytest.mark.parametrize(
    ("changes", "row"),
    [
        (
            {"turns": []},
            {"speakers": 0, "utterances": 2, "quote_speaker": "unknown", "answered_by": "", "challenged_hint": False},
        ),
        ({"asked": None}, {"quote_start": None, "quote_heard": "", "quote_speaker": "", "answered_by": ""}),
        ({"asked": verdict("", None)}, {"quote_start": None, "quote_heard": "", "answered_by": ""}),
        ({"asked": verdict("les vaccins rendent les vaches bleues", 1.0)}, {"quote_start": None, "quote_speaker": ""}),
        ({"asked": verdict("le climat a toujours changé", None)}, {"quote_start": 6.0}),
        ({"segments": []}, {"utterances": 0, "speakers": 2, "quote_start": None}),
        ({"segments": [replace(s, gate="loop") for s in TALK]}, {"utterances": 0, "quote_start": None}),
        ({"one": clip(language="")}, {"challenge_cue": "c'est faux."}),
        ({"one": clip(language="polish")}, {"answered_by": B, "challenge_cue": ""}),
    ],
)
def test_what_is_missing_leaves_the_rest(changes: dict[str, object], row: dict[str, object]) -> None:
    done = made(**changes)  # type: ignore[arg-type]
    assert {name: getattr(done.row, name) for name in row} == row
    assert set(done.files) == FILES
    assert all(done.files.values())


def test_why_the_quote_is_missing_stands_in_the_report() -> None:
    done = made(asked=verdict("les vaccins rendent les vaches bleues", 1.0))
    assert "not found: the stretch most alike" in done.files["transcript.md"].decode()


def test_the_hash_is_over_all_files_and_their_names() -> None:
    done = made()
    lines = "".join(f"{hashlib.sha256(done.files[name]).hexdigest()}  {name}\n" for name in sorted(FILES))
    assert done.row.sha256 == hashlib.sha256(lines.encode()).hexdigest()
    assert files_sha256({"a": b"x"}) != files_sha256({"b": b"x"}) != files_sha256({"a": b"y"})


def test_the_same_parts_give_the_same_rows_and_bytes_in_whatever_order_they_come() -> None:
    people = [identity(A, "Ana Nowak"), identity(B)]
    assert made(identities=people) == made(turns=TURNS[::-1], identities=people[::-1])


@pytest.mark.parametrize(
    ("one", "name"),
    [
        (clip(), "france_canal-un_20261116T080400Z"),
        (clip(clip_id="pays-bas/radio_4/2026-01-02T23:59:58.250Z"), "pays-bas_radio_4_20260102T235958.250Z"),
        (clip(clip_id="0123456789abcdef" * 4, country="recordings"), "0123456789abcdef"),
    ],
)
def test_folder_of_a_clip(one: Clip, name: str) -> None:
    assert file_id(one) == name
    assert folder(one) == f"results/20261116/{name}/"


@pytest.mark.parametrize(
    "one",
    [
        clip(clip_id="../../etc/2026-11-16T08:04:00Z"),
        clip(clip_id="france/canal-un/2026-11-16T08:04:00Z/../x"),
        clip(clip_id="france/canal un/2026-11-16T08:04:00Z"),
        clip(clip_id="france/canal-un/2026-11-16T08:04:00Z\n"),
        clip(clip_id=""),
        clip(clip_id="0123", country="recordings"),
        clip(clip_id="../" + "a" * 61, country="recordings"),
    ],
)
def test_an_id_that_is_none_makes_no_folder(one: Clip) -> None:
    with pytest.raises(Permanent):
        folder(one)


@pytest.mark.parametrize(
    "changes",
    [
        {"turns": [turn(0, 1, A, clip_id="france/canal-deux/2026-11-16T08:04:00Z")]},
        {"asked": verdict("le climat a toujours changé", 1.0, clip_id="france/canal-deux/2026-11-16T08:04:00Z")},
        {"identities": [replace(identity(A), clip_id="x")]},
        {"one": clip(sha256="00" * 32)},
        {"turns": [replace(TURNS[0], audio_sha256="00" * 32)]},
    ],
)
def test_parts_of_different_clips_or_audio_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(Permanent, match="clip"):
        made(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_hostile_words_and_names_go_through(text: str) -> None:
    words = [Word(6, 7, text, 0.5), Word(7, 7, text, 0.5), Word(500, 501, text, 0.5), Word(8, 9, "fin.", 0.5)]
    done = made(
        segments=[segment(6, 9, words), segment(70, 90, words), segment(20, 21, words, gate=text)],
        turns=both(turn(5, 8, A), turn(8, 99, B)),
        identities=[identity(A, text)],
        asked=verdict(text, 2.0),
        one=clip(channel=text),
    )
    parsed(done.files["captions.vtt"].decode())
    for name in FILES - {"transcript.pdf"}:
        content = done.files[name].decode()
        assert all(character.isprintable() or character == "\n" for character in content), name
    assert all(0 <= u.start <= u.end <= 60 for u in done.utterances)


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=60), st.floats(0, 60), st.floats(0, 60))
def test_any_text_gives_all_files_twice_alike(text: str, start: float, end: float) -> None:
    segments = [segment(start, end, [Word(start, end, word, 0.5) for word in text.split(" ")])]
    one, again = (made(segments=segments, asked=verdict(text, start)) for _ in range(2))
    assert one == again
    assert set(one.files) == FILES


def test_a_clip_of_a_recording() -> None:
    digest = "0123456789abcdef" * 4
    one = clip(clip_id=digest, country="recordings", channel="Débat public", language="", day=date(2026, 11, 20))
    done = made(segments=TALK, turns=[], asked=None, one=one)
    assert done.row.folder == "results/20261120/0123456789abcdef/"
    assert {u.clip_id for u in done.utterances} == {digest}
    assert CLIP_ID not in done.files["transcript.md"].decode()
