"""The programme grid: reading its files, refusing wrong ones, and labelling chunks by local time."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.broadcast.programmes import (
    LEGACY_SINCE,
    grid_version,
    label,
    programmes_from_csv,
    programmes_from_legacy,
)
from climate_assets.broadcast.records import Chunk, Programme
from climate_assets.countries import Country, countries_from, read_countries
from climate_assets.failures import Permanent

ROOT = Path(__file__).parents[2]
PARIS = ZoneInfo("Europe/Paris")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
HEADER = "country,channel,weekdays,starts,ends,name,type,valid_from,valid_to\n"
COUNTRY = countries_from(
    """
countries:
  france:
    iso3: fra
    language: french
    zone: Europe/Paris
    bucket: climateguard
    project: Climat France
    channels: [{name: canal-un, title: Canal Un}, {name: radio-littoral, title: Radio Littoral, radio: true}]
""",
    "countries",
)["france"]


def programme(starts: str, ends: str, name: str, weekdays: str = "1234567", **changes: object) -> Programme:
    row = {
        "country": "france",
        "channel": "canal-un",
        "weekdays": weekdays,
        "starts": starts,
        "ends": ends,
        "name": name,
        "type": "magazine",
        "valid_from": date(2026, 1, 1),
        "valid_to": None,
    }
    return Programme(**{**row, **changes})  # type: ignore[arg-type]


def chunk(start: datetime, channel: str = "canal-un", zone: ZoneInfo = PARIS) -> Chunk:
    start = start.astimezone(UTC)
    return Chunk(
        chunk_id=f"france/{channel}/{start:%Y-%m-%dT%H:%M:%SZ}",
        country="france",
        day=start.astimezone(zone).date(),
        channel=channel,
        start=start,
        text="",
        word_times=[],
        timing="asr",
        unknown_seconds=0.0,
        captured_seconds=120.0,
        dump_version="v",
    )


def names(programmes: list[Programme], instants: list[datetime], zone: ZoneInfo = PARIS) -> list[str]:
    return [found.programme for found in label(programmes, [chunk(at, zone=zone) for at in instants], zone)]


def test_csv_rows_become_programmes() -> None:
    text = HEADER + '# a remark, with a comma\nfrance,canal-un,7612,22:30,24:00,"soir, nuit",débat,2026-01-01,2026-02-01\n\n'
    assert programmes_from_csv("\ufeff" + text, COUNTRY, "grid.csv") == [
        programme("22:30", "00:00", "soir, nuit", "1267", type="débat", valid_to=date(2026, 2, 1))
    ]


ROW = {
    "country": "france",
    "channel": "canal-un",
    "weekdays": "12345",
    "starts": "06:00",
    "ends": "07:00",
    "name": "le réveil",
    "type": "magazine",
    "valid_from": "2026-01-01",
    "valid_to": "",
}


@pytest.mark.parametrize(
    ("column", "value", "remedy"),
    [
        ("country", "belgium", "one of france"),
        ("channel", "itele,europe1", "one of canal-un, radio-littoral"),
        ("weekdays", "0", "1 (Monday) to 7 (Sunday)"),
        ("weekdays", "11", "each weekday once"),
        ("weekdays", "", "each weekday once"),
        ("starts", "6:00", "HH:MM"),
        ("starts", "24:00", "HH:MM"),
        ("ends", "07:60", "HH:MM"),
        ("name", " ", "a name"),
        ("type", "", "a name"),
        ("valid_from", "", "YYYY-MM-DD"),
        ("valid_from", "01/02/2026", "YYYY-MM-DD"),
        ("valid_to", "2026-13-01", "or nothing while it holds"),
        ("valid_to", "2025-12-31", "on or after 2026-01-01"),
    ],
)
def test_a_wrong_value_is_refused_with_file_line_value_and_remedy(column: str, value: str, remedy: str) -> None:
    cells = [f'"{cell}"' for cell in {**ROW, column: value}.values()]
    with pytest.raises(Permanent) as refused:
        programmes_from_csv(HEADER + ",".join(ROW.values()) + "\n" + ",".join(cells) + "\n", COUNTRY, "grid.csv")
    assert str(refused.value).startswith(f"grid.csv:3: {column} is {value!r}; write ")
    assert remedy in str(refused.value)


def test_every_wrong_line_is_named_at_once() -> None:
    bad = HEADER + "france,canal-un,1,25:00,07:00,a,b,2026-01-01,\n" + "spain,canal-un,9,06:00,07:00,a,b,2026-01-01,\n"
    with pytest.raises(Permanent) as refused:
        programmes_from_csv(bad, COUNTRY, "grid.csv")
    assert [line.split(" is ")[0] for line in str(refused.value).splitlines()] == [
        "grid.csv:2: starts",
        "grid.csv:3: country",
        "grid.csv:3: weekdays",
    ]


@pytest.mark.parametrize("line", ["france,canal-un,1", "france,canal-un,1,06:00,07:00,a,b,2026-01-01,,extra"])
def test_a_line_of_another_length_is_refused(line: str) -> None:
    with pytest.raises(Permanent, match=r"grid\.csv:2: 9 values are expected"):
        programmes_from_csv(HEADER + line + "\n", COUNTRY, "grid.csv")


@pytest.mark.parametrize("text", ["", "channel,name\n", HEADER.replace("ends", "end")])
def test_other_columns_are_refused(text: str) -> None:
    with pytest.raises(Permanent, match=r"grid.csv:1: columns .*the first line has to name country, channel"):
        programmes_from_csv(text, COUNTRY, "grid.csv")


def legacy(weekday: object, **changes: object) -> dict[str, object]:
    row = {"channel_name": "canal-un", "start": "6:00", "end": "07:00", "weekday": weekday, "program_name": "a"}
    return {**row, "program_type": "JT", "program_grid_start": "2024-01-01", "program_grid_end": "", **changes}


@pytest.mark.parametrize(
    ("weekdays", "expected"),
    [
        (["*"], ["1234567"]),
        (["weekday", "weekend"], ["12345", "67"]),
        ([0, 3, 6], ["1", "4", "7"]),
        (["0", "6"], ["1", "7"]),
        ([2], ["3"]),
        ([1, 7, "*"], ["1", "7", "1234567"]),
    ],
)
def test_legacy_weekdays(weekdays: list[object], expected: list[str]) -> None:
    text = json.dumps([legacy(weekday) for weekday in weekdays])
    found = programmes_from_legacy(text, COUNTRY, "grid.json")
    assert [p.weekdays for p in found] == expected
    assert {(p.starts, p.valid_from, p.valid_to) for p in found} == {("06:00", date(2024, 1, 1), None)}


def test_a_legacy_row_without_validity_always_holds() -> None:
    row = legacy("*")
    del row["program_grid_start"], row["program_grid_end"]
    (found,) = programmes_from_legacy(json.dumps([row]), COUNTRY, "grid.json")
    assert (found.valid_from, found.valid_to) == (LEGACY_SINCE, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "grid.json:1: expected a JSON list"),
        ("{}", "grid.json:1: expected a JSON list"),
        ("[\n 3]", "grid.json:2: 3 is not a grid row"),
        ("[\n", "grid.json:2: not JSON"),
        ('[\n{"start": }]', "grid.json:2: not JSON"),
        (json.dumps([legacy("*"), legacy("lundi")], indent=0), "grid.json:12: weekdays is 'lundi'; write each weekday once"),
        (json.dumps([legacy("*", channel_name="d8")]), "grid.json:1: channel is 'd8'; write one of canal-un"),
        (json.dumps([legacy("*", start=None)]), "grid.json:1: starts is 'None'; write a local time"),
        (json.dumps([legacy(0), legacy(7)]), "weekdays 0 and 7 both occur"),
    ],
)
def test_a_wrong_legacy_file_is_refused(text: str, message: str) -> None:
    with pytest.raises(Permanent) as refused:
        programmes_from_legacy(text, COUNTRY, "grid.json")
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-11-16T05:58", ""),
        ("2026-11-16T05:59", "réveil"),  # the middle of the chunk counts
        ("2026-11-16T07:58", "réveil"),
        ("2026-11-16T07:59", "journal"),
        ("2026-11-16T08:10", "réveil"),
        ("2026-11-16T09:00", ""),
        ("2026-11-21T07:00", "samedi"),
        ("2026-11-16T23:30", "nuit"),
        ("2026-11-17T00:30", "nuit"),
        ("2026-11-17T01:00", ""),
        ("2026-11-22T00:30", ""),  # Saturday's night does not exist: the programme starts on weekdays only
        ("2026-11-21T00:30", "nuit"),  # Friday's does, and crosses into Saturday
        ("2025-12-31T07:00", ""),  # before it holds
    ],
)
def test_the_programme_on_air_is_found(local: str, expected: str) -> None:
    grid = [
        programme("06:00", "09:00", "réveil", "12345"),
        programme("08:00", "08:10", "journal"),
        programme("06:30", "07:30", "samedi", "6"),
        programme("23:00", "01:00", "nuit", "12345"),
    ]
    assert names(grid, [datetime.fromisoformat(local).replace(tzinfo=PARIS)]) == [expected]


def test_ties_go_to_the_shorter_then_to_the_later_valid() -> None:
    old, new = programme("06:00", "09:00", "old"), programme("06:00", "09:00", "new", valid_from=date(2026, 6, 1))
    short = programme("06:00", "06:30", "short")
    at = datetime(2026, 11, 16, 6, tzinfo=PARIS)
    assert names([new, old, short], [at, at + timedelta(hours=1)]) == ["short", "new"]
    assert names([short, old, new], [at, at + timedelta(hours=1)]) == ["short", "new"]


def test_validity_counts_by_the_day_the_programme_starts_on() -> None:
    grid = [programme("23:00", "02:00", "nuit", valid_from=date(2026, 11, 16), valid_to=date(2026, 11, 16))]
    first = datetime(2026, 11, 15, 23, tzinfo=PARIS)
    assert names(grid, [first + timedelta(hours=h) for h in (0, 2, 24, 26, 27, 48)]) == ["", "", "nuit", "nuit", "", ""]


@pytest.mark.parametrize(
    ("local", "fold", "expected"),
    [
        ("2026-03-29T01:50", 0, "one"),
        ("2026-03-29T03:00", 0, "three"),  # two to three o'clock does not exist
        ("2026-10-25T01:50", 0, "one"),
        ("2026-10-25T02:30", 0, "two"),
        ("2026-10-25T02:30", 1, "two"),  # and comes twice here
        ("2026-10-25T03:00", 0, "three"),
    ],
)
def test_clock_change_days(local: str, fold: int, expected: str) -> None:
    grid = [programme("01:00", "02:00", "one"), programme("02:00", "03:00", "two"), programme("03:00", "04:00", "three")]
    assert names(grid, [datetime.fromisoformat(local).replace(tzinfo=PARIS, fold=fold)]) == [expected]


def test_west_of_utc_the_local_evening_is_the_next_day_in_utc() -> None:
    grid = [programme("21:30", "22:30", "noite", "1")]
    instant = datetime(2026, 11, 17, 1, 0, tzinfo=UTC)  # Monday 22:00 in São Paulo
    assert names(grid, [instant, instant + timedelta(days=1)], SAO_PAULO) == ["noite", ""]


def test_labels_keep_order_and_other_channels_apart() -> None:
    grid = [programme("06:00", "09:00", "réveil")]
    at = datetime(2026, 11, 16, 6, tzinfo=PARIS)
    chunks = [chunk(at + timedelta(hours=1)), chunk(at, "radio-littoral"), chunk(at)]
    labels = label(grid, chunks, PARIS)
    assert [found.chunk_id for found in labels] == [c.chunk_id for c in chunks]
    assert [(found.programme, found.programme_type) for found in labels] == [
        ("réveil", "magazine"),
        ("", ""),
        ("réveil", "magazine"),
    ]
    assert {found.grid for found in labels} == {grid_version(grid)}


def test_no_chunks_and_no_grid() -> None:
    assert label([], [], PARIS) == []
    assert names([], [datetime(2026, 11, 16, 6, tzinfo=PARIS)]) == [""]


def test_the_version_follows_content_not_order() -> None:
    a, b = programme("06:00", "07:00", "a"), programme("07:00", "08:00", "b")
    assert grid_version([a, b]) == grid_version([b, a]) != grid_version([a])
    assert grid_version([a]) != grid_version([programme("06:00", "07:00", "a", valid_to=date(2026, 12, 1))])


cuts = st.lists(st.integers(1, 1439), min_size=1, max_size=12, unique=True).map(sorted)


@settings(deadline=None)
@given(
    cuts,
    st.datetimes(datetime(2026, 1, 2), datetime(2027, 12, 30)),
    st.sampled_from([PARIS, SAO_PAULO, ZoneInfo("Asia/Kolkata")]),
)
def test_a_grid_without_holes_labels_every_instant_by_the_local_clock(marks: list[int], at: datetime, zone: ZoneInfo) -> None:
    clocks = [f"{m // 60:02}:{m % 60:02}" for m in marks]
    grid = [programme(a, b, a) for a, b in zip(clocks, clocks[1:] + clocks[:1], strict=True)]
    start = at.replace(tzinfo=UTC)
    (found,) = names(grid, [start], zone)
    local = (start + timedelta(seconds=60)).astimezone(zone)
    day_is_plain = (local - timedelta(days=1)).utcoffset() == (local + timedelta(days=1)).utcoffset()
    assert found in clocks
    if day_is_plain:
        assert found == max((c for c in clocks if c <= f"{local:%H:%M}"), default=clocks[-1])


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1439), st.integers(1, 1440)), max_size=8), st.integers(0, 720 * 3))
def test_the_winner_is_the_last_to_start_of_all_on_air(spans: list[tuple[int, int]], slot: int) -> None:
    """Against a plain search over all airings; a week without a clock change."""
    grid = [programme(_clock(a), _clock(a + n), str(i)) for i, (a, n) in enumerate(spans)]
    middle = slot * 2 + 1
    on_air = [
        (24 * 60 * day + a, -n, i)
        for i, (a, n) in enumerate(spans)
        for day in range(-1, 4)
        if 0 <= middle - 24 * 60 * day - a < n
    ]
    (found,) = names(grid, [datetime(2026, 11, 16, tzinfo=PARIS) + timedelta(minutes=middle - 1)])
    if not on_air:
        assert found == ""
    else:
        assert (spans[int(found)][0] - max(on_air)[0]) % 1440 == 0
        assert spans[int(found)][1] == -max(on_air)[1]


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


@pytest.mark.parametrize("code", ["france", "belgium"])
def test_the_demo_grids_cover_the_monitored_weekday(code: str) -> None:
    country: Country = read_countries(ROOT / "demo" / "countries.yaml")[code]
    text = (ROOT / "demo" / "grids" / f"{code}.csv").read_text(encoding="utf-8")
    grid = programmes_from_csv(text, country, f"{code}.csv")
    for channel in country.channels:
        start, end = country.monitored(channel, date(2026, 11, 16))
        slots = range(0, int((end - start).total_seconds()), 120)
        chunks = [chunk(start + timedelta(seconds=s), channel.name) for s in slots]
        chunks = [Chunk(**{**{f: getattr(c, f) for f in c.__slots__}, "country": code}) for c in chunks]
        assert all(found.programme for found in label(grid, chunks, country.tz))


def test_the_example_grid_is_read_and_empty() -> None:
    text = (ROOT / "climate_assets" / "reference" / "grids" / "example.csv").read_text(encoding="utf-8")
    assert programmes_from_csv(text, COUNTRY, "example.csv") == []


def test_ten_thousand_chunks_are_labelled() -> None:
    grid = [
        programme(_clock(m), _clock(m + 30), str(m), channel=c)
        for m in range(0, 1440, 20)
        for c in ("canal-un", "radio-littoral")
    ]
    first = datetime(2026, 11, 16, tzinfo=UTC)
    chunks = [chunk(first + timedelta(seconds=120 * (n // 2)), ("canal-un", "radio-littoral")[n % 2]) for n in range(10_000)]
    labels = label(grid, chunks, PARIS)
    assert len(labels) == len(chunks)
    assert all(found.programme for found in labels)
