"""Judging one country's day: who judges which chunk, what comes back, and where each chunk then stands.

The student judges alone where there is no endpoint; with one, it passes on what it is not sure about. Rules are in
`cascade.py` and `verdicts.py`; asking is `resources/llm.py`. Each batch is stored before the next one is asked.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from climate_assets.broadcast.records import Chunk, CleanChunk
from climate_assets.claims import cascade
from climate_assets.claims.cascade import Result, Unasked
from climate_assets.claims.prompts import Prompt
from climate_assets.claims.records import Judgement, Unusable, Verdict
from climate_assets.claims.student import Student
from climate_assets.claims.verdicts import verdict_of
from climate_assets.countries import Country
from climate_assets.failures import Permanent
from climate_assets.states import StageState, State
from resources.llm import Llm
from resources.llm_ledger import LlmLedger
from resources.postgres import Barometre, Change

# Share of true cases that the student may not keep from the model behind it (facts: a cheap stage at 99 % recall).
RECALL: Final = 0.99
_BATCH: Final = 100


@dataclass
class Judged:
    """What judging a day came to."""

    change: Change = field(default_factory=Change)
    states: Counter[str] = field(default_factory=Counter)
    scores: Counter[int] = field(default_factory=Counter)
    judged_now: int = 0
    calls: int = 0
    cost: float = 0.0
    stopped: Unasked | None = None


@dataclass(frozen=True)
class Bench:
    """Who can judge for one country: the student if it knows the language, the endpoint if there is one."""

    country: Country
    student: Student | None
    llm: Llm
    ledger: LlmLedger
    prompt: Prompt

    @property
    def llm_model(self) -> str:
        """Model that the endpoint is asked for."""
        return self.country.llm.model or self.llm.model

    def routes(self, chunks: Iterable[CleanChunk]) -> dict[str, list[CleanChunk]]:
        """Chunks by how they are sampled: `student`, `cascade`, `audit`, or `only` where there is one engine."""
        routed: dict[str, list[CleanChunk]] = {"student": [], "cascade": [], "audit": [], "only": []}
        known = list(chunks)
        if self.student is None or not self.llm.configured:
            return {**routed, "only": known}
        threshold = self.student.threshold(RECALL)
        for chunk, probability in zip(known, self.student.probabilities(c.text for c in known), strict=True):
            routed[cascade.route(chunk.chunk_id, probability, threshold, self.country.audit_share)].append(chunk)
        return routed

    def answers(self, sampling: str, chunks: Sequence[CleanChunk]) -> Iterator[tuple[CleanChunk, Result, str, str, str]]:
        """Chunk, result, model, prompt and engine of each answer, as they come in."""
        if self.student is not None and (sampling == "student" or not self.llm.configured):
            for chunk, said in zip(chunks, self.student.judge_all(c.text for c in chunks), strict=True):
                yield chunk, said, self.student.model, self.student.trained_on, "student"
        elif self.llm.configured:
            by_id = {chunk.chunk_id: chunk for chunk in chunks}
            for outcome in self.llm.judge_all(chunks, self.ledger, self.prompt, self.llm_model):
                yield by_id[outcome.chunk_id], outcome.result, self.llm_model, self.prompt.version, "llm"


def judge_day(bench: Bench, day: date, barometre: Barometre) -> Judged:
    """Judge every clean chunk of a country's day that has a climate hit and no standing verdict on this text."""
    code, judged = bench.country.code, Judged()
    calls_before, _ = _ledger_total(barometre, code, day)
    chunks = [c for c in barometre.read(CleanChunk, country=code, day=day) if c.climate_hits]
    before = {s.item_id: s for s in barometre.read(StageState, stage=cascade.STAGE, country=code, day=day)}
    times = {c.chunk_id: c.word_times for c in barometre.read(Chunk, country=code, day=day)}
    verdicts = {(v.chunk_id, v.model, v.prompt): v.text_sha256 for v in barometre.read(Verdict, country=code, day=day)}
    states = {c.chunk_id: before.get(c.chunk_id, _pending(c)) for c in chunks}
    if bench.student is None and not bench.llm.configured:
        reason = f"no engine judges {bench.country.language}: set LLM_BASE_URL, or ship labelled statements for it"
        states = {c.chunk_id: _state(c, State.SKIPPED, reason) for c in chunks}
        routed: dict[str, list[CleanChunk]] = {}
    else:
        routed = bench.routes(chunks)
    for sampling, members in routed.items():
        standing = _standing(bench, sampling, members, verdicts)
        # A run that was killed after a verdict and before its state left the verdict: that chunk is judged.
        states.update({c.chunk_id: _state(c, State.OK) for c in members if standing.get(c.chunk_id) == c.text_sha256})
        due = cascade.due(members, standing, before)
        for part in (due[i : i + _BATCH] for i in range(0, len(due), _BATCH)):
            if judged.stopped:
                break  # a spent budget or an outage is the same for the rest, which stays pending
            made, moved = _batch(bench, sampling, part, times, states, judged)
            judged.change += barometre.upsert(made, Verdict) + barometre.upsert(moved, StageState)
            states.update({s.item_id: s for s in moved})
    judged.change += barometre.replace(list(states.values()), StageState, stage=cascade.STAGE, country=code, day=day)
    judged.states.update(s.state for s in states.values())
    calls, judged.cost = _ledger_total(barometre, code, day)
    judged.calls = calls - calls_before
    if judged.stopped and judged.stopped.cause == "setup":
        raise Permanent(f"{code} {day} waits to be judged: {judged.stopped.reason}")
    return judged


def _ledger_total(barometre: Barometre, country: str, day: date) -> tuple[int, float]:
    """Calls made for the chunks of a country's day so far, and what they cost."""
    [row] = barometre.rows(
        "SELECT count(*) AS calls, coalesce(sum(cost), 0) AS cost FROM llm_calls WHERE country = %(c)s AND day = %(d)s",
        {"c": country, "d": day},
    )
    return row["calls"], row["cost"]


def _batch(
    bench: Bench,
    sampling: str,
    chunks: Sequence[CleanChunk],
    times: dict[str, list[int]],
    states: dict[str, StageState],
    judged: Judged,
) -> tuple[list[Verdict], list[StageState]]:
    verdicts, moved = [], []
    for chunk, answer, model, prompt, engine in bench.answers(sampling, chunks):
        result: Result = answer
        if isinstance(answer, Judgement):
            verdict = verdict_of(
                answer, chunk, times[chunk.chunk_id], model=model, prompt=prompt, engine=engine, sampling=sampling
            )
            if isinstance(verdict, Unusable):
                result = verdict
            else:
                verdicts.append(verdict)
                judged.scores[verdict.score] += 1
        if isinstance(result, Unasked):
            judged.stopped = result
        judged.judged_now += 1
        moved.append(cascade.state_after(chunk, states.get(chunk.chunk_id), result))
    return verdicts, moved


def _standing(
    bench: Bench, sampling: str, chunks: Sequence[CleanChunk], verdicts: dict[tuple[str, str, str], str]
) -> dict[str, str]:
    """Chunk id -> hash of the text that the verdict in use was made from, for the engine that this sampling asks."""
    if bench.student is not None and (sampling == "student" or not bench.llm.configured):
        made_by = (bench.student.model, bench.student.trained_on)
    else:
        made_by = (bench.llm_model, bench.prompt.version)
    found = {c.chunk_id: verdicts.get((c.chunk_id, *made_by)) for c in chunks}
    return {chunk_id: text for chunk_id, text in found.items() if text is not None}


def _state(chunk: CleanChunk, state: State, reason: str = "") -> StageState:
    return StageState(cascade.STAGE, chunk.chunk_id, chunk.country, chunk.day, state.value, reason, 0)


def _pending(chunk: CleanChunk) -> StageState:
    return _state(chunk, State.PENDING, "not judged yet")
