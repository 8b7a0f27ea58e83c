"""The student's shelf: trained once from the labelled statements, kept in the lake under its version, never pickled."""

from functools import cached_property

from dagster import ConfigurableResource, ResourceDependency

from climate_assets.claims.student import Student, student_from_bytes, train, version_of
from resources.reference import ReferenceFiles
from resources.s3 import LAKE, Lake


class StudentShelf(ConfigurableResource):  # type: ignore[type-arg]
    """Hands out the student for a language, training it when its version is not on the shelf."""

    lake: ResourceDependency[Lake]
    reference: ResourceDependency[ReferenceFiles]

    def for_language(self, language: str) -> Student | None:
        """The student that knows a language; none if no statements of it are shipped."""
        if not self.reference.has_statements(language):
            return None
        return self._french if language == "french" else None

    @cached_property
    def _french(self) -> Student:
        statements = self.reference.statements("french")
        key = f"models/student/{version_of(statements)}.npz"
        if self.lake.exists(LAKE, key):
            return student_from_bytes(self.lake.get(LAKE, key))
        student = train(statements)
        self.lake.put(LAKE, key, student.to_bytes())
        return student
