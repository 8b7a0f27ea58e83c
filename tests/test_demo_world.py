"""The demo world: the same every time, shaped like the source with its quirks, and true to what it says it planted."""

import re
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.broadcast.records import Theme
from climate_assets.claims.records import Category
from climate_assets.countries import read_countries
from climate_assets.failures import Permanent
from demo.airing import noisy
from demo.bank import SCRIPTS, Bank
from demo.grammar import Grammar, number, say, spoken
from demo.truth import Planted
from demo.world import COUNTRIES, World

ROOT = Path(__file__).parents[1]
DAY = date(2026, 11, 18)
REPEATED = {"advert", "jingle", "bulletin", "rerun"}
Item = dict[str, Any]


@lru_cache
def world() -> World:
    return World()


@lru_cache
def monitored(channel: str, day: date = DAY) -> tuple[datetime, datetime]:
    countries = read_countries(COUNTRIES)
    (country,) = (countries[c] for c in countries.codes if channel in {x.name for x in countries[c].channels})
    return country.monitored(country.channel(channel), day)


@lru_cache
def items(channel: str, day: date = DAY) -> list[Item]:
    return world().items(channel, *monitored(channel, day))


@lru_cache
def truth(channel: str, day: date = DAY) -> list[Planted]:
    return world().truth(channel, *monitored(channel, day))


def seconds(source_time: int) -> float:
    """A time of the source: whole seconds x 1000 + centiseconds."""
    return source_time // 1000 + source_time % 1000 / 100


CHANNELS = world().channels
ALL = [(channel, item) for channel in CHANNELS for item in items(channel)]


# The same every time


def test_another_process_makes_the_same_world() -> None:
    script = (
        "import hashlib, orjson\nfrom datetime import datetime, UTC, timedelta\nfrom demo.world import World\n"
        "at = datetime(2026, 11, 18, 5, tzinfo=UTC)\n"
        "made = World().items('canal-un', at, at + timedelta(hours=2))\n"
        "print(hashlib.sha256(orjson.dumps(made)).hexdigest())"
    )
    runs = [
        subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True) for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout != ""


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(CHANNELS), st.integers(0, 7 * 720), st.integers(1, 40))
def test_any_slicing_of_time_gives_the_same_items(channel: str, first: int, count: int) -> None:
    start = datetime(2026, 10, 22, tzinfo=UTC) + timedelta(seconds=120 * first)
    end = start + timedelta(seconds=120 * count)
    whole = World().items(channel, start - timedelta(minutes=30), end + timedelta(minutes=30))
    found = world().items(channel, start, end)
    assert len(found) == count
    assert found == [item for item in whole if start.timestamp() <= item["start"] < end.timestamp()]


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_clock_change_days_have_all_their_chunks(day: date) -> None:
    country = read_countries(COUNTRIES)["france"]
    start, end = country.day_bounds(day)
    assert len(world().items("radio-littoral", start, end)) == (end - start) / timedelta(seconds=120)


def test_days_and_channels_differ() -> None:
    texts = {item["plaintext"] for channel, item in ALL} | {item["plaintext"] for item in items("canal-un", date(2026, 11, 19))}
    assert len(texts) == len(ALL) + 120


def test_an_unknown_channel_is_refused() -> None:
    with pytest.raises(Permanent, match="no channel 'tf1' is on the air; there are canal-un"):
        world().items("tf1", datetime(2026, 11, 18, tzinfo=UTC), datetime(2026, 11, 19, tzinfo=UTC))


def test_bounds_may_be_in_any_zone() -> None:
    start, end = monitored("canal-un")
    india = [instant.astimezone(ZoneInfo("Asia/Kolkata")) for instant in (start, end)]
    assert world().items("canal-un", *india) == items("canal-un")


# The shape of the source


def test_items_have_the_shape_of_the_protocol() -> None:
    for channel, item in ALL:
        assert set(item) == {"channel", "start", "plaintext", "srt"}
        assert set(item["channel"]) == {"name", "title", "radio"}
        assert item["channel"]["name"] == channel
        assert isinstance(item["start"], int)
        assert item["start"] % 120 == 0
        assert all(set(word) == {"text", "cts_in_ms", "duration_ms"} for word in item["srt"])
        assert item["plaintext"] == " ".join(word["text"] for word in item["srt"])
    assert orjson.loads(orjson.dumps(ALL[0][1])) == ALL[0][1]


def test_a_channel_is_monitored_in_120_chunks() -> None:
    assert {channel: len(items(channel)) for channel in CHANNELS} == dict.fromkeys(CHANNELS, 120)


def test_times_are_whole_seconds_times_1000_plus_centiseconds() -> None:
    times = [t for _, item in ALL for word in item["srt"] for t in (word["cts_in_ms"], word["duration_ms"])]
    assert {t % 1000 // 100 for t in times} == {0}
    assert len({t % 1000 for t in times}) == 100


def test_words_run_from_a_second_before_the_start_to_just_before_the_end() -> None:
    first = [seconds(item["srt"][0]["cts_in_ms"]) - item["start"] for _, item in ALL]
    last = [seconds(item["srt"][-1]["cts_in_ms"]) - item["start"] for _, item in ALL]
    assert -1 < min(first) < -0.8
    assert sum(at < 0 for at in first) > len(ALL) / 3
    assert max(last) < 120
    for _, item in ALL:
        times = [seconds(word["cts_in_ms"]) for word in item["srt"]]
        assert times == sorted(times)


def test_text_is_lower_case_french_without_punctuation_or_digits() -> None:
    words = Counter(word["text"] for _, item in ALL for word in item["srt"])
    odd = [word for word in words if not re.fullmatch(r"[a-zà-öø-ÿœ]+(-[a-zà-öø-ÿœ]+)*'?", word)]
    assert odd == ["<unk>"]
    assert words["l'"] > 100  # an apostrophe ends its word


def test_chunks_have_the_length_and_the_unknowns_of_real_ones() -> None:
    sizes = [len(item["srt"]) for _, item in ALL]
    assert 330 < median(sizes) < 420
    assert min(sizes) > 250
    with_unknown = sum("<unk>" in item["plaintext"] for _, item in ALL) / len(ALL)
    assert 0.25 < with_unknown < 0.55
    assert {word["duration_ms"] for _, item in ALL for word in item["srt"] if word["text"] == "<unk>"} == {5004}


def test_words_are_spread_evenly_inside_segments() -> None:
    """Between two words of one segment lies exactly the duration; segments of talk last 5 to 25 seconds, most of them."""
    lengths: list[float] = []
    even = pairs = 0
    for _, item in ALL:
        length = 0.0
        for a, b in pairwise(item["srt"]):
            step = round(seconds(a["duration_ms"]), 2)
            pairs += 1
            length += step
            if round(seconds(b["cts_in_ms"]) - seconds(a["cts_in_ms"]), 2) == step == round(seconds(b["duration_ms"]), 2):
                even += 1
            else:
                lengths.append(length)
                length = 0.0
    assert even / pairs > 0.95
    assert 5 < median(lengths) < 25
    assert max(lengths) < 60


def _is_interleaved(item: Item) -> bool:
    srt = item["srt"]
    return any(seconds(b["cts_in_ms"]) < seconds(a["cts_in_ms"]) + seconds(a["duration_ms"]) - 0.015 for a, b in pairwise(srt))


def test_a_few_chunks_are_interleaved_and_say_the_words_of_the_seam_twice() -> None:
    tangled = [item for _, item in ALL if _is_interleaved(item)]
    assert 0.02 < len(tangled) / len(ALL) < 0.12
    twice = 0
    for item in tangled:
        words = [(word["text"], seconds(word["cts_in_ms"])) for word in item["srt"]]
        twice += any(a[0] == b[0] and b[1] - a[1] < 1 for i, a in enumerate(words) for b in words[i + 1 : i + 4])
    assert twice > 0.8 * len(tangled)


# What was planted


def test_kinds_labels_and_instants_of_the_truth() -> None:
    brands = {advert.brand for advert in Bank().adverts}
    for channel in CHANNELS:
        start, end = monitored(channel)
        found = truth(channel)
        assert found == sorted(found, key=lambda p: (p.start, p.kind))
        for planted in found:
            assert planted.channel == channel
            assert planted.start < planted.end
            assert planted.start < end
            assert planted.end > start
            if planted.kind == "advert":
                assert planted.label in brands
            if planted.kind in {"misinformation", "rebutted"}:
                assert Category(planted.label) is not Category.NONE
            if planted.kind == "climate":
                assert Theme(planted.label)


def _heard(channel: str, planted: Planted) -> list[str]:
    start, end = planted.start.timestamp(), planted.end.timestamp()
    return [
        word["text"]
        for item in items(channel)
        if start - 120 < item["start"] < end + 1
        for word in item["srt"]
        if start - 0.02 <= seconds(word["cts_in_ms"]) < end
    ]


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_is_planted_is_heard_at_that_time(channel: str) -> None:
    start, end = monitored(channel)
    inside = [p for p in truth(channel) if p.start >= start and p.end < end - timedelta(seconds=2)]
    assert len(inside) > 50
    for planted in inside:
        scripted, heard = Counter(planted.text.split()), Counter(_heard(channel, planted))
        assert (scripted & heard).total() >= 0.88 * scripted.total() - 2, planted


def test_kinds_have_their_share() -> None:
    days = [DAY + timedelta(days=n) for n in range(3)]
    chunks: dict[str, set[tuple[str, int]]] = defaultdict(set)
    advert_seconds = 0.0
    for channel in CHANNELS:
        for day in days:
            for planted in truth(channel, day):
                first, last = planted.start.timestamp() // 120, (planted.end.timestamp() - 0.01) // 120
                chunks[planted.kind].update((channel, n) for n in range(int(first), int(last) + 1))
                advert_seconds += (planted.end - planted.start).total_seconds() * (planted.kind == "advert")
    total = len(CHANNELS) * len(days) * 120
    share = {kind: len(found) / total for kind, found in chunks.items()}
    assert 0.20 < len(chunks["climate"] | chunks["misinformation"] | chunks["rebutted"]) / total < 0.30
    assert 0.01 <= share["misinformation"] <= 0.02
    assert 0.007 <= share["rebutted"] <= 0.016
    assert 0.04 < advert_seconds / total / 120 < 0.07
    assert set(share) == REPEATED | {"climate", "misinformation", "rebutted"}


def test_a_claim_lies_in_one_chunk_and_its_rebuttal_beside_it() -> None:
    for channel in CHANNELS:
        for planted in truth(channel):
            if planted.kind in {"misinformation", "rebutted"}:
                assert planted.start.timestamp() // 120 == planted.end.timestamp() // 120
                assert 28 <= len(planted.text.split()) <= 90


def test_claims_do_not_come_again_soon() -> None:
    days = [DAY + timedelta(days=n) for n in range(4)]
    for channel in CHANNELS:
        talk = [p for day in days for p in truth(channel, day) if p.kind == "misinformation"]
        reruns = {p.passage for day in days for p in truth(channel, day) if p.kind == "rerun"}
        texts = Counter(p.text for p in talk)
        assert max(texts.values()) <= (2 if reruns else 1)


def test_breaks_have_three_to_six_adverts_between_jingles_twice_an_hour() -> None:
    for channel in CHANNELS:
        spots = [p for p in truth(channel) if p.kind in {"advert", "jingle"} and p.label != "opening"]
        breaks: list[list[Planted]] = []
        for spot in spots:
            if breaks and (spot.start - breaks[-1][-1].end).total_seconds() < 2:
                breaks[-1].append(spot)
            else:
                breaks.append([spot])
        assert len(breaks) == 8
        for spots in breaks:
            assert [spots[0].kind, spots[-1].kind] == ["jingle", "jingle"]
            assert 3 <= len({p.label for p in spots[1:-1]}) == len(spots) - 2 <= 6


def test_adverts_air_often_on_several_channels_and_always_the_same() -> None:
    airings: dict[str, list[Planted]] = defaultdict(list)
    for channel in CHANNELS:
        for planted in truth(channel):
            if planted.kind == "advert":
                airings[planted.passage].append(planted)
    assert len(airings) >= 14
    for found in airings.values():
        assert len({p.text for p in found}) == 1
        assert len({p.end - p.start for p in found}) == 1
        assert 15 <= (found[0].end - found[0].start).total_seconds() <= 45
    assert median(len(found) for found in airings.values()) >= 6
    assert sum(len({p.channel for p in found}) >= 3 for found in airings.values()) >= 10
    green = " ".join(found[0].text for found in airings.values())
    assert all(words in green for words in ("voiture électrique", "pompe à chaleur", "panneaux solaires"))


def test_some_adverts_are_of_one_country_only() -> None:
    heard = {c: {p.label for p in truth(c) if p.kind == "advert"} for c in CHANNELS}
    french = heard["canal-un"] | heard["radio-littoral"] | heard["info-plein-jour"]
    belgian = heard["tele-meuse"] | heard["radio-dyle"]
    assert french - belgian
    assert belgian - french


@pytest.mark.parametrize("channel", ["radio-littoral", "radio-dyle"])
def test_a_bulletin_comes_every_half_hour_with_small_updates_on_one_channel_and_day(channel: str) -> None:
    found = [p for p in truth(channel) if p.kind == "bulletin"]
    assert [(b.start - a.start) for a, b in pairwise(found)] == [timedelta(minutes=30)] * 7
    assert len({p.text for p in found}) > 1
    for a, b in pairwise(found):
        assert _shared(a.text, b.text, 8) > 0.5
    next_day = [p for p in truth(channel, DAY + timedelta(days=1)) if p.kind == "bulletin"]
    assert _shared(found[0].text, next_day[0].text, 8) < 0.1


def _shared(a: str, b: str, n: int) -> float:
    left, right = ({tuple(w[i : i + n]) for i in range(len(w) - n + 1)} for w in (a.split(), b.split()))
    return len(left & right) / min(len(left), len(right))


def test_a_programme_of_twenty_minutes_is_aired_again() -> None:
    first, again = [p for p in truth("canal-un") if p.kind == "rerun"]
    assert again.start - first.start == timedelta(hours=2)
    assert first.text == again.text
    assert (first.end - first.start).total_seconds() == pytest.approx(1200, abs=3)
    heard = [_heard("canal-un", p) for p in (first, again)]
    assert heard[0] != heard[1]  # recognised anew each time
    assert 0.6 < _shared(" ".join(heard[0]), " ".join(heard[1]), 8) < 0.95


def test_a_claim_in_the_rerun_has_two_airings() -> None:
    days = [DAY + timedelta(days=n) for n in range(3)]
    twice = [
        p
        for day in days
        for p, n in Counter(p.text for p in truth("canal-un", day) if p.kind == "misinformation").items()
        if n == 2
    ]
    assert len(twice) == 1


def test_ordinary_talk_does_not_repeat() -> None:
    """Of all 12-word stretches outside of what is planted to repeat, under 1 % come twice in two days; of 20 words, none."""
    found = {12: Counter[tuple[str, ...]](), 25: Counter[tuple[str, ...]]()}
    for channel in CHANNELS:
        for day in (DAY, DAY + timedelta(days=1)):
            for run in _ordinary(channel, day):
                for size, counter in found.items():
                    counter.update(tuple(run[i : i + size]) for i in range(len(run) - size + 1))
    rate = {size: sum(n for n in c.values() if n > 1) / c.total() for size, c in found.items()}
    assert found[12].total() > 300_000
    assert rate[12] < 0.01
    assert rate[25] < 0.0001


def _ordinary(channel: str, day: date) -> list[list[str]]:
    """Runs of words outside adverts, jingles, bulletins and reruns, with a margin for overlapping segments."""
    planted = [(p.start.timestamp() - 2, p.end.timestamp() + 2) for p in truth(channel, day) if p.kind in REPEATED]
    planted.append((float("inf"), float("inf")))
    runs: list[list[str]] = [[]]
    at = 0
    for item in items(channel, day):
        for word in item["srt"]:
            said = seconds(word["cts_in_ms"])
            while planted[at][1] < said:
                at += 1
                runs.append([])
            if said < planted[at][0]:
                runs[-1].append(word["text"])
    return runs


def test_recognition_noise_is_light_and_new_each_time() -> None:
    words = Bank().adverts[0].words
    shares = []
    for seed in range(200):
        heard = noisy(list(words), Random(seed))
        same = (Counter(words) & Counter(heard)).total()
        shares.append(1 - same / len(words))
    assert 0.005 < sum(shares) / len(shares) < 0.03
    assert max(shares) < 0.07


# The text banks


def test_the_banks_are_large_enough() -> None:
    bank = Bank()
    assert sum(map(len, bank.talk.values())) >= 250
    assert len(bank.talk) >= 10
    assert len(bank.climate) >= 80
    assert {script.label for script in bank.climate} == set(Theme)
    assert len(bank.misinformation) >= 48
    assert {script.label for script in bank.misinformation} == set(Category) - {Category.NONE}
    assert len(bank.rebutted) >= 20
    assert len(bank.adverts) >= 14


@pytest.mark.parametrize("name", ["talk", "climate", "misinformation", "rebutted", "adverts"])
def test_the_banks_are_written_as_spoken(name: str) -> None:
    text = (SCRIPTS / f"{name}.csv").read_text(encoding="utf-8")
    rows = [line.rsplit(",", 1)[1] for line in text.splitlines()[1:]]
    assert [row for row in rows if re.search(r"[0-9.;:!?«»\"A-ZÀ-Ý]|<unk>|\s\s", row)] == []


def test_no_real_channel_is_named() -> None:
    production = read_countries()
    real = {c.name for code in production.codes for c in production[code].channels} | {"cnews", "bfm", "europe un", "rmc"}
    said = {word["text"] for _, item in ALL for word in item["srt"]}
    assert said & (real - {"play", "canvas", "eska"}) == set()


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("l'eau d'aujourd'hui", "l' eau d' aujourd' hui"),
        ("{a|a} b{c|c}", "a b c"),
        ("{a {b|b}|a b}", "a b"),
        ("de <le>", "du port"),
        ("à <le>", "au port"),
        ("de <les>", "des ports"),
        ("de <vowel>", "d' alma"),
        ("que <vowel>", "qu' alma"),
        ("à <vowel>", "à alma"),
        ("de <aspirated>", "de huit"),
    ],
)
def test_a_template_is_said(template: str, said: str) -> None:
    grammar = Grammar({"le": "le port", "les": "les ports", "vowel": "alma", "aspirated": "huit"})
    assert " ".join(say(grammar.template(template), lambda: 0.3)) == said


@pytest.mark.parametrize("broken", ["{a|b", "a}", "a|b", "<nowhere>", "{a|{b}"])
def test_a_broken_template_is_refused(broken: str) -> None:
    with pytest.raises(ValueError):
        Grammar({}).template(broken)


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (0, "zéro"),
        (17, "dix-sept"),
        (21, "vingt et un"),
        (70, "soixante-dix"),
        (71, "soixante et onze"),
        (80, "quatre-vingts"),
        (81, "quatre-vingt-un"),
        (91, "quatre-vingt-onze"),
        (99, "quatre-vingt-dix-neuf"),
        (100, "cent"),
        (200, "deux cents"),
        (280, "deux cent quatre-vingts"),
        (1000, "mille"),
        (1200, "mille deux cents"),
        (2027, "deux mille vingt-sept"),
        (71_300, "soixante et onze mille trois cents"),
        (80_000, "quatre-vingt mille"),
        (200_000, "deux cent mille"),
    ],
)
def test_numbers_in_words(n: int, words: str) -> None:
    assert number(n) == words


def test_spoken_ends_words_at_apostrophes() -> None:
    assert spoken("qu'elle  n'est") == ["qu'", "elle", "n'", "est"]
