"""The inbox: which of its objects is a recording, which a sidecar, and what is left where it is, with the reason.

By name, size and age alone, as a listing tells them. What a recording becomes is `recordings.py`; moving bytes is
`resources/inbox.py`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from climate_assets.speech.recordings import plain, split_ending

INBOX: Final = "inbox/recordings/"
REFUSED: Final = "refused/recordings/"

# A file system over the bucket writes in place: an object is left alone until it has been still for so long. It also
# gives a sidecar that is sent just after its recording the time to arrive.
SETTLE: Final = timedelta(seconds=10)
_UNFINISHED: Final = (".part", ".partial", ".filepart", ".crdownload", ".download", ".tmp", ".temp", ".swp", "~")
_SYSTEM: Final = frozenset({"thumbs.db", "desktop.ini"})


class Kind(StrEnum):
    """What an object of the inbox is."""

    RECORDING = "recording"
    SIDECAR = "sidecar"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Listed:
    """One object as a listing tells of it."""

    key: str
    bytes: int
    etag: str
    modified: datetime


@dataclass(frozen=True, slots=True)
class Arrival:
    """A recording that lies in the inbox, with its sidecar if it has one."""

    key: str
    bytes: int
    etag: str
    sidecar: str | None = None
    """Key of the sidecar."""
    sidecar_bytes: int = 0
    shared: bool = False
    """Another recording of the inbox goes by the same sidecar."""


def kind_of(key: str, size: int) -> tuple[Kind, str]:
    """What an inbox object is, and why it is ignored if it is."""
    name = key.removeprefix(INBOX)
    lower = name.lower()
    if not name or name.endswith("/"):
        return Kind.IGNORED, "a folder"
    if "/" in name:
        return Kind.IGNORED, f"in a folder; put it into {INBOX} itself"
    if name.startswith((".", "~$")) or lower in _SYSTEM:
        return Kind.IGNORED, "a hidden file"
    if lower.endswith(_UNFINISHED):
        return Kind.IGNORED, "a temporary name; rename it when it is complete"
    if lower.endswith(".json"):
        return Kind.SIDECAR, ""
    if size <= 0:
        return Kind.IGNORED, "empty; upload it again"
    return Kind.RECORDING, ""


def arrivals(listed: Iterable[Listed], now: datetime) -> tuple[list[Arrival], list[str]]:
    """Recordings that can be taken, oldest first, and a line on each object that is left where it is.

    The sidecar of `debate.mp3` is `debate.mp3.json` or else `debate.json`.
    """
    objects = list(listed)
    sorted_out = {one.key: kind_of(one.key, one.bytes) for one in objects}
    sidecars = {one.key: one for one in objects if sorted_out[one.key][0] is Kind.SIDECAR}
    recordings = sorted((o for o in objects if sorted_out[o.key][0] is Kind.RECORDING), key=lambda o: (o.modified, o.key))
    left = [f"{plain(o.key)}: {sorted_out[o.key][1]}" for o in objects if sorted_out[o.key][0] is Kind.IGNORED]
    paired = {one.key: _sidecar_of(one.key, sidecars) for one in recordings}
    claimed = [s.key for s in paired.values() if s]
    left += [f"{plain(key)}: a sidecar whose recording is not there" for key in sidecars if key not in claimed]
    found: list[Arrival] = []
    for one in recordings:
        beside = paired[one.key]
        if now - max(o.modified for o in (one, beside) if o) < SETTLE:
            left.append(f"{plain(one.key)}: just came; it is taken at the next look")
            continue
        sidecar, size = (beside.key, beside.bytes) if beside else (None, 0)
        found.append(Arrival(one.key, one.bytes, one.etag, sidecar, size, bool(sidecar) and claimed.count(str(sidecar)) > 1))
    return found, left


def _sidecar_of(key: str, sidecars: Mapping[str, Listed]) -> Listed | None:
    return sidecars.get(f"{key}.json") or sidecars.get(f"{INBOX}{split_ending(key.removeprefix(INBOX))[0]}.json")
