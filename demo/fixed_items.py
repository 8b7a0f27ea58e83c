"""A broadcast source made of a fixed list of texts, each spread evenly over its two minutes.

Belongs here: rows of {channel_name, start, plaintext} as items of the subtitle API. Does not: serving them.
"""

import json
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

from climate_assets.broadcast.records import CHUNK_SECONDS
from climate_assets.failures import Permanent


class FixedItems:
    """The rows of a JSON list; a channel without rows is silent."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        """`start` is ISO 8601 with an offset; raises `Permanent` naming the row that is wrong."""
        self._items: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for number, row in enumerate(rows):
            try:
                start = datetime.fromisoformat(row["start"])
                text, channel = row["plaintext"], row["channel_name"]
            except (KeyError, TypeError, ValueError) as error:
                raise Permanent(
                    f"row {number}: {error!r}; a row is {{channel_name, start (ISO with offset), plaintext}}"
                ) from None
            if start.tzinfo is None or not isinstance(text, str) or not isinstance(channel, str):
                raise Permanent(
                    f"row {number}: `start` needs an offset such as +01:00, `plaintext` and `channel_name` are texts"
                )
            self._items[channel].append(_item(channel, start.timestamp(), text))

    @staticmethod
    def of_file(path: Path) -> "FixedItems":
        """The rows of a JSON file."""
        try:
            rows = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Permanent(f"{path}: cannot be read as JSON ({error}); give a list of rows") from error
        if not isinstance(rows, list):
            raise Permanent(f"{path}: holds a {type(rows).__name__}; give a list of rows")
        return FixedItems(rows)

    def items(self, channel: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """Items whose `start` lies in [start, end), in order."""
        rows = [row for row in self._items.get(channel, []) if start.timestamp() <= row["start"] < end.timestamp()]
        return sorted(rows, key=lambda row: float(row["start"]))


def _item(channel: str, start: float, text: str) -> dict[str, Any]:
    words = text.split()
    step = CHUNK_SECONDS * 100 // max(1, len(words))
    times = [round(start * 100) + number * step for number in range(len(words))]
    srt = [
        {"text": word, "cts_in_ms": at // 100 * 1000 + at % 100, "duration_ms": step // 100 * 1000 + step % 100}
        for word, at in zip(words, times, strict=True)
    ]
    whole = int(start) if start.is_integer() else start
    return {"channel": {"name": channel, "title": channel, "radio": False}, "start": whole, "plaintext": text, "srt": srt}
