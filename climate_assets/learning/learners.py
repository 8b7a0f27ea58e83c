"""Which way of learning a round is for: verdicts or entities."""

from dataclasses import dataclass
from typing import Final

from climate_assets.countries import Countries
from climate_assets.failures import Permanent
from climate_assets.learning.entity_learning import EntityLearning
from climate_assets.learning.label_reading import codes_of
from climate_assets.learning.lines import MISINFO, NER, Line, line_of
from climate_assets.learning.turning import Learning
from climate_assets.learning.verdict_learning import VerdictLearning
from resources.entities import BASES, Entities
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.registry import ModelRegistry
from resources.student import StudentShelf

_MISSING: Final = {
    MISINFO: "no labelled statements of it are shipped to begin from",
    NER: f"none of them reads posts, or no base model is known ({', '.join(sorted(BASES))})",
}


@dataclass(frozen=True)
class Learners:
    """All that learning reads from and writes to, whichever line it is for."""

    reference: ReferenceFiles
    barometre: Barometre
    registry: ModelRegistry
    shelf: StudentShelf
    entities: Entities

    def of(self, round_key: str) -> Learning:
        """How the line of a round learns; raises `Permanent` for a line that nothing learns for."""
        line, _ = line_of(round_key)
        countries = self.reference.countries()
        if line not in lines_of(countries, self.reference):
            raise Permanent(f"nothing learns for {line}: no country speaks {line.language}, or {_MISSING[line.task_kind]}")
        if line.task_kind == MISINFO:
            return VerdictLearning(line, countries, self.barometre, self.registry, self.shelf, self.reference)
        return EntityLearning(line, countries, self.barometre, self.registry, self.entities)


def lines_of(countries: Countries, reference: ReferenceFiles) -> list[Line]:
    """The lines of models there are: a language that is monitored, and something to begin from."""
    spoken = sorted({countries[country].language for country in countries.codes})
    verdicts = [Line(MISINFO, language) for language in spoken if reference.has_statements(language)]
    entities = [line for language in spoken if language in BASES and codes_of(line := Line(NER, language), countries)]
    return [*verdicts, *entities]
