"""Posts from a file of JSON lines: each line is a post, passed over, or refused with its number and reason; none is lost.

A line is an object `{id, author, published_at, lang, text, url?}`; other fields are not looked at. The bytes stay in the
bucket as they came. Belongs here: reading and refusing. Does not: where files lie, other protocols.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from climate_assets.broadcast.folding import borders_as_spaces, folded
from climate_assets.failures import Permanent
from climate_assets.posts.records import Post

MOST_BYTES: Final = 256 * 1024 * 1024
LONGEST_LINE: Final = 65_536
LONGEST_TEXT: Final = 10_000
LONGEST_URL: Final = 2_000
LONGEST_AUTHOR: Final = 500
SHORTEST_KEY: Final = 16
FIRST_YEAR: Final = 2006
"""Posts of before the first large service of its kind have a wrong date."""
AHEAD: Final = timedelta(hours=1)
"""How far a publisher's clock may be ahead of ours: no post is of a day that has no partition yet."""

# Without < and >: an id is read back from what people answer, where nothing may look like markup.
_NATIVE_ID: Final = re.compile(r"[!-;=?-~]{1,200}")
_SOURCE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
_LANG: Final = re.compile(r"([a-z]{2,3})(-[A-Za-z0-9]{1,8}){0,3}")
# What makes a text look reordered, and the mark of byte order; the joiners of emoji and scripts stay.
_HIDDEN: Final = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]")
_TAG: Final = re.compile(r"#(\w{1,100})")
_ADDRESS: Final = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&()*+,;=%-]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a source: posts of a period that hold one of the keywords, for one country."""

    source: str
    country: str
    zone: tzinfo
    keywords: Sequence[str] = ()
    """None asks for all."""
    since: datetime | None = None
    until: datetime | None = None
    """Exclusive."""


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that is no post: its number from 1, why, and the hash of its bytes, by which it is found again."""

    number: int
    reason: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Lines:
    """What a file holds: posts + refused + passed over + blank = lines."""

    posts: tuple[Post, ...]
    refused: tuple[RefusedLine, ...]
    passed_over: int
    """Readable posts outside the period, or without a keyword."""
    blank: int


def posts_of_lines(content: bytes, asked: Asked, fetched_at: datetime, key: bytes) -> Lines:
    """The posts of a file, in its order.

    `key` makes authors' pseudonyms and stays secret: without it a list of names gives them all away. Raises `Permanent` for
    a file, source or key that cannot be used at all.
    """
    _require_usable(content, asked, fetched_at, key)
    posts: list[Post] = []
    refused: list[RefusedLine] = []
    seen: dict[str, tuple[int, str]] = {}
    passed_over = blank = 0
    for number, line in _numbered(content):
        if not line.strip():
            blank += 1
            continue
        try:
            post = post_of(_parsed(line), asked, fetched_at, key)
            first, sha256 = seen.setdefault(post.post_id, (number, post.content_sha256))
            if first != number:
                text = "the same text" if sha256 == post.content_sha256 else "another text"
                raise ValueError(f"{post.post_id} stands on line {first} already, with {text}")
        except ValueError as error:
            refused.append(RefusedLine(number, str(error), hashlib.sha256(line).hexdigest()))
            continue
        if _wanted(post, asked):
            posts.append(post)
        else:
            passed_over += 1
    return Lines(tuple(posts), tuple(refused), passed_over, blank)


def post_of(said: dict[str, Any], asked: Asked, fetched_at: datetime, key: bytes) -> Post:
    """The post that one object of a source tells; raises `ValueError` with what is wrong, and where."""
    native = _text_at(said, "id", 200)
    if not _NATIVE_ID.fullmatch(native):
        raise ValueError("`id` holds more than printable ASCII without spaces and angle brackets")
    lang = _LANG.fullmatch(_text_at(said, "lang", 40))
    if not lang:
        raise ValueError(f"`lang` is {said['lang']!r:.40}, no language such as fr or en-GB")
    text = plain_text(_text_at(said, "text", LONGEST_TEXT))
    if not text.strip():
        raise ValueError("`text` is empty")
    published_at = _published(said.get("published_at"), fetched_at)
    return Post(
        post_id=f"{asked.source}/{native}",
        source=asked.source,
        country=asked.country,
        day=published_at.astimezone(asked.zone).date(),
        author=pseudonym(asked.source, _text_at(said, "author", LONGEST_AUTHOR), key),
        published_at=published_at,
        lang=lang.group(1),
        text=text,
        url=_url(said.get("url")),
        keywords=keywords_in(text, asked.keywords),
        content_sha256=hashlib.sha256(text.encode()).hexdigest(),
        fetched_at=fetched_at,
    )


def plain_text(text: str) -> str:
    """A post's text, harmless to store and to show: line ends are `\\n`, other controls spaces, reordering marks gone.

    Offsets are counted in this text from here on. Letters are left as they are composed.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    spaced = "".join(" " if unicodedata.category(c) == "Cc" and c != "\n" else c for c in lines)
    return _HIDDEN.sub("", spaced)


def pseudonym(source: str, author: str, key: bytes) -> str:
    """32 hex digits that stand for an author: HMAC-SHA256 of source and name, so equal names of two sources differ."""
    return hmac.new(key, f"{source}\0{author}".encode(), hashlib.sha256).hexdigest()[:32]


def keywords_in(text: str, keywords: Sequence[str]) -> list[str]:
    """Keywords whose words stand in the text in a row, or as one hashtag, whatever their case, accents, borders; sorted."""
    said, tags = _words(text), {tag_of(tag) for tag in _TAG.findall(text)}
    found = {keyword for keyword in keywords if (words := _words(keyword)).strip() and words in said}
    return sorted(found | {keyword for keyword in keywords if tags and tag_of(keyword) in tags - {""}})


def tag_of(keyword: str) -> str:
    """The hashtag that a keyword is written as, without its sign: its words in one, folded."""
    return _words(keyword).replace(b" ", b"").decode()


def _words(text: str) -> bytes:
    # Hashes open words here, and in speech nothing does.
    form = borders_as_spaces(folded(text.replace("#", " ").replace("\n", " ")))
    return b" %b " % b" ".join(form.split())


def _numbered(content: bytes) -> Iterator[tuple[int, bytes]]:
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if not lines[-1]:
        lines.pop()
    yield from enumerate(lines, start=1)


def _parsed(line: bytes) -> dict[str, Any]:
    if len(line) > LONGEST_LINE:
        raise ValueError(f"the line has {len(line)} bytes; {LONGEST_LINE} are read")
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"no JSON ({error})") from error
    if not isinstance(said, dict):
        raise ValueError(f"a {type(said).__name__}, not an object")
    return said


def _text_at(said: dict[str, Any], name: str, longest: int) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"`{name}` is {'missing' if value is None else f'{value!r:.40}'}, where a text is needed")
    if len(value) > longest:
        raise ValueError(f"`{name}` has {len(value)} characters; {longest} are read")
    return value


def _published(value: object, fetched_at: datetime) -> datetime:
    if not isinstance(value, str) or len(value) > 40:
        raise ValueError(f"`published_at` is {value!r:.40}, no ISO 8601 date and time")
    try:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError("it has no offset")
        instant = instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"`published_at` is {value!r}, no ISO 8601 date and time with an offset ({error})") from None
    if instant.year < FIRST_YEAR or instant > fetched_at + AHEAD:
        raise ValueError(f"`published_at` is {value!r}, outside {FIRST_YEAR} to the time of fetching")
    return instant


def _url(value: object) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or len(value) > LONGEST_URL or not _ADDRESS.fullmatch(value):
        raise ValueError(f"`url` is no address of at most {LONGEST_URL} characters")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError("`url` is no public http or https address")
    return value


def _wanted(post: Post, asked: Asked) -> bool:
    in_period = (not asked.since or post.published_at >= asked.since) and (not asked.until or post.published_at < asked.until)
    return in_period and (not asked.keywords or bool(post.keywords))


def _require_usable(content: bytes, asked: Asked, fetched_at: datetime, key: bytes) -> None:
    if len(content) > MOST_BYTES:
        raise Permanent(f"file of {len(content)} bytes; {MOST_BYTES} are read: split it at line ends")
    if not _SOURCE.fullmatch(asked.source):
        raise Permanent(f"source {asked.source!r:.60} is no short name in lower-case letters, digits, - and _; rename it")
    if len(key) < SHORTEST_KEY:
        raise Permanent(f"the key of pseudonyms has {len(key)} bytes; give at least {SHORTEST_KEY} random ones")
    if fetched_at.utcoffset() != timedelta(0):
        raise Permanent(f"{fetched_at.isoformat()} is no UTC time of fetching")
