"""A year of broadcasts from dump to keyword hits, projected from a measured month of 18 channels.

The way of the assets, on real servers with two worker processes: a day's dumps from S3, decoded and loaded channel by channel
as `mediatree_dumps` does, then the day's chunks read back, searched and their hits loaded as `keyword_chunks` does.
Making the dumps is not counted; starting the workers is. Dagster's own time (10 s a run, a month a run) is not in it.
"""

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any, Final, NamedTuple

from benchmarks.airwaves import CHUNKS_A_DAY, FIRST_DAY, LANGUAGE, dumps_of, stock, stock_files, synthetic_country
from benchmarks.servers import Memory, database, object_store, processor_seconds, watched
from climate_assets.broadcast import dumps
from climate_assets.broadcast.answers import items_of
from climate_assets.broadcast.keywords import Matcher
from climate_assets.broadcast.records import Chunk, KeywordHit
from climate_assets.broadcast.transcripts import decode_versions
from climate_assets.countries import Country
from resources.postgres import Barometre
from resources.reference import ReferenceFiles
from resources.s3 import DUMPS, Lake

DAYS: Final = 30
CHANNELS: Final = 18
WORKERS: Final = 2
YEAR: Final = CHANNELS * CHUNKS_A_DAY * 365
MINUTES: Final = 30.0
GIGABYTES: Final = 2.0
_VERSION: Final = "0" * 64


@dataclass(frozen=True)
class Place:
    """Where dumps come from, where rows go, how many channels there are; plain values, for they travel to the workers."""

    database_url: str
    channels: int
    endpoint_url: str
    access_key: str
    secret_key: str


@dataclass(frozen=True)
class Measured:
    """What loading the days took."""

    chunks: int
    hits: int
    seconds: float
    workers: float
    """Processor seconds of the workers."""
    postgres: float
    s3: float
    memory: Memory

    @property
    def processor(self) -> float:
        """Processor seconds of everybody."""
        return self.workers + self.postgres + self.s3


def measure(days: int = DAYS, channels: int = CHANNELS) -> list[dict[str, Any]]:
    """Minutes a year, and the memory of workers, PostgreSQL and S3 together at its highest, in GB."""
    found = _measured([FIRST_DAY + timedelta(days=n) for n in range(days)], channels)
    minutes = found.seconds / found.chunks * YEAR / 60
    idle = found.processor / WORKERS / found.chunks * YEAR / 60
    parts = ", ".join(f"{name} {size / 1e9:.2f}" for name, size in (found.memory.parts or {}).items())
    return [
        {
            "name": "broadcast.year_projection",
            "value": round(minutes, 1),
            "unit": "min",
            "baseline": (
                f"{YEAR:,} chunks, projected from {found.chunks:,} measured ({days} days, {found.hits:,} hits) in "
                f"{found.seconds:.0f} s; processor seconds: workers {found.workers:.0f}, PostgreSQL {found.postgres:.0f}, "
                f"S3 {found.s3:.0f}, which is {idle:.1f} min a year on {WORKERS} cores of its own"
            ),
            "target": f"<= {MINUTES:.0f}",
            "ok": minutes <= MINUTES,
        },
        {
            "name": "broadcast.year_peak_memory",
            "value": round(found.memory.peak / 1e9, 2),
            "unit": "GB",
            "baseline": f"all processes at once ({parts})",
            "target": f"<= {GIGABYTES:.0f}",
            "ok": found.memory.peak <= GIGABYTES * 1e9,
        },
    ]


def _measured(days: list[date], channels: int) -> Measured:
    with database() as (barometre, postgres_pid), object_store() as (store, s3_pid):
        place = Place(barometre.url, channels, **store)
        _fill(place, days)
        before = processor_seconds(postgres_pid), processor_seconds(s3_pid)
        with watched(PostgreSQL=postgres_pid, S3=s3_pid) as memory:
            began = perf_counter()
            with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
                done = list(pool.map(_load, repeat(place), days))
            seconds = perf_counter() - began
        chunks, hits, used = (sum(each) for each in zip(*done, strict=True))
        (stored,) = barometre.rows(
            "SELECT (SELECT count(*) FROM chunks) AS chunks, (SELECT count(*) FROM keyword_hits) AS hits"
        )
        expected = len(days) * channels * CHUNKS_A_DAY
        if stored != {"chunks": chunks, "hits": hits} or chunks != expected or not hits:
            raise RuntimeError(f"{expected} chunks were given, {chunks} with {hits} hits loaded, {stored} found in the tables")
        postgres, s3 = processor_seconds(postgres_pid) - before[0], processor_seconds(s3_pid) - before[1]
        return Measured(int(chunks), int(hits), seconds, used, postgres, s3, memory)


def _fill(place: Place, days: Iterable[date]) -> None:
    """Put the dumps of all channels and days into the object store."""
    _tools(place).lake.ensure_bucket(DUMPS)
    with TemporaryDirectory(prefix="bench-") as folder:
        files = stock_files(Path(folder), place.channels)
        tasks = [(place, file, names, day) for day in days for file, names in files]
        with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
            list(pool.map(_write_stock, [file for file, _ in files]))
            list(pool.map(_put, *zip(*tasks, strict=True)))


def _write_stock(file: Path) -> None:
    file.write_bytes(stock(file.stem))


def _put(place: Place, file: Path, channels: list[str], day: date) -> None:
    for channel, content in dumps_of(file.read_bytes(), channels, day).items():
        _tools(place).lake.put(DUMPS, _key(day, channel), content)


def _key(day: date, channel: str) -> str:
    return dumps.object_key("bench", day, channel, _VERSION)


class _Tools(NamedTuple):
    """What one process keeps from day to day."""

    lake: Lake
    barometre: Barometre
    country: Country
    matcher: Matcher


@cache
def _tools(place: Place) -> _Tools:
    return _Tools(
        Lake(endpoint_url=place.endpoint_url, access_key=place.access_key, secret_key=place.secret_key),
        Barometre(url=place.database_url),
        synthetic_country(place.channels),
        Matcher(ReferenceFiles().dictionary(LANGUAGE)),
    )


def _load(place: Place, day: date) -> tuple[int, int, float]:
    """Chunks, hits and processor seconds of one day."""
    began = process_time()
    lake, barometre, country, matcher = _tools(place)
    for channel in country.channels:
        items = items_of(dumps.from_parquet(lake.get(DUMPS, _key(day, channel.name))))
        decoded = decode_versions([(_VERSION, items)], country, channel, day)
        first, end = country.monitored(channel, day)
        monitored = [chunk for chunk in decoded.chunks if first <= chunk.start < end]
        barometre.replace(monitored, Chunk, country=country.code, day=day, channel=channel.name)
    said = barometre.read(Chunk, country=country.code, day=day)
    hits = matcher.hits_of(said)
    barometre.replace(hits, KeywordHit, country=country.code, day=day)
    return len(said), len(hits), process_time() - began


if __name__ == "__main__":
    for line in measure():
        print(line)
