"""The report of a clip: what it must say, that no text in it is markup, and that its PDF can be read and searched."""

import base64
import html
import re
import zlib
from collections.abc import Sequence

import pytest

from climate_assets.speech.fusion import fused
from climate_assets.speech.records import AttributedClip, Clip, Heard, Identity, Segment, Transcript, Turn, Word
from climate_assets.speech.report_pdf import pdf
from climate_assets.speech.reports import Report, clock, escaped, markdown, report
from tests.speech.spoken_parts import CLIP_ID, HOSTILE_TEXTS, SHA, both, clip, fonts, heard, identity, segment, transcript, turn

A, B = "SPEAKER_00", "SPEAKER_01"
FONTS = fonts()


def made(
    one: Clip,
    spoken: Heard,
    row: Transcript,
    turns: Sequence[Turn] = (),
    identities: Sequence[Identity] = (),
    quote: str = "",
    reason: str = "",
    start: float | None = None,
) -> Report:
    said = fused(one, spoken, turns, identities)
    attributed = AttributedClip(
        clip_id=CLIP_ID,
        country="france",
        day=one.day,
        audio_sha256=SHA,
        folder="results/x/",
        speakers=2,
        utterances=len(said),
        quote_start=start,
        quote_end=None if start is None else start + 2,
        quote_heard="" if start is None else "le climat",
        quote_speaker="" if start is None else A,
        answered_by="" if start is None else B,
        challenged_hint=start is not None,
        challenge_cue="" if start is None else "c'est faux",
        sha256="",
    )
    return report(one, spoken, row, turns, identities, said, attributed, quote, reason)


def example(**changes: object) -> Report:
    segments = [segment(0, 6, "le climat change vraiment beaucoup ici"), segment(6, 9, "Zażółć gęślą jaźń")]
    gated = segment(30, 33, "merci d'avoir regardé", gate="phrase known to be invented")
    arguments: dict[str, object] = {
        "one": clip(),
        "spoken": heard(*segments, gated),
        "row": transcript(
            "x", "le climat [change → changea] beaucoup", 0.25, gated=1, gate_reasons="phrase known to be invented"
        ),
        "turns": both(turn(0, 6, A), turn(6, 7.9, B)),
        "identities": [identity(A, "Ana Nowak", "politician"), identity(B)],
        "quote": "le climat",
        "start": 0.0,
    }
    return made(**{**arguments, **changes})  # type: ignore[arg-type]


def test_what_a_report_says() -> None:
    text = markdown(example())
    for expected in (
        "# canal-un, 2026-11-16 08:03 UTC",
        "| recogniser | whisper-x int8",
        "| diarizer | diarizer-x |",
        "| voice encoder | encoder-x |",
        "| length | 60.0 s, voice in 42.0 s of it |",
        r"| Ana Nowak \(SPEAKER\_00\) | 0:06 | 76% | 1 | 6 | auto: similarity 0.80 is above 0.50 |",
        r"| SPEAKER\_01 | 0:01 | 24% |",
        "beside 42.0 s with voice in 60.0 s of audio",
        "| said by | Ana Nowak |",
        r"| answered by | SPEAKER\_01 |",
        r"| contradicted by the words | c'est faux \(a hint, no verdict\) |",
        "**0:00–0:06 Ana Nowak** **quote**: le climat change",
        "25% of its words",
        r"\[change → changea\]",
        "| 0:30 | 0:33 | phrase known to be invented | merci d'avoir regardé |",
        r"- Who these voices are: SPEAKER\_01.",
        "- How right the words are",
    ):
        assert expected in text, expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"turns": [], "identities": [], "start": None, "reason": "alike by 20%"}, "nobody divided the clip by speaker"),
        ({"start": None, "reason": "too far"}, "- Where the quote is said: too far."),
        ({"start": None, "reason": "too far"}, "| as heard | not found: too far |"),
        ({"row": transcript()}, "no text of the source to compare with"),
        ({"spoken": heard(), "start": None}, "Nobody was heard to speak."),
        ({"one": clip(language="")}, "it was detected"),
        ({"turns": both(turn(0, 1, A))}, "no turn is near them"),
        ({"turns": [*both(turn(0, 9, A)), turn(2, 5, B, False)]}, "said while somebody else speaks"),
        ({"identities": []}, "not asked"),
        ({"quote": "", "start": None}, "## What is said"),
        ({"one": clip(country="recordings", channel="Débat")}, "| title | Débat |"),
    ],
)
def test_what_is_not_known_is_said(changes: dict[str, object], expected: str) -> None:
    one = example(**changes)
    assert expected in markdown(one)
    assert ("## The quote" in markdown(one)) == bool(one.quote)


def test_talk_time_is_shown_with_the_longest_first_and_shares_add_up() -> None:
    talk = example(turns=[*both(turn(0, 2, A), turn(2, 9, B)), turn(1, 4, A, False)]).talk
    assert [(t.label, t.seconds) for t in talk] == [(B, 7.0), (A, 4.0)]
    assert sum(t.share for t in talk) == pytest.approx(1)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (59.99, "0:59"), (61, "1:01"), (3_600, "1:00:00"), (14_400, "4:00:00"), (-3, "0:00"), (1e300, "0:00")],
)
def test_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


# Characters that begin markup somewhere in a line when no backslash stands before them.
_BARE = re.compile(r"(?<!\\)(?:\\\\)*[`*_{}\[\]<>&|#~$!]|https?://|www\.")


@pytest.mark.parametrize(
    "text", [*HOSTILE_TEXTS, "http://evil.example www.evil.example a@b.example", "a\\", "\\*a\\*", "x\n# y\n\n- z"]
)
def test_no_text_is_markup(text: str) -> None:
    assert not _BARE.search(escaped(text))
    assert "\n" not in escaped(text)
    words = [Word(0, 1, text, 0.5)]
    one = made(
        clip(channel=text),
        heard(segment(0, 1, words), segment(2, 3, words, gate=text)),
        transcript(text, text, 1.0, model=text, gate_reasons=text, gated=1),
        [turn(0, 1, text)],
        [identity(text, text)],
        quote=text,
        reason=text,
    )
    plain = markdown(made(clip(), heard(), transcript()))
    lines = markdown(one).split("\n")
    # As many headings and tables as a harmless report has, plus the quote's and those of what is not believed.
    assert sum(line.startswith("#") for line in lines) == sum(line.startswith("#") for line in plain.split("\n")) + 2
    for line in lines:
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) in (3, 5, 7)
    assert all(character.isprintable() or character == "\n" for character in markdown(one))
    assert pages(pdf(one, FONTS)) >= 1


# --- a small reader of PDF: enough to see that text can be selected and searched


def streams(content: bytes) -> dict[int, bytes]:
    """Bodies of all objects by number, streams decoded."""
    found = {}
    for number, body in re.findall(rb"(\d+) 0 obj\n(.*?)\nendobj", content, re.DOTALL):
        stream = re.search(rb"stream\r?\n(.*?)(?:\r?\n)?endstream", body, re.DOTALL)
        if stream and b"/ASCII85Decode" in body:
            body = body[: stream.start()] + zlib.decompress(base64.a85decode(stream.group(1).strip(), adobe=False))
        elif stream and b"/FlateDecode" in body:
            body = body[: stream.start()] + zlib.decompress(stream.group(1))
        found[int(number)] = body
    return found


def pages(content: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", content))


def searchable(content: bytes) -> str:
    """All text of a PDF by way of the maps to Unicode of its fonts."""
    # The ASCII85 of reportlab ends in ~>, which the decoder of Python wants without.
    objects = streams(content.replace(b"~>", b""))
    maps: dict[str, dict[int, str]] = {}
    for body in objects.values():
        name, link = re.search(rb"/Name\s*/(F\S+)", body), re.search(rb"/ToUnicode (\d+) 0 R", body)
        if name and link:
            cmap = objects[int(link.group(1))]
            chars: dict[int, str] = {}
            for first, last, values in re.findall(rb"<(\w+)> <(\w+)> \[(.*?)\]", cmap, re.DOTALL):
                listed = re.findall(rb"<(\w+)>", values)
                for code, value in zip(range(int(first, 16), int(last, 16) + 1), listed, strict=False):
                    chars[code] = bytes.fromhex(value.decode()).decode("utf-16-be", "replace")
            for code, value in re.findall(rb"^<(\w+)> <(\w+)>$", cmap, re.MULTILINE):
                chars[int(code, 16)] = bytes.fromhex(value.decode()).decode("utf-16-be", "replace")
            maps[name.group(1).decode()] = chars
    text = []
    for body in objects.values():
        font: dict[int, str] = {}
        for name, string in re.findall(rb"/(F\S+) [\d.]+ Tf|\(((?:[^\\()]|\\.)*)\) Tj", body, re.DOTALL):
            if name:
                font = maps.get(name.decode(), {})
            else:
                raw = re.sub(
                    rb"\\(\d{3}|.)", lambda m: bytes([int(m[1], 8)]) if m[1].isdigit() else m[1], string, flags=re.DOTALL
                )
                text.append("".join(font.get(code, "") for code in raw))
    return "".join(text)


def test_the_pdf_can_be_searched_and_numbers_its_pages() -> None:
    content = pdf(example(), FONTS)
    text = searchable(content)
    for expected in ("canal-un, 2026-11-16 08:03 UTC", "Zażółć gęślą jaźń", "Ana Nowak", "[change → changea]", "page 2 of 2"):
        assert expected.replace(" ", "") in text.replace(" ", ""), expected
    assert content.startswith(b"%PDF-")


def test_the_same_report_gives_the_same_bytes_and_another_one_others() -> None:
    first, again = pdf(example(), FONTS), pdf(example(), FONTS)
    assert first == again
    assert pdf(example(quote="", start=None), FONTS) != first


def test_four_hours_of_talk_fit() -> None:
    segments = [
        segment(n * 4.8, n * 4.8 + 4, f"phrase {n} " + "un deux trois quatre cinq six sept huit neuf") for n in range(3_000)
    ]
    turns = both(*(turn(n * 4.8, n * 4.8 + 4.4, f"SPEAKER_{n % 9:02}") for n in range(3_000)))
    one = made(clip(14_400.0), heard(*segments, seconds=14_400.0), transcript(), turns)
    assert len(one.spoken) == 3_000
    assert markdown(one).count("\n**") == 3_000
    content = pdf(one, FONTS)
    assert 40 < pages(content) < 250
    assert "phrase2999" in searchable(content).replace(" ", "")


def test_texts_without_end_break_across_pages() -> None:
    monster = Segment(0, 30, "x" * 60_000, (Word(0, 30, "x" * 60_000, 0.1),), -1, 0, 1, 0, "fr")
    one = made(
        clip(channel="y" * 9_000),
        heard(monster),
        transcript("z", "[a → b] " * 20_000, 1.0),
        quote=" ".join(["mot"] * 5_000),
        reason="w" * 5_000,
    )
    assert pages(pdf(one, FONTS)) > 10
    assert html.escape("y" * 9_000) not in markdown(one)
