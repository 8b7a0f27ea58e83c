"""A person reads figures with what they stand on, and why one is missing."""

import pytest

from climate_assets.learning.metrics import Bin
from climate_assets.learning.missed import Estimate, Missed
from climate_assets.learning.records import Split
from climate_assets.learning.score_tables import calibration_rows, confusion_rows, missed_sentence, score_rows
from climate_assets.learning.scores import HeldOut, Measured, scores_of


def rows_of(label: str = "misinfo", match: str = "chunk") -> list:  # type: ignore[type-arg]
    items = [
        HeldOut("a", "g1", ("channel=canal-un",), 1, 0, 0, 0, 0.9),
        HeldOut("b", "g2", ("channel=canal-un",), 1, 0, 0, 0, 0.8),
        HeldOut("c", "g3", ("channel=radio-deux",), 0, 0, 0, 1, 0.1),
    ]
    return scores_of(items, Measured("r", "m", "misinfo", Split.TEST, label, match, None, "random", 1))


def test_all_comes_first_and_what_is_not_defined_is_a_dash() -> None:
    shown = score_rows([*rows_of("8_others"), *reversed(rows_of())])
    assert [(r["items"], r["label"]) for r in shown] == [
        ("all", "misinfo"),
        ("all", "8_others"),
        ("channel=canal-un", "misinfo"),
        ("channel=radio-deux", "misinfo"),
        ("channel=canal-un", "8_others"),
        ("channel=radio-deux", "8_others"),
    ]
    assert shown[0]["recall"] == "1.00 (1.00 to 1.00)"
    assert (shown[0]["cases"], shown[0]["of"], shown[0]["groups"]) == (2, 3, 3)
    assert [shown[3][name] for name in ("precision", "recall", "F1", "PR-AUC")] == ["–"] * 4


def test_a_figure_without_an_interval_stands_alone() -> None:
    one = HeldOut("a", "g1", (), 1, 1, 0, 0, 0.9)
    [shown] = score_rows(scores_of([one], Measured("r", "m", "misinfo", Split.TEST, "misinfo", "chunk", None, "random", 1)))
    assert shown["precision"].startswith("0.50")


def test_bands_with_something_in_them() -> None:
    bins = [Bin(0.0, 0.1, 0.0, None, None), Bin(0.1, 0.2, 21.5, 0.15, 0.5), Bin(0.2, 0.3, 1.0, 0.25, 0.0)]
    assert calibration_rows(bins) == [
        {"said": "0.1 to 0.2", "weight of chunks": 21.5, "mean said": 0.15, "share of cases": 0.5, "": "█" * 10},
        {"said": "0.2 to 0.3", "weight of chunks": 1.0, "mean said": 0.25, "share of cases": 0.0, "": ""},
    ]
    assert calibration_rows([]) == []


def test_the_heaviest_confusion_first() -> None:
    shown = confusion_rows({("a", "b"): 1.0, ("b", "a"): 20.0, ("a", "a"): 1.0})
    assert [(r["people say"], r["the model says"], r["weight of chunks"]) for r in shown] == [
        ("b", "a", 20.0),
        ("a", "a", 1.0),
        ("a", "b", 1.0),
    ]


UNKNOWN = Estimate(None, None, None, 0.95, "nobody was asked")


@pytest.mark.parametrize(
    ("cases", "recall", "sentence"),
    [
        (UNKNOWN, UNKNOWN, "not estimated: nobody was asked"),
        (
            Estimate(12.0, 3.4, 40.0, 0.95),
            Estimate(None, None, None, 0.95, "no case at all"),
            "12 cases were passed over (95% interval 3 to 40); recall is not estimated: no case at all",
        ),
        (
            Estimate(0.0, 0.0, 73.6, 0.9),
            Estimate(1.0, 0.5, 1.0, 0.9),
            "0 cases were passed over (90% interval 0 to 74): recall 1.00 (0.50 to 1.00)",
        ),
    ],
)
def test_what_nobody_saw_in_a_sentence(cases: Estimate, recall: Estimate, sentence: str) -> None:
    assert missed_sentence(Missed(cases, recall, 0.0, [])) == sentence
