"""Files to and from a real object store: streamed, limited, whole or not there at all."""

import hashlib
import shutil
import socketserver
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from climate_assets.failures import Permanent, Transient
from resources.s3 import Lake

BUCKET = "files-of-test-s3"


@pytest.fixture
def files(lake: Lake) -> Lake:
    lake.ensure_bucket(BUCKET)
    return lake


def test_a_file_comes_back_as_it_went_and_is_stored_once(files: Lake, tmp_path: Path) -> None:
    source, back = tmp_path / "source", tmp_path / "back"
    source.write_bytes(bytes(range(256)) * 20_000)
    assert files.upload(BUCKET, "round/trip", source)
    assert not files.upload(BUCKET, "round/trip", source)
    assert not files.put(BUCKET, "round/trip", source.read_bytes()), "a file and its bytes are the same object"
    files.download(BUCKET, "round/trip", back, source.stat().st_size)
    assert back.read_bytes() == source.read_bytes()
    source.write_bytes(b"changed")
    assert files.upload(BUCKET, "round/trip", source)
    files.download(BUCKET, "round/trip", back, 7)
    assert back.read_bytes() == b"changed"


def test_an_empty_file_is_a_file(files: Lake, tmp_path: Path) -> None:
    (tmp_path / "source").touch()
    assert files.upload(BUCKET, "empty", tmp_path / "source")
    files.download(BUCKET, "empty", tmp_path / "back", 0)
    assert (tmp_path / "back").read_bytes() == b""


def test_what_is_longer_than_allowed_is_not_fetched(files: Lake, tmp_path: Path) -> None:
    files.put(BUCKET, "long", bytes(1001))
    with pytest.raises(Permanent, match="has 1001 bytes, over the limit of 1000"):
        files.download(BUCKET, "long", tmp_path / "back", 1000)
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_leaves_no_file(files: Lake, tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="HTTP 404"):
        files.download(BUCKET, "nowhere", tmp_path / "back", 1000)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_what_was_stored_is_refused(files: Lake, tmp_path: Path) -> None:
    files._client.put_object(
        Bucket=BUCKET, Key="spoilt", Body=b"other", Metadata={"sha256": hashlib.sha256(b"this").hexdigest()}
    )
    with pytest.raises(Transient, match="not what was stored"):
        files.download(BUCKET, "spoilt", tmp_path / "back", 1000)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def breaking() -> Iterator[str]:
    """A store that announces 1,000,000 bytes and hangs up after ten."""

    class Half(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline(65536).strip():
                pass
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n0123456789")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Half) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(10)


def test_a_store_that_breaks_off_leaves_no_file(breaking: str, tmp_path: Path) -> None:
    (tmp_path / "back").write_bytes(b"earlier")
    with pytest.raises(Transient, match="out of order"):
        Lake(endpoint_url=breaking, access_key="a", secret_key="b").download(BUCKET, "key", tmp_path / "back", 2_000_000)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("back", b"earlier")]


def test_a_file_that_is_missing_here_is_a_mistake_of_the_caller(files: Lake, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.upload(BUCKET, "key", tmp_path / "nowhere")


def test_a_bucket_that_several_ask_for_at_once_is_there_for_all(lake: Lake) -> None:
    names = [f"at-once-{uuid.uuid4().hex[:12]}" for _ in range(3)]
    with ThreadPoolExecutor(8) as callers:
        for name in names:
            list(callers.map(lambda _, name=name: lake.ensure_bucket(name), range(8)))  # raises what any of them met
            assert lake.has_bucket(name)


def test_many_buckets_on_a_small_disk_can_be_written_to(lake: Lake, servers_folder: Path) -> None:
    # The store takes a volume for each bucket; left to itself it allows about one for each free GB.
    names = [f"many-{number:03}" for number in range(min(shutil.disk_usage(servers_folder).free // 2**30, 200) + 10)]
    for name in names:
        lake.ensure_bucket(name)
        assert lake.put(name, "key", b"content")
    for name in names:
        lake._client.delete_object(Bucket=name, Key="key")
        lake._client.delete_bucket(Bucket=name)
