"""What people decide about adverts outlives re-learning, and changed days are told."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from climate_assets.broadcast.adverts import added_intervals, changed_days, with_decisions, with_vetoes
from climate_assets.broadcast.records import AdDecision, AdInterval
from climate_assets.broadcast.repeats import find_repeats
from climate_assets.failures import Permanent
from tests.broadcast.broadcast_days import Plan, world

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")


def interval(
    at: float, seconds: float = 20.0, channel: str = "canal-un", passage: str = "aa", kind: str = "advert"
) -> AdInterval:
    start = NOON + timedelta(seconds=at)
    return AdInterval(
        country="france",
        day=start.date(),
        channel=channel,
        start=start,
        end=start + timedelta(seconds=seconds),
        kind=kind,
        source="text-repeat",
        passage=passage,
        score=1.0,
        times_seen=3,
        channels_seen=1,
        days_seen=2,
        first_seen=start,
        other_airings=[],
        vetoed=False,
        method="m",
    )


def decision(
    action: str = "veto",
    passage: str = "",
    channel: str = "",
    at: float | None = None,
    seconds: float = 20.0,
    country: str = "france",
) -> AdDecision:
    start = None if at is None else NOON + timedelta(seconds=at)
    end = None if start is None else start + timedelta(seconds=seconds)
    return AdDecision("d1", country, action, passage, channel, start, end, "lead", "a report, no advert", NOON)


ROWS = [interval(0), interval(600), interval(1200, passage="bb"), interval(0, channel="canal-deux")]
VETOES = [
    ("a passage, wherever it is aired", decision(passage="aa"), [True, True, False, True]),
    ("a stretch of one channel", decision(channel="canal-un", at=2), [True, False, False, False]),
    ("half of a stretch is enough", decision(channel="canal-un", at=9), [True, False, False, False]),
    ("a touch is not", decision(channel="canal-un", at=15), [False] * 4),
    ("a small part that a person marked", decision(channel="canal-un", at=5, seconds=4), [True, False, False, False]),
    ("a passage that has another identity now", decision(passage="old", channel="canal-un", at=0), [True, True, False, True]),
    ("another country", decision(passage="aa", country="belgium"), [False] * 4),
    ("an added advert is no veto", decision("add", channel="canal-un", at=0), [False] * 4),
    ("nothing there", decision(channel="canal-trois", at=0), [False] * 4),
]


@pytest.mark.parametrize(("veto", "expected"), [v[1:] for v in VETOES], ids=[v[0] for v in VETOES])
def test_vetoes(veto: AdDecision, expected: list[bool]) -> None:
    marked = with_vetoes(ROWS, [veto])
    assert [row.vetoed for row in marked] == expected
    assert [replace(row, vetoed=False) for row in marked] == ROWS
    assert with_vetoes(marked, [veto]) == marked


def test_a_veto_that_is_taken_back_is_lifted() -> None:
    assert with_vetoes(with_vetoes(ROWS, [decision(passage="aa")]), []) == ROWS


def test_vetoes_survive_re_learning() -> None:
    """Vetoed on four days' evidence; searched again on three, and again with the identity lost."""
    made = world(Plan(seed=13, bulletins=False, songs=0))
    rows = [i for i in find_repeats(made.chunks) if i.kind == "advert"]
    chosen = max(rows, key=lambda i: (i.times_seen, i.start))
    veto = decision(passage=chosen.passage, channel=chosen.channel, country=chosen.country)
    veto = replace(veto, start=chosen.start, end=chosen.end)
    airings = {(i.channel, i.start) for i in rows if i.passage == chosen.passage}
    again = find_repeats([c for c in made.chunks if c.day != min(c.day for c in made.chunks) or c.day == chosen.day])
    for forgotten in (veto, replace(veto, passage="0000")):
        kept = {(i.channel, i.start) for i in with_vetoes(again, [forgotten]) if i.vetoed}
        known = {
            key for key in airings if any(abs(key[1] - i.start) < timedelta(seconds=2) and i.channel == key[0] for i in again)
        }
        near = {key for key in known if any(c == key[0] and abs(key[1] - s) < timedelta(seconds=2) for c, s in kept)}
        assert near == known
        assert len(known) >= 5


WRONG = [
    (decision(), "name a passage"),
    (decision(channel="canal-un"), "name a passage"),
    (decision(channel="canal-un", at=0, seconds=-5), "not after its start"),
    (decision("add", passage="aa"), "needs a channel"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG)
def test_a_decision_without_meaning_is_refused(wrong: AdDecision, message: str) -> None:
    with pytest.raises(Permanent, match=message):
        with_decisions(ROWS, [wrong], PARIS, "m")


def test_a_person_adds_an_advert() -> None:
    (added,) = added_intervals([decision("add", channel="canal-un", at=300)], PARIS, "m")
    assert (added.source, added.kind, added.vetoed, added.day) == ("manual", "advert", False, date(2026, 11, 20))
    assert added.start == NOON + timedelta(seconds=300)
    assert with_decisions(ROWS, [decision("add", channel="canal-un", at=300)], PARIS, "m") == [*ROWS, added]


def test_an_added_advert_over_local_midnight_is_two() -> None:
    ten_to_midnight = 10 * 3600 + 50 * 60
    first, second = added_intervals([decision("add", channel="canal-un", at=ten_to_midnight, seconds=1200)], PARIS, "m")
    assert (first.day.day, second.day.day) == (20, 21)
    assert first.end == second.start == datetime(2026, 11, 20, 23, tzinfo=UTC)


DAY = NOON.date()
NEXT = interval(86_400)
CHANGES = [
    ("the same", ROWS, ROWS, []),
    ("another order", ROWS[::-1], ROWS, []),
    ("another identity and more evidence", [replace(r, passage="zz", times_seen=9) for r in ROWS], ROWS, []),
    ("an edge that moves by half a second", [interval(0.5), *ROWS[1:]], ROWS, []),
    ("an edge that moves by two seconds", [interval(2), *ROWS[1:]], ROWS, [DAY]),
    ("one more", [*ROWS, NEXT], ROWS, [NEXT.day]),
    ("one less", ROWS, [*ROWS, NEXT], [NEXT.day]),
    ("both days", [*ROWS[1:]], [*ROWS, NEXT], [DAY, NEXT.day]),
    ("a veto", with_vetoes(ROWS, [decision(passage="bb")]), ROWS, [DAY]),
    ("a rerun is not cut", [*ROWS, replace(NEXT, kind="rerun")], ROWS, []),
    ("one advert that was two", [interval(0, 40)], [interval(0), interval(20)], []),
    ("nothing", [], [], []),
    ("another channel", [replace(ROWS[0], channel="canal-trois")], ROWS[:1], [DAY]),
]


@pytest.mark.parametrize(("found", "stored", "days"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_changed_days(found: list[AdInterval], stored: list[AdInterval], days: list[date]) -> None:
    assert changed_days(found, stored) == days


def test_a_new_day_makes_an_advert_known_and_earlier_days_change() -> None:
    made = world(Plan(seed=21, bulletins=False, songs=0, reruns=0))
    days = sorted({c.day for c in made.chunks})
    before = find_repeats([c for c in made.chunks if c.day < days[-1]])
    changed = changed_days([i for i in find_repeats(made.chunks) if i.day < days[-1]], before)
    assert changed
    assert set(changed) <= set(days[:-1])
