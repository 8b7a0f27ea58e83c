"""A worse challenger is refused, a loss on one channel is enough, and every decision says why in a sentence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from climate_assets.failures import Permanent
from climate_assets.learning.comparison import Comparison, Loss, Policy, compared
from climate_assets.learning.intervals import Interval
from climate_assets.learning.metrics import Measure
from climate_assets.learning.promotions import appointment, promotion
from climate_assets.learning.records import Outcome, Promotion
from tests.learning.test_comparison import GOLD, answers, noisy

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
FOUND = Comparison(
    items=400,
    groups=300,
    measure="f1",
    champion=Measure(0.7),
    challenger=Measure(0.78),
    difference=Interval(0.03, 0.13, 0.95, 300),
    only_champion=12,
    only_challenger=40,
    p_value=0.0001,
    slices=[Loss("channel=canal-un", 40, "F1", 0.70, 0.66), Loss("channel=radio-deux", 50, "F1", 0.6, 0.8)],
    data_hash="d" * 64,
)
WORSE = Loss("channel=canal-un", 40, "F1", 0.70, 0.60)


def decided(found: Comparison, policy: Policy | None = None) -> Promotion:
    return promotion(
        found,
        policy or Policy(),
        task_kind="misinfo",
        language="french",
        champion_id="aaa",
        challenger_id="bbb",
        round_key="misinfo-french-000",
        decided_at=NOW,
    )


@pytest.mark.parametrize(
    ("found", "policy", "outcome", "says"),
    [
        (FOUND, Policy(), "promoted", "from 0.700 to 0.780 (+0.080, 95% interval +0.030 to +0.130"),
        (FOUND, Policy(least_gain=0.05), "refused", "does not show a gain above 0.05"),
        (FOUND, Policy(margin=0.03), "refused", "loses more than 0.03 on channel=canal-un: F1 0.700 to 0.660 on 40"),
        (replace(FOUND, slices=[WORSE]), Policy(), "refused", "0.600 on 40, although overall F1 goes from 0.700"),
        (replace(FOUND, slices=[WORSE] * 5), Policy(), "refused", "and 2 more"),
        (replace(FOUND, difference=Interval(0.0, 0.1, 0.95, 300)), Policy(), "refused", "does not show a gain above 0"),
        (replace(FOUND, challenger=Measure(0.6), difference=Interval(-0.2, -0.01, 0.95, 300)), Policy(), "refused", "-0.100"),
        (replace(FOUND, champion=Measure(None, "no case in gold")), Policy(), "refused", "cannot be compared, no case in gold"),
        (
            replace(FOUND, difference=Interval(None, None, 0.95, 1, "1 group")),
            Policy(),
            "refused",
            "cannot be compared, 1 group",
        ),
        (replace(FOUND, p_value=None), Policy(), "promoted", "no item told apart"),
        (replace(FOUND, measure="precision_at_recall"), Policy(recall=0.8), "promoted", "precision at 80% recall goes from"),
    ],
)
def test_the_rule(found: Comparison, policy: Policy, outcome: str, says: str) -> None:
    row = decided(found, policy)
    assert row.outcome == outcome
    assert says in row.why
    assert row.why.startswith(outcome.capitalize())
    assert row.why.endswith(".")
    assert bool(row.losses) == ("loses more than" in row.why and outcome == "refused")
    assert (row.decided_by, row.decided_at, row.items, row.groups) == ("rule", NOW, 400, 300)


def test_a_better_challenger_wins_and_a_worse_one_does_not() -> None:
    good, bad = answers(GOLD, noisy(GOLD, 0.05, 1)), answers(GOLD, noisy(GOLD, 0.3, 2))
    assert decided(compared(bad, good, Policy(rounds=400))).outcome == "promoted"
    row = decided(compared(good, bad, Policy(rounds=400)))
    assert row.outcome == "refused"
    assert row.losses
    assert decided(compared(good, good, Policy(rounds=400))).outcome == "refused"


def test_a_gain_elsewhere_does_not_pay_for_a_lost_channel() -> None:
    channels = ["canal-un"] * 160 + ["radio-deux"] * 80
    champion = answers(GOLD, [*noisy(GOLD[:160], 0.35, 1), *[0.9 if g else 0.1 for g in GOLD[160:]]], channels)
    challenger = answers(GOLD, [*[0.9 if g else 0.1 for g in GOLD[:160]], *noisy(GOLD[160:], 0.2, 2)], channels)
    found = compared(champion, challenger, Policy(rounds=400))
    assert found.difference.low > 0  # type: ignore[operator]
    row = decided(found)
    assert row.outcome == "refused"
    assert row.losses[0].startswith("channel=radio-deux: F1 1.000 to ")
    assert decided(compared(champion, challenger, Policy(rounds=400, support=1000))).outcome == "promoted"


def test_the_same_decision_twice_is_one_row() -> None:
    row, later = decided(FOUND), replace(FOUND)
    again = promotion(
        later,
        Policy(),
        task_kind="misinfo",
        language="french",
        champion_id="aaa",
        challenger_id="bbb",
        round_key="misinfo-french-000",
        decided_at=NOW + timedelta(1),
    )
    assert again.decision_id == row.decision_id
    assert decided(FOUND, Policy(margin=0.2)).decision_id != row.decision_id
    assert decided(replace(FOUND, data_hash="e" * 64)).decision_id != row.decision_id


def appointed(outcome: Outcome, champion: str | None, **changes: object) -> Promotion:
    given = {"decided_by": "lead", "why": "It flagged the weather forecast.", "decided_at": NOW, **changes}
    return appointment(outcome, task_kind="misinfo", language="french", champion_id=champion, model_id="old", **given)  # type: ignore[arg-type]


def test_a_person_puts_a_model_in_place_and_it_is_recorded() -> None:
    back = appointed(Outcome.ROLLED_BACK, "new")
    assert (back.outcome, back.challenger_id, back.champion_id, back.decided_by) == ("rolled_back", "old", "new", "lead")
    assert back.why == "It flagged the weather forecast."
    assert appointed(Outcome.ROLLED_BACK, "new", decided_at=NOW + timedelta(1)).decision_id != back.decision_id
    first = appointed(Outcome.PROMOTED, None)
    assert (first.outcome, first.champion_id) == ("promoted", None)
    assert appointed(Outcome.PROMOTED, None, decided_at=NOW + timedelta(1)).decision_id == first.decision_id


@pytest.mark.parametrize(
    ("outcome", "champion", "changes", "says"),
    [
        (Outcome.ROLLED_BACK, "new", {"why": " "}, "give both"),
        (Outcome.ROLLED_BACK, "new", {"decided_by": ""}, "give both"),
        (Outcome.ROLLED_BACK, "old", {}, "champion of misinfo in french already"),
        (Outcome.ROLLED_BACK, None, {}, "no champion yet"),
    ],
)
def test_a_word_without_sense_is_refused(outcome: Outcome, champion: str | None, changes: dict[str, str], says: str) -> None:
    with pytest.raises(Permanent, match=says):
        appointed(outcome, champion, **changes)
