"""What one row of the labelling stage is: what a fact-checker is asked about one chunk.

Only shapes. How a task's JSON is made is `tasks.py`; what the screen looks like is `labelling_config.py`.
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated


@dataclass(frozen=True, slots=True)
class LabellingTask:
    """One question to a fact-checker: a chunk, why it was picked, and where the question lies (a row of `labelling_tasks`)."""

    chunk_id: Annotated[str, "Chunk that is asked about; one task a chunk, for ever."]
    country: Annotated[str, "Country code."]
    day: Annotated[date, "Day of the chunk."]
    channel: Annotated[str, "Channel of the chunk."]
    bucket: Annotated[str, "Bucket that holds the task's JSON, the record of truth."]
    object_key: Annotated[str, "Its key."]
    sha256: Annotated[str, "Hash of the JSON."]
    sampling: Annotated[str, "`score`: at or above the threshold; `audit`: random slice below it."]
    probability: Annotated[float, "Chance with which the chunk was picked; 1 for `score`."]
    priority: Annotated[float, "Order of usefulness, highest first."]
    model: Annotated[str, "Model whose verdict is the prediction."]
    prompt: Annotated[str, "Its prompt version."]
    guideline: Annotated[str, "Version of the guidelines and labelling configuration."]
    project_id: Annotated[int | None, "Label Studio project; none until delivered."]
    task_id: Annotated[int | None, "Label Studio task; none until delivered."]
    state: Annotated[str, "`pending` until Label Studio has it, then `ok`; `dead` if it refuses it."]
    reason: Annotated[str, "Why it is not delivered; empty when it is."]
