"""The objects of a Label Studio export file: tasks with their answers, or answers with their task inside, told apart by shape.

Bytes in, objects out. What one answer says is `answers.py`; adding them to the table is `importing.py`.
"""

from collections.abc import Iterator
from typing import Any, Final

import orjson

from climate_assets.failures import Permanent
from climate_assets.labelling.answers import Reading, SetAside, answers_of_export, answers_of_task
from climate_assets.labelling.records import Annotation

MOST_BYTES: Final = 512 * 1024 * 1024
"""Of a file: 100,000 tasks with their answers have about 300 MB."""


def exported_objects(content: bytes, most_bytes: int = MOST_BYTES) -> list[Any]:
    """The objects of an export: a JSON list of them (both shapes), or one object (a file of the storage export).

    Raises `Permanent` for what is too large, no JSON, or neither of them.
    """
    if len(content) > most_bytes:
        raise Permanent(f"the file has {len(content):,} bytes, more than {most_bytes:,}; export it in parts")
    try:
        loaded = orjson.loads(content)
    except ValueError as error:
        raise Permanent(f"the file is no JSON ({str(error)[:100]}); export the project as JSON, not JSON-MIN or CSV") from None
    objects = loaded if isinstance(loaded, list) else [loaded]
    if not all(isinstance(one, dict) and ("annotations" in one or "result" in one) for one in objects):
        raise Permanent("the file holds something that is neither a task with annotations nor an annotation; export as JSON")
    return objects


def answers_in(exported: dict[str, Any], reading: Reading) -> Iterator[Annotation | SetAside]:
    """Every answer in one object of an export."""
    return answers_of_task(exported, reading) if "annotations" in exported else answers_of_export(exported, reading)
