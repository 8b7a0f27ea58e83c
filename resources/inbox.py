"""The inbox of recordings: what people put into the bucket is hashed, kept under its hash, and gets its row.

A file leaves the inbox only when its copy was read back and its row is written, so a crash anywhere loses nothing and the
next look goes on. What is refused is kept aside with its reason. What a file is called and what may be said of it is
known by `climate_assets/speech/recordings.py`.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from climate_assets.failures import Permanent, Transient
from climate_assets.speech import recordings
from climate_assets.speech.arrivals import INBOX, REFUSED, Arrival, arrivals
from climate_assets.speech.recordings import MAX_BYTES, Description, Refused
from climate_assets.speech.records import Recording
from resources import s3_objects
from resources.postgres import Barometre
from resources.s3 import LAKE, Lake

# Objects of the inbox that are looked at in one listing.
_LISTED: Final = 5_000
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Taken:
    """A recording that has its row; `new` if its bytes were not known before."""

    recording: Recording
    new: bool


@dataclass(frozen=True, slots=True)
class PutAside:
    """A file that is not taken, where it lies now, and why."""

    key: str
    reason: str


@dataclass(frozen=True)
class Inbox:
    """The inbox over a lake and the database; `clock` tells the instant, UTC."""

    lake: Lake
    barometre: Barometre
    bucket: str = LAKE
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def arrived(self) -> tuple[list[Arrival], list[str]]:
        """Recordings that can be taken, oldest first, and a line on each object that stays where it is."""
        return arrivals(s3_objects.entries(self.lake, self.bucket, INBOX, _LISTED), self.clock())

    def take(self, arrival: Arrival) -> Taken | PutAside | None:
        """Keep an arrival under its hash, write its row, clear the inbox of it; none if somebody else just did.

        Raises `Transient` when it changes meanwhile: it is then taken at a later look.
        """
        with self.barometre.lock(f"inbox/{arrival.key}"):
            if s3_objects.etag_of(self.lake, self.bucket, arrival.key) != arrival.etag:
                return None
            name = arrival.key.removeprefix(INBOX)
            try:
                recordings.checked_size(arrival.bytes, name)
                said = self._said(arrival)
            except Refused as refusal:
                return self._put_aside(arrival, str(refusal))
            sha256, size = s3_objects.digest_of(self.lake, self.bucket, arrival.key, MAX_BYTES)
            made = recordings.recording_of(name, sha256, size, said, self.bucket, self.clock())
            taken = self._kept(made, said, lambda key: s3_objects.copy(self.lake, self.bucket, arrival.key, key, sha256))
            self._clear(arrival)
            return taken

    def add(self, file: Path, title: str = "", language: str = "", day: str = "") -> Taken:
        """Keep a local file under its hash and write its row; raises `Refused` for what cannot be a recording."""
        now = self.clock()
        said = recordings.description(title, language, day, file.name, now.date())
        sha256, size = _hashed(file)
        made = recordings.recording_of(file.name, sha256, size, said, self.bucket, now)

        def upload(key: str) -> None:
            self.lake.upload(self.bucket, key, file)

        return self._kept(made, said, upload)

    def _kept(self, made: Recording, said: Description, bring: Callable[[str], None]) -> Taken:
        """The recording with its bytes in place and its row written; the first row of the same bytes stands."""
        with self.barometre.lock(f"recording/{made.recording_id}"):
            known = self.barometre.read(Recording, recording_id=made.recording_id)
            row = recordings.redescribed(known[0], said) if known else made
            if not (known and self._is_sound(row)):
                bring(row.object_key)
                if not self._is_sound(row):
                    s3_objects.remove(self.lake, row.bucket, row.object_key)
                    raise Transient(f"{row.filename} changed while it was taken, or its copy broke; it is tried again")
            self.barometre.upsert([row], Recording)
            return Taken(row, not known)

    def _is_sound(self, row: Recording) -> bool:
        """Whether the kept object is, byte for byte, what its hash says."""
        if s3_objects.etag_of(self.lake, row.bucket, row.object_key) is None:
            return False
        return s3_objects.digest_of(self.lake, row.bucket, row.object_key, MAX_BYTES) == (row.recording_id, row.bytes)

    def _said(self, arrival: Arrival) -> Description:
        if arrival.sidecar is None:
            return Description()
        if arrival.sidecar_bytes > recordings.MAX_SIDECAR:
            raise Refused(f"{arrival.sidecar} has {arrival.sidecar_bytes} bytes: a sidecar says title, language, day")
        return recordings.described(self.lake.get(self.bucket, arrival.sidecar), arrival.sidecar, self.clock().date())

    def _put_aside(self, arrival: Arrival, reason: str) -> PutAside:
        """Move a refused file and its sidecar out of the inbox, with the reason beside them."""
        mark = hashlib.sha256(f"{arrival.key}\n{arrival.etag}".encode()).hexdigest()[:12]
        folder = f"{REFUSED}{mark}/"
        moved = f"{folder}{recordings.safe_name(arrival.key)}"
        self.lake.put(self.bucket, f"{moved}.reason.txt", f"{reason}\n".encode())
        for key in filter(None, (arrival.key, arrival.sidecar)):
            to = f"{folder}{recordings.safe_name(key)}"
            s3_objects.copy(self.lake, self.bucket, key, to, "")
            if s3_objects.etag_of(self.lake, self.bucket, to) is None:
                raise Transient(f"{key}: its copy at {to} is not there; it is tried again")
        self._clear(arrival)
        return PutAside(moved, reason)

    def _clear(self, arrival: Arrival) -> None:
        # What was put over it meanwhile is another file, and stays.
        if s3_objects.etag_of(self.lake, self.bucket, arrival.key) == arrival.etag:
            s3_objects.remove(self.lake, self.bucket, arrival.key)
        if arrival.sidecar and not arrival.shared:
            s3_objects.remove(self.lake, self.bucket, arrival.sidecar)


def _hashed(file: Path) -> tuple[str, int]:
    """SHA-256 and size of a local file."""
    try:
        if not file.is_file():
            raise Permanent(f"{file} is no file: name one recording")
        recordings.checked_size(file.stat().st_size, file.name)
        digest, size = hashlib.sha256(), 0
        with file.open("rb") as content:
            while chunk := content.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise Permanent(f"{file} cannot be read ({error.strerror}): check its name and rights") from error
    return digest.hexdigest(), recordings.checked_size(size, file.name)
