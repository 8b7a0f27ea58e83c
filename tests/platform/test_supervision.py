"""Starting and stopping real processes: exactly ours, with their children, and with a word on why one does not answer."""

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from climate_assets.failures import Permanent
from embedded import postgres
from embedded.credentials import credentials
from embedded.ports import WANTED, assign, free_port, is_free
from embedded.supervision import Server, Supervisor, answers

# Answers on the port given; its child sleeps until it is ended.
SERVER = """
import http.server, os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print("child", child.pid, flush=True)
print("secret is", os.environ["A_SECRET"][:1], flush=True)
http.server.test(http.server.SimpleHTTPRequestHandler, port=int(sys.argv[1]), bind="127.0.0.1")
"""
STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready', flush=True)\nsignal.pause()"


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path)
    yield made
    for record in (tmp_path / "run").glob("*.json"):
        made.stop(record.stem, patience_seconds=1)


def http_server(folder: Path, **changed: object) -> Server:
    port = free_port(42_000)
    url = f"http://127.0.0.1:{port}"
    settings = {"url": url, "environment": {"A_SECRET": "s3cret"}, "folder": folder, "patience_seconds": 20.0, **changed}
    return Server("web", [sys.executable, "-u", "-c", SERVER, str(port)], **settings)  # type: ignore[arg-type]


def test_start_health_and_stop(supervisor: Supervisor, tmp_path: Path) -> None:
    server = http_server(tmp_path)
    assert supervisor.process("web") is None
    assert not answers(server.url)
    assert supervisor.start(server) is True
    assert supervisor.wait(server) < 20
    assert supervisor.start(server) is False, "it runs"
    process = supervisor.process("web")
    assert process is not None
    family = [process, *process.children(recursive=True)]
    assert len(family) == 2
    assert supervisor.stop("web") is True
    assert not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in family), "its child is gone as well"
    assert supervisor.stop("web") is False
    assert not answers(server.url)


def test_another_supervisor_of_the_same_folder_knows_the_server(supervisor: Supervisor, tmp_path: Path) -> None:
    server = http_server(tmp_path)
    supervisor.start(server)
    supervisor.wait(server)
    assert Supervisor(tmp_path).stop("web") is True


def test_a_stale_record_never_ends_another_process(supervisor: Supervisor, tmp_path: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    try:
        created = psutil.Process(bystander.pid).create_time()
        record = tmp_path / "run" / "web.json"
        record.parent.mkdir()
        record.write_text(json.dumps({"pid": bystander.pid, "created": created - 60, "url": ""}))
        assert supervisor.process("web") is None
        assert supervisor.stop("web") is False
        assert bystander.poll() is None
        assert not record.exists()
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize("content", ["", "{", "{}", '{"pid": 0}', '{"pid": 999999999, "created": 1}'])
def test_an_unreadable_record_is_no_process(supervisor: Supervisor, tmp_path: Path, content: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "web.json").write_text(content)
    assert supervisor.process("web") is None
    assert supervisor.stop("web") is False


def test_one_that_does_not_want_to_leave_is_ended(supervisor: Supervisor) -> None:
    server = Server("stubborn", [sys.executable, "-u", "-c", STUBBORN])
    supervisor.start(server)
    process = supervisor.process("stubborn")
    assert process is not None
    while b"ready" not in supervisor.log("stubborn").read_bytes():
        os.sched_yield()
    assert supervisor.stop("stubborn", patience_seconds=0.2) is True
    assert supervisor.process("stubborn") is None
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_one_that_stops_by_itself_is_told_with_the_end_of_its_log(supervisor: Supervisor) -> None:
    script = "for line in range(40): print('line', line)\nraise SystemExit('no licence to serve')"
    server = Server("broken", [sys.executable, "-u", "-c", script], url=f"http://127.0.0.1:{free_port(42_400)}")
    supervisor.start(server)
    with pytest.raises(Permanent, match=r"broken stopped.*broken\.log(?s:.*)no licence to serve") as caught:
        supervisor.wait(server)
    assert "line 39" in str(caught.value)
    assert "line 5\n" not in str(caught.value), "the end of the log only"


def test_patience_ends(supervisor: Supervisor) -> None:
    silent = [sys.executable, "-c", "import signal; signal.pause()"]
    server = Server("silent", silent, url=f"http://127.0.0.1:{free_port(42_800)}", patience_seconds=0.5)
    supervisor.start(server)
    waited: list[float] = []
    with pytest.raises(Permanent, match="silent does not answer after"):
        supervisor.wait(server, waited.append)
    assert waited
    assert waited == sorted(waited), "progress is told while one waits"


def test_an_answer_of_another_program_is_not_taken_for_the_servers(supervisor: Supervisor, tmp_path: Path) -> None:
    other = http_server(tmp_path)
    supervisor.start(other)
    supervisor.wait(other)
    late = Server("late", [sys.executable, "-c", "raise SystemExit('the port is taken')"], url=other.url)
    supervisor.start(late)
    process = supervisor.process("late")
    if process:
        process.wait(20)
    with pytest.raises(Permanent, match="late stopped"):
        supervisor.wait(late)


def test_a_servers_environment_is_not_shown(tmp_path: Path) -> None:
    assert "s3cret" not in repr(http_server(tmp_path))


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (403, True), (404, True), (500, False), (503, False)])
def test_what_answers_means(status: int, healthy: bool) -> None:
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Fixed(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Fixed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        assert answers(f"http://127.0.0.1:{server.server_port}") is healthy
        assert answers(f"tcp://127.0.0.1:{server.server_port}") is True
    finally:
        server.shutdown()
        server.server_close()
    assert answers(f"tcp://127.0.0.1:{server.server_port}") is False


def held(port: int) -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", port))
    listener.listen()
    return listener


def test_a_taken_port_is_left_to_its_owner(tmp_path: Path) -> None:
    first = free_port(43_000)
    with held(first):
        assert not is_free(first)
        chosen = assign(tmp_path / "ports.json", {"dagster": first}, frozenset())
        assert chosen["dagster"] > first
    assert set(chosen) == set(WANTED)
    assert len(set(chosen.values())) == len(chosen)


def test_ports_are_remembered(tmp_path: Path) -> None:
    file, wanted = tmp_path / "kept" / "ports.json", free_port(43_400)
    chosen = assign(file, {"dagster": wanted}, frozenset())
    assert chosen["dagster"] == wanted
    assert assign(file, {}, frozenset()) == chosen


def test_a_running_server_keeps_its_port(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    chosen = assign(file, {"dagster": free_port(43_800)}, frozenset())
    with held(chosen["dagster"]):
        assert assign(file, {"dagster": 44_100}, frozenset({"dagster"}))["dagster"] == chosen["dagster"]
        assert assign(file, {}, frozenset())["dagster"] != chosen["dagster"]


def test_credentials_are_random_kept_and_their_owners_alone(tmp_path: Path) -> None:
    made = credentials(tmp_path / "home" / "credentials.json")
    assert credentials(tmp_path / "home" / "credentials.json") == made
    assert stat.S_IMODE((tmp_path / "home" / "credentials.json").stat().st_mode) == 0o600
    assert [p.name for p in (tmp_path / "home").iterdir()] == ["credentials.json"]
    assert credentials(tmp_path / "elsewhere.json") != made
    assert made.s3_secret_key not in repr(made)
    assert len({made.s3_access_key, made.s3_secret_key, made.mediatree_password, made.label_studio_token}) == 4


def test_a_start_that_was_cut_off_leaves_no_half_credentials(tmp_path: Path) -> None:
    (tmp_path / "credentials.new").write_text('{"s3_access')
    assert credentials(tmp_path / "credentials.json") == credentials(tmp_path / "credentials.json")


def test_a_stale_file_of_postgres_never_ends_another_database(postgres_folder: Path, tmp_path: Path) -> None:
    pid = (postgres_folder / "postmaster.pid").read_text()
    (tmp_path / "postmaster.pid").write_text(pid)
    assert postgres.stop(tmp_path, patience_seconds=1) is False
    assert postgres.is_healthy(postgres.url(postgres_folder, "postgres"))


def test_a_database_starts_keeps_its_data_and_stops(servers_folder: Path) -> None:
    folder = servers_folder / "again"
    socket_folder = postgres.start(folder)
    try:
        assert postgres.start(folder) == socket_folder, "it runs"
        assert postgres.ensure_database(socket_folder, "barometre") is False
        assert postgres.ensure_database(socket_folder, "kept") is True
        assert postgres.stop(folder) is True
        assert not postgres.is_healthy(postgres.url(socket_folder, "kept"))
        assert postgres.stop(folder) is False
        # As the next command does, in a process of its own.
        again = f"from pathlib import Path; from embedded import postgres; postgres.start(Path({str(folder)!r}))"
        subprocess.run([sys.executable, "-c", again], check=True, timeout=60)
        assert postgres.is_healthy(postgres.url(socket_folder, "kept"))
    finally:
        postgres.stop(folder)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://climate:s3cret@db/barometre", "postgresql://climate:@db/barometre"),
        ("postgresql://climate:s3@cret:x@db/barometre", "postgresql://climate:@db/barometre"),
        ("postgresql://postgres:@/barometre?host=/run/pg", "postgresql://postgres:@/barometre?host=/run/pg"),
        ("postgresql://db/barometre", "postgresql://db/barometre"),
        ("postgresql://db/barometre?user=climate&password=s3cret", "postgresql://db/barometre?user=climate&password="),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert postgres.without_password(url) == shown
