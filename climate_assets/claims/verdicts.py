"""How an answer becomes a judgement and a judgement becomes a verdict, or why it cannot.

An answer is hostile until read: one JSON object with exactly the fields asked for, whose parts agree, and whose quote
is in the text. Anything else is `Unusable` with a reason; it is never score 0 and never clean.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from climate_assets.broadcast.records import CleanChunk
from climate_assets.claims.plaintext import capped, plain
from climate_assets.claims.quotes import locate
from climate_assets.claims.records import Category, Judgement, Unusable, Verdict

MAX_ANSWER: Final = 20_000
"""Characters of a raw answer; one is about 600."""
MAX_QUOTE: Final = 2_000
MAX_RATIONALE: Final = 1_000
HIGHEST_WITHOUT_CLAIM: Final = 3
"""The prompt's rubric: from 4 on, something is claimed."""

_FIELDS: Final[dict[str, type]] = {"rationale": str, "quote": str, "category": str, "challenged": bool, "score": int}
_CODE_BLOCK: Final = re.compile(r"\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*", re.DOTALL)
# How models say no when they have no field to say it in; matched at the start of an answer only.
_REFUSAL: Final = re.compile(
    r"\s*(i['’]?m (very |really )?sorry|i am sorry|sorry,|i (can['’]?t|cannot|am unable to|won['’]?t)|"
    r"(je suis )?désolée?|je ne peux pas|as an ai)",
    re.IGNORECASE,
)


def read_answer(raw: str) -> Judgement | Unusable:
    """The judgement of a raw answer; `Unusable` for a refusal (permanent) and for anything not exactly as asked."""
    if len(raw) > MAX_ANSWER:
        return _unreadable(f"the answer has {len(raw)} characters, more than {MAX_ANSWER}")
    if not raw.strip():
        return _unreadable("the answer is empty")
    if _REFUSAL.match(raw):
        return Unusable(f"the model refused: {capped(raw, 200)}", permanent=True)
    block = _CODE_BLOCK.fullmatch(raw)
    try:
        value = json.loads(block[1] if block else raw, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return _unreadable(f"the answer is not one JSON object ({type(error).__name__}): {capped(raw, 120)}")
    return _judgement(value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a field is written twice")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _unreadable(reason: str) -> Unusable:
    return Unusable(reason, permanent=False)


def _judgement(value: Any) -> Judgement | Unusable:
    if not isinstance(value, dict):
        return _unreadable(f"the answer is a JSON {type(value).__name__}, not an object")
    if missing := [name for name in _FIELDS if name not in value]:
        return _unreadable(f"the answer lacks {', '.join(missing)}")
    if extra := [capped(name, 40) for name in value if name not in _FIELDS]:
        return _unreadable(f"the answer has fields nobody asked for: {', '.join(extra[:5])}")
    for name, kind in _FIELDS.items():
        # `type is`, since True is an int to Python and a score to nobody.
        if type(value[name]) is not kind:
            return _unreadable(f"{name} is {capped(repr(value[name]), 60)}, not {kind.__name__}")
    if not 0 <= value["score"] <= 10:
        return _unreadable(f"score is {capped(repr(value['score']), 30)}, outside 0..10")
    if value["category"] not in set(Category):
        return _unreadable(f"category {capped(value['category'], 60)!r} is not in the list")
    if len(value["quote"]) > MAX_QUOTE:
        return _unreadable(f"the quote has {len(value['quote'])} characters, more than {MAX_QUOTE}")
    return _consistent(
        Judgement(
            score=value["score"],
            category=Category(value["category"]),
            quote=plain(value["quote"]).strip(),
            challenged=value["challenged"],
            rationale=capped(value["rationale"], MAX_RATIONALE),
        )
    )


def _consistent(judgement: Judgement) -> Judgement | Unusable:
    if judgement.category is Category.NONE:
        if judgement.score > HIGHEST_WITHOUT_CLAIM:
            return _unreadable(f"the answer contradicts itself: score {judgement.score} and nothing claimed")
    elif judgement.score == 0:
        return _unreadable(f"the answer contradicts itself: score 0 and {judgement.category.value}")
    elif not judgement.quote:
        return _unreadable(f"the answer claims {judgement.category.value} and quotes nothing")
    return judgement


def quoted(judgement: Judgement, text: str) -> Judgement | Unusable:
    """The judgement, if its quote is in `text` or it has none; else `Unusable`: a quote nobody said proves nothing."""
    if not judgement.quote or locate(judgement.quote, text):
        return judgement
    return _unreadable(f"the quote is not in the text: {capped(judgement.quote, 120)!r}")


def verdict_of(
    judgement: Judgement,
    chunk: CleanChunk,
    word_times: Sequence[int],
    *,
    model: str,
    prompt: str,
    engine: str,
    sampling: str,
) -> Verdict | Unusable:
    """The verdict row of a judgement on a chunk, its quote in the chunk's own words; `Unusable` if nobody said it.

    `word_times` are those of the chunk before cutting (centiseconds, one a word); empty if the chunk has none.
    """
    place = locate(judgement.quote, chunk.text) if judgement.quote else None
    if judgement.quote and place is None:
        return _unreadable(f"the quote is not in the text: {capped(judgement.quote, 120)!r}")
    word, words = place or (-1, 0)
    return Verdict(
        chunk_id=chunk.chunk_id,
        country=chunk.country,
        day=chunk.day,
        channel=chunk.channel,
        model=model,
        prompt=prompt,
        engine=engine,
        score=judgement.score,
        category=judgement.category.value,
        quote=capped(" ".join(chunk.text.split(" ")[word : word + words]), MAX_QUOTE) if place else "",
        quote_word=word,
        quote_words=words,
        quote_seconds=_seconds(chunk, word_times, word),
        challenged=judgement.challenged,
        rationale=capped(judgement.rationale, MAX_RATIONALE),
        text_sha256=chunk.text_sha256,
        sampling=sampling,
    )


def _seconds(chunk: CleanChunk, word_times: Sequence[int], word: int) -> float | None:
    """When a word of the clean text is said; a chunk and its clean text that disagree are a bug, so that raises."""
    if word < 0 or not word_times:
        return None
    return word_times[chunk.kept_words[word]] / 100
