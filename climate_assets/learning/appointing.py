"""A person's word on which model is in use: promote one that was refused, roll back to an earlier one, keep the champion.

One action, from the Dagster UI (job `models_put_in_place`) or from the command line, written down with name and reason like any
other decision. What a decision is, is `promotions.py`; where it is kept, the register.
"""

from datetime import UTC, datetime

import dagster as dg

from climate_assets.failures import Permanent
from climate_assets.learning.promotions import RULE, appointment
from climate_assets.learning.records import Outcome, Promotion
from resources.registry import ModelRegistry


class Word(dg.Config):
    """Who puts which model in place, and why."""

    model_id: str
    by: str
    why: str


def appoint(model_id: str, by: str, why: str, registry: ModelRegistry) -> Promotion:
    """Put a registered model in place: `rolled_back` if it was in use before, `promoted` if it never was.

    Raises `Permanent` for a model that is not registered, is in use already, or whose bytes are not what was registered.
    """
    if by.strip().casefold() == RULE:
        raise Permanent(f"{by!r} stands for what no person decided; give your name")
    model = registry.model(model_id)
    registry.artefact(model)
    champion = registry.champion(model.task_kind, model.language)
    if champion is None:
        raise Permanent(f"no {model.task_kind} model of {model.language} is in use yet; the first run puts one in place")
    earlier = [d for d in registry.decisions(model.task_kind, model.language) if d.outcome != Outcome.REFUSED]
    was_in_use = any(d.challenger_id == model_id for d in earlier)
    made = appointment(
        Outcome.ROLLED_BACK if was_in_use else Outcome.PROMOTED,
        task_kind=model.task_kind,
        language=model.language,
        champion_id=champion.model_id,
        model_id=model_id,
        decided_by=by,
        why=why,
        decided_at=datetime.now(UTC),
    )
    registry.decide(made)
    return made


@dg.op
def put_model_in_place(context: dg.OpExecutionContext, config: Word, registry: ModelRegistry) -> None:
    """Puts a model in place and says what that was."""
    made = appoint(config.model_id, config.by, config.why, registry)
    context.log.info(f"{made.outcome}: {made.challenger_id} instead of {made.champion_id}, by {made.decided_by}: {made.why}")


@dg.job(
    name="models_put_in_place", description="Put a registered model in place, or back: give its id, your name and a reason."
)
def put_in_place() -> None:
    """One decision by a person."""
    put_model_in_place()
