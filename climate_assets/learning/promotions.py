"""Who is in use: the rule that lets a challenger take the champion's place, a person's word, and the sentence why.

Belongs here: the decision as a row. Does not belong here: the comparison it rests on (`comparison.py`), moving the pointer.
A row says everything it was decided on, and has the same id when it is decided on the same again.
"""

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Final

import orjson

from climate_assets.failures import Permanent
from climate_assets.learning.comparison import Comparison, Policy
from climate_assets.learning.records import ModelVersion, Outcome, Promotion

RULE: Final = "rule"
_SHOWN: Final = 3


def promotion(
    found: Comparison,
    policy: Policy,
    *,
    task_kind: str,
    language: str,
    champion_id: str,
    challenger_id: str,
    round_key: str,
    decided_at: datetime,
) -> Promotion:
    """Whether the challenger takes the champion's place, with the sentence why.

    Promoted if the lower limit of the difference lies above `least_gain`, and no channel or label with enough support loses
    more than `margin`. A figure that is not defined is no reason to promote.
    """
    losses = [loss for loss in found.slices if loss.lost > policy.margin]
    gain = _gain(found)
    promoted = False
    if found.champion.value is None or found.challenger.value is None or found.difference.low is None:
        reason = found.champion.reason or found.challenger.reason or found.difference.reason
        why = f"Refused: {_named(found, policy)} cannot be compared, {reason}."
    elif losses:
        shown = "; ".join(map(str, losses[:_SHOWN])) + (f"; and {len(losses) - _SHOWN} more" if len(losses) > _SHOWN else "")
        why = f"Refused: it loses more than {policy.margin:g} on {shown}, although overall {_named(found, policy)} goes {gain}."
    elif found.difference.low <= policy.least_gain:
        why = f"Refused: {_named(found, policy)} goes {gain}, which does not show a gain above {policy.least_gain:g}."
    else:
        promoted = True
        why = f"Promoted: {_named(found, policy)} goes {gain}, and no channel or label loses more than {policy.margin:g}."
    made = Promotion(
        decision_id="",
        task_kind=task_kind,
        language=language,
        champion_id=champion_id,
        challenger_id=challenger_id,
        outcome=(Outcome.PROMOTED if promoted else Outcome.REFUSED).value,
        why=why,
        decided_by=RULE,
        measure=found.measure,
        champion_value=found.champion.value,
        challenger_value=found.challenger.value,
        difference=_difference(found),
        difference_low=found.difference.low,
        difference_high=found.difference.high,
        p_value=found.p_value,
        items=found.items,
        groups=found.groups,
        losses=[str(loss) for loss in losses],
        data_hash=found.data_hash,
        round=round_key,
        decided_at=decided_at,
    )
    return _with_id(made, repr(policy))


def appointment(
    outcome: Outcome,
    *,
    task_kind: str,
    language: str,
    champion_id: str | None,
    model_id: str,
    decided_by: str,
    why: str,
    decided_at: datetime,
) -> Promotion:
    """A decision without a comparison: the first model of all (`champion_id` None), or a person's word.

    `promoted` puts a model in place, a refused challenger too; `rolled_back` puts an earlier one back; `refused` keeps the
    champion. Raises `Permanent` without a reason or a name, if there is nothing to roll back from, or if the model is the
    champion already.
    """
    if not why.strip() or not decided_by.strip():
        raise Permanent("a model is put in place by somebody and for a reason; give both")
    if champion_id == model_id:
        raise Permanent(f"{model_id} is the champion of {task_kind} in {language} already; nothing to decide")
    if champion_id is None and outcome is not Outcome.PROMOTED:
        raise Permanent(f"{task_kind} in {language} has no champion yet; promote {model_id}, or leave it a candidate")
    made = Promotion(
        decision_id="",
        task_kind=task_kind,
        language=language,
        champion_id=champion_id,
        challenger_id=model_id,
        outcome=outcome.value,
        why=why.strip(),
        decided_by=decided_by.strip(),
        measure="",
        champion_value=None,
        challenger_value=None,
        difference=None,
        difference_low=None,
        difference_high=None,
        p_value=None,
        items=0,
        groups=0,
        losses=[],
        data_hash="",
        round="",
        decided_at=decided_at,
    )
    # The same word may be given twice, months apart; the first model is put in place once.
    return _with_id(made, decided_at.isoformat() if champion_id else "")


def nothing_learnt(champion: ModelVersion, round_key: str, *, decided_at: datetime) -> Promotion:
    """The decision that ends a round whose training gave the champion again: all labels that are new are held out."""
    first = appointment(
        Outcome.PROMOTED,
        task_kind=champion.task_kind,
        language=champion.language,
        champion_id=None,
        model_id=champion.model_id,
        decided_by=RULE,
        why="Refused: the training gives the champion again, since all labels that are new are held out.",
        decided_at=decided_at,
    )
    ended = replace(first, champion_id=champion.model_id, outcome=Outcome.REFUSED.value, round=round_key)
    return _with_id(ended, "")


def _difference(found: Comparison) -> float | None:
    if found.champion.value is None or found.challenger.value is None:
        return None
    return found.challenger.value - found.champion.value


def _named(found: Comparison, policy: Policy) -> str:
    names = {"f1": "F1", "pr_auc": "PR-AUC", "precision_at_recall": f"precision at {policy.recall:.0%} recall"}
    return names[found.measure]


def _gain(found: Comparison) -> str:
    """Figures of both, for a sentence."""
    difference = _difference(found)
    if difference is None or found.difference.low is None or found.difference.high is None:
        return "unmeasured"
    p = "no item told apart" if found.p_value is None else f"McNemar p = {found.p_value:.3g}"
    return (
        f"from {found.champion.value:.3f} to {found.challenger.value:.3f} "
        f"({difference:+.3f}, {found.difference.level:.0%} interval {found.difference.low:+.3f} to "
        f"{found.difference.high:+.3f}, {p}, {found.items} items in {found.groups} groups)"
    )


def _with_id(made: Promotion, rule: str) -> Promotion:
    """The row with its id: everything that was decided on, the rule included, and not when."""
    models = [made.task_kind, made.language, made.champion_id, made.challenger_id]
    content = [*models, made.outcome, made.why, made.decided_by, made.round, made.data_hash, rule]
    return replace(made, decision_id=hashlib.sha256(orjson.dumps(content)).hexdigest()[:24])
