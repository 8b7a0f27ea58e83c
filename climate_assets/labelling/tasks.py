"""The JSON of one labelling task: what a fact-checker is shown, and the model's verdict as a prediction beside it.

The JSON in the country's bucket is the record of truth; Label Studio gets the same bytes' content. Which chunks become
tasks is `queue.py`; which of them are sent is `deliveries.py`. Every text that comes from outside passes `shown`.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from climate_assets.broadcast.records import CHUNK_SECONDS, Chunk, CleanChunk, ProgrammeLabel
from climate_assets.claims.records import Category, Verdict
from climate_assets.countries import Channel, Country
from climate_assets.failures import Permanent
from climate_assets.labelling.heard import SECONDS_BEFORE_QUOTE, SILENT, Speech, heard_item, quote_region
from climate_assets.labelling.labelling_config import (
    CATEGORIES,
    CATEGORY,
    DIALOGUE,
    HEARD,
    SOURCE_TEXT,
    SPANS,
    SUGGESTED,
)
from climate_assets.labelling.queue import Picked
from climate_assets.labelling.shown import shown

PLAYER: Final = "https://keywords.mediatree.fr/player/"
BARRIER: Final = -1
_CHUNK_ID: Final = re.compile(r"[\w-]+/[\w-]+/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z", re.ASCII)
_SLUG: Final = re.compile(r"[A-Za-z0-9-]+", re.ASCII)


def task_json(
    verdict: Verdict,
    chunk: Chunk,
    clean: CleanChunk,
    programme: ProgrammeLabel | None,
    country: Country,
    channel: Channel,
    picked: Picked,
    legacy_id: str,
    guideline: str,
    speech: Speech = SILENT,
) -> dict[str, Any]:
    """One task with its prediction, as Label Studio imports it; `data.item.id` is the chunk id, `data.sound` its sound."""
    _require_same_chunk(verdict, chunk, clean, picked)
    local = chunk.start.astimezone(country.tz)
    item = {
        **_legacy_item(verdict, chunk, programme, channel, local),
        **heard_item(speech, verdict),
        "legacy_id": legacy_id,
        "start_local": f"{local:%Y-%m-%d %H:%M} ({country.zone})",
        "quote": " … ".join(text for _, _, text in quote_spans(verdict, chunk, clean)),
        "category": verdict.category,
        "category_label": _category_label(verdict.category),
        "challenged": verdict.challenged,
        "challenged_label": "somebody challenges it" if verdict.challenged else "nobody challenges it",
        "engine": verdict.engine,
        "sampling": picked.sampling,
        "probability": picked.probability,
        "priority": picked.priority,
        "dictionary": clean.dictionary,
        "method": clean.method,
        "dump_version": chunk.dump_version,
        "text_sha256": verdict.text_sha256,
        "guideline": guideline,
    }
    # Beside `item`, what the data manager's columns show and sort by.
    columns = {"channel": channel.title, "aired": local.strftime("%Y-%m-%d %H:%M"), "priority": round(picked.priority, 4)}
    # The player knows fields beside `item` only.
    data = {"item": item, "sound": item["media"], **columns}
    return {"data": data, "annotations": [], "predictions": [_prediction(verdict, chunk, clean, item)]}


def canonical_bytes(task: dict[str, Any]) -> bytes:
    """The task as UTF-8 JSON, the same bytes for the same task."""
    return json.dumps(task, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def object_key(country: str, day: date, channel: str, chunk_id: str) -> str:
    """Key of a task's JSON in the country's bucket."""
    if not _CHUNK_ID.fullmatch(chunk_id) or not chunk_id.startswith(f"{country}/{channel}/"):
        raise Permanent(f"chunk id {chunk_id!r} is not {country}/{channel}/<start in UTC>; make the chunk again from its dump")
    start = chunk_id.rsplit("/", 1)[1].replace(":", "").replace("-", "")
    return f"country={country}/day={day.isoformat()}/channel={channel}/{start}.json"


def quote_spans(verdict: Verdict, chunk: Chunk, clean: CleanChunk) -> list[tuple[int, int, str]]:
    """Start, end (exclusive, in characters of the text shown) and text of the quote; one span each side of a cut advert."""
    if verdict.quote_word < 0:
        return []
    kept = clean.kept_words[verdict.quote_word : verdict.quote_word + verdict.quote_words]
    words = [shown(word) for word in chunk.text.split(" ")]
    if len(kept) < verdict.quote_words or max(kept, default=0) >= len(words):
        raise Permanent(
            f"quote of {verdict.chunk_id}, words {verdict.quote_word}+{verdict.quote_words}, is outside its text; judge it"
        )
    starts = _starts(words)
    return [(starts[first], starts[last] + len(words[last]), " ".join(words[first : last + 1])) for first, last in _runs(kept)]


def player_url(channel: Channel, day: date, start: datetime, seconds: float | None) -> str:
    """Where a person listens to the chunk, from 5 s before `seconds`; host, path and parts are checked."""
    name = channel.name_at("player", day)
    if not _SLUG.fullmatch(name):
        raise Permanent(f"channel {name!r} cannot stand in the player's address; use letters, digits and hyphens")
    first = int(start.timestamp())
    position = first + max(0, int(seconds or 0) - SECONDS_BEFORE_QUOTE)
    query = {"fifo": name, "start_cts": first, "end_cts": first + CHUNK_SECONDS, "position_cts": position}
    return f"{PLAYER}?{urlencode(query)}"


def _legacy_item(
    verdict: Verdict, chunk: Chunk, programme: ProgrammeLabel | None, channel: Channel, local: datetime
) -> dict[str, Any]:
    """The fields that a legacy task has, under their names and with their meaning."""
    return {
        "id": chunk.chunk_id,
        "plaintext": " ".join(shown(word) for word in chunk.text.split(" ")),
        "start": chunk.start.isoformat().replace("+00:00", "Z"),
        "channel": chunk.channel,
        "channel_name": chunk.channel,
        "channel_title": shown(channel.title),
        "channel_program": shown(programme.programme) if programme else "",
        "channel_program_type": shown(programme.programme_type) if programme else "",
        "model_name": shown(verdict.model),
        "prompt_version": shown(verdict.prompt),
        "pipeline_version": shown(f"{verdict.model}/{verdict.prompt}"),
        "model_result": verdict.score,
        "model_reason": shown(verdict.rationale),
        "year": local.year,
        "month": local.month,
        "day": local.day,
        "country": chunk.country,
        "url_mediatree": player_url(channel, chunk.day, chunk.start, verdict.quote_seconds),
    }


def _prediction(verdict: Verdict, chunk: Chunk, clean: CleanChunk, item: dict[str, Any]) -> dict[str, Any]:
    regions = [
        _result(verdict, f"quote-{number}", SPANS, "labels", {"start": start, "end": end, "text": text, "labels": [SUGGESTED]})
        for number, (start, end, text) in enumerate(quote_spans(verdict, chunk, clean))
    ]
    if place := quote_region(item):
        value = {**place, "paragraphlabels": [SUGGESTED]}
        regions.append(_result(verdict, "quote-heard", HEARD, "paragraphlabels", value, DIALOGUE))
    category = (
        [_result(verdict, "category", CATEGORY, "choices", {"choices": [verdict.category]})]
        if verdict.category != Category.NONE
        else []
    )
    return {
        "model_version": shown(f"{verdict.model}/{verdict.prompt}"),
        "score": verdict.score / 10,
        "result": [*regions, *category],
    }


def _result(verdict: Verdict, part: str, field: str, kind: str, value: dict[str, Any], of: str = SOURCE_TEXT) -> dict[str, Any]:
    identity = hashlib.sha256(f"{verdict.chunk_id}|{verdict.model}|{verdict.prompt}|{part}".encode()).hexdigest()[:10]
    return {"id": identity, "from_name": field, "to_name": of, "type": kind, "value": value}


def _category_label(category: str) -> str:
    if category == Category.NONE:
        return "no misinformation"
    return CATEGORIES[Category(category)][0]


def _starts(words: Sequence[str]) -> list[int]:
    """Offset of each word in the words joined by one space."""
    offsets, position = [], 0
    for word in words:
        offsets.append(position)
        position += len(word) + 1
    return offsets


def _runs(kept: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each stretch of consecutive words; a barrier or a jump ends one."""
    first = last = BARRIER
    for word in kept:
        if word == BARRIER or (first != BARRIER and word != last + 1):
            if first != BARRIER:
                yield first, last
            first = BARRIER
        if word != BARRIER:
            first, last = (word if first == BARRIER else first), word
    if first != BARRIER:
        yield first, last


def _require_same_chunk(verdict: Verdict, chunk: Chunk, clean: CleanChunk, picked: Picked) -> None:
    ids = {verdict.chunk_id, chunk.chunk_id, clean.chunk_id, picked.chunk_id}
    if len(ids) > 1:
        raise Permanent(f"a task was asked from parts of different chunks: {', '.join(sorted(ids))}")
    if verdict.text_sha256 != clean.text_sha256:
        raise Permanent(f"the verdict on {verdict.chunk_id} is about another text than its clean chunk; judge the chunk again")
    if chunk.start.utcoffset() != timedelta(0):
        raise Permanent(f"chunk {chunk.chunk_id} starts at {chunk.start.isoformat()}, which is not UTC")
