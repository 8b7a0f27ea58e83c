"""How fast the student judges whole chunks, on rehearsal chunks composed of the statements it ships with."""

import random
import time
from pathlib import Path
from statistics import median
from typing import Any

import climate_assets
from climate_assets.claims.statements import statements_from_csv
from climate_assets.claims.student import train
from climate_assets.claims.student_rehearsal import rehearsals

SEED = 20261121
STATEMENTS = Path(climate_assets.__file__).parent / "reference" / "statements" / "french.csv"


def measure() -> list[dict[str, Any]]:
    """Chunks a second on one core: the median of five rounds, in processor time."""
    statements = statements_from_csv(STATEMENTS.read_text(encoding="utf-8"), str(STATEMENTS))
    student = train(statements)
    composed = (rehearsal.text for rehearsal in rehearsals(statements, 1, random.Random(SEED)))
    chunks = [text for text in composed if len(text.split()) >= 350][:200]
    speeds = []
    for _ in range(5):
        before = time.process_time()
        for chunk in chunks:
            student.judge(chunk)
        speeds.append(len(chunks) / (time.process_time() - before))
    value = median(speeds)
    return [
        {
            "name": "claims.student_chunks_per_s",
            "value": round(value, 1),
            "unit": "chunks/s",
            "baseline": "one core, about 400 words a chunk",
            "target": 300.0,
            "ok": value >= 300.0,
        }
    ]
