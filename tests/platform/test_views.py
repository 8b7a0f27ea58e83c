"""The view `keywords`: the legacy columns, their counts and their id, computed from today's tables."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from climate_assets.broadcast.legacy_keywords import LegacyHit, legacy_counts, legacy_id
from climate_assets.broadcast.records import AdInterval, ChannelLabel, Chunk, Dump, KeywordHit, Repeat, Subject, Theme
from resources.postgres import Barometre

DAY = date(2026, 11, 20)
START = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
FETCHED = datetime(2026, 11, 21, 1, 10, tzinfo=UTC)
THEMES = [
    "changement_climatique_constat", "changement_climatique_causes_directes", "changement_climatique_consequences",
    "attenuation_climatique_solutions_directes", "adaptation_climatique_solutions_directes", "ressources",
    "ressources_solutions", "biodiversite_concepts_generaux", "biodiversite_causes_directes",
    "biodiversite_consequences", "biodiversite_solutions_directes",
]  # fmt: skip
# Section 4 of the description of the legacy tables, and `chunk_id`, by which a row is found in ours.
LEGACY_COLUMNS = {
    "id", "start", "channel_name", "channel_title", "channel_program", "channel_program_type", "channel_radio", "plaintext",
    "srt", "country", "program_metadata_id", "theme", "keywords_with_timestamp", "number_of_keywords",
    "number_of_keywords_climat", "number_of_keywords_biodiversite", "number_of_keywords_ressources",
    *(f"number_of_{theme}" for theme in THEMES), *(f"number_of_{theme.removesuffix('_directes')}_no_hrfp" for theme in THEMES),
    "number_of_keywords_20", "number_of_keywords_30", "number_of_keywords_40", "created_at", "updated_at", "chunk_id",
}  # fmt: skip


def chunk(start: datetime = START, country: str = "france", day: date = DAY) -> Chunk:
    chunk_id = f"{country}/canal-un/{start:%Y-%m-%dT%H:%M:%SZ}"
    return Chunk(chunk_id, country, day, "canal-un", start, "il fait chaud", [0, 40, 8000], "asr", 0.0, 120.0, "v1")


def hit(of: Chunk, keyword: str, theme: Theme, seconds: float, *, hrfp: bool = False, counts: bool = True) -> KeywordHit:
    return KeywordHit(
        of.chunk_id, of.country, of.day, of.channel, theme.value, keyword, int(seconds), 1, seconds,
        min(5, max(0, int(seconds // 20))),
        theme.subject.value, "energy", hrfp, counts, "d1",
    )  # fmt: skip


def advert(of: Chunk, since: float, until: float, **changed: Any) -> AdInterval:
    values: dict[str, Any] = {
        "country": of.country, "day": of.day, "channel": of.channel, "start": of.start + timedelta(seconds=since),
        "end": of.start + timedelta(seconds=until), "kind": Repeat.ADVERT.value, "source": "text-repeat", "passage": "p",
        "score": 1.0, "times_seen": 9, "channels_seen": 2, "days_seen": 3, "first_seen": of.start, "other_airings": [],
        "vetoed": False, "method": "m1",
    }  # fmt: skip
    return AdInterval(**{**values, **changed})


def seen(
    barometre: Barometre, chunks: list[Chunk], hits: list[KeywordHit], adverts: tuple[AdInterval, ...] = ()
) -> list[dict[str, Any]]:
    """Rows of the view over these rows of the tables."""
    barometre.upsert([ChannelLabel(c, "canal-un", "Canal Un", False, z) for c, z in ZONES.items()], ChannelLabel)
    days = {(c.country, c.day) for c in chunks}
    barometre.upsert([Dump(code, day, "canal-un", "v1", "k", FETCHED, 1, 1, "", "") for code, day in days], Dump)
    barometre.upsert(chunks, Chunk)
    barometre.upsert(hits, KeywordHit)
    barometre.upsert(adverts, AdInterval)
    return barometre.rows("SELECT * FROM keywords ORDER BY start")


ZONES = {
    "france": "Europe/Paris", "germany": "Europe/Berlin", "brazil": "America/Sao_Paulo", "india": "Asia/Kolkata",
    "portugal": "Europe/Lisbon", "canada": "America/St_Johns",
}  # fmt: skip
CLIMATE, CAUSES, NATURE = Theme.CLIMATE_STATEMENT, Theme.CLIMATE_CAUSES, Theme.BIODIVERSITY_GENERAL


def test_columns_are_the_legacy_ones(barometre: Barometre) -> None:
    columns = barometre.rows("SELECT column_name FROM information_schema.columns WHERE table_name = 'keywords'")
    assert len(columns) == len(LEGACY_COLUMNS)
    assert {c["column_name"] for c in columns} == LEGACY_COLUMNS


def test_a_chunk_is_one_row_with_its_labels(barometre: Barometre) -> None:
    said = chunk()
    (row,) = seen(barometre, [said], [hit(said, "climat", CLIMATE, 0.4), hit(said, "nature", NATURE, 81.0)])
    assert (row["chunk_id"], row["channel_title"], row["plaintext"]) == (said.chunk_id, "Canal Un", said.text)
    assert (row["created_at"], row["number_of_keywords_20"]) == (FETCHED, None)
    begun = START.timestamp() * 1000
    assert [(w["text"], float(w["cts_in_ms"])) for w in row["srt"]] == [
        ("il", begun), ("fait", begun + 400), ("chaud", begun + 80_000),
    ]  # fmt: skip
    assert [(k["keyword"], float(k["timestamp"])) for k in row["keywords_with_timestamp"]] == [
        ("climat", begun + 400), ("nature", begun + 81_000),
    ]  # fmt: skip


def test_a_chunk_without_hits_is_no_row(barometre: Barometre) -> None:
    assert seen(barometre, [chunk()], []) == []


MIXED = [
    ("climat", CLIMATE, 1.0, False, True), ("gaz", CLIMATE, 3.0, False, True), ("climat", CLIMATE, 25.0, False, True),
    ("pétrole", CAUSES, 26.0, True, True), ("eau", NATURE, 90.0, False, True),
    ("vache", Theme.BIODIVERSITY_CAUSES, 91.0, True, True),
    ("voiture", Theme.CLIMATE_MITIGATION, 119.0, True, False), ("eau", Theme.RESOURCES, 90.0, False, True),
]  # fmt: skip


def test_counts_are_distinct_windows_as_the_legacy_rule_counts_them(barometre: Barometre) -> None:
    said = chunk()
    hits = [hit(said, k, t, s, hrfp=h, counts=c) for k, t, s, h, c in MIXED]
    (row,) = seen(barometre, [said], hits)
    # The same occurrences as the legacy rule holds them: its theme keeps the suffix unless it counts.
    legacy = [
        LegacyHit(h.keyword, h.theme + ("" if h.counts else "_indirectes"), h.category, 0, h.window, h.hrfp and h.counts)
        for h in hits
    ]
    counted = legacy_counts(legacy)
    assert row["number_of_keywords"] == counted.keywords == 3
    for subject in Subject:
        assert row[f"number_of_keywords_{subject}"] == counted.subjects[subject], subject
    for column in THEMES:
        theme = Theme(column.removesuffix("_directes"))
        assert row[f"number_of_{column}"] == counted.themes[theme], column
        assert row[f"number_of_{theme}_no_hrfp"] == counted.themes_no_hrfp[theme], theme
    assert set(row["theme"]) == {h.theme for h in legacy}
    named = {(k["keyword"], k["theme"], k["hrfp"]) for k in row["keywords_with_timestamp"]}
    assert named == {(h.keyword, h.theme, h.hrfp) for h in legacy}


def test_indirect_hits_alone_are_a_row_of_zeros(barometre: Barometre) -> None:
    said = chunk()
    (row,) = seen(barometre, [said], [hit(said, "pétrole", CAUSES, 10, hrfp=True, counts=False)])
    assert row["theme"] == ["changement_climatique_causes_indirectes"]
    assert {row[f"number_of_{theme}"] for theme in THEMES} | {row["number_of_keywords"]} == {0}


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        pytest.param({}, 1, id="inside an advert"),
        pytest.param({"vetoed": True}, 2, id="vetoed"),
        pytest.param({"kind": "bulletin"}, 2, id="a bulletin is no advert"),
        pytest.param({"channel": "canal-deux"}, 2, id="of another channel"),
        pytest.param({"end": START + timedelta(seconds=50)}, 2, id="its end lies outside"),
        pytest.param({"start": START + timedelta(seconds=50)}, 1, id="its start lies inside"),
        pytest.param({"day": DAY - timedelta(days=1)}, 1, id="begun before midnight"),
    ],
)
def test_hits_inside_adverts_are_left_out(barometre: Barometre, changed: dict[str, Any], kept: int) -> None:
    said = chunk()
    hits = [hit(said, "climat", CLIMATE, 5.0), hit(said, "climat chaud", CLIMATE, 50.0)]
    (row,) = seen(barometre, [said], hits, (advert(said, 40, 60, **changed),))
    assert (len(row["keywords_with_timestamp"]), row["number_of_keywords"]) == (kept, kept)


def test_a_chunk_whose_every_hit_is_in_an_advert_is_no_row(barometre: Barometre) -> None:
    said = chunk()
    assert seen(barometre, [said], [hit(said, "climat", CLIMATE, 50.0)], (advert(said, 0, 120),)) == []


@pytest.mark.parametrize("country", ZONES)
@pytest.mark.parametrize(
    "start",
    [
        pytest.param(datetime(2026, 1, 10, 5, 36, tzinfo=UTC), id="winter"),
        pytest.param(datetime(2026, 7, 21, 22, 22, tzinfo=UTC), id="summer, past midnight in the east"),
        pytest.param(datetime(2026, 7, 22, 1, 0, tzinfo=UTC), id="summer, before midnight in the west"),
        pytest.param(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), id="the hour after the clocks went back"),
        pytest.param(datetime(2026, 7, 21, 8, 18, 39, 240_000, tzinfo=UTC), id="fraction of a second"),
    ],
)
def test_the_id_is_the_legacy_one(barometre: Barometre, country: str, start: datetime) -> None:
    said = chunk(start, country, start.date())
    (row,) = seen(barometre, [said], [hit(said, "climat", CLIMATE, 5.0)])
    assert row["id"] == legacy_id(start, ZONES[country], "canal-un")
