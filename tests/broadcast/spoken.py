"""Chunks, hits and advert intervals made from a few words, for tests of the keyword engine."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from climate_assets.broadcast.records import AdInterval, Chunk, Completeness, KeywordHit, Theme

DAY = date(2026, 11, 20)
START = datetime(2026, 11, 20, 18, 4, tzinfo=UTC)


def chunk(text: str, times: Sequence[int] | None = None, start: datetime = START, channel: str = "canal-un") -> Chunk:
    """A chunk of `text`; without times, its words are 10 s apart and the last ones share second 119."""
    words = text.split(" ") if text else []
    word_times = list(times) if times is not None else [min(1000 * place, 11_900) for place in range(len(words))]
    chunk_id = f"france/{channel}/{start:%Y-%m-%dT%H:%M:%SZ}"
    return Chunk(chunk_id, "france", DAY, channel, start, text, word_times, "asr", 0.0, 120.0, "v1")


def hit(
    of: Chunk, seconds: float, theme: Theme = Theme.CLIMATE_STATEMENT, counts: bool = True, keyword: str = "climat"
) -> KeywordHit:
    return KeywordHit(
        chunk_id=of.chunk_id,
        country=of.country,
        day=of.day,
        channel=of.channel,
        theme=theme.value,
        keyword=keyword,
        word=0,
        words=1,
        seconds=seconds,
        window=min(max(int(seconds // 20), 0), 5),
        subject=theme.subject.value,
        category="",
        hrfp=not counts,
        counts=counts,
        dictionary="d1",
    )


def interval(
    start_s: float, end_s: float, kind: str = "advert", vetoed: bool = False, channel: str = "canal-un", start: datetime = START
) -> AdInterval:
    begins, ends = start + timedelta(seconds=start_s), start + timedelta(seconds=end_s)
    return AdInterval(
        "france", DAY, channel, begins, ends, kind, "text-repeat", "p1", 1.0, 20, 2, 3, begins, [], vetoed, "m1"
    )  # fmt: skip


def completeness(captured: float = 3600.0, channel: str = "canal-un") -> Completeness:
    return Completeness("france", DAY, channel, 510, 30, 0, 61_200.0, captured, [], "")
