"""What a round needs is asked for after every outage, and never twice while it runs."""

import itertools
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.learning.asking import (
    A_DAY,
    EVALUATION,
    MOST_TRIES,
    PATIENCE,
    TRAINING,
    Asked,
    Open,
    asked_again,
    judged_again,
    moved,
    rounds_opened,
    unfinished,
)
from climate_assets.learning.iterations import Move
from climate_assets.learning.lines import Line
from climate_assets.learning.records import Round
from tests.learning.cases import AT, measured

R0, R1 = "misinfo-french-000", "misinfo-french-001"
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("opened", "rounds", "decided", "wanted"),
    [
        ([], [], [], []),
        ([R0], [], [], [Open(R0, EVALUATION)]),
        ([R1, R0], [], [], [Open(R0, EVALUATION), Open(R1, EVALUATION)]),
        ([R0], [measured(0)], [], [Open(R0, TRAINING)]),
        # Not among the rounds that are still followed.
        ([], [measured(0)], [], []),
        ([R0], [measured(0)], [R0], []),
        ([R0, R1], [measured(0)], [R0], [Open(R1, EVALUATION)]),
        ([R0, R1], [measured(0), measured(1, iteration=1)], [R0], [Open(R1, TRAINING)]),
        ([R0], [measured(0)], [R1], [Open(R0, TRAINING)]),
        *[([R0], [measured(0, move)], [], []) for move in Move if move is not Move.RETRAIN],
    ],
)
def test_what_rounds_still_need(opened: list[str], rounds: list[Round], decided: list[str], wanted: list[Open]) -> None:
    assert unfinished(opened, rounds, iter(decided)) == wanted
    assert unfinished(iter(opened), rounds, set(decided)) == wanted


@pytest.mark.parametrize("running", [False, True])
@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (None, True),
        (Asked(0, AT), False),
        (Asked(0, AT - PATIENCE + timedelta(seconds=1)), False),
        (Asked(0, AT - PATIENCE), True),
        (Asked(MOST_TRIES - 1, AT - PATIENCE), True),
        (Asked(MOST_TRIES - 1, AT), False),
        (Asked(MOST_TRIES, AT - PATIENCE), False),
        # After that once a day, however long the outage.
        (Asked(MOST_TRIES, AT - timedelta(hours=23)), False),
        (Asked(MOST_TRIES, AT - timedelta(days=1)), True),
        (Asked(MOST_TRIES + 1, AT - timedelta(days=400)), True),
    ],
)
def test_when_it_is_asked_for_again(asked: Asked | None, wanted: bool, running: bool) -> None:
    assert asked_again(Open(R0, TRAINING), asked, AT, running) is (wanted and not running)


@dataclass
class World:
    """One round, its runs, and a sensor whose ticks may be lost; `kept` is all that the sensor has of the past."""

    now: datetime = AT
    rounds: list[Round] = field(default_factory=list)
    decided: list[str] = field(default_factory=list)
    running: str = ""
    kept: dict[str, Asked] = field(default_factory=dict)
    requests: list[tuple[str, datetime]] = field(default_factory=list)

    def tick(self) -> None:
        """As `rounds_unfinished` goes about it, with a cursor that is empty at first."""
        kept = {}
        for one in unfinished([R0], self.rounds, self.decided):
            before = self.kept.get(one.wants)
            if asked_again(one, before, self.now, bool(self.running)):
                assert not self.running
                self.running = one.wants
                self.requests.append((one.wants, self.now))
                before = Asked(before.tries + 1 if before else 1, self.now)
            if before is not None:
                kept[one.wants] = before
        self.kept = kept

    def end(self, well: bool) -> None:
        """The run under way comes to its end, or an outage takes it away."""
        if well and self.running == EVALUATION:
            self.rounds = [measured(0)]
        elif well and self.running == TRAINING:
            self.decided = [R0]
        self.running = ""

    @property
    def finished(self) -> bool:
        return bool(self.decided)


EVENTS = st.one_of(
    st.just("tick"),
    st.just("end well"),
    st.just("end badly"),
    st.integers(0, 60 * 24 * 30),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(EVENTS, max_size=50))
def test_whatever_is_lost_what_is_needed_is_asked_for_and_nothing_twice(events: list[str | int]) -> None:
    world = World()
    for event in events:
        if isinstance(event, int):
            world.now += event * MINUTE
        elif event == "tick":
            world.tick()
        else:
            world.end(event == "end well")
    for wants in (EVALUATION, TRAINING):
        times = [at for asked, at in world.requests if asked == wants]
        assert all(later - earlier >= PATIENCE for earlier, later in itertools.pairwise(times))
        assert all(later - earlier >= A_DAY for earlier, later in itertools.pairwise(times[MOST_TRIES - 1 :]))
    # From now on all goes well, and ticks are as far apart as the sensor's interval: nothing was given up.
    for _ in range(2 * int(A_DAY / (5 * MINUTE)) + 20):
        world.now += 5 * MINUTE
        world.tick()
        world.end(well=True)
    assert world.finished


def test_nothing_is_asked_for_when_all_is_done_however_often_it_is_looked_at() -> None:
    world = World()
    for _ in range(100):
        world.tick()
        world.end(well=True)
        world.now += PATIENCE
    assert [wants for wants, _ in world.requests] == [EVALUATION, TRAINING]


def test_after_the_last_try_a_person_looks_and_what_they_mend_goes_on() -> None:
    world = World()
    for _ in range(50):
        world.tick()
        world.end(well=False)
        world.now += PATIENCE
    assert [wants for wants, _ in world.requests] == [EVALUATION] * MOST_TRIES
    world.rounds = [measured(0)]
    world.tick()
    assert world.running == TRAINING


@pytest.mark.parametrize(
    ("champions", "told", "found"),
    [
        ({}, {}, {}),
        ({}, {"misinfo-french": "a"}, {}),
        ({"misinfo-french": "a"}, {}, {"misinfo-french": False}),
        ({"misinfo-french": "a"}, {"misinfo-french": "a"}, {}),
        ({"misinfo-french": "b"}, {"misinfo-french": "a"}, {"misinfo-french": True}),
        ({"ner-french": "n", "misinfo-french": "a"}, {"misinfo-french": "b"}, {"misinfo-french": True, "ner-french": False}),
        ({"misinfo-french": "a"}, {"misinfo-german": "a"}, {"misinfo-french": False}),
    ],
)
def test_which_champions_moved(champions: dict[str, str], told: dict[str, str], found: dict[str, bool]) -> None:
    assert moved(champions, told) == found


CHAMPIONS = st.dictionaries(st.sampled_from(["misinfo-french", "ner-french", "ner-english"]), st.sampled_from("abc"))


@given(st.lists(st.tuples(CHAMPIONS, st.booleans()), max_size=20))
def test_a_move_is_told_once_however_many_ticks_were_lost(states: list[tuple[dict[str, str], bool]]) -> None:
    told: dict[str, str] = {}
    for champions, looked in states:
        if looked:
            for line, before in moved(champions, told).items():
                assert told.get(line) != champions[line]
                assert before == (line in told)
            told |= champions
            assert moved(champions, told) == {}


DAYS = st.lists(st.dates(date(2026, 1, 1), date(2026, 12, 31)), unique=True, max_size=30)


@given(st.dictionaries(st.sampled_from(["atlantis", "borealie"]), DAYS), st.integers(0, 40))
def test_the_last_days_are_judged_again(days: dict[str, list[date]], most: int) -> None:
    found = judged_again(days, most)
    for country, known in days.items():
        own = [day for name, day in found if name == country]
        assert own == sorted(own, reverse=True)
        newest = max(known, default=date.min)
        assert set(own) == {day for day in known if newest - timedelta(days=most) < day}
    assert [name for name, _ in found] == sorted(name for name, _ in found)


def test_a_country_without_verdicts_is_passed_over_and_an_old_one_is_judged_from_its_own_last_day() -> None:
    days = {"borealie": [date(2026, 11, 20), date(2026, 11, 13), date(2026, 11, 14)], "atlantis": [date(2024, 2, 29)], "x": []}
    assert judged_again(days, 7) == [
        ("atlantis", date(2024, 2, 29)),
        ("borealie", date(2026, 11, 20)),
        ("borealie", date(2026, 11, 14)),
    ]


def test_only_the_newest_round_of_a_line_that_is_followed_is_turned() -> None:
    french, english = Line("misinfo", "french"), Line("ner", "english")
    keys = [
        "misinfo-french-000",
        "misinfo-french-1000",
        "misinfo-french-999",
        "ner-english-002",
        "misinfo-dutch-004",
        "by hand",
    ]
    assert rounds_opened(keys, [french, english]) == ["misinfo-french-1000", "ner-english-002"]
    assert rounds_opened(keys, [english]) == ["ner-english-002"]
    assert rounds_opened([], [french]) == []
