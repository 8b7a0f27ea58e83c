"""Statuses of Mastodon's protocol as lines of a source: their fields renamed, their HTML made text.

A page is a JSON array of statuses as the server sent it. What is no status becomes a line that is refused, so that places
are kept: number n of the page is line n. Does not belong here: whether a line is a post (`source_lines.py`).
"""

import re
from datetime import datetime
from html.parser import HTMLParser
from typing import Any, Final

import orjson

from climate_assets.failures import Permanent
from climate_assets.posts.source_lines import LONGEST_LINE

MOST_STATUSES: Final = 1_000
UNTOLD: Final = "und"
"""Language of a status that tells none (ISO 639-2)."""
_NO_BREAK: Final = re.compile(r"[ \t\r\f\v\xa0]+")
_BLOCKS: Final = frozenset({"p", "div", "li", "ul", "ol", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6"})
_UNSEEN: Final = frozenset({"script", "style", "template", "head", "title", "noscript", "iframe", "textarea"})
_ID: Final = re.compile(r"[0-9A-Za-z]{1,40}")
# Mastodon numbers a status by the millisecond it was written in, with 16 bits to tell those of one apart.
_ID_BITS: Final = 16


def statuses_of(content: bytes) -> list[Any]:
    """What a page lists; raises `Permanent` for what is no list."""
    try:
        page = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise Permanent(f"the page is no JSON ({error})") from error
    if not isinstance(page, list) or len(page) > MOST_STATUSES:
        raise Permanent(f"the page is no list of at most {MOST_STATUSES} statuses")
    return page


def lines_of_statuses(content: bytes) -> bytes:
    """The page as JSON lines of a source, a line a status."""
    return b"".join(orjson.dumps(_line(status), option=orjson.OPT_APPEND_NEWLINE) for status in statuses_of(content))


def newest_id(statuses: list[Any], after: str) -> str:
    """The newest number among some statuses, `after` if none is newer."""
    told = [one.get("id") for one in statuses if isinstance(one, dict)]
    return max([after, *(one for one in told if isinstance(one, str) and _ID.fullmatch(one))], key=id_order)


def id_order(number: str) -> tuple[int, str]:
    """By what numbers of statuses are ordered: they are texts, and the longer is the later."""
    return len(number), number


def id_at(instant: datetime) -> str:
    """The number below all of statuses that were written from an instant on."""
    return str(int(instant.timestamp() * 1000) << _ID_BITS)


def text_of_html(html: str) -> str:
    """What a reader sees of a status: paragraphs and line breaks are line ends, marks and scripts are gone."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    lines = (_NO_BREAK.sub(" ", line).strip() for line in "".join(reader.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "br" or tag in _BLOCKS:
            self.parts.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br" or tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data)


def _line(status: object) -> object:
    """The line of one status: fields that are not there are missing in it too, and it is refused for that."""
    if not isinstance(status, dict):
        return status
    account, html, url = status.get("account"), status.get("content"), status.get("url")
    lang = status.get("language")
    return {
        "id": status.get("id"),
        "author": account.get("acct") if isinstance(account, dict) else None,
        "published_at": status.get("created_at"),
        "lang": UNTOLD if lang is None or lang == "" else lang,
        "text": text_of_html(html) if isinstance(html, str) and len(html) <= LONGEST_LINE else None,
        "url": url if isinstance(url, str) else None,
    }
