"""A file that a person uploads as a row: its limits, what its sidecar says, its title, its key.

Names and sidecars come from outside and are hostile: nothing of them reaches a key, a row or a screen unread. Whether the
bytes are sound is known later, from their content. Which object of the inbox is a recording is `arrivals.py`.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import orjson

from climate_assets.countries import LANGUAGES
from climate_assets.failures import Permanent
from climate_assets.speech.languages import word
from climate_assets.speech.records import Recording

KEPT: Final = "recordings/"

MAX_BYTES: Final = 4 * 1024**3
MAX_SIDECAR: Final = 64 * 1024
MAX_TITLE: Final = 200
_MAX_KEY_NAME: Final = 100
EARLIEST: Final = date(1900, 1, 1)
# A hint for people and nothing more: what a file is, its content says.
EXTENSIONS: Final = frozenset(
    "aac aif aiff avi flac m4a m4b mka mkv mov mp2 mp3 mp4 mpga oga ogg opus wav weba webm wma".split()  # noqa: SIM905
)


class Refused(Permanent):
    """A file that is not taken: value, place and remedy are in the message."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a person says of a recording; nothing said is an empty title or language, and no day."""

    title: str = ""
    language: str = ""
    day: date | None = None


def checked_size(size: int, name: str) -> int:
    """A size that is within the limits; raises `Refused` otherwise."""
    if size <= 0:
        raise Refused(f"{plain(name)} is empty: give a file that holds sound")
    if size > MAX_BYTES:
        raise Refused(
            f"{plain(name)} has {size / 1024**3:.1f} GiB, over the limit of {MAX_BYTES // 1024**3}:"
            " send the sound alone (such as Opus or MP3), or cut it in parts"
        )
    return size


def described(content: bytes, place: str, today: date) -> Description:
    """What a sidecar says; raises `Refused` with the value, the place in it and the remedy."""
    place = plain(place)
    if len(content) > MAX_SIDECAR:
        raise Refused(f"{place} has {len(content)} bytes, over the limit of {MAX_SIDECAR}: say title, language, day")
    try:
        said: Any = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise Refused(f"{place} is no JSON ({plain(str(error))}): write an object with title, language, day") from error
    if not isinstance(said, dict):
        raise Refused(f"{place} holds no JSON object: write one with title, language, day")
    for name, value in said.items():
        if name not in ("title", "language", "day"):
            raise Refused(f"{place}: {plain(name)!r} is not known: remove it, or write title, language or day")
        if not isinstance(value, str):
            raise Refused(f"{place}: {name} is {plain(repr(value))}, which is no text: put it in quotes")
    return description(said.get("title", ""), said.get("language", ""), said.get("day", ""), place, today)


def description(title: str, language: str, day: str, place: str, today: date) -> Description:
    """The same from three texts, empty for what is not said; raises `Refused`."""
    language = language.strip().lower()
    language = word(language) or language
    if language and language not in LANGUAGES:
        raise Refused(
            f"{place}: language {plain(language)!r} is not known: write one of {', '.join(LANGUAGES)},"
            " or leave it out to have it detected"
        )
    return Description(plain(title)[:MAX_TITLE].strip(), language, _day(day.strip(), place, today) if day.strip() else None)


def _day(text: str, place: str, today: date) -> date:
    # The standard library reads more shapes than people do.
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise Refused(f"{place}: day {plain(text)!r} is no date: write YYYY-MM-DD")
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Refused(f"{place}: day {text!r} is not in the calendar: write YYYY-MM-DD") from error
    # It may be tomorrow already where the recording was made.
    if not EARLIEST <= day <= today + timedelta(days=1):
        raise Refused(f"{place}: day {text} is not between {EARLIEST} and today: write the day it was recorded")
    return day


def recording_of(name: str, sha256: str, size: int, said: Description, bucket: str, now: datetime) -> Recording:
    """The row of a file that came under `name`: what is not said is read off the name and the clock."""
    return Recording(
        recording_id=sha256,
        filename=plain(name)[:255],
        title=said.title or title_of(name),
        language=said.language,
        day=said.day or now.date(),
        bucket=bucket,
        object_key=object_key_of(sha256, name),
        bytes=size,
        added_at=now,
    )


def redescribed(known: Recording, said: Description) -> Recording:
    """A recording that is added again: what a person says now holds, what is not said stays."""
    return Recording(
        known.recording_id, known.filename, said.title or known.title, said.language or known.language,
        said.day or known.day, known.bucket, known.object_key, known.bytes, known.added_at,
    )  # fmt: skip


def object_key_of(sha256: str, name: str) -> str:
    """Key under which the bytes are kept."""
    return f"{KEPT}sha256={sha256}/{safe_name(name)}"


def safe_name(name: str) -> str:
    """A file name that is safe in any key, path and header: ASCII letters, digits, dot, hyphen, underscore; never empty."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    stem, ending = split_ending(name)
    flat = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    flat = re.sub(r"\.{2,}", ".", re.sub(r"[^A-Za-z0-9._-]+", "-", flat))
    stem = flat.strip("-._")[:_MAX_KEY_NAME].strip("-._") or "recording"
    return f"{stem}.{ending.lower()}" if ending else stem


def title_of(name: str) -> str:
    """A title read off a file name: without ending, underscores as spaces; hyphens too where they are all there is."""
    stem = plain(split_ending(name.replace("\\", "/").rsplit("/", 1)[-1])[0])
    words = stem.replace("_", " ")
    if " " not in words.strip():
        words = words.replace("-", " ")
    return " ".join(words.split())[:MAX_TITLE].strip(" .-") or "recording"


def looks_like_sound(name: str) -> bool:
    """Whether a name ends as audio and video files do; a hint, the content decides."""
    return split_ending(name)[1].lower() in EXTENSIONS


def plain(text: str) -> str:
    """Text on one line, without characters that steer a screen: control, direction marks, surrogates, private use."""
    kept = ("" if unicodedata.category(c) in ("Cf", "Cs", "Co", "Cn") else " " if unicodedata.category(c)[0] in "CZ" else c
            for c in unicodedata.normalize("NFC", text[:4096]))  # fmt: skip
    return " ".join("".join(kept).split())


def split_ending(name: str) -> tuple[str, str]:
    """A name and its ending without the dot; what is longer than endings are, or no plain word, is no ending."""
    stem, dot, ending = name.rpartition(".")
    return (stem, ending) if dot and stem.strip(".") and re.fullmatch(r"(?!\d+$)[A-Za-z0-9]{1,8}", ending) else (name, "")
