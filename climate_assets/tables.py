"""From a record to what Dagster shows of it: the columns tab, and what a write reports of each partition.

Metadata keys are Dagster's own where it has one; ours are plain words. Metadata stays small: counts, shares, a plot.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

import dagster as dg

from climate_assets import schema
from climate_assets.partitions import key_of
from resources.postgres import Change

_TYPE_NAMES: Final = {"datetime": "timestamptz", "str": "text", "float": "double", "int": "integer", "bool": "boolean"}


def columns_of(record: type) -> dict[str, Any]:
    """Definition metadata of an asset that fills a table, or a file, with records: columns, and the table's name."""
    table = schema.TABLE_OF.get(record)
    key = [c.name for c in table.primary_key.columns] if table is not None else []
    columns = [
        dg.TableColumn(
            name=f.name,
            type=_TYPE_NAMES.get(getattr(f.type, "__name__", ""), str(f.type)),
            description=f.description,
            constraints=dg.TableColumnConstraints(nullable=f.nullable, unique=[f.name] == key),
        )
        for f in schema.fields_of(record)
    ]
    told: dict[str, Any] = {"dagster/column_schema": dg.TableSchema(columns=columns)}
    return told if table is None else {**told, "dagster/table_name": f"barometre.public.{table.name}"}


def report(context: dg.AssetExecutionContext, country: str, day: date, change: Change, rows: int, **metadata: Any) -> None:
    """Say of one country and day what was written: its rows, and how many of them are new, different or gone.

    A run may make many partitions; each gets its own figures, so that a plot over days is a plot of days.
    """
    report_partition(context, str(key_of(country, day)), change, rows, **metadata)


def report_partition(context: dg.AssetExecutionContext, partition: str, change: Change, rows: int, **metadata: Any) -> None:
    """The same of any partition."""
    told = {
        "dagster/partition_row_count": rows,
        "rows_inserted": change.inserted,
        "rows_updated": change.updated,
        "rows_deleted": change.deleted,
        **{name: value for name, value in metadata.items() if value is not None},
    }
    context.add_asset_metadata(told, partition_key=partition)


def bars(values: Mapping[str, float], unit: str = "") -> dg.MarkdownMetadataValue:
    """A small bar chart in text, largest first, for the metadata panel."""
    top = max(values.values(), default=0.0)
    lines = ["| | | |", "|---|---|---|"]
    for name, value in sorted(values.items(), key=lambda item: -item[1])[:20]:
        width = round(24 * value / top) if top else 0
        lines.append(f"| {name.replace('|', '/')} | `{'█' * width or '·'}` | {value:,.6g} {unit} |")
    return dg.MetadataValue.md("\n".join(lines))


def table(rows: Iterable[Mapping[str, Any]]) -> dg.MarkdownMetadataValue:
    """Rows of the same names as a table in the metadata panel; texts are cut, and no markup in them is."""
    known = list(rows)
    if not known:
        return dg.MetadataValue.md("none")
    names = list(known[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(_cell(row[name]) for name in names) + " |" for row in known]
    return dg.MetadataValue.md("\n".join(lines))


def _cell(value: Any) -> str:
    text = "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
    return text.replace("|", "/").replace("\n", " ").replace("<", "&lt;")[:120]
