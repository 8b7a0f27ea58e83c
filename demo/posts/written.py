"""The written posts as lines of a source and as gold: `posts.txt` is what is reviewed, everything else is derived from it.

`python -m demo.posts.written FOLDER` writes `posts.jsonl` (what a source gives: id, author, published_at, lang, text, url) and
`gold.jsonl` (post_id, lang, spans) there; neither is committed. A post's id is a hash of its language and text, so that a post
added or moved leaves the others, and their side of the split, where they are. Authors and times are made from its place.
Belongs here: the markup. Does not belong here: what a span or a line is (`climate_assets/posts`).
"""

import hashlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

import orjson

from climate_assets.failures import Permanent
from climate_assets.posts.records import GoldPost
from climate_assets.posts.spans import Span, trimmed
from climate_assets.posts.vocabulary import Label

TEXT: Final = Path(__file__).with_name("posts.txt")
SOURCE: Final = "ecume"
"""The fictional service that the posts are from."""
CODES: Final = {
    "person": Label.PERSON,
    "org": Label.ORGANISATION,
    "show": Label.CHANNEL,
    "place": Label.PLACE,
    "law": Label.LAW,
    "energy": Label.ENERGY,
    "fig": Label.FIGURE,
    "study": Label.STUDY,
    "brand": Label.BRAND,
}
AUTHORS: Final = ("lou_des_dunes", "marcel47", "vent_debout", "nina.k", "le_grincheux", "fanch29", "prof_t", "sab_verte")
FIRST: Final = datetime(2026, 10, 1, 6, 4, tzinfo=UTC)
APART: Final = timedelta(hours=4, minutes=37)
_MORNING: Final = time(6, 4, tzinfo=UTC)
_WAKING: Final = timedelta(hours=14)

_MARKUP: Final = re.compile(r"\[(\w+)\|([^\[\]|]+)\]")
_HEADING: Final = re.compile(r"== ([a-z]{2})")


@dataclass(frozen=True, slots=True)
class WrittenPost:
    """One written post: its native id, language, plain text and gold spans."""

    native_id: str
    lang: str
    text: str
    spans: frozenset[Span]

    @property
    def post_id(self) -> str:
        """Its id once it is fetched from `SOURCE`."""
        return f"{SOURCE}/{self.native_id}"


def written_posts(written: str | None = None) -> list[WrittenPost]:
    """The posts of a text in the markup, in its order; the shipped ones without an argument.

    Raises `Permanent`, naming the line, for a broken markup, an unknown code, a span with white space at an end, a post before
    the first heading and a post that is there twice.
    """
    posts: list[WrittenPost] = []
    seen: dict[str, int] = {}
    for line, lang, block in _blocks(TEXT.read_text(encoding="utf-8") if written is None else written):
        post = _post(line, lang, block)
        first = seen.setdefault(post.native_id, line)
        if first != line:
            raise Permanent(f"posts.txt:{line}: this post is there since line {first}; keep one of the two")
        posts.append(post)
    return posts


def source_lines(posts: list[WrittenPost]) -> bytes:
    """The posts as JSON lines of a source, oldest first."""
    return b"".join(_source_line(post, place, FIRST + place * APART) for place, post in enumerate(posts))


def _source_line(post: WrittenPost, place: int, published_at: datetime) -> bytes:
    line = {
        "id": post.native_id,
        "author": AUTHORS[(7 * place + place // 5) % len(AUTHORS)],
        "published_at": published_at.isoformat(timespec="seconds"),
        "lang": post.lang,
        "text": post.text,
        "url": f"https://{SOURCE}.example/p/{post.native_id}",
    }
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def post_days(posts: list[WrittenPost], days: list[date]) -> dict[date, bytes]:
    """The posts as JSON lines of a source, spread over some days by their place, in the waking hours of western Europe."""
    share = -(-len(posts) // len(days))
    return {
        day: b"".join(
            _source_line(posts[place], place, datetime.combine(day, _MORNING) + (place - n * share) * (_WAKING / share))
            for place in range(n * share, min((n + 1) * share, len(posts)))
        )
        for n, day in enumerate(days)
    }


def gold_lines(posts: list[WrittenPost]) -> bytes:
    """Post id, language and spans (start, end, label, text) as JSON lines."""
    return b"".join(
        orjson.dumps({"post_id": post.post_id, "lang": post.lang, "spans": _rows(post)}, option=orjson.OPT_APPEND_NEWLINE)
        for post in posts
    )


def gold_posts(posts: list[WrittenPost], groups: dict[str, str]) -> list[GoldPost]:
    """The posts as gold to train and measure with; `groups` is post id -> group id."""
    return [GoldPost(post.post_id, post.lang, post.text, post.spans, groups[post.post_id]) for post in posts]


def _rows(post: WrittenPost) -> list[dict[str, int | str]]:
    return [{"start": s.start, "end": s.end, "label": s.label, "text": post.text[s.start : s.end]} for s in sorted(post.spans)]


def _blocks(written: str) -> Iterator[tuple[int, str, str]]:
    """First line, language and markup of each post; lines that begin with `#!` are remarks."""
    lang, first, lines = "", 0, list[str]()
    for number, line in enumerate([*written.splitlines(), ""], start=1):
        heading = _HEADING.fullmatch(line)
        if lines and (heading or not line.strip()):
            yield first, lang, "\n".join(lines)
            lines = []
        if heading:
            lang = heading.group(1)
        elif line.strip() and not line.startswith("#!"):
            first = first if lines else number
            lines.append(line)


def _post(line: int, lang: str, block: str) -> WrittenPost:
    if not lang:
        raise Permanent(f"posts.txt:{line}: a post before the first heading; write `== fr` above it")
    text, spans, end = "", set[Span](), 0
    for mark in _MARKUP.finditer(block):
        text += block[end : mark.start()]
        code, inside = mark.groups()
        if code not in CODES:
            raise Permanent(f"posts.txt:{line}: code {code!r} is none of {', '.join(CODES)}")
        span = Span(len(text), len(text) + len(inside), CODES[code])
        text += inside
        end = mark.end()
        if trimmed(text, span) != span:
            raise Permanent(f"posts.txt:{line}: {inside!r} has white space at an end; move it out of the brackets")
        spans.add(span)
    text += block[end:]
    if set(text) & set("[]|"):
        raise Permanent(f"posts.txt:{line}: a bracket or bar is left over; a span is [code|text]")
    native_id = hashlib.sha256(f"{lang}\0{text}".encode()).hexdigest()[:12]
    return WrittenPost(native_id, lang, text, frozenset(spans))


def main(folder: str) -> None:
    """Writes both files into a folder."""
    posts = written_posts()
    into = Path(folder)
    into.mkdir(parents=True, exist_ok=True)
    into.joinpath("posts.jsonl").write_bytes(source_lines(posts))
    into.joinpath("gold.jsonl").write_bytes(gold_lines(posts))


if __name__ == "__main__":
    main(sys.argv[1])
