import json
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.broadcast.records import Chunk
from climate_assets.broadcast.transcripts import Decoded, Refused, decode, decode_versions
from tests.broadcast.air import Air, countries, item, nordland, segments, starts_of, vocabulary, wrapped

DAY = date(2026, 11, 20)
START = 1_795_197_840  # 2026-11-20T18:04:00Z
COUNTRY, CHANNEL = nordland()
Entry = tuple[str, int, int]


def decoded(*items: Any, day: date = DAY) -> Decoded:
    return decode(items, COUNTRY, CHANNEL, day, "v1")


def one(row: Any) -> Chunk:
    found = decoded(row)
    assert found.refused == []
    (chunk,) = found.chunks
    assert len(chunk.text.split()) == len(chunk.word_times) == len(chunk.text.split(" ")) * bool(chunk.text)
    return chunk


def said(*entries: Entry, **fields: Any) -> dict[str, Any]:
    return {**item("canal-un", START, list(entries)), **fields}


def test_a_chunk_is_named_by_its_start_and_its_words_by_centiseconds() -> None:
    chunk = one(said(("sur", -76, 28), ("l'", -48, 28), ("eau", 504, 28), ("vive", 11964, 28)))
    assert chunk.chunk_id == "nordland/canal-un/2026-11-20T18:04:00Z"
    assert (chunk.start, chunk.day, chunk.timing) == (datetime(2026, 11, 20, 18, 4, tzinfo=UTC), DAY, "asr")
    assert chunk.text == "sur l' eau vive"
    assert chunk.word_times == [-76, -48, 504, 11964]
    assert (chunk.captured_seconds, chunk.unknown_seconds, chunk.dump_version) == (120.0, 0.0, "v1")


def test_the_last_three_digits_of_a_time_are_centiseconds() -> None:
    row = said()
    row["srt"] = [
        {"text": t, "cts_in_ms": START * 1000 + v, "duration_ms": 5} for t, v in (("a", 28), ("b", 1026), ("c", 5004))
    ]
    assert one({**row, "plaintext": "a b c"}).word_times == [28, 126, 504]


def test_a_chunk_with_longer_fractions_is_in_true_milliseconds() -> None:
    row = said()
    row["srt"] = [
        {"text": t, "cts_in_ms": START * 1000 + v, "duration_ms": 5} for t, v in (("a", 280), ("b", 1260), ("c", 5040))
    ]
    assert one({**row, "plaintext": "a b c"}).word_times == [28, 126, 504]


@pytest.mark.parametrize(
    ("entries", "text", "times", "unknown"),
    [
        ([("un", 0, 30), ("<unk>", 30, 504), ("deux", 534, 30)], "un deux", [0, 534], 5.04),
        ([("un", 0, 30), ("deux<unk>", 30, 60)], "un deux", [0, 30], 0.3),
        ([("<unk>", 0, 504)], "", [], 5.04),
        ([("<unk>", 0, 9000), ("<unk>", 9000, 9000)], "", [], 120.0),
        ([("un deux trois", 100, 90), ("quatre", 190, 30)], "un deux trois quatre", [100, 130, 160, 190], 0.0),
        ([(" un ", 0, 30), ("", 30, 30), ("deux\xa0ans", 60, 40)], "un deux ans", [0, 60, 80], 0.0),
    ],
)
def test_entries_that_are_not_one_word(entries: list[Entry], text: str, times: list[int], unknown: float) -> None:
    chunk = one(said(*entries))
    assert (chunk.text, chunk.word_times, chunk.unknown_seconds) == (text, times, unknown)


@pytest.mark.parametrize("srt", [None, [], ""])
def test_without_word_times_words_are_spread_evenly(srt: Any) -> None:
    chunk = one(said(srt=srt, plaintext="un  deux<unk> trois\nquatre"))
    assert (chunk.text, chunk.word_times, chunk.timing) == ("un deux trois quatre", [0, 3000, 6000, 9000], "even")


def test_silence_is_a_chunk() -> None:
    chunk = one(said(srt=[], plaintext=""))
    assert (chunk.text, chunk.word_times, chunk.captured_seconds) == ("", [], 120.0)


def test_word_entries_may_come_as_json_text() -> None:
    row = said(("un", 0, 30), ("deux", 30, 30))
    assert one({**row, "srt": json.dumps(row["srt"])}).word_times == [0, 30]


def test_an_absent_time_is_put_between_its_neighbours() -> None:
    row = said(("un", 0, 30), ("deux", 30, 30), ("trois", 100, 30), ("quatre", 130, 30))
    row["srt"][1]["cts_in_ms"] = 0
    del row["srt"][3]["cts_in_ms"]
    assert one(row).word_times == [0, 50, 100, 100]
    for entry in row["srt"]:
        entry["cts_in_ms"] = None
    assert one(row).timing == "even"


@pytest.mark.parametrize("time", [-200, -150, -100, 0, 12_000, 12_100, 12_199, 12_200])
def test_words_a_little_outside_the_chunk_are_kept(time: int) -> None:
    assert one(said(("mot", time, 30))).word_times == [min(max(time, -100), 12_100)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"srt": said(("mot", -201, 3))["srt"]}, "-2.01 s from the chunk's start"),
        ({"srt": said(("mot", 12_201, 3))["srt"]}, "122.01 s"),
        ({"srt": "not json", "plaintext": ""}, "not JSON"),
        ({"srt": {"text": "mot"}}, "not a list"),
        ({"srt": ["mot"]}, "has no text"),
        ({"srt": [{"cts_in_ms": 1}]}, "has no text"),
        ({"srt": [{"text": None, "cts_in_ms": 1}]}, "has no text"),
        (
            {"srt": [{"text": "mot", "cts_in_ms": "soon", "duration_ms": 1}], "plaintext": ""},
            "`cts_in_ms` of a word is not a number",
        ),
        ({"srt": [{"text": "mot", "cts_in_ms": 10**30, "duration_ms": 1}], "plaintext": ""}, "not a number"),
        (
            {"srt": [{"text": "mot", "cts_in_ms": START * 1000, "duration_ms": []}] * 2 + [{"text": "a", "duration_ms": "x"}]},
            "not a",
        ),
        ({"srt": None, "plaintext": None}, "neither"),
        ({"srt": [], "plaintext": 7}, "int, not text"),
        ({"srt": [], "plaintext": "a" * 501}, "501 characters"),
        ({"srt": [], "plaintext": "ab " * 20_000}, "limit is 50000"),
        ({"srt": [], "plaintext": "a " * 5_001}, "5001 words"),
        ({"srt": [{"text": "a"}] * 5_001}, "5001 words"),
        ({"srt": [{"text": "a b " * 20_000, "cts_in_ms": START * 1000, "duration_ms": 1}]}, "limit is 50000"),
        ({"start": "soon"}, "no number"),
        ({"start": True}, "no number"),
        ({"start": None}, "no number"),
        ({"start": float("nan")}, "no number"),
        ({"start": 1e300}, "no number"),
        ({"start": 0}, "more than a day away"),
        ({"channel": {"name": "radio-deux"}}, "of channel 'radio-deux'"),
        ({"channel": "radio-deux"}, "of channel 'radio-deux'"),
    ],
)
def test_nonsense_refuses_that_chunk_alone(change: dict[str, Any], reason: str) -> None:
    fine = item("canal-un", START + 120, [("bien", 0, 30)])
    found = decoded(said(("mot", 0, 30)) | change, fine)
    assert [chunk.text for chunk in found.chunks] == ["bien"]
    (refused,) = found.refused
    assert reason in refused.reason
    assert refused.item_id.startswith("nordland/canal-un/")


@pytest.mark.parametrize("row", [None, 3, "text", [1]])
def test_an_item_that_is_no_object_is_refused(row: Any) -> None:
    assert "not an object" in decoded(row).refused[0].reason


@pytest.mark.parametrize(
    ("start", "written"),
    [(START + 0.24, "18:04:00.240Z"), (str(START), "18:04:00Z"), (float(START), "18:04:00Z"), (START + 37, "18:04:37Z")],
)
def test_a_start_off_the_grid_keeps_its_instant(start: Any, written: str) -> None:
    row = item("canal-un", float(start), [("un", 10, 30)]) | {"start": start}
    chunk = one(row)
    assert chunk.chunk_id.endswith(f"T{written}")
    assert chunk.word_times == [10]


def test_what_a_database_cannot_hold_is_taken_out_of_the_text() -> None:
    assert one(said(("a\x00b", 0, 30), ("\ud800", 30, 30), ("c", 60, 30))).text == "ab \ufffd c"
    assert one(said(plaintext="a\x00b \x00 \ud800", srt=[])).text == "ab \ufffd"
    one(said(("\x00", 0, 30), ("c", 60, 30)))


# --- which of `srt` and `plaintext` is believed


@pytest.mark.parametrize(
    ("plaintext", "timing", "text"),
    [
        ("deux un trois", "asr", "un deux trois"),
        ("Un, deux... Trois!", "asr", "un deux trois"),
        ("un trois", "asr", "un deux trois"),
        ("", "asr", "un deux trois"),
        (None, "asr", "un deux trois"),
        ("un deux trois quatre", "even", "un deux trois quatre"),
        ("un un deux trois", "even", "un un deux trois"),
    ],
)
def test_words_are_never_lost_when_both_texts_disagree(plaintext: Any, timing: str, text: str) -> None:
    chunk = one(said(("un", 0, 30), ("deux", 30, 30), ("trois", 60, 30), plaintext=plaintext))
    assert (chunk.timing, chunk.text) == (timing, text)


# --- overlapping segments


def merged(*parts: list[Entry], drop_equal_neighbours: bool = False) -> list[Entry]:
    """Segments merged by time, as the source does it."""
    entries = sorted((entry for part in parts for entry in part), key=lambda entry: entry[1])
    if not drop_equal_neighbours:
        return entries
    return [e for before, e in zip([("", 0, 0), *entries], entries, strict=False) if e[0] != before[0]]


def segment(words: str, start: int, step: int) -> list[Entry]:
    return [(word, start + n * step, step) for n, word in enumerate(words.split())]


@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize(
    ("left", "right", "text"),
    [
        # the seam of both is the same words, heard a little earlier or later
        (
            ("un deux trois quatre cinq six", 100, 42),
            ("quatre cinq six sept huit", 240, 35),
            "un deux trois quatre cinq six sept huit",
        ),
        (
            ("un deux trois quatre cinq six", 100, 42),
            ("quatre cinq six sept huit", 216, 25),
            "un deux trois quatre cinq six sept huit",
        ),
        # the last word of one segment was misheard: both readings stay, nothing else is torn
        (
            ("un deux trois quatre rose", 100, 40),
            ("trois quatre route de lyon", 185, 29),
            "un deux trois quatre rose route de lyon",
        ),
        # nothing in common: one after the other
        (("un deux trois quatre", 100, 40), ("cinq six sept", 230, 33), "un deux trois quatre cinq six sept"),
    ],
)
def test_interleaved_segments_are_put_back(left: Any, right: Any, text: str, drop: bool) -> None:
    rows = merged(segment(*left), segment(*right), drop_equal_neighbours=drop)
    chunk = one(said(*rows))
    assert chunk.text == text
    assert chunk.word_times == sorted(chunk.word_times)
    assert chunk.timing == "asr"


def test_segments_that_only_touch_are_left_alone() -> None:
    rows = segment("la la la", 0, 30) + segment("la si la si", 90, 40)
    assert one(said(*rows)).text == "la la la la si la si"


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(0, 20), st.booleans())
def test_a_seam_gives_back_the_script(seed: int, twice: int, late: int, drop: bool) -> None:
    """Whatever the script, words heard twice at a seam come once and in order."""
    rng = random.Random(seed)
    words = rng.sample(vocabulary(rng), 40)
    left = [(word, n * 31, 31) for n, word in enumerate(words[:20])]
    start = left[20 - twice][1] + late
    right = [(word, start + n * 27, 27) for n, word in enumerate(words[20 - twice :])]
    assert one(said(*merged(left, right, drop_equal_neighbours=drop))).text.split() == words


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32))
def test_no_word_disappears(seed: int) -> None:
    """Every word of an arbitrary tangle is still said; a word is dropped only for its twin."""
    rng = random.Random(seed)
    words = vocabulary(rng, 40)
    rows = sorted(
        ((rng.choice(words), rng.randint(-90, 11_900), rng.choice((25, 29, 42, 504))) for _ in range(200)), key=lambda e: e[1]
    )
    chunk = one(said(*rows))
    assert set(chunk.text.split()) == {word for word, _, _ in rows}
    assert not Counter(chunk.text.split()) - Counter(word for word, _, _ in rows)
    assert chunk.word_times == sorted(chunk.word_times)


@pytest.mark.parametrize(
    "rows",
    [
        [("la", n * 2, 3 + n % 40) for n in range(5000)],
        [("la", n * 2, 3 + n % 40) for n in range(500)],
        [(f"mot{n % 7}", n * 2, 11_999) for n in range(5000)],
        [(f"mot{n}", 100, n % 3) for n in range(300)],
        [(f"mot{n}", n * 4, 50) for n in range(300)],
    ],
)
def test_a_tangle_that_no_speech_has_loses_no_word(rows: list[Entry]) -> None:
    assert set(one(said(*rows)).text.split()) == {word for word, _, _ in rows}


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32))
def test_clean_segments_come_through_unchanged(seed: int) -> None:
    rng = random.Random(seed)
    rows = [entry for part in segments(rng, vocabulary(rng)) for entry in part]
    chunk = one(said(*rng.sample(rows, len(rows)), plaintext=" ".join(word for word, _, _ in rows)))
    assert chunk.text.split() == [word for word, _, _ in rows]
    assert chunk.word_times == [max(-100, at) for _, at, _ in rows]


# --- days, copies, versions


@pytest.mark.parametrize(
    ("country", "channel", "day", "slots"),
    [
        ("nordland", "canal-un", date(2026, 3, 29), 690),
        ("nordland", "canal-un", date(2026, 10, 25), 750),
        ("westland", "canal-oeste", date(2026, 11, 20), 720),
    ],
)
def test_each_local_day_owns_its_chunks(country: str, channel: str, day: date, slots: int) -> None:
    there = countries()[country]
    start, end = there.day_bounds(day)
    margin = timedelta(seconds=300)
    items = Air(words=3).items(channel, start - margin, end + margin)
    found = decode(items, there, there.channel(channel), day, "v")
    assert [chunk.start for chunk in found.chunks] == starts_of(there, day)
    assert len(found.chunks) == slots
    assert found.refused == found.set_aside == []
    assert sum(chunk.captured_seconds for chunk in found.chunks) == slots * 120


def test_a_neighbours_nonsense_is_the_neighbours() -> None:
    start, _ = COUNTRY.day_bounds(DAY)
    late = item("canal-un", start.timestamp() - 60, [("mot", 50_000, 3)])
    assert decoded(late) == Decoded([], [], [])


def test_an_alias_is_the_channel() -> None:
    radio = COUNTRY.channel("radio-deux")
    rows = [item("radiodeux", START, [("un", 0, 30)]), item("radio-deux", START + 120, [("deux", 0, 30)])]
    found = decode(rows, COUNTRY, radio, DAY, "v")
    assert [chunk.chunk_id.split("/")[1] for chunk in found.chunks] == ["radio-deux", "radio-deux"]
    assert found.refused == []


def test_a_second_is_captured_once() -> None:
    rows = [item("canal-un", START + offset, [("un", 0, 30)]) for offset in (0, 90, 100.5, 360)]
    assert [chunk.captured_seconds for chunk in decoded(*rows).chunks] == [120.0, 90.0, 10.5, 120.0]
    before, _ = COUNTRY.day_bounds(DAY)
    rows = [item("canal-un", before.timestamp() + offset, [("un", 0, 30)]) for offset in (-30, 0)]
    assert [chunk.captured_seconds for chunk in decoded(*rows).chunks] == [30.0]


def test_in_one_version_the_longer_text_stands() -> None:
    short, long = said(("un", 0, 30)), said(("un", 0, 30), ("deux", 30, 30))
    for rows in ([short, long, short], [long, short]):
        found = decoded(*rows)
        assert [chunk.text for chunk in found.chunks] == ["un deux"]
        assert found.refused == []
        assert [note.reason for note in found.set_aside] == ["one version gives 2 readings; the longest stands"]


def test_a_damaged_copy_loses_against_a_good_one() -> None:
    found = decoded(said(("mot", 99_999, 3)), said(("mot", 0, 3)))
    assert len(found.chunks) == 1
    assert found.refused == []
    assert "from the chunk's start" in found.set_aside[0].reason


def test_the_newest_version_wins_and_nothing_is_dropped() -> None:
    first, second, third = (item("canal-un", START + 120 * n, [(f"mot{n}", 0, 30)]) for n in range(3))
    changed = said(("autre", 0, 30))
    broken = item("canal-un", START + 120, [("mot1", 99_999, 3)])
    found = decode_versions([("v1", [first, second]), ("v2", [changed, broken, third])], COUNTRY, CHANNEL, DAY)
    assert [(c.text, c.dump_version) for c in found.chunks] == [("autre", "v2"), ("mot1", "v1"), ("mot2", "v2")]
    assert found.refused == []
    assert Refused(found.chunks[0].chunk_id, "version v1 said otherwise; v2 stands") in found.set_aside


def test_an_unchanged_chunk_keeps_the_version_it_came_with() -> None:
    row = said(("mot", 0, 30))
    found = decode_versions([("v1", [row]), ("v2", [row | {"score": 1}]), ("v3", [row])], COUNTRY, CHANNEL, DAY)
    assert [c.dump_version for c in found.chunks] == ["v1"]
    assert found.set_aside == []


def test_the_same_version_twice_is_once_and_copies_that_say_the_same_are_one() -> None:
    row = said(("mot", 0, 30))
    found = decode_versions([("v1", [row, row | {"score": 1}]), ("v2", [row, row | {"score": 1}])], COUNTRY, CHANNEL, DAY)
    assert [c.dump_version for c in found.chunks] == ["v1"]
    assert found.set_aside == found.refused == []


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32))
def test_order_and_repetition_change_nothing(seed: int) -> None:
    rng = random.Random(seed)
    start = datetime(2026, 11, 20, 9, tzinfo=UTC)
    rows: list[Any] = Air(seed, words=4).items("canal-un", start, start + timedelta(hours=1))
    rows += [{**rows[n], "plaintext": f"autre {n}", "srt": []} for n in range(5)]
    rows += [{**rows[n], "srt": "broken"} for n in range(3, 9)] + [{"start": "?"}, None]
    shuffled = rows + rng.choices(rows, k=10)
    rng.shuffle(shuffled)
    assert decoded(*shuffled) == decoded(*rows)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "cts_in_ms", "duration_ms", "name"]), inner)
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=300)
@given(st.fixed_dictionaries({}, optional={"channel": JUNK, "start": JUNK | st.just(START), "plaintext": JUNK, "srt": JUNK}))
def test_whatever_an_item_is_the_day_survives(junk: dict[str, Any]) -> None:
    fine = item("canal-un", START + 240, [("bien", 0, 30)])
    found = decoded(junk, fine)
    assert "bien" in [chunk.text for chunk in found.chunks]
    for chunk in found.chunks:
        assert len(chunk.text.split()) == len(chunk.word_times)
        assert "\x00" not in chunk.text
        chunk.text.encode()


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.fixed_dictionaries({"text": st.text(max_size=6)}, optional={"cts_in_ms": JUNK, "duration_ms": JUNK}), max_size=6
    )
)
def test_whatever_the_words_are_the_chunk_is_read_or_refused(srt: list[Any]) -> None:
    found = decoded(said(srt=srt, plaintext=None))
    assert len(found.chunks) + len(found.refused) == 1


def test_times_wrap_as_the_api_writes_them() -> None:
    assert [wrapped(v) for v in (28, 126, 504)] == [28, 1026, 5004]
