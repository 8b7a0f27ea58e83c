"""A row of scores holds the reference's figures with intervals that contain them, and says why one is missing."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score

from climate_assets.failures import Permanent
from climate_assets.learning.records import Split
from climate_assets.learning.scores import HeldOut, Measured, scores_of

MEASURED = Measured("misinfo-french-000", "m1", "misinfo", Split.TEST, "misinfo", "chunk", 0.5, "random", seed=3, rounds=300)
CHANCE = np.random.default_rng(1)
GOLD = CHANCE.random(200) < 0.3
SCORES = np.clip(np.where(GOLD, 0.65, 0.35) + CHANCE.normal(0, 0.2, 200), 0, 1)


def chunk(n: int, gold: bool, probability: float, chance: float = 1.0) -> HeldOut:
    found, where = probability >= 0.5, f"channel={'canal-un' if n % 2 else 'radio-deux'}"
    cells = (int(gold and found), int(found and not gold), int(gold and not found), int(not gold and not found))
    return HeldOut(f"i{n:03d}", f"g{n // 2}", (where,), *cells, probability, chance)


ITEMS = [chunk(n, bool(g), float(p)) for n, (g, p) in enumerate(zip(GOLD, SCORES, strict=True))]


def test_every_slice_has_a_row_with_the_reference_s_figures() -> None:
    rows = scores_of(ITEMS[::-1], MEASURED)
    assert [r.slice for r in rows] == ["all", "channel=canal-un", "channel=radio-deux"]
    for row, part in zip(rows, (slice(None), slice(1, None, 2), slice(0, None, 2)), strict=True):
        gold, scores = GOLD[part], SCORES[part]
        said = scores >= 0.5
        assert row.precision == pytest.approx(precision_score(gold, said), abs=1e-9)
        assert row.recall == pytest.approx(recall_score(gold, said), abs=1e-9)
        assert row.f1 == pytest.approx(f1_score(gold, said), abs=1e-9)
        assert row.pr_auc == pytest.approx(average_precision_score(gold, scores), abs=1e-9)
        for name in ("precision", "recall", "f1", "pr_auc"):
            low, value, high = (getattr(row, f"{name}{end}") for end in ("_low", "", "_high"))
            assert low < value < high
        assert (row.support, row.items, row.groups, row.reason) == (gold.sum(), len(gold), 100, "")
        assert row.tp + row.fp + row.fn + row.tn == len(gold)  # type: ignore[operator]
    assert rows == scores_of(ITEMS, MEASURED)


def test_weighted_figures_speak_of_what_was_picked_from() -> None:
    items = [chunk(n, bool(g), float(p), 1.0 if p >= 0.5 else 0.1) for n, (g, p) in enumerate(zip(GOLD, SCORES, strict=True))]
    row = scores_of(items, replace(MEASURED, basis="weighted"))[0]
    weights = np.where(SCORES >= 0.5, 1.0, 10.0)
    assert row.recall == pytest.approx(recall_score(GOLD, SCORES >= 0.5, sample_weight=weights), abs=1e-9)
    assert row.pr_auc == pytest.approx(average_precision_score(GOLD, SCORES, sample_weight=weights), abs=1e-9)
    assert row.recall < scores_of(items, MEASURED)[0].recall  # type: ignore[operator]
    assert row.support == GOLD.sum()


def test_what_is_missing_says_why() -> None:
    row = scores_of([chunk(n, False, 0.1) for n in range(20)], MEASURED)[0]
    assert (row.precision, row.recall, row.f1, row.pr_auc, row.f1_low, row.recall_high) == (None,) * 6
    assert row.reason.startswith("precision: the model found nothing; recall: no case in gold")
    [alone] = scores_of([replace(chunk(1, True, 0.9), slices=())], MEASURED)
    assert (alone.precision, alone.precision_low) == (1.0, None)
    assert "precision: 1 group" in alone.reason


def test_one_case_leaves_f1_without_an_interval() -> None:
    # A third of the resamples hold no case; in those F1 is not 0 but undefined.
    row = scores_of([replace(chunk(2 * n, n == 0, 0.9), slices=()) for n in range(10)], MEASURED)[0]
    assert row.f1 == pytest.approx(2 / 11)
    assert (row.f1_low, row.recall_low) == (None, None)
    assert row.precision_low == 0.0
    assert "f1: not defined in" in row.reason


def test_spans_have_neither_true_negatives_nor_a_ranking() -> None:
    posts = [HeldOut(f"p{n}", f"p{n}", (), 2, n % 2, n % 3 == 0) for n in range(30)]
    [row] = scores_of(posts, replace(MEASURED, task_kind="ner", label="BRAND", match="exact", threshold=None))
    assert (row.tp, row.fp, row.fn, row.tn, row.support) == (60, 15, 10, None, 70)
    assert (row.pr_auc, row.reason) == (None, "pr_auc: no probabilities to rank by")


@pytest.mark.parametrize(
    ("items", "measured", "says"),
    [
        (ITEMS, replace(MEASURED, split=Split.TRAIN), "has learnt from"),
        ([*ITEMS, ITEMS[0]], MEASURED, "held out twice"),
        ([], MEASURED, "wait for gold"),
    ],
)
def test_what_would_flatter_is_refused(items: list[HeldOut], measured: Measured, says: str) -> None:
    with pytest.raises(Permanent, match=says):
        scores_of(items, measured)
    with pytest.raises(ValueError, match="no basis"):
        scores_of(items, replace(measured, basis="best"))
