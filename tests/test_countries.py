"""Countries as data: what the packaged files hold, what is refused and how, and what a local day is."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.countries import Alias, Channel, Countries, Country, countries_from, read_countries
from climate_assets.failures import Permanent

ROOT = Path(__file__).parents[1]
VALID = """countries:
  france:
    iso3: fra
    language: french
    zone: Europe/Paris
    bucket: climateguard
    project: Climat France
    channels:
      - {name: canal-un, title: Canal Un}
      - name: radio-littoral
        title: Radio Littoral
        radio: true
  belgium:
    iso3: bel
    language: french
    zone: Europe/Brussels
    bucket: climateguard-belgium
    project: Climat Belgium
    channels:
      - {name: tele-meuse, title: Télé Meuse}
"""
CHANNELS = {"france": 18, "germany": 6, "brazil": 7, "spain": 6, "poland": 14, "belgium": 21, "belgium-flanders": 8}


@pytest.fixture(scope="module")
def production() -> Countries:
    return read_countries()


def test_the_seven_countries_of_production(production: Countries) -> None:
    assert {code: len(production[code].channels) for code in production.codes} == CHANNELS
    for code in production.codes:
        country = production[code]
        assert country.bucket == ("climateguard" if code == "france" else f"climateguard-{code}")
        assert (country.hours.start, country.hours.end, country.delivery) == ("06:00", "23:00", "push")
        assert (country.threshold, country.audit_share) == (6, 0.05)


@pytest.mark.parametrize(
    ("code", "language", "zone"),
    [
        ("france", "french", "Europe/Paris"),
        ("germany", "german", "Europe/Berlin"),
        ("brazil", "portuguese", "America/Sao_Paulo"),
        ("spain", "spanish", "Europe/Madrid"),
        ("poland", "polish", "Europe/Warsaw"),
        ("belgium", "french", "Europe/Brussels"),
        ("belgium-flanders", "dutch", "Europe/Brussels"),
    ],
)
def test_language_and_zone(production: Countries, code: str, language: str, zone: str) -> None:
    assert (production[code].language, production[code].zone) == (language, zone)


def test_channels_without_audio(production: Countries) -> None:
    silent = {(code, c.name) for code in production.codes for c in production[code].channels if not c.audio}
    assert {("germany", "daserste"), ("germany", "zdf")} < silent
    assert {code for code, _ in silent} == {"germany", "belgium"}
    assert {name for code, name in silent if code == "belgium"} == {
        c.name for c in production["belgium"].channels if c.name == c.name.upper()
    }


@pytest.mark.parametrize(
    ("service", "day", "name"),
    [
        ("export", date(2026, 6, 30), "sud-radio"),
        ("export", date(2026, 7, 1), "sudradio"),
        ("player", date(2026, 7, 1), "sudradio"),
        ("subtitle", date(2026, 7, 1), "sud-radio"),
    ],
)
def test_a_renamed_channel(production: Countries, service: str, day: date, name: str) -> None:
    assert production["france"].channel("sud-radio").name_at(service, day) == name


def test_the_latest_valid_alias_counts_whatever_the_order() -> None:
    aliases = [
        Alias(service="export", name="third", valid_from=date(2026, 9, 1)),
        Alias(service="export", name="second", valid_from=date(2026, 3, 1)),
        Alias(service="player", name="other", valid_from=date(2026, 1, 1)),
    ]
    for order in (aliases, aliases[::-1]):
        channel = Channel(name="first", title="First", aliases=tuple(order))
        days = [date(2026, month, 1) for month in (2, 3, 8, 9)]
        assert [channel.name_at("export", day) for day in days] == ["first", "second", "second", "third"]


def test_the_demo_world_is_small_and_shares_no_channel_with_production(production: Countries) -> None:
    demo = read_countries(ROOT / "demo" / "countries.yaml")
    assert demo.codes == ["france", "belgium"]
    channels = [(demo[code], channel) for code in demo.codes for channel in demo[code].channels]
    real = {c.name for code in production.codes for c in production[code].channels}
    assert not real & {channel.name for _, channel in channels}
    assert len(channels) == 5
    for country, channel in channels:
        start, end = country.monitored(channel, date(2026, 11, 20))
        assert end - start == timedelta(hours=4)  # 120 chunks


REFUSED = [
    # replaced text, replacement, line, what the message says
    ("zone: Europe/Brussels", "zone: Europe/Bruxelles", 16, "'Europe/Bruxelles' is not an IANA time zone; write one such as"),
    ("language: french", "language: occitan", 4, "'occitan' has no dictionary; choose one of french, english"),
    ("name: radio-littoral", "name: canal-un", None, "channel 'canal-un' is listed twice; remove one"),
    ("name: radio-littoral", "name: radio littoral", 10, "radio littoral"),
    ("zone: Europe/Paris", "zone: Europe/Paris\n    zones: 2", 6, "zones"),
    ("radio: true", "radios: true", 12, "radios"),
    ("radio: true", "radio: perhaps", 12, "perhaps"),
    ("bucket: climateguard\n", "bucket: Climate_Guard\n", 6, "Climate_Guard"),
    ("project: Climat France", "project: no", 7, "project"),
    ("iso3: fra", "", None, "iso3"),
    ("zone: Europe/Paris", "zone: Europe/Paris\n    threshold: 11", 6, "11"),
    ("zone: Europe/Paris", "zone: Europe/Paris\n    audit_share: 5", 6, "5"),
    ("zone: Europe/Paris", "zone: Europe/Paris\n    delivery: pull", 6, "pull"),
    ("zone: Europe/Paris", "zone: Europe/Paris\n    overlap: {share: 1.5}", 6, "1.5"),
    ("zone: Europe/Paris", "zone: Europe/Paris\n    overlap: {share: 0.3, people: 1}", 6, "people"),
    ("zone: Europe/Paris", "zone: Europe/Paris\n    hidden_gold: 0.6", 6, "0.6"),
    ("zone: Europe/Paris", "zone: Europe/Paris\n    workload: {people: 3}", 6, "per_person_and_day"),
    ("zone: Europe/Paris", "zone: Europe/Paris\n    workload: {people: 0, per_person_and_day: 1}", 6, "people"),
    (
        "zone: Europe/Paris",
        "zone: Europe/Paris\n    delivery: storage\n    workload: {people: 1, per_person_and_day: 1}",
        None,
        "write delivery: push, or remove workload",
    ),
    ("zone: Europe/Paris", "zone: Europe/Paris\n    blind: perhaps", 6, "perhaps"),
    *(
        ("zone: Europe/Paris", f"zone: Europe/Paris\n    posts: {{project: Posts, {written}}}", 6, message)
        for written, message in (
            ("sources: []", "sources"),
            ("sources: [{name: Pouet, kind: files}]", "Pouet"),
            ("sources: [{name: pouet, kind: feed}]", "feed"),
            ("sources: [{name: pouet, kind: files, url: 'https://pouet.example'}]", "remove `url`"),
            ("sources: [{name: pouet, kind: files}], keywords: ['!!']", "fewer than two letters"),
            ("sources: [{name: pouet, kind: mastodon, url: 'https://pouet.example'}]", "asked by keyword"),
            *(
                (f"keywords: [gaz], sources: [{{name: pouet, kind: mastodon, url: '{url}'}}]", "server alone")
                for url in (
                    "",
                    "http://pouet.example",
                    "https://pouet.example/api",
                    "https://someone:word@pouet.example",
                    "ftp://pouet.example",
                    "https://",
                    "https://pouet.example:port",
                    "http://127.0.0.1.pouet.example",
                    "https://poué.example",
                )
            ),
        )
    ),
    (
        "zone: Europe/Paris",
        'zone: Europe/Paris\n    hours: {start: "23:00", end: "06:00"}',
        6,
        "end before they start; write the later",
    ),
    ("zone: Europe/Paris", 'zone: Europe/Paris\n    hours: {start: "25:00", end: "26:00"}', 6, "25:00"),
    ("zone: Europe/Paris", "zone: Europe/Paris\n    hours: {start: 10:00, end: 23:00}", 6, "600"),
]


@pytest.mark.parametrize(("old", "new", "line", "message"), REFUSED)
def test_a_wrong_file_is_refused_with_file_line_value_and_remedy(old: str, new: str, line: int | None, message: str) -> None:
    assert old in VALID
    with pytest.raises(Permanent) as refused:
        countries_from(VALID.replace(old, new, 1), "my.yaml")
    assert re.match(r"my\.yaml:\d+: (france|belgium)", str(refused.value))
    assert message in str(refused.value)
    if line is not None:
        assert str(refused.value).startswith(f"my.yaml:{line}: ")


@pytest.mark.parametrize("attribute", ["bucket", "project"])
def test_two_countries_never_share_a_bucket_or_a_project(attribute: str) -> None:
    shared = {"bucket": ("climateguard-belgium", "climateguard"), "project": ("Climat Belgium", "Climat France")}[attribute]
    with pytest.raises(Permanent, match=rf"my\.yaml.*{attribute} '{shared[1]}' belongs to both france and belgium; give each"):
        countries_from(VALID.replace(*shared), "my.yaml")


def test_all_wrong_values_of_a_country_are_named_at_once() -> None:
    bad = VALID.replace("Europe/Paris", "Paris", 1).replace("french", "occitan", 1)
    with pytest.raises(Permanent) as refused:
        countries_from(bad, "my.yaml")
    assert [line.split(": ")[0] for line in str(refused.value).splitlines()] == ["my.yaml:4", "my.yaml:5"]


@pytest.mark.parametrize("text", ["", "[]", "countries:", "countries: []", "countries: {}", "other: {a: 1}"])
def test_a_file_without_countries_is_refused(text: str) -> None:
    with pytest.raises(Permanent, match=r"my\.yaml:1: expected a mapping `countries:`"):
        countries_from(text, "my.yaml")


def test_text_that_is_no_yaml_is_refused() -> None:
    with pytest.raises(Permanent, match=r"my\.yaml: not YAML"):
        countries_from("countries: {", "my.yaml")


def test_a_file_that_is_not_there_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match=r"absent\.yaml: cannot be read .*CLIMATE_COUNTRIES"):
        read_countries(tmp_path / "absent.yaml")


def test_unknown_country_and_channel_say_what_there_is() -> None:
    countries = countries_from(VALID, "my.yaml")
    with pytest.raises(Permanent, match="no country 'spain' is configured; there are belgium, france"):
        countries["spain"]
    with pytest.raises(Permanent, match="country france has no channel 'tele-meuse'; it has canal-un, radio-littoral"):
        countries["france"].channel("tele-meuse")


def country(zone: str, hours: str = '{start: "06:00", end: "23:00"}') -> Country:
    text = VALID.replace("zone: Europe/Paris", f"zone: {zone}\n    hours: {hours}")
    return countries_from(text, "my.yaml")["france"]


@pytest.mark.parametrize(
    ("zone", "day", "hours", "first"),
    [
        ("Europe/Paris", date(2026, 3, 29), 23, "2026-03-28T23:00"),
        ("Europe/Paris", date(2026, 10, 25), 25, "2026-10-24T22:00"),
        ("Europe/Paris", date(2026, 11, 20), 24, "2026-11-19T23:00"),
        ("America/Sao_Paulo", date(2026, 11, 20), 24, "2026-11-20T03:00"),
        ("America/Sao_Paulo", date(2018, 11, 4), 23, "2018-11-04T03:00"),  # midnight itself did not exist
        ("Asia/Kolkata", date(2026, 11, 20), 24, "2026-11-19T18:30"),
    ],
)
def test_the_bounds_of_a_local_day(zone: str, day: date, hours: int, first: str) -> None:
    start, end = country(zone).day_bounds(day)
    assert start == datetime.fromisoformat(first).replace(tzinfo=UTC)
    assert end - start == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("day", "hours", "expected"),
    [
        (date(2026, 11, 20), '{start: "06:00", end: "23:00"}', 17),
        (date(2026, 3, 29), '{start: "06:00", end: "23:00"}', 17),
        (date(2026, 3, 29), '{start: "00:00", end: "24:00"}', 23),
        (date(2026, 10, 25), '{start: "00:00", end: "24:00"}', 25),
        (date(2026, 10, 25), '{start: "02:30", end: "06:00"}', 4.5),
    ],
)
def test_monitored_hours(day: date, hours: str, expected: float) -> None:
    monitored = country("Europe/Paris", hours)
    start, end = monitored.monitored(monitored.channels[0], day)
    assert end - start == timedelta(hours=expected)


def test_hours_of_a_channel_win_over_those_of_the_country() -> None:
    own = VALID.replace(
        "{name: canal-un, title: Canal Un}", '{name: canal-un, title: Canal Un, hours: {start: "00:00", end: "24:00"}}'
    )
    france = countries_from(own, "my.yaml")["france"]
    spans = [end - start for start, end in (france.monitored(c, date(2026, 11, 20)) for c in france.channels)]
    assert spans == [timedelta(hours=24), timedelta(hours=17)]


ZONES = sorted(z for z in available_timezones() if z.startswith(("Europe/", "America/", "Asia/", "Africa/", "Pacific/")))


@settings(deadline=None)  # the time of one example says nothing on a shared machine
@given(st.sampled_from(ZONES), st.dates(date(1995, 1, 1), date(2035, 12, 31)))
def test_days_follow_each_other_without_hole_or_overlap(zone: str, day: date) -> None:
    here = country(zone)
    assert here.day_bounds(day)[1] == here.day_bounds(day + timedelta(days=1))[0]
    start, end = here.day_bounds(day)
    assert timedelta(0) <= end - start <= timedelta(hours=48)


def test_posts_are_optional_and_a_source_may_be_this_machine() -> None:
    written = """zone: Europe/Paris
    posts:
      project: Posts
      keywords: [éolien]
      sources: [{name: ecume, kind: files}, {name: pouet, kind: mastodon, url: "http://127.0.0.1:8080"}]"""
    read = countries_from(VALID.replace("zone: Europe/Paris", written, 1), "my.yaml")
    posts = read["france"].posts
    assert posts is not None
    assert [source.kind for source in posts.sources] == ["files", "mastodon"]
    assert read["belgium"].posts is None
    with pytest.raises(Permanent, match="source 'ecume' is in france twice"):
        countries_from(VALID.replace("zone: Europe/Paris", written.replace("pouet", "ecume", 1), 1), "my.yaml")
