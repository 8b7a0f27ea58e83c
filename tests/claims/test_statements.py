"""Statements are read or refused with file, line, value and remedy; their version names their content."""

from collections import Counter
from pathlib import Path

import pytest

import climate_assets
from climate_assets.claims.records import Category
from climate_assets.claims.statements import Kind, Statement, statements_from_csv, statements_version
from climate_assets.failures import Permanent

SHIPPED = Path(climate_assets.__file__).parent / "reference" / "statements" / "french.csv"
HELD_OUT = Path(__file__).parent / "data" / "heldout_fr.csv"
HEADER = "text,category,challenged,kind\n"
TEXT = "il fait beau ce matin sur la côte"


def read(*rows: str) -> list[Statement]:
    return statements_from_csv(HEADER + "\n".join(rows), "some.csv")


@pytest.fixture(scope="module", params=[SHIPPED, HELD_OUT], ids=lambda path: path.name)
def statements(request: pytest.FixtureRequest) -> list[Statement]:
    return statements_from_csv(request.param.read_text(encoding="utf-8"), request.param.name)


def test_a_row_becomes_a_statement() -> None:
    assert read(f"{TEXT},1_its_not_happening,true,rebutted") == [
        Statement(TEXT, Category.NOT_HAPPENING, challenged=True, kind=Kind.REBUTTED)
    ]


def test_columns_may_come_in_any_order_after_a_byte_order_mark() -> None:
    text = f"\ufeffkind,challenged,text,category\n\nweather,no,  {TEXT} ,0_no_misinformation\n"
    assert statements_from_csv(text, "x") == [Statement(TEXT, Category.NONE, False, Kind.WEATHER)]


@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        ([f"{TEXT},9_none,false,other"], ["some.csv:2", "9_none", "choose one of"]),
        ([f"{TEXT},0_no_misinformation,false,bizarre"], ["some.csv:2", "bizarre", "choose one of"]),
        ([f"{TEXT},0_no_misinformation,perhaps,other"], ["some.csv:2", "perhaps", "true or false"]),
        ([f"{TEXT},0_no_misinformation,true,rebutted"], ["some.csv:2", "challenged", "which claim"]),
        ([f"{TEXT},1_its_not_happening,false,weather"], ["some.csv:2", "weather", "does not fit"]),
        ([f"{TEXT},1_its_not_happening,true,claim"], ["some.csv:2", "claim", "rebutted"]),
        ([f"{TEXT},1_its_not_happening,false,quoted"], ["some.csv:2", "quoted", "does not fit"]),
        ([f"{TEXT},0_no_misinformation,false,claim"], ["some.csv:2", "claim", "another kind"]),
        (["trop court,0_no_misinformation,false,other"], ["some.csv:2", "trop court", "2 words", "5 to 120"]),
        (["mot " * 121 + ",0_no_misinformation,false,other"], ["some.csv:2", "121 words"]),
        ([f"{TEXT},0_no_misinformation,false,other,more"], ["some.csv:2", "more cells", "commas"]),
        (
            [f"{TEXT},0_no_misinformation,false,other", "Il fait beau ce matin sur la cote,0_no_misinformation,false,joke"],
            ["some.csv:3", "since line 2", "keep one"],
        ),
        ([], ["some.csv", "no statement"]),
    ],
)
def test_what_cannot_be_a_statement_is_refused(rows: list[str], parts: list[str]) -> None:
    with pytest.raises(Permanent) as refused:
        read(*rows)
    assert all(part in str(refused.value) for part in parts), str(refused.value)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(Permanent, match=r"f\.csv:1: no column challenged"):
        statements_from_csv("text,category,kind\n", "f.csv")


def test_version_names_content_and_not_order() -> None:
    rows = [f"{TEXT},0_no_misinformation,false,other", "un autre propos sur le temps qui passe,8_others,false,claim"]
    version = statements_version(read(*rows))
    assert version == statements_version(read(*reversed(rows)))
    assert version == statements_version(read(rows[0].replace("other", "joke"), rows[1]))
    assert version != statements_version(read(rows[0]))
    assert version != statements_version(read(rows[0].replace("beau", "gris"), rows[1]))


def test_files_are_written_as_a_recogniser_writes(statements: list[Statement]) -> None:
    for statement in statements:
        words = statement.text.split()
        assert 12 <= len(words) <= 60, statement.text
        assert all(word.replace("'", "").replace("-", "").isalpha() for word in words), statement.text
        assert statement.text == statement.text.lower()
        assert all("'" not in word[:-1] for word in words), f"a space follows an apostrophe: {statement.text}"


def test_shipped_statements_are_many_and_balanced() -> None:
    shipped = statements_from_csv(SHIPPED.read_text(encoding="utf-8"), SHIPPED.name)
    counts = Counter(s.category for s in shipped)
    assert len(shipped) >= 700
    assert counts.pop(Category.NONE) >= 330
    assert len(counts) == 8
    assert min(counts.values()) >= 45
    assert sum(s.challenged for s in shipped) >= 80
    assert set(Kind) == {s.kind for s in shipped}


def test_held_out_statements_are_not_among_the_shipped_ones() -> None:
    shipped = statements_from_csv(SHIPPED.read_text(encoding="utf-8"), SHIPPED.name)
    held_out = statements_from_csv(HELD_OUT.read_text(encoding="utf-8"), HELD_OUT.name)
    assert len(held_out) >= 120

    def runs(statement: Statement) -> set[tuple[str, ...]]:
        words = statement.text.split()
        return set(zip(*(words[i:] for i in range(8)), strict=False))

    known = {run for statement in shipped for run in runs(statement)}
    assert [s.text for s in held_out if runs(s) & known] == []
