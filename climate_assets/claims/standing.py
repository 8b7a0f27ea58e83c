"""Which of a chunk's verdicts stands: what people are asked about, and what decides whether it is heard again."""

from climate_assets.broadcast.records import CleanChunk
from climate_assets.claims.records import Verdict


def standing(verdicts: list[Verdict], clean: dict[str, CleanChunk]) -> list[Verdict]:
    """One verdict a chunk, on the text as it is now: an endpoint's before the student's, then the newest prompt."""
    best: dict[str, Verdict] = {}
    for verdict in sorted(verdicts, key=lambda v: (v.engine == "llm", v.prompt, v.model)):
        if verdict.chunk_id in clean and clean[verdict.chunk_id].text_sha256 == verdict.text_sha256:
            best[verdict.chunk_id] = verdict
    return list(best.values())
