"""The legacy rule: the worked examples of its description, its counts and its row id."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest

from climate_assets.broadcast.dictionaries import Entry
from climate_assets.broadcast.legacy_keywords import LegacyHit, SrtToken, legacy_counts, legacy_hits, legacy_id
from climate_assets.broadcast.records import Subject, Theme
from climate_assets.failures import Permanent

T0 = 1_763_661_840
CLIMATE, CAUSES, SOLUTIONS = Theme.CLIMATE_STATEMENT, Theme.CLIMATE_CAUSES, Theme.CLIMATE_MITIGATION
NATURE, GOODS = Theme.BIODIVERSITY_GENERAL, Theme.RESOURCES


def at(seconds: float) -> int:
    """A time from the chunk's start in the source's encoding."""
    whole, hundredths = divmod(round((T0 + seconds) * 100), 100)
    return whole * 1000 + hundredths


def run(entries: list[Entry], *said: tuple[str, float], text: str | None = None) -> list[LegacyHit]:
    srt = [SrtToken(word, at(seconds)) for word, seconds in said]
    return legacy_hits(" ".join(word for word, _ in said) if text is None else text, srt, T0, entries)


@pytest.mark.parametrize(
    ("keyword", "text", "matches"),
    [
        pytest.param("bus", "propos abusifs des bus", True, id="1 boundary"),
        pytest.param("bus", "propos abusifs", False, id="1 boundary, no other"),
        pytest.param("bus", "il a bu", True, id="1 plural optional"),
        pytest.param("terre", "vers terre-neuve", False, id="2 hyphen on the right"),
        pytest.param("submersion", "vagues-submersion", True, id="3 hyphen on the left"),
        pytest.param("gaz à effet de serre", "gaz à effet  de serre", False, id="4 two spaces"),
        pytest.param("gaz à effet de serre", "les gaz à effets de serre", True, id="4 one space"),
        pytest.param("coraux", "un corail", False, id="5 only the last x"),
        pytest.param("d'eau", "d' eau", True, id="6 space after the apostrophe"),
        pytest.param("d'eau", "d' eaux", False, id="6 only an s is added"),
        pytest.param("journal", "journaux", False, id="7 no -al/-aux"),
        pytest.param("voiture électrique", "voitures électriques", True, id="both numbers"),
        pytest.param("voitures électriques", "voiture électrique", True, id="both numbers, other way"),
        pytest.param("voilà", "voilàs", False, id="final à unchanged"),
        pytest.param("eau potable", "de l'EAU POTABLE", True, id="case"),
        pytest.param("énergie", "energie", False, id="no accent folding"),
        pytest.param("gaz russe", "gaz <unk> russe", True, id="unknown words are cut before"),
    ],
)
def test_worked_examples_of_matching(keyword: str, text: str, matches: bool) -> None:
    assert bool(legacy_hits(text, [SrtToken(word, at(1)) for word in text.split()], T0, [Entry(keyword, CLIMATE)])) is matches


def test_example_8_first_word_first_hit() -> None:
    (hit,) = run([Entry("gaz russe", CLIMATE)], ("gaz", 4), ("et", 5), ("gaz", 100), ("russe", 100.4))
    assert (hit.timestamp, hit.window) == (at(4), 0)


def test_example_9_one_position_a_keyword() -> None:
    hits = run([Entry("climat", CLIMATE)], ("climat", 5), ("climat", 50), ("climat", 110))
    assert legacy_counts(hits).keywords == 1


@pytest.mark.parametrize(
    ("direct", "at_s", "indirect_at_s", "promoted"),
    [
        pytest.param(CLIMATE, 10, 35, True, id="10 windows 0 and 1"),
        pytest.param(CLIMATE, 10, 45, False, id="11 windows 0 and 2"),
        pytest.param(NATURE, 10, 12, False, id="12 other subject"),
    ],
)
def test_examples_10_to_12_promotion(direct: Theme, at_s: float, indirect_at_s: float, promoted: bool) -> None:
    entries = [Entry("alpha", direct), Entry("beta", CAUSES, hrfp=True)]
    alpha, beta = run(entries, ("alpha", at_s), ("beta", indirect_at_s))
    assert beta.hrfp is promoted
    assert beta.theme == ("changement_climatique_causes" if promoted else "changement_climatique_causes_indirectes")
    assert legacy_counts([alpha, beta]).themes[CAUSES] == promoted
    assert legacy_counts([alpha, beta]).themes_no_hrfp[CAUSES] == 0


def test_example_13_indirect_only_is_a_row_of_zeros() -> None:
    hits = run([Entry("beta", CAUSES, hrfp=True), Entry("gamma", CAUSES, hrfp=True)], ("beta", 10), ("gamma", 12))
    assert [hit.theme for hit in hits] == ["changement_climatique_causes_indirectes"] * 2
    counts = legacy_counts(hits)
    assert (counts.keywords, set(counts.subjects.values()), set(counts.themes.values())) == (0, {0}, {0})


def test_example_14_window_before_the_start() -> None:
    hits = run([Entry("alpha", CLIMATE), Entry("beta", CLIMATE)], ("alpha", -0.4), ("beta", 3))
    assert [hit.window for hit in hits] == [-1, 0]
    assert legacy_counts(hits).keywords == 2


def test_example_15_window_six_is_clamped() -> None:
    assert run([Entry("alpha", CLIMATE)], ("alpha", 120))[0].window == 5


def test_example_16_later_raises() -> None:
    with pytest.raises(Permanent, match=r"'alpha'.*7 windows after the start.*correct"):
        run([Entry("alpha", CLIMATE)], ("alpha", 140))


@pytest.mark.parametrize("longer_first", [False, True])
def test_example_17_longer_stays_whatever_its_theme_and_place(longer_first: bool) -> None:
    entries = [Entry("énergie", CAUSES), Entry("énergie solaire", SOLUTIONS)]
    hits = run(entries[::-1] if longer_first else entries, ("énergie", 10), ("solaire", 10.3))
    assert [hit.keyword for hit in hits] == ["énergie solaire"]


@pytest.mark.parametrize(("later", "kept"), [(10.99, 1), (11, 2), (12, 2)])
def test_a_part_of_the_longer_text_stays_a_second_away(later: float, kept: int) -> None:
    entries = [Entry("solaire", CAUSES), Entry("énergie solaire", SOLUTIONS)]
    assert len(run(entries, ("énergie", 10), ("solaire", later))) == kept


def test_example_18_same_keyword_in_two_themes() -> None:
    hits = run([Entry("eau", GOODS), Entry("eau", NATURE)], ("eau", 3))
    counts = legacy_counts(hits)
    assert (len(hits), counts.keywords, counts.themes[GOODS], counts.themes[NATURE]) == (2, 1, 1, 1)
    assert counts.subjects == {Subject.CLIMATE: 0, Subject.BIODIVERSITY: 1, Subject.RESOURCES: 1}


def test_chain_of_promotion_and_its_stop_at_a_gap() -> None:
    names = ["a0", "b1", "c2", "d3", "e4"]
    entries = [Entry(name, CLIMATE, hrfp=place > 0) for place, name in enumerate(names)]
    said = [(name, 20.0 * place + 5) for place, name in enumerate(names)]
    assert legacy_counts(run(entries, *said)).keywords == 5
    assert legacy_counts(run(entries, *said[:2], *said[3:])).keywords == 2


def test_promotion_follows_the_dictionary_order_not_time() -> None:
    far, near, direct = Entry("far", CLIMATE, hrfp=True), Entry("near", CLIMATE, hrfp=True), Entry("direct", CLIMATE)
    said = (("direct", 5.0), ("near", 25.0), ("far", 45.0))
    assert legacy_counts(run([direct, near, far], *said)).keywords == 3
    assert legacy_counts(run([direct, far, near], *said)).keywords == 2


def test_a_dropped_keyword_may_have_promoted_another() -> None:
    entries = [Entry("gaz", CLIMATE), Entry("gaz russe", GOODS), Entry("beta", CAUSES, hrfp=True)]
    hits = run(entries, ("gaz", 5), ("russe", 5.3), ("beta", 7))
    assert [(hit.keyword, hit.hrfp) for hit in hits] == [("gaz russe", False), ("beta", True)]


def test_two_long_ones_stay_beside_the_short_one() -> None:
    keywords = ["agriculture", "agriculture biologique", "agriculture industrielle"]
    said = (("agriculture", 3.0), ("industrielle", 3.4), ("ou", 4.0), ("agriculture", 4.2), ("biologique", 4.6))
    hits = run([Entry(keyword, CAUSES) for keyword in keywords], *said)
    assert [hit.keyword for hit in hits] == ["agriculture biologique", "agriculture industrielle"]


def test_no_token_matches_gives_time_zero() -> None:
    (hit,) = run([Entry("alpha", CLIMATE)], ("other", 4), text="alpha")
    assert (hit.timestamp, hit.window) == (0, -T0 * 1000 // 20_000)


def test_a_keyword_that_is_no_pattern_is_named() -> None:
    with pytest.raises(Permanent, match=r"'eau \(potable'.*leave it out"):
        run([Entry("eau (potable", CLIMATE)], ("eau", 4))


@pytest.mark.parametrize(
    ("start", "zone", "text"),
    [
        (datetime(2025, 3, 10, 5, 36, tzinfo=UTC), "Europe/Paris", "2025-03-10 05:36:00+00:00"),
        (datetime(2025, 3, 21, 8, 18, tzinfo=UTC), "Europe/Berlin", "2025-03-21 09:18:00+01:00"),
        (datetime(2025, 7, 21, 22, 22, 39, 240_000, tzinfo=UTC), "Europe/Berlin", "2025-07-22 00:22:39.240000+02:00"),
    ],
)
def test_legacy_id(start: datetime, zone: str, text: str) -> None:
    assert legacy_id(start, zone, "canal-un") == hashlib.sha256(f"{text}canal-un".encode()).hexdigest()


def test_counts_cover_every_subject_and_theme() -> None:
    counts: Any = legacy_counts([])
    assert set(counts.subjects) == set(Subject)
    assert set(counts.themes) == set(counts.themes_no_hrfp) == set(Theme)
