"""One stored version of what the API said of a channel's day: its identity, its file, how it differs from another.

Belongs here: content hash, Parquet layout, object key, drift between two versions.
Does not belong here: fetching, object storage, the meaning of an item (`transcripts.py`).
"""

import hashlib
import io
import json
from collections.abc import Iterable
from datetime import UTC, date
from typing import Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from climate_assets.broadcast.answers import Item, items_of
from climate_assets.broadcast.records import Answer
from climate_assets.failures import Permanent

LAYOUT: Final = b"mediatree-answers/1"
"""Version of the Parquet layout, written into the schema's metadata under `layout`."""

_SCHEMA: Final = pa.schema(
    [
        pa.field("request", pa.string(), nullable=False),
        pa.field("fetched_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),
        pa.field("payload", pa.binary(), nullable=False),
    ],
    metadata={"layout": LAYOUT},
)
# A field that this list does not have (a relevance score, a new label) stays in the payload and makes no new version:
# such fields may differ on every call, and a replay would never come to rest.
_IDENTITY: Final = ("channel", "start", "plaintext", "srt")


def dump_version(answers: Iterable[Answer]) -> str:
    """SHA-256 over the distinct items of the answers: the same whatever their order, slicing or repetition."""
    digest = hashlib.sha256()
    for one in sorted({item_digest(item) for item in items_of(answers)}):
        digest.update(one)
    return digest.hexdigest()


def item_digest(item: Item) -> bytes:
    """SHA-256 of what an item says: its channel, start, plaintext and srt (the whole of it when it is no object)."""
    said = {name: item.get(name) for name in _IDENTITY} if isinstance(item, dict) else item
    try:
        text = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # lone surrogates and the like: what the lenient reader lets through
        text = json.dumps(said, sort_keys=True, separators=(",", ":")).encode("ascii")
    return hashlib.sha256(text).digest()


def object_key(country: str, day: date, channel: str, version: str) -> str:
    """Where a version lies in bucket `mediatree`."""
    return f"country={country}/day={day.isoformat()}/channel={channel}/{version[:16]}.parquet"


def to_parquet(answers: Iterable[Answer]) -> bytes:
    """The answers as a Parquet file (zstd); the same answers give the same bytes, whatever their order."""
    rows = sorted(answers, key=lambda a: (a.request, a.fetched_at, a.sha256))
    columns = {
        "request": [a.request for a in rows],
        "fetched_at": [a.fetched_at for a in rows],
        "sha256": [a.sha256 for a in rows],
        "payload": [a.payload for a in rows],
    }
    sink = io.BytesIO()
    table = pa.table(columns, schema=_SCHEMA)
    pq.write_table(table, sink, compression="zstd", use_dictionary=False, write_statistics=["request", "fetched_at"])
    return sink.getvalue()


def from_parquet(content: bytes) -> tuple[Answer, ...]:
    """The answers of a file, each checked against its hash; raises `Permanent` when the file is not what was stored."""
    try:
        table = pq.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError) as error:
        raise Permanent(f"dump of {len(content)} bytes is not a Parquet file ({error}); fetch the day again") from error
    layout = (table.schema.metadata or {}).get(b"layout")
    if layout != LAYOUT or table.schema.names != _SCHEMA.names:
        raise Permanent(f"dump has layout {layout!r} and columns {table.schema.names}; this code reads {LAYOUT!r}: migrate it")
    answers = tuple(
        Answer(row["request"], row["fetched_at"].astimezone(UTC), row["sha256"], row["payload"]) for row in table.to_pylist()
    )
    for answer in answers:
        found = hashlib.sha256(answer.payload).hexdigest()
        if found != answer.sha256:
            raise Permanent(f"payload of {answer.request} has hash {found}, stored as {answer.sha256}: restore or fetch again")
    return answers


def drift(old_items: Iterable[Item], new_items: Iterable[Item]) -> str:
    """What a later version says otherwise, as one sentence; empty when both say the same."""
    old, new = _by_start(old_items), _by_start(new_items)
    both = old.keys() & new.keys()
    changed = [start for start in both if old[start] != new[start]]
    texts = sum(_texts(old[start]) != _texts(new[start]) for start in changed)
    counts = {
        "added": len(new.keys() - old.keys()),
        "with changed text": texts,
        "with changed word times or labels only": len(changed) - texts,
        "gone": len(old.keys() - new.keys()),
    }
    return ", ".join(f"{n} chunk{'' if n == 1 else 's'} {what}" for what, n in counts.items() if n)


def _by_start(items: Iterable[Item]) -> dict[str, frozenset[tuple[bytes, str]]]:
    """What is said at each start: digest and text of every distinct item (several, where the API contradicts itself)."""
    said: dict[str, set[tuple[bytes, str]]] = {}
    for item in items:
        start, text = (item.get("start"), item.get("plaintext")) if isinstance(item, dict) else (item, "")
        said.setdefault(str(start), set()).add((item_digest(item), str(text)))
    return {start: frozenset(texts) for start, texts in said.items()}


def _texts(said: frozenset[tuple[bytes, str]]) -> set[str]:
    return {text for _, text in said}
