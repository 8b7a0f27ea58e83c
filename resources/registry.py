"""The register of models: which there are, what each came from, and which one is in use.

Decisions are rows that are only added; the newest one that put a model in place says which is in use, so that moving the
pointer is one insert. Bytes lie in the lake under their hash. Belongs here: keeping and finding. Does not belong here: who wins
(`learning/promotions.py`), what a model is (`resources/student.py`, `resources/entities.py`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from dagster import ConfigurableResource, ResourceDependency

from climate_assets.failures import Permanent, Transient
from climate_assets.learning.records import ModelVersion, Outcome, Promotion, Stage
from resources.postgres import Barometre, Change
from resources.s3 import LAKE, Lake

_IN_PLACE: Final = (Outcome.PROMOTED.value, Outcome.ROLLED_BACK.value)


class ModelRegistry(ConfigurableResource):  # type: ignore[type-arg]
    """Models of each line (task kind and language), and their champion."""

    barometre: ResourceDependency[Barometre]
    lake: ResourceDependency[Lake]

    def decisions(self, task_kind: str, language: str) -> list[Promotion]:
        """Every decision of a line, oldest first."""
        order = ("decided_at", "decision_id")
        return self.barometre.read(Promotion, task_kind=task_kind, language=language, order_by=order)

    def champion(self, task_kind: str, language: str) -> ModelVersion | None:
        """The model in use; none before the first one is put in place."""
        moved = [d for d in self.decisions(task_kind, language) if d.outcome in _IN_PLACE]
        return self.model(moved[-1].challenger_id) if moved else None

    def model(self, model_id: str) -> ModelVersion:
        """A registered model; raises `Permanent` for any other."""
        known = self.barometre.read(ModelVersion, model_id=model_id)
        if not known:
            raise Permanent(f"no model {model_id!r:.100} is registered; `climate models list` shows those that are")
        return known[0]

    def models(self, task_kind: str, language: str) -> list[ModelVersion]:
        """Every model of a line, oldest first."""
        return self.barometre.read(ModelVersion, task_kind=task_kind, language=language, order_by=("created_at", "model_id"))

    def keep(self, folder: str, content: bytes, suffix: str = "") -> str:
        """Store a model's bytes under their hash; their key."""
        key = f"models/{folder}/{hashlib.sha256(content).hexdigest()}{suffix}"
        self.lake.put(LAKE, key, content)
        return key

    def artefact(self, model: ModelVersion) -> bytes:
        """The bytes of a model; raises `Permanent` if they are not those that were registered.

        A base model is installed and has no bytes of ours: there are none.
        """
        if not model.artefact_key:
            return b""
        content = self.lake.get(LAKE, model.artefact_key)
        if hashlib.sha256(content).hexdigest() not in model.artefact_key:
            raise Permanent(
                f"the bytes of {model.model_id} at {model.artefact_key} are not those that were registered; roll back to "
                "another model, and restore the object from a copy"
            )
        return content

    def register(self, model: ModelVersion) -> Change:
        """Add a model; one that is known stays as it is, whenever it was made again."""
        if self.barometre.read(ModelVersion, model_id=model.model_id):
            return Change(unchanged=1)
        return self.barometre.upsert([model], ModelVersion)

    def decide(self, made: Promotion) -> Change:
        """Write a decision down and show it at the models; the same decision again changes nothing.

        Raises `Transient` if another model was put in use since the decision was weighed: a comparison takes minutes, and must
        not overrule what a person said meanwhile.
        """
        with self.barometre.lock(f"champion of {made.task_kind} {made.language}"):
            change = Change()
            moved = [d.challenger_id for d in self.decisions(made.task_kind, made.language) if d.outcome in _IN_PLACE]
            now = moved[-1] if moved else None
            overtaken = made.outcome in _IN_PLACE and made.champion_id != now
            if self.barometre.read(Promotion, decision_id=made.decision_id):
                pass
            elif overtaken and made.champion_id is not None and made.challenger_id != now:
                raise Transient(f"{now} was put in use while {made.challenger_id} was weighed against {made.champion_id}")
            elif not overtaken:
                change += self.barometre.upsert([made], Promotion)
            return change + self._show(made.task_kind, made.language)

    def _show(self, task_kind: str, language: str) -> Change:
        """Stage and reason of each model as the decisions say."""
        decisions = self.decisions(task_kind, language)
        champion = next((d.challenger_id for d in reversed(decisions) if d.outcome in _IN_PLACE), None)
        shown = [_shown(model, decisions, champion) for model in self.models(task_kind, language)]
        return self.barometre.upsert(shown, ModelVersion)


def _shown(model: ModelVersion, decisions: Sequence[Promotion], champion: str | None) -> ModelVersion:
    about = [d for d in decisions if d.challenger_id == model.model_id]
    left = [d for d in decisions if d.champion_id == model.model_id and d.outcome in _IN_PLACE]
    if model.model_id == champion:
        return replace(model, stage=Stage.CHAMPION.value, reason=next(d.why for d in reversed(about) if d.outcome in _IN_PLACE))
    if any(d.outcome in _IN_PLACE for d in about) and left:
        return replace(model, stage=Stage.RETIRED.value, reason=f"{left[-1].challenger_id} took its place: {left[-1].why}")
    if about:
        return replace(model, stage=Stage.CANDIDATE.value, reason=about[-1].why)
    return model
