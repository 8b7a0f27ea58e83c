"""The student's shelf: the champion of a language, or the student that is trained from the shipped statements to begin with."""

from datetime import UTC, datetime
from functools import cached_property

from dagster import ConfigurableResource, ResourceDependency

from climate_assets.claims.student import Student, student_from_bytes, train, version_of
from climate_assets.claims.student_training import RULES, SEED
from climate_assets.learning.promotions import RULE, appointment
from climate_assets.learning.records import ModelVersion, Outcome, Stage
from resources.reference import ReferenceFiles
from resources.registry import ModelRegistry
from resources.s3 import LAKE

KIND = "misinfo"


class StudentShelf(ConfigurableResource):  # type: ignore[type-arg]
    """Hands out the student in use for a language; where there is none yet, trains the first one and puts it in place."""

    registry: ResourceDependency[ModelRegistry]
    reference: ResourceDependency[ReferenceFiles]

    def for_language(self, language: str) -> Student | None:
        """The student in use for a language; none if no statements of it are shipped."""
        if not self.reference.has_statements(language):
            return None
        return student_from_bytes(self.registry.artefact(self.in_use(language)))

    def in_use(self, language: str) -> ModelVersion:
        """The registered model that `for_language` gives."""
        return self.registry.champion(KIND, language) or self._first(language)

    def _first(self, language: str) -> ModelVersion:
        """Train on the shipped statements, register, and put in place; somebody else may do the same at this moment."""
        student, now = self._base, datetime.now(UTC)
        first = ModelVersion(
            model_id=student.model,
            parent_id=None,
            task_kind=KIND,
            language=language,
            artefact_key=self.registry.keep("student", student.to_bytes(), ".npz"),
            round="",
            data_hash=student.trained_on,
            code_version=RULES,
            parameters="{}",
            seed=SEED,
            threshold=None,
            stage=Stage.CANDIDATE.value,
            reason="Trained on the shipped statements.",
            created_at=now,
        )
        self.registry.register(first)
        self.registry.decide(
            appointment(
                Outcome.PROMOTED,
                task_kind=KIND,
                language=language,
                champion_id=None,
                model_id=first.model_id,
                decided_by=RULE,
                why="The first model, trained on the shipped statements: there is no other.",
                decided_at=now,
            )
        )
        return self.registry.model(first.model_id)

    @cached_property
    def _base(self) -> Student:
        """The student of the shipped statements alone, trained once a lake."""
        statements = self.reference.statements("french")
        key = f"models/student/base-{version_of(statements)}.npz"
        lake = self.registry.lake
        if lake.exists(LAKE, key):
            return student_from_bytes(lake.get(LAKE, key))
        student = train(statements)
        lake.put(LAKE, key, student.to_bytes())
        return student
