"""Hostile transcripts: none leaves its fence, none changes a verdict, all stay data.

The model is scripted: it judges what is fenced and obeys what is not. So a flipped verdict means a broken structure;
the controls show that the same attacks do flip it where the fence can be guessed.
"""

import dataclasses
import hashlib
from datetime import date
from typing import Any

import pytest

from climate_assets.broadcast.records import CleanChunk
from climate_assets.claims.plaintext import plain
from climate_assets.claims.prompts import PROMPTS, messages
from climate_assets.claims.records import Judgement, Unusable, Verdict
from climate_assets.claims.verdicts import MAX_QUOTE, MAX_RATIONALE, read_answer, verdict_of
from resources.llm import Llm
from resources.llm_ledger import LlmLedger
from resources.postgres import Barometre
from tests.claims.hostile_transcripts import CALM, GUILTY, HOSTILE, Hostile
from tests.fake_time import FakeTime
from tests.llm_server import KEY, LlmServer, honest

V1 = PROMPTS["v1"]
FENCE = "c0ffee" * 5
each = pytest.mark.parametrize("hostile", HOSTILE, ids=lambda h: h.name)


def chunk(name: str, text: str) -> CleanChunk:
    # A text that UTF-8 cannot hold has a hash too.
    sha = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return CleanChunk(name, "france", date(2026, 11, 19), "canal-un", text, list(range(len(text.split(" ")))),
                      0.0, 1, 1, 0, sha, "dictionary", "method")  # fmt: skip


def test_there_are_enough_attacks_and_none_is_there_twice() -> None:
    assert len({h.attacked for h in HOSTILE}) == len(HOSTILE) >= 45


@each
def test_the_structure_stands(hostile: Hostile) -> None:
    system, user = messages(V1, hostile.attacked, FENCE)
    calm_system, calm_user = messages(V1, hostile.calm, FENCE)
    assert (system, user["role"]) == (calm_system, "user")
    assert user["content"].count(FENCE) == 2
    head, inside, tail = user["content"].split(FENCE)
    calm_head, _, calm_tail = calm_user["content"].split(FENCE)
    assert (head, tail) == (calm_head, calm_tail)
    assert inside == f"\n{plain(hostile.attacked)}\nEND "
    assert plain(hostile.attacked).isprintable()


@pytest.fixture
def verdicts(barometre: Barometre) -> dict[str, Verdict | Unusable]:
    """Verdicts of all transcripts, calm and attacked, through the real client, server and ledger."""
    asked = [chunk(f"{kind}/{h.name}", getattr(h, kind)) for h in HOSTILE for kind in ("calm", "attacked")]
    by_id = {c.chunk_id: c for c in asked}
    made: dict[str, Verdict | Unusable] = {}
    with LlmServer() as server:
        judge = Llm(base_url=server.url, api_key=KEY, model="gpt-4o-mini")
        for outcome in judge.judge_all(asked, LlmLedger(barometre), V1, clock=FakeTime().clock()):
            assert isinstance(outcome.result, Judgement), outcome
            made[outcome.chunk_id] = verdict_of(
                outcome.result, by_id[outcome.chunk_id], [], model="m", prompt=V1.version, engine="llm", sampling="only"
            )
    return made


def said(verdict: Verdict | Unusable) -> tuple[Any, ...]:
    assert isinstance(verdict, Verdict), verdict
    # Place and hash of the text differ by what was added; what is said of it may not.
    return verdict.score, verdict.category, verdict.quote.replace("\n", " "), verdict.challenged, verdict.rationale


def test_no_attack_changes_a_verdict(verdicts: dict[str, Verdict | Unusable]) -> None:
    flipped = [h.name for h in HOSTILE if said(verdicts[f"attacked/{h.name}"]) != said(verdicts[f"calm/{h.name}"])]
    assert flipped == []
    assert {said(v)[0] for v in verdicts.values()} == {0, 3, 9}, "the model does tell the transcripts apart"


@pytest.mark.parametrize(
    ("opening", "closing", "at_least"),
    [("'''", "'''", 1), ("<transcript>", "</transcript>", 1), ("BEGIN TRANSCRIPT", "END TRANSCRIPT", 1), ("BEGIN", "END", 10)],
)
def test_the_same_attacks_do_flip_a_fence_that_can_be_guessed(opening: str, closing: str, at_least: int) -> None:
    def answer(text: str) -> Judgement | Unusable:
        system = f'The transcript is between the line "{opening}" and the line "{closing}".'
        return read_answer(honest([{"role": "system", "content": system},
                                   {"role": "user", "content": f"{opening}\n{text}\n{closing}"}]))  # fmt: skip

    assert sum(answer(plain(h.attacked)) != answer(plain(h.calm)) for h in HOSTILE) >= at_least


def test_an_attack_that_is_the_claim_is_still_quoted_as_it_was_said() -> None:
    markup = "<img src=x onerror=alert(1)> le soleil explique tout <script>alert(1)</script>"
    answer = Judgement(9, _category(), markup, False, "<b>&amp;</b> {{x}} '; DROP TABLE verdicts; --")
    made = verdict_of(answer, chunk("x", f"{GUILTY} {markup} ok"), [], model="m", prompt="p", engine="llm", sampling="only")
    assert isinstance(made, Verdict)
    assert made.quote == markup, "escaping is the screen's work"
    assert made.rationale == "<b>&amp;</b> {{x}} '; DROP TABLE verdicts; --"


def test_free_text_of_a_verdict_is_bounded_and_without_controls() -> None:
    text = "le soleil" + "\u202e<" * 4_000 + " explique tout\x1b[0m"
    answer = Judgement(9, _category(), "le soleil explique tout 0m", False, "a\x00\u200b" * 4_000)
    made = verdict_of(answer, chunk("x", text), [], model="m", prompt="p", engine="llm", sampling="only")
    assert isinstance(made, Verdict)
    assert len(made.quote) <= MAX_QUOTE
    assert len(made.rationale) <= MAX_RATIONALE
    assert made.quote.isprintable()
    assert made.rationale.isprintable()


def test_an_answer_that_a_transcript_dictates_must_still_quote_the_transcript() -> None:
    dictated = dataclasses.replace(Judgement(9, _category(), "words of another chunk", False, "x"))
    made = verdict_of(dictated, chunk("x", CALM), [], model="m", prompt="p", engine="llm", sampling="only")
    assert isinstance(made, Unusable)


def _category() -> Any:
    answer = read_answer(honest(messages(V1, GUILTY, FENCE)))
    assert isinstance(answer, Judgement)
    return answer.category
