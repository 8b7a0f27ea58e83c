"""The file of a training set: one row an example, Parquet with zstd; the same examples give the same bytes.

Belongs here: bytes and back. Does not belong here: which examples (`labelled.py`, `entity_examples.py`), where the file lies.
"""

import dataclasses
import io
import typing
from collections.abc import Iterable
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from climate_assets.failures import Permanent
from climate_assets.learning.records import TrainingExample

_TYPES: Final = {str: pa.string(), float: pa.float64(), list[str]: pa.list_(pa.string())}
_MOST_ROWS: Final = 2_000_000


def _schema() -> pa.Schema:
    hints = typing.get_type_hints(TrainingExample)
    return pa.schema([(field.name, _TYPES[hints[field.name]]) for field in dataclasses.fields(TrainingExample)])


def to_parquet(examples: Iterable[TrainingExample]) -> bytes:
    """The examples in order of their ids, whatever order they come in."""
    rows = sorted((dataclasses.asdict(example) for example in examples), key=lambda row: list(row.values()))
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, _schema()), buffer, compression="zstd")
    return buffer.getvalue()


def from_parquet(content: bytes) -> list[TrainingExample]:
    """The examples of `to_parquet`; raises `Permanent` for bytes that are no training set."""
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        if file.metadata.num_rows > _MOST_ROWS:
            raise ValueError(f"{file.metadata.num_rows} rows are more than {_MOST_ROWS}")
        if not file.schema_arrow.equals(_schema()):
            raise ValueError(f"its columns are {', '.join(file.schema_arrow.names)!r:.200}, or of other types")
        table = file.read()
        if any(column.null_count for column in (*table.columns, pc.list_flatten(table["marked"]))):
            raise ValueError("a value is missing")
        rows: list[dict[str, Any]] = table.to_pylist()
        return [TrainingExample(**row) for row in rows]
    except (pa.ArrowException, ValueError, OSError) as error:
        raise Permanent(f"{len(content)} bytes are no training set ({error}); make training_set of its round again") from error
