"""Repeated passages are found and told apart on hand-marked synthetic days, measured in seconds."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from climate_assets.broadcast.records import AdInterval, Chunk, Repeat
from climate_assets.broadcast.repeat_rules import METHOD, Settings, method_of
from climate_assets.broadcast.repeats import find_repeats
from climate_assets.failures import Permanent
from tests.broadcast.broadcast_days import Language, Plan, World, chunk_of, instant_of, measured, world

MORNING = datetime(2026, 11, 2, 6, tzinfo=UTC)
PLANS = {
    "usual": Plan(),
    "noisy": Plan(noise=0.08, seed=3),
    "clean": Plan(noise=0.0, seed=4),
    "early": Plan(channels=2, days=3, chunks_a_day=240, adverts=10, seed=6),
    "one channel": Plan(channels=1, days=4, chunks_a_day=200, adverts=12, seed=11),
    "many": Plan(channels=5, days=7, adverts=40, noise=0.06, seed=9),
}


@cache
def made(name: str) -> World:
    return world(PLANS[name])


@cache
def found(name: str) -> tuple[AdInterval, ...]:
    return tuple(find_repeats(made(name).chunks))


def _seconds(a: datetime) -> float:
    return (a - instant_of(0)).total_seconds()


def _told(name: str, kind: str) -> Counter[str]:
    """Seconds of the marked stretches of one kind, by what they were taken for (`advert` wins over other marks)."""
    taken: Counter[str] = Counter()
    for mark in (m for m in made(name).marked if m.kind == kind):
        seconds = np.full(max(1, round((mark.end - mark.start) * 10)), "none", dtype="U10")
        rows = [i for i in found(name) if i.channel == mark.channel]
        for row in sorted(rows, key=lambda i: i.kind == Repeat.ADVERT):
            low, high = (max(0, round((_seconds(t) - mark.start) * 10)) for t in (row.start, row.end))
            seconds[low:high] = row.kind
        for value, count in zip(*np.unique(seconds, return_counts=True), strict=True):
            taken[str(value)] += int(count)
    return taken


@pytest.mark.parametrize("name", PLANS)
def test_adverts_are_found_and_editorial_is_left(name: str) -> None:
    measure = measured(made(name), found(name))
    assert measure.recall >= 0.9, measure
    assert measure.precision >= 0.98, measure
    assert measure.editorial_masked <= 0.001, measure
    assert measure.edge_median <= 0.6, measure


@pytest.mark.parametrize("name", ["usual", "many"])
def test_edges_are_within_two_seconds(name: str) -> None:
    assert measured(made(name), found(name)).edge_p95 <= 2.0


@pytest.mark.parametrize("kind", ["bulletin", "rerun", "bite", "song", "weather"])
@pytest.mark.parametrize("name", PLANS)
def test_what_only_looks_like_an_advert_is_not_cut(name: str, kind: str) -> None:
    taken = _told(name, kind)
    assert taken["advert"] <= 0.01 * max(taken.total(), 1), taken


def test_bulletins_and_reruns_are_marked() -> None:
    bulletins, reruns = _told("usual", "bulletin"), _told("usual", "rerun")
    assert bulletins["bulletin"] >= 0.6 * bulletins.total(), bulletins
    assert reruns["rerun"] >= 0.8 * reruns.total(), reruns


def test_adverts_inside_a_rerun_are_cut() -> None:
    """A programme rerun next day, a break in the middle of it: its adverts are aired elsewhere too, so they stay adverts."""
    marks = sorted(made("usual").marked, key=lambda m: (m.channel, m.start))
    ends = [i for i, m in enumerate(marks) if m.kind == "rerun" and m.passage.endswith("b")]
    inside = [m for i in ends for m in marks[i - 3 : i] if m.kind == "advert"]
    times = Counter(m.passage for m in marks)
    cut = [any(i.channel == m.channel and _overlap(i, m.start, m.end) for i in _adverts("usual")) for m in inside]
    often = [c for m, c in zip(inside, cut, strict=True) if times[m.passage] >= 5]
    assert len(often) >= 4
    assert all(often)


def _adverts(name: str) -> list[AdInterval]:
    return [i for i in found(name) if i.kind == Repeat.ADVERT]


def _overlap(i: AdInterval, start: float, end: float) -> bool:
    return min(_seconds(i.end), end) - max(_seconds(i.start), start) > 0.7 * (end - start)


def test_order_and_copies_of_chunks_play_no_part() -> None:
    chunks = made("usual").chunks
    shuffled = [chunks[i] for i in np.random.default_rng(1).permutation(len(chunks))]
    assert tuple(find_repeats([*shuffled, *chunks[:50]])) == found("usual")
    assert tuple(find_repeats(iter(reversed(chunks)))) == found("usual")


def test_intervals_are_in_order_apart_and_of_one_day() -> None:
    rows = found("many")
    assert [(i.channel, i.start) for i in rows] == sorted((i.channel, i.start) for i in rows)
    assert len({(i.channel, i.start, i.passage) for i in rows}) == len(rows)
    for before, after in pairwise(_adverts("many")):
        assert before.channel != after.channel or before.end <= after.start
    for row in rows:
        assert row.start < row.end
        assert row.start.date() == row.day
        assert 0 < row.score <= 1
        assert row.method == METHOD
        assert row.source == "text-repeat"


def test_evidence_names_other_airings() -> None:
    row = next(i for i in _adverts("usual") if i.times_seen > 21)
    own = f"{row.channel}@{row.start:%Y-%m-%dT%H:%M:%SZ}"
    assert len(row.other_airings) == 20
    assert own not in row.other_airings
    assert all("@" in airing for airing in row.other_airings)
    assert row.first_seen <= row.start
    assert row.channels_seen <= 3
    assert row.days_seen <= 4


def test_an_advert_keeps_its_identity_when_other_days_are_searched() -> None:
    chunks = made("many").chunks
    first = [c for c in chunks if c.day <= chunks[0].day + timedelta(days=4)]
    before = {(i.channel, round(_seconds(i.start))): i for i in find_repeats(first) if i.kind == Repeat.ADVERT}
    after = {(i.channel, round(_seconds(i.start))): i for i in _adverts("many")}
    both = before.keys() & after.keys()
    same = sum(before[k].passage == after[k].passage for k in both)
    assert len(both) >= 0.8 * len(before)
    assert same >= 0.85 * len(both), (same, len(both))


def test_an_identity_is_of_one_advert() -> None:
    texts: dict[str, Counter[str]] = {}
    for row in _adverts("many"):
        for mark in (m for m in made("many").marked if m.kind == "advert" and m.channel == row.channel):
            if _overlap(row, mark.start, mark.end):
                texts.setdefault(row.passage, Counter())[mark.passage] += 1
    assert all(count.most_common(1)[0][1] >= 0.9 * count.total() for count in texts.values()), texts


def _said(words: Sequence[str], channel: str = "canal-un", start: datetime = MORNING) -> list[Chunk]:
    """The words at three a second, in chunks of two minutes."""
    return [
        chunk_of(
            channel, start + timedelta(seconds=at / 3), words[at : at + 360], [i * 33 for i in range(len(words[at : at + 360]))]
        )
        for at in range(0, len(words), 360)
    ]


LANGUAGE = Language(np.random.default_rng(5), words=4000)
TEXT = LANGUAGE.plain(360)
EMPTY = chunk_of("canal-un", MORNING, [], [])
HOSTILE = {
    "nothing": [],
    "an empty chunk": [EMPTY],
    "one chunk": _said(TEXT),
    "one word": _said(["bonjour"]),
    "one word a chunk": [chunk_of("canal-un", MORNING + timedelta(minutes=2 * i), ["deux"], [0]) for i in range(30)],
    "fewer words than a shingle": _said(["un", "deux", "trois"]),
    "all chunks the same": _said(TEXT * 30) + _said(TEXT * 30, "canal-deux"),
    "one word for hours": _said(["silence"] * 20_000),
    "two words for hours": _said(["sous", "titres"] * 10_000) + _said(["sous", "titres"] * 10_000, "canal-deux"),
    "a line for hours": _said(["sous", "titres", "faits", "par", "la", "maison", "des", "sous", "titres"] * 2_000),
    "numbers": _said([str(i % 10) for i in range(5_000)]),
    "all times the same": [replace(c, word_times=[0] * len(c.word_times)) for c in _said(TEXT * 4)],
    "spread evenly": [replace(c, timing="even") for c in _said(TEXT * 4)],
    "a gap of a day": _said(TEXT) + _said(TEXT, start=MORNING + timedelta(days=1)),
    "overlapping chunks": _said(TEXT) + _said(TEXT[180:], start=MORNING + timedelta(seconds=60)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_holds_no_advert(name: str) -> None:
    rows = find_repeats(HOSTILE[name])
    assert all(row.start < row.end for row in rows)
    assert [row for row in rows if row.kind == Repeat.ADVERT] == []


def test_a_formula_said_ten_thousand_times_is_no_advert() -> None:
    formula = ["bonjour", "à", "tous", "il", "est", "huit", "heures", "et", "vous", "écoutez", "canal", "un"]
    words: list[str] = []
    for _ in range(10_000):
        words += formula + LANGUAGE.plain(6)
    chunks = _said(words)
    rows = find_repeats(chunks)
    assert not [row for row in rows if row.kind == Repeat.ADVERT]


def test_a_passage_across_midnight_is_an_interval_on_either_day() -> None:
    rerun = LANGUAGE.plain(720)
    late = datetime(2026, 11, 2, 23, 58, tzinfo=UTC)
    rows = find_repeats(_said(rerun, start=late) + _said(rerun, "canal-deux"))
    split = [row for row in rows if row.channel == "canal-un"]
    assert [(row.day.day, row.kind) for row in split] == [(2, "rerun"), (3, "rerun")]
    assert split[0].end == split[1].start == datetime(2026, 11, 3, tzinfo=UTC)
    assert {row.times_seen for row in split} == {2}


REFUSED = {
    "two countries": ([*_said(TEXT), chunk_of("autre", MORNING, TEXT, range(360), country="elsewhere")], "country by country"),
    "a word without a time": ([replace(_said(TEXT)[0], word_times=[1, 2])], "360 words, 2 times"),
    "one chunk, two texts": ([*_said(TEXT), *_said(TEXT[::-1])], "two texts"),
    "a year": ([*_said(TEXT), *_said(TEXT, start=MORNING + timedelta(days=365))], "240 days"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_searched_is_refused(name: str) -> None:
    chunks, message = REFUSED[name]
    with pytest.raises(Permanent, match=message):
        find_repeats(chunks)


def test_the_method_names_every_setting() -> None:
    assert method_of(Settings()) == METHOD
    assert method_of(Settings(airings=4)) != METHOD


@pytest.mark.parametrize("wrong", [{"sampling": 3}, {"airings": 0}, {"density": -1.0}])
def test_a_wrong_setting_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(Permanent, match=next(iter(wrong))):
        Settings(**wrong)  # type: ignore[arg-type]


def test_sampling_halves_the_work_and_keeps_the_adverts() -> None:
    rows = find_repeats(made("usual").chunks, Settings(sampling=2))
    assert measured(made("usual"), rows).recall >= 0.9
