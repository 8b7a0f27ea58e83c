"""The inbox on the real object store and database: nothing is lost, nothing comes twice, wherever it breaks off."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import psycopg
import pytest

from climate_assets.failures import Permanent, Transient
from climate_assets.speech import recordings
from climate_assets.speech.arrivals import INBOX, REFUSED, Arrival
from climate_assets.speech.recordings import Refused
from climate_assets.speech.records import Recording
from resources import s3_objects
from resources.inbox import Inbox, PutAside, Taken
from resources.postgres import Barometre
from resources.s3 import Lake

SOUND = b"OggS" + bytes(range(256)) * 40
HASH = hashlib.sha256(SOUND).hexdigest()


@pytest.fixture
def inbox(lake: Lake, barometre: Barometre) -> Inbox:
    bucket = f"inbox-{hashlib.sha256(barometre.url.encode()).hexdigest()[:10]}"
    lake.ensure_bucket(bucket)
    # A clock that is ahead: what is put into the inbox has settled already.
    return Inbox(lake, barometre, bucket, lambda: datetime.now(UTC) + timedelta(minutes=1))


def put(inbox: Inbox, name: str, content: bytes = SOUND) -> None:
    inbox.lake.put(inbox.bucket, f"{INBOX}{name}", content)


def keys(inbox: Inbox, prefix: str = "") -> list[str]:
    return list(inbox.lake.listing(inbox.bucket, prefix))


def take_all(inbox: Inbox) -> list[Any]:
    return [inbox.take(arrival) for arrival in inbox.arrived()[0]]


def test_a_file_is_kept_under_its_hash_and_leaves_the_inbox(inbox: Inbox) -> None:
    put(inbox, "Débat du soir.ogg")
    put(inbox, "Débat du soir.json", b'{"title": "Le grand d\xc3\xa9bat", "language": "fr", "day": "2026-11-20"}')
    [taken] = take_all(inbox)
    assert isinstance(taken, Taken)
    assert taken.new
    row = taken.recording
    assert (row.recording_id, row.bytes) == (HASH, len(SOUND))
    assert (row.title, row.language, row.day) == ("Le grand débat", "french", date(2026, 11, 20))
    assert keys(inbox) == [f"recordings/sha256={HASH}/Debat-du-soir.ogg"] == [row.object_key]
    assert inbox.lake.get(inbox.bucket, row.object_key) == SOUND
    assert inbox.barometre.read(Recording) == [row]
    assert take_all(inbox) == []


def test_the_copy_is_known_to_the_store_by_its_hash(inbox: Inbox) -> None:
    put(inbox, "a.ogg")
    [taken] = take_all(inbox)
    assert inbox.lake.put(inbox.bucket, taken.recording.object_key, SOUND) is False, "a replay writes nothing"


def test_the_same_bytes_are_one_recording(inbox: Inbox) -> None:
    put(inbox, "a.ogg")
    [first] = take_all(inbox)
    put(inbox, "b.ogg")
    [second] = take_all(inbox)
    assert (second.new, second.recording) == (False, first.recording)
    assert keys(inbox) == [first.recording.object_key]


def test_what_a_person_says_later_holds(inbox: Inbox) -> None:
    put(inbox, "a.ogg")
    [first] = take_all(inbox)
    put(inbox, "b.ogg")
    put(inbox, "b.json", b'{"language": "dutch"}')
    [second] = take_all(inbox)
    assert (second.new, second.recording.language, second.recording.title) == (False, "dutch", first.recording.title)


@pytest.mark.parametrize(
    "name", ["a..%2f..%2fx.ogg", "a b+c&d=e?.ogg", "节目\u202e<b>.ogg", "x" * 250 + ".ogg", "[red]'\";--.ogg"]
)
def test_hostile_names_are_taken_under_safe_ones(inbox: Inbox, name: str) -> None:
    put(inbox, name)
    [taken] = take_all(inbox)
    assert isinstance(taken, Taken)
    assert keys(inbox) == [recordings.object_key_of(HASH, name)]


@pytest.mark.parametrize(
    ("sidecar", "reason"),
    [(b"{", "is no JSON"), (b'{"language": "klingon"}', "'klingon' is not known"), (b" " * 70_000, "70000 bytes")],
)
def test_what_is_refused_is_kept_with_its_reason(inbox: Inbox, sidecar: bytes, reason: str) -> None:
    put(inbox, "a.ogg")
    put(inbox, "a.json", sidecar)
    [aside] = take_all(inbox)
    assert isinstance(aside, PutAside)
    assert reason in aside.reason
    assert keys(inbox, INBOX) == []
    assert inbox.barometre.read(Recording) == []
    kept = {key.rsplit("/", 1)[1]: inbox.lake.get(inbox.bucket, key) for key in keys(inbox, REFUSED)}
    assert kept == {"a.ogg": SOUND, "a.json": sidecar, "a.ogg.reason.txt": f"{aside.reason}\n".encode()}


def test_a_file_over_the_limit_is_refused_unread(inbox: Inbox) -> None:
    put(inbox, "a.ogg")
    [arrival] = inbox.arrived()[0]
    huge = Arrival(arrival.key, recordings.MAX_BYTES + 1, arrival.etag)
    aside = inbox.take(huge)
    assert isinstance(aside, PutAside)
    assert "over the limit of 4" in aside.reason
    assert keys(inbox, INBOX) == []


def test_two_that_take_the_same_file_leave_one_row_and_no_error(inbox: Inbox) -> None:
    put(inbox, "a.ogg")
    [arrival] = inbox.arrived()[0]
    outcomes: list[Any] = []
    start = Barrier(2)

    def take() -> None:
        start.wait()
        outcomes.append(inbox.take(arrival))

    threads = [Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(o).__name__ for o in outcomes) == ["NoneType", "Taken"]
    assert len(inbox.barometre.read(Recording)) == 1


def test_a_file_that_was_put_over_meanwhile_is_left_for_the_next_look(inbox: Inbox) -> None:
    put(inbox, "a.ogg")
    [arrival] = inbox.arrived()[0]
    put(inbox, "a.ogg", b"another")
    assert inbox.take(arrival) is None
    [taken] = take_all(inbox)
    assert taken.recording.recording_id == hashlib.sha256(b"another").hexdigest()


class Dies(Exception):
    """A process that is killed."""


class Breaking(Barometre):
    """A database that goes away before the row is written."""

    def upsert(self, rows: Any, record: type) -> Any:
        raise Dies


def test_killed_before_the_row_is_written_the_file_is_still_in_the_inbox(inbox: Inbox) -> None:
    put(inbox, "a.ogg")
    [arrival] = inbox.arrived()[0]
    with pytest.raises(Dies):
        Inbox(inbox.lake, Breaking(url=inbox.barometre.url), inbox.bucket, inbox.clock).take(arrival)
    assert keys(inbox, INBOX) == [arrival.key]
    [taken] = take_all(inbox)
    assert taken.new
    assert keys(inbox) == [taken.recording.object_key]


def test_killed_before_the_inbox_is_cleared_nothing_comes_twice(inbox: Inbox) -> None:
    put(inbox, "a.ogg")
    [first] = take_all(inbox)
    put(inbox, "a.ogg")  # as it lies there when the process dies between row and removal
    [second] = take_all(inbox)
    assert (second.new, second.recording) == (False, first.recording)
    assert keys(inbox) == [first.recording.object_key]


def test_a_kept_copy_that_broke_is_made_again_from_the_next_file(inbox: Inbox) -> None:
    put(inbox, "a.ogg")
    [first] = take_all(inbox)
    inbox.lake._client.put_object(Bucket=inbox.bucket, Key=first.recording.object_key, Body=b"broken")
    put(inbox, "b.ogg")
    [second] = take_all(inbox)
    assert second.recording.object_key == first.recording.object_key
    assert inbox.lake.get(inbox.bucket, first.recording.object_key) == SOUND


def test_a_copy_that_does_not_read_back_is_not_believed(inbox: Inbox) -> None:
    made = recordings.recording_of("a.ogg", HASH, len(SOUND), recordings.Description(), inbox.bucket, inbox.clock())

    def bring(key: str) -> None:
        inbox.lake.put(inbox.bucket, key, b"torn")

    with pytest.raises(Transient, match="copy broke"):
        inbox._kept(made, recordings.Description(), bring)
    assert keys(inbox) == []
    assert inbox.barometre.read(Recording) == []


def test_what_is_left_in_the_inbox_has_a_reason(inbox: Inbox) -> None:
    for name in ("a.ogg.part", ".hidden", "deep/a.ogg", "lost.json"):
        put(inbox, name)
    put(inbox, "empty.ogg", b"")
    found, left = inbox.arrived()
    assert found == []
    assert len(left) == 5
    assert len(keys(inbox, INBOX)) == 5


def test_a_listing_has_an_end(inbox: Inbox) -> None:
    for number in range(4):
        put(inbox, f"{number}.ogg")
    assert len(s3_objects.entries(inbox.lake, inbox.bucket, INBOX, 3)) == 3


def test_a_long_object_is_copied_in_parts(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    # The limit is a constant of the module; at its real size this would move a GiB.
    monkeypatch.setattr(s3_objects, "_IN_ONE", 24 * 1024 * 1024)
    content = hashlib.shake_256(b"long").digest(30 * 1024 * 1024)
    digest = hashlib.sha256(content).hexdigest()
    inbox.lake.put(inbox.bucket, "long", content)
    s3_objects.copy(inbox.lake, inbox.bucket, "long", "copy", digest)
    assert s3_objects.digest_of(inbox.lake, inbox.bucket, "copy", 2**30) == (digest, len(content))
    with pytest.raises(Transient, match="has grown over"):
        s3_objects.digest_of(inbox.lake, inbox.bucket, "copy", 2**20)


# From a file


def test_a_local_file_is_added(inbox: Inbox, tmp_path: Path) -> None:
    file = tmp_path / "Réunion_de quartier.ogg"
    file.write_bytes(SOUND)
    taken = inbox.add(file, language="fr", day="2026-11-19")
    assert (taken.new, taken.recording.title, taken.recording.day) == (True, "Réunion de quartier", date(2026, 11, 19))
    assert inbox.lake.get(inbox.bucket, taken.recording.object_key) == SOUND
    again = inbox.add(file)
    assert (again.new, again.recording) == (False, taken.recording)
    assert len(keys(inbox)) == 1


def test_an_added_file_and_one_of_the_inbox_are_the_same(inbox: Inbox, tmp_path: Path) -> None:
    file = tmp_path / "a.ogg"
    file.write_bytes(SOUND)
    inbox.add(file)
    put(inbox, "b.ogg")
    [taken] = take_all(inbox)
    assert not taken.new
    assert len(inbox.barometre.read(Recording)) == 1


@pytest.mark.parametrize(
    ("make", "options", "reason"),
    [
        (lambda f: None, {}, "is no file"),
        (lambda f: f.mkdir(), {}, "is no file"),
        (lambda f: f.touch(), {}, "is empty"),
        (lambda f: f.symlink_to("/dev/zero"), {}, "is no file"),
        (lambda f: f.open("wb").truncate(recordings.MAX_BYTES + 1), {}, "over the limit"),
        (lambda f: f.write_bytes(SOUND), {"language": "klingon"}, "'klingon' is not known"),
        (lambda f: f.write_bytes(SOUND), {"day": "tomorrow"}, "is no date"),
    ],
    ids=["absent", "folder", "empty", "device", "too large", "language", "day"],
)
def test_what_cannot_be_added_is_said(inbox: Inbox, tmp_path: Path, make: Any, options: dict[str, str], reason: str) -> None:
    make(tmp_path / "a.ogg")
    with pytest.raises((Permanent, Refused), match=reason):
        inbox.add(tmp_path / "a.ogg", **options)
    assert keys(inbox) == []


def test_a_database_that_is_down_loses_no_file(inbox: Inbox) -> None:
    put(inbox, "a.ogg")
    [arrival] = inbox.arrived()[0]
    down = Barometre(url="postgresql://nobody@127.0.0.1:9/barometre")
    with pytest.raises(Transient):
        Inbox(inbox.lake, down, inbox.bucket, inbox.clock).take(arrival)
    assert keys(inbox, INBOX) == [arrival.key]
    with psycopg.connect(inbox.barometre.dsn) as connection:
        assert connection.execute("SELECT count(*) FROM recordings").fetchone() == (0,)
