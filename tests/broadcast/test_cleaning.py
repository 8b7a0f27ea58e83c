"""Cutting never joins, never loses a word, and counts every hit once."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.broadcast.cleaning import BARRIER, clean_chunk, intervals_by_chunk
from climate_assets.broadcast.records import AdInterval, Chunk, CleanChunk, KeywordHit, Repeat
from climate_assets.failures import Permanent
from tests.broadcast.broadcast_days import chunk_of

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
WORDS = ["le", "climat", "change", "et", "voici", "une", "pompe", "à", "chaleur"]
CHUNK = chunk_of("canal-un", START, WORDS, [i * 1000 for i in range(9)])  # one word every ten seconds


def interval(begin: float, end: float, base: datetime = START) -> AdInterval:
    start = base + timedelta(seconds=begin)
    return AdInterval(
        country=CHUNK.country,
        day=start.date(),
        channel="canal-un",
        start=start,
        end=base + timedelta(seconds=end),
        kind="advert",
        source="text-repeat",
        passage="aa",
        score=1.0,
        times_seen=3,
        channels_seen=1,
        days_seen=2,
        first_seen=start,
        other_airings=[],
        vetoed=False,
        method="m",
    )


def hit(seconds: float, subject: str = "climat", counts: bool = True, chunk: Chunk = CHUNK) -> KeywordHit:
    return KeywordHit(
        chunk.chunk_id,
        chunk.country,
        chunk.day,
        chunk.channel,
        "ressources",
        "mot",
        0,
        1,
        seconds,
        0,
        subject,
        "",
        False,
        counts,
        "d",
    )


def clean(intervals: list[AdInterval], hits: list[KeywordHit] | None = None, chunk: Chunk = CHUNK) -> CleanChunk:
    return clean_chunk(chunk, hits or [], intervals, "d", "m")


AD = interval(40, 70)
CUTS = [
    ("no advert", [], " ".join(WORDS), 0.0),
    ("in the middle", [AD], "le climat change et ¶ à chaleur", 30.0),
    ("at the beginning", [interval(-5, 15)], "¶ change et voici une pompe à chaleur", 15.0),
    ("at the end", [interval(65, 500)], "le climat change et voici une pompe ¶", 55.0),
    ("two holes", [interval(5, 15), interval(35, 45)], "le ¶ change et ¶ une pompe à chaleur", 20.0),
    ("adverts that touch make one hole", [interval(5, 20), interval(20, 35)], "le ¶ voici une pompe à chaleur", 30.0),
    ("adverts that overlap", [interval(5, 25), interval(15, 35)], "le ¶ voici une pompe à chaleur", 30.0),
    ("adverts with a pause between", [interval(5, 15), interval(16, 25)], "le ¶ et voici une pompe à chaleur", 19.0),
    ("all adverts", [interval(-10, 300)], "", 120.0),
    ("between two words", [interval(11, 19)], " ".join(WORDS), 8.0),
    ("starts on a word, ends on a word", [interval(10, 20)], "le ¶ change et voici une pompe à chaleur", 10.0),
    ("vetoed", [replace(AD, vetoed=True)], " ".join(WORDS), 0.0),
    ("a rerun", [replace(AD, kind="rerun")], " ".join(WORDS), 0.0),
    ("another channel", [replace(AD, channel="canal-deux")], " ".join(WORDS), 0.0),
    ("another country", [replace(AD, country="elsewhere")], " ".join(WORDS), 0.0),
    ("another hour", [interval(3600, 3700), interval(-3600, -3500)], " ".join(WORDS), 0.0),
]


@pytest.mark.parametrize(("intervals", "text", "seconds"), [c[1:] for c in CUTS], ids=[c[0] for c in CUTS])
def test_cuts(intervals: list[AdInterval], text: str, seconds: float) -> None:
    cut = clean(intervals)
    assert cut.text == text
    assert cut.advert_seconds == seconds
    assert [BARRIER if w == -1 else WORDS[w] for w in cut.kept_words] == text.split()
    assert cut.text_sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert (cut.chunk_id, cut.day, cut.dictionary, cut.method) == (CHUNK.chunk_id, CHUNK.day, "d", "m")
    assert clean(intervals[::-1]) == cut


def test_hits_are_told_apart_by_where_they_lie() -> None:
    cut = clean(
        [AD], [hit(10), hit(10, "ressources"), hit(40), hit(69.99), hit(70), hit(50, counts=False), hit(0, counts=False)]
    )
    assert (cut.hits, cut.climate_hits, cut.masked_hits) == (3, 3, 2)


def test_an_empty_chunk_is_clean() -> None:
    empty = replace(CHUNK, text="", word_times=[])
    assert clean([AD], chunk=empty).text == ""
    assert clean([AD], chunk=empty).kept_words == []


def test_words_a_little_outside_the_chunk_are_cut_too() -> None:
    early = replace(CHUNK, text="un deux trois", word_times=[-80, 100, 12050])
    assert clean([interval(-20, 0.5), interval(119, 140)], chunk=early).text == "¶ deux ¶"


def test_a_barrier_that_was_said_is_a_word() -> None:
    said = replace(CHUNK, text="un ¶ deux", word_times=[0, 1000, 5000])
    cut = clean([AD], chunk=said)
    assert cut.text == "un ¶ ¶"
    assert cut.kept_words == [0, 1, -1]


@pytest.mark.parametrize(
    ("chunk", "hits", "message"),
    [
        (replace(CHUNK, word_times=[1, 2]), [], "9 words, but 2 times|9 words but 2 times"),
        (CHUNK, [replace(hit(1), chunk_id="other")], "pass each chunk its own"),
    ],
)
def test_what_does_not_fit_is_refused(chunk: Chunk, hits: list[KeywordHit], message: str) -> None:
    with pytest.raises(Permanent, match=message):
        clean([], hits, chunk)


TIMES = st.lists(st.integers(-100, 12_100), max_size=40).map(sorted)
SPANS = st.lists(st.tuples(st.integers(-30_000, 150_000), st.integers(1, 60_000)), max_size=6)
MARKED = st.tuples(st.booleans(), st.sampled_from(list(Repeat)))


@given(TIMES, SPANS, st.data())
def test_every_word_and_every_hit_is_kept_or_cut_and_holes_never_join(
    times: list[int], spans: list[tuple[int, int]], data: st.DataObject
) -> None:
    chunk = replace(CHUNK, text=" ".join(f"m{i}" for i in range(len(times))), word_times=times)
    marks = [data.draw(MARKED) for _ in spans]
    rows = [
        replace(interval(begin / 1000, (begin + size) / 1000), vetoed=vetoed, kind=kind.value)
        for (begin, size), (vetoed, kind) in zip(spans, marks, strict=True)
    ]
    cutting = [r for r in rows if r.kind == Repeat.ADVERT and not r.vetoed]
    hits = [hit(t / 100, chunk=chunk) for t in times]
    cut = clean(rows, hits, chunk)

    def advert(word: int) -> bool:
        return any(r.start <= START + timedelta(milliseconds=10 * times[word]) < r.end for r in cutting)

    kept = [w for w in cut.kept_words if w != -1]
    assert kept == [w for w in range(len(times)) if not advert(w)]
    tokens = cut.text.split(" ") if cut.text else []
    assert tokens == [BARRIER if w == -1 else f"m{w}" for w in cut.kept_words]
    for left, right in zip(cut.kept_words, cut.kept_words[1:], strict=False):
        assert right == left + 1 or (left == -1) != (right == -1)
    assert (cut.hits, cut.masked_hits) == (len(kept), len(times) - len(kept))
    assert 0 <= cut.advert_seconds <= 120


@given(st.lists(st.tuples(st.integers(-400, 1000), st.integers(1, 500)), max_size=12))
def test_each_chunk_gets_the_intervals_that_touch_it(spans: list[tuple[int, int]]) -> None:
    chunks = [replace(CHUNK, chunk_id=str(i), start=START + timedelta(seconds=120 * i)) for i in range(5)]
    rows = [interval(begin, begin + size) for begin, size in spans]
    rows += [replace(r, channel="canal-deux") for r in rows[:2]]
    touching = intervals_by_chunk(chunks, rows)
    for chunk in chunks:
        assert clean(touching[chunk.chunk_id], chunk=chunk) == clean(rows, chunk=chunk)
