"""Loading the database: `Barometre` against a plain COPY of the same rows in the same batches into the same tables.

One country's day as the assets load it: chunks channel by channel, then the day's keyword hits. Both sides open a connection
and commit once a batch, and hand psycopg's `write_row` the same values, word times as text included, which is the quickest
way it has. Tables are emptied before each side; the order of the sides turns from round to round.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from itertools import cycle, groupby
from statistics import median
from time import perf_counter
from typing import Any, Final

import psycopg
from psycopg import sql

from benchmarks.airwaves import CHUNKS_A_DAY, FIRST_DAY, LANGUAGE, dump, stock, stock_channels, synthetic_country
from benchmarks.servers import database
from climate_assets.broadcast import dumps
from climate_assets.broadcast.answers import items_of
from climate_assets.broadcast.keywords import Matcher
from climate_assets.broadcast.records import Chunk, KeywordHit
from climate_assets.broadcast.transcripts import decode
from resources.postgres import Barometre, Change, table_of
from resources.reference import ReferenceFiles

TARGET: Final = 0.7
Batch = tuple[type, Sequence[Any], dict[str, Any]]
"""Record type, rows, the scope that they fill."""


def measure(channels: int = 18, chunks: int = CHUNKS_A_DAY, rounds: int = 7) -> list[dict[str, Any]]:
    """First load and merge, each as seconds of COPY over its own seconds, and the rows that a replay changes."""
    batches = list(_batches(channels, chunks))
    loaded, merged, replayed, bare = [], [], [], []
    with database() as (barometre, _):
        for number in range(rounds):
            sides = [_copy, _replace, _upsert]
            seconds = {side: _seconds(barometre, batches, side) for side in (sides if number % 2 else sides[::-1])}
            bare.append(seconds[_copy])
            loaded.append(seconds[_copy] / seconds[_replace])
            merged.append(seconds[_copy] / seconds[_upsert])
        _seconds(barometre, batches, _replace)
        began = perf_counter()
        change = sum((_replace(barometre, batch) for batch in batches), Change())
        replayed.append(bare[-1] / (perf_counter() - began))
    rows = {record: sum(len(r) for one, r, _ in batches if one is record) for record in (Chunk, KeywordHit)}
    if change.unchanged != sum(rows.values()):
        raise RuntimeError(f"a replay of {sum(rows.values())} rows found {change}; the measure would compare unlike things")
    copied = f"COPY of {rows[Chunk]:,} chunks and {rows[KeywordHit]:,} hits in {len(batches)} batches: {median(bare):.2f} s"
    replay = f"of {change.unchanged:,} rows, at {median(replayed):.2f} x the speed of COPY"
    return [
        _ratio("load_vs_copy", median(loaded), f"{copied}; the first load of a day"),
        _ratio("merge_vs_copy", median(merged), f"{copied}; the same rows merged"),
        {
            "name": "broadcast.replay_rows_changed",
            "value": change.changed,
            "unit": "rows",
            "baseline": replay,
            "target": "0",
            "ok": change.changed == 0,
        },
    ]


def _ratio(name: str, value: float, baseline: str) -> dict[str, Any]:
    return {
        "name": f"broadcast.{name}",
        "value": round(value, 3),
        "unit": "x",
        "baseline": baseline,
        "target": f">= {TARGET}",
        "ok": value >= TARGET,
    }


def _batches(channels: int, chunks: int) -> Iterator[Batch]:
    """The chunks of each channel and the hits of all, of one day."""
    country, said = synthetic_country(channels), list[Chunk]()
    stocks = [stock(source, chunks) for source in stock_channels()[:channels]]
    for channel, content in zip(country.channels, cycle(stocks), strict=False):
        file = dump(content, channel.name, FIRST_DAY)
        said += decode(items_of(dumps.from_parquet(file)), country, channel, FIRST_DAY, "0" * 64).chunks
    scope = {"country": country.code, "day": FIRST_DAY}
    for name, rows in groupby(said, key=lambda chunk: chunk.channel):
        yield Chunk, list(rows), {**scope, "channel": name}
    yield KeywordHit, Matcher(ReferenceFiles().dictionary(LANGUAGE)).hits_of(said), scope


def _seconds(barometre: Barometre, batches: list[Batch], load: Callable[[Barometre, Batch], Change]) -> float:
    """Seconds that one side takes to load all batches into empty tables."""
    with psycopg.connect(barometre.dsn, autocommit=True) as connection:
        for record in (Chunk, KeywordHit):
            connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(table_of(record).name)))
        connection.execute("CHECKPOINT")
    began = perf_counter()
    change = sum((load(barometre, batch) for batch in batches), Change())
    seconds = perf_counter() - began
    if change.inserted != sum(len(rows) for _, rows, _ in batches):
        raise RuntimeError(f"{load.__name__} loaded {change}; the measure would compare unlike things")
    return seconds


def _replace(barometre: Barometre, batch: Batch) -> Change:
    record, rows, scope = batch
    return barometre.replace(rows, record, **scope)


def _upsert(barometre: Barometre, batch: Batch) -> Change:
    record, rows, _ = batch
    return barometre.upsert(rows, record)


def _copy(barometre: Barometre, batch: Batch) -> Change:
    """What anybody would write by hand."""
    record, rows, _ = batch
    columns = [field.name for field in fields(record)]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table_of(record).name), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with psycopg.connect(barometre.dsn) as connection, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            values = [getattr(row, column) for column in columns]
            if record is Chunk:
                values[_WORD_TIMES] = "{" + ",".join(map(str, row.word_times)) + "}"
            copy.write_row(values)
    return Change(inserted=len(rows))


_WORD_TIMES: Final = [field.name for field in fields(Chunk)].index("word_times")
