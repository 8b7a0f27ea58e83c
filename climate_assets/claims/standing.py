"""Which of a chunk's verdicts stands, and from which score on it is a case for people: what depends on the model in use."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from climate_assets.broadcast.records import CleanChunk
from climate_assets.claims.records import Verdict


@dataclass(frozen=True, slots=True)
class InUse:
    """Models of the register that are or were in use; of a model that is not in it, nothing is known here."""

    order: Annotated[Mapping[str, int], "Place of a model among those that were put in use: the highest is the last."] = field(
        default_factory=dict
    )
    thresholds: Annotated[Mapping[str, int], "Score that a model was given on held-out labels."] = field(default_factory=dict)

    def standing(self, verdicts: Iterable[Verdict], clean: Mapping[str, CleanChunk]) -> list[Verdict]:
        """One verdict a chunk, on the text as it is now: an endpoint's before the student's, then the model last put in use.

        A model that was put back is the last one again. Among models that the register does not know the newest prompt wins.
        """
        best: dict[str, Verdict] = {}
        for verdict in sorted(verdicts, key=lambda v: (v.engine == "llm", self.order.get(v.model, -1), v.prompt, v.model)):
            if verdict.chunk_id in clean and clean[verdict.chunk_id].text_sha256 == verdict.text_sha256:
                best[verdict.chunk_id] = verdict
        return list(best.values())

    def threshold(self, verdict: Verdict, country: int) -> int:
        """Score from which on people are asked: the model's own, chosen for a stated recall, else the country's."""
        return self.thresholds.get(verdict.model, country)

    def flagged(self, verdict: Verdict, country: int) -> bool:
        """Whether people are asked about the chunk whatever the random slice picks."""
        return verdict.score >= self.threshold(verdict, country)
