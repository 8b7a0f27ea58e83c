"""Dictionaries read from CSV: errors name line, value and remedy; the version follows the content alone."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from climate_assets.broadcast.dictionaries import Entry, dictionary_from_csv, dictionary_from_legacy_csv, dictionary_of
from climate_assets.broadcast.records import Theme
from climate_assets.failures import Permanent

HEADER = "keyword,theme,category,hrfp,rationale\n"
GOOD = HEADER + (
    "réchauffement climatique,changement_climatique_constat,general,false,said often\n"
    "éolienne,attenuation_climatique_solutions,energie,true,\n"
)
LEGACY_HEADER = "theme,category,keyword,high_risk_of_false_positive,crisis_climate,language\n"


def test_entries_are_read() -> None:
    dictionary = dictionary_from_csv(GOOD, "french", "french.csv")
    assert dictionary.language == "french"
    assert set(dictionary.entries) == {
        Entry("réchauffement climatique", Theme.CLIMATE_STATEMENT, "general", False, "said often"),
        Entry("éolienne", Theme.CLIMATE_MITIGATION, "energie", True, ""),
    }


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("eau,oceans,,false,", r"d\.csv:2: theme 'oceans' is unknown; choose one of changement_climatique_constat"),
        ("eau,ressources,,maybe,", r"d\.csv:2: hrfp 'maybe' is no flag; write true or false"),
        ("eau,ressources,,,", r"d\.csv:2: hrfp '' is no flag"),
        (",ressources,,false,", r"d\.csv:2: keyword '' has no Latin letter"),
        ("日本,ressources,,false,", r"d\.csv:2: keyword '日本' has no Latin letter"),
        ("?!,ressources,,false,", r"d\.csv:2: keyword '\?!' has no Latin letter"),
        (f"{'a' * 101},ressources,,false,", r"d\.csv:2: keyword .* has 101 characters; at most 100"),
        ("eau,ressources,,false,a,b,c", r"d\.csv:2: more cells than columns .*quote"),
        (
            "eau,ressources,,false,\nEAU,ressources,,true,",
            r"d\.csv:3: keyword 'EAU' is in theme ressources since line 2; keep one",
        ),
        ("", r"d\.csv: no entry"),
    ],
)
def test_errors_name_line_value_and_remedy(row: str, message: str) -> None:
    with pytest.raises(Permanent, match=message):
        dictionary_from_csv(HEADER + row + "\n", "french", "d.csv")


def test_missing_column_is_named() -> None:
    with pytest.raises(Permanent, match=r"d\.csv:1: no column hrfp, rationale; the header needs"):
        dictionary_from_csv("keyword,theme,category\neau,ressources,\n", "french", "d.csv")


def test_empty_text_has_no_columns() -> None:
    with pytest.raises(Permanent, match="no column keyword"):
        dictionary_from_csv("", "french", "d.csv")


def test_same_keyword_in_two_themes_is_allowed() -> None:
    text = HEADER + "eau,ressources,,false,\neau,biodiversite_causes,,true,\n"
    assert len(dictionary_from_csv(text, "french", "d.csv").entries) == 2


@settings(deadline=None)
@given(st.permutations(["keyword", "theme", "category", "hrfp", "rationale"]), st.randoms(), st.sampled_from(["", " ", "  "]))
def test_version_ignores_order_and_white_space(columns: list[str], chance: object, padding: str) -> None:
    rows = list(csv.DictReader(io.StringIO(GOOD)))
    chance.shuffle(rows)  # type: ignore[attr-defined]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(
        {name: f"{padding}{cell.replace(' ', ' ' + padding)}{padding}" for name, cell in row.items()} for row in rows
    )
    changed = "\ufeff" + text.getvalue() + "\r\n,,,,\r\n"
    assert dictionary_from_csv(changed, "french", "b").version == dictionary_from_csv(GOOD, "french", "a").version


@pytest.mark.parametrize(
    "changed",
    [
        GOOD.replace("éolienne", "éoliennes"),
        GOOD.replace("energie,true", "energie,false"),
        GOOD.replace("energie", "industrie"),
        GOOD.replace("attenuation", "adaptation"),
        GOOD + "eau,ressources,,false,\n",
    ],
)
def test_version_follows_content(changed: str) -> None:
    assert dictionary_from_csv(changed, "french", "b").version != dictionary_from_csv(GOOD, "french", "a").version


def test_version_follows_language_and_not_rationale() -> None:
    entry, explained = Entry("eau", Theme.RESOURCES), Entry("eau", Theme.RESOURCES, rationale="why")
    assert dictionary_of("french", [entry]).version == dictionary_of("french", [explained]).version
    assert dictionary_of("french", [entry]).version != dictionary_of("spanish", [entry]).version


def test_legacy_rows_of_one_language_paused_ones_left_out() -> None:
    text = LEGACY_HEADER + (
        "changement_climatique_causes_indirectes,Transport, Voiture ,True,1,french\n"
        "changement_climatique_constat,General,climat,,1,french\n"
        "changement_climatique_constat,General,#pause,False,1,french\n"
        "changement_climatique_constat,,climate,False,1,english\n"
        "nonsense,,not ours,perhaps,1,german\n"
    )
    assert set(dictionary_from_legacy_csv(text, "french", "l.csv").entries) == {
        Entry("voiture", Theme.CLIMATE_CAUSES, "Transport", True),
        Entry("climat", Theme.CLIMATE_STATEMENT, "General", False),
    }


def test_legacy_repeats_are_merged() -> None:
    text = LEGACY_HEADER + (
        "ressources_indirectes,Eau,eau,True,0,french\n"
        "ressources,General,Eau,False,0,french\n"
        "ressources,Eau,eau,False,0,french\n"
    )
    assert dictionary_from_legacy_csv(text, "french", "l.csv").entries == (Entry("eau", Theme.RESOURCES, "Eau;General", False),)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("oceans,,eau,False,0,french", r"l\.csv:2: theme 'oceans'"),
        ("ressources,,eau,perhaps,0,french", r"l\.csv:2: high_risk_of_false_positive 'perhaps'"),
        ("ressources,,eau,False,0,danish", r"no row of language 'french'"),
    ],
)
def test_legacy_errors(row: str, message: str) -> None:
    with pytest.raises(Permanent, match=message):
        dictionary_from_legacy_csv(LEGACY_HEADER + row + "\n", "french", "l.csv")
