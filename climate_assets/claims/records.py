"""What one row of the claims stage is: a verdict, its state, a call to a model.

Only shapes and closed lists. How an answer becomes a verdict is `verdicts.py`; what the student knows is `student.py`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated


class Category(StrEnum):
    """What is claimed: CARDS super-claims 1-5 (Coan et al. 2021, doi 10.1038/s41598-021-01714-4) and three more in use."""

    NONE = "0_no_misinformation"
    NOT_HAPPENING = "1_its_not_happening"
    NOT_US = "2_humans_are_not_the_cause"
    NOT_BAD = "3_impacts_are_not_bad"
    SOLUTIONS_FAIL = "4_solutions_are_ineffective_or_harmful"
    SCIENCE_UNCERTAIN = "5_science_is_uncertain"
    ADVOCATES_BIASED = "6_advocates_are_biased"
    FOSSIL_NEEDED = "7_fossil_fuels_are_needed"
    OTHER = "8_others"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an engine answered about one text, before its quote is checked; both engines speak this."""

    score: Annotated[int, "0 (nothing) to 10 (certain misinformation that stands)."]
    category: Annotated[Category, "What is claimed."]
    quote: Annotated[str, "Words said to be in the text; empty only for category 0."]
    challenged: Annotated[bool, "Somebody in the text contradicts the claim."]
    rationale: Annotated[str, "Why, in one or two sentences."]


@dataclass(frozen=True, slots=True)
class Unusable:
    """An answer, or a quote, that cannot become a verdict: never a score."""

    reason: Annotated[str, "What is wrong with it, for a person."]
    permanent: Annotated[bool, "Asking again is not expected to help (a refusal); False: it may."]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one model, under one prompt, says of one chunk."""

    chunk_id: Annotated[str, "Chunk that is judged."]
    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day of the chunk."]
    channel: Annotated[str, "Channel of the chunk."]
    model: Annotated[str, "Model, with its version."]
    prompt: Annotated[str, "Version of the prompt; the student's is its training set."]
    engine: Annotated[str, "`llm` or `student`."]
    score: Annotated[int, "0 (nothing) to 10 (certain misinformation that stands)."]
    category: Annotated[str, "What is claimed."]
    quote: Annotated[str, "Verbatim words of the chunk; empty only for category 0."]
    quote_word: Annotated[int, "Index in the clean text of the quote's first word; -1 without a quote."]
    quote_words: Annotated[int, "Words the quote spans."]
    quote_seconds: Annotated[float | None, "When the quote starts, from the chunk's start."]
    challenged: Annotated[bool, "Somebody in the chunk contradicts the claim."]
    rationale: Annotated[str, "Why, in one or two sentences."]
    text_sha256: Annotated[str, "Hash of the clean text that was judged."]
    sampling: Annotated[
        str, "`student`: it was sure; `cascade`: sent on; `audit`: sent by the random slice; `only`: one engine."
    ]


@dataclass(frozen=True, slots=True)
class LlmCall:
    """One call to a paid model, written before it is made and completed after (a row of `llm_calls`)."""

    call_id: Annotated[str, "Random id."]
    chunk_id: Annotated[str, "Chunk that is judged."]
    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day of the chunk."]
    model: Annotated[str, "Model asked for."]
    prompt: Annotated[str, "Version of the prompt."]
    text_sha256: Annotated[str, "Hash of the text judged: with model and prompt, the key of the cache."]
    outcome: Annotated[str, "reserved, ok, unreadable, refused, timeout, rate_limited, unavailable, rejected or unknown."]
    reserved_cost: Annotated[float, "Upper bound set aside before the call, in the price table's currency."]
    cost: Annotated[float, "What it cost by the price table; the reservation stands until it is known."]
    prompt_tokens: Annotated[int, "Tokens in."]
    completion_tokens: Annotated[int, "Tokens out."]
    latency_seconds: Annotated[float, "How long the answer took."]
    answer: Annotated[str, "Raw answer, untouched; empty if none came."]
    called_at: Annotated[datetime, "When, UTC."]
