"""The export and its download against a server that does whatever it is told to, byte by byte, on a real socket."""

import gzip
import hashlib
import json
import logging
import socket
import socketserver
import ssl
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from climate_assets.countries import Alias, Channel
from climate_assets.failures import Permanent, Transient
from resources.media import AudioExport, Exported, Exports, NoAudio
from resources.mediatree import Mediatree
from resources.wire import Wire, dialled
from tests.speech.hostile_audio import FILES, sound

DAY = date(2026, 11, 20)
START, END = datetime(2026, 11, 20, 18, 3, 58, tzinfo=UTC), datetime(2026, 11, 20, 18, 6, 3, tzinfo=UTC)
PASSWORD = "a-password-nobody-may-see"
CHANNEL = Channel(name="canal-un", title="Canal Un", aliases=(Alias(service="export", name="canal-one", valid_from=DAY),))
MP3 = sound("mp3", "libmp3lame", 3.0)
PUBLIC = "8.8.8.8"

Answer = Callable[["Talk"], None]


class Talk(socketserver.StreamRequestHandler):
    """One connection: the question is read, the answer is the scripted one."""

    server: "Archive"

    def handle(self) -> None:
        request = self.rfile.readline(200_000).decode("latin-1").split(" ")
        self.path, self.headers = request[1] if len(request) > 1 else "", {}
        while line := self.rfile.readline(65536).strip().decode("latin-1"):
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = self.server.answer_to(self)
        with suppress(OSError):  # the other side hung up: that is what is tested
            answer(self)

    def send(self, *parts: bytes) -> None:
        for part in parts:
            self.wfile.write(part)


class Archive(socketserver.ThreadingTCPServer):
    """An API that gives tokens, names `src` and serves `media`; every question is kept."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Talk)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.src: Any = f"{self.url}/media/a.mp3?signature=media-secret"
        self.export: Sequence[Answer | None] = (None,)
        self.media: Sequence[Answer] = (body(MP3),)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.tokens = 0
        self.lock = threading.Lock()

    def answer_to(self, talk: Talk) -> Answer:
        with self.lock:
            self.asked.append((talk.path, talk.headers))
            if talk.path.startswith("/api/auth/token/"):
                self.tokens += 1
                return reply({"data": {"access_token": f"token-{self.tokens:04}/+"}})
            if talk.path.startswith("/api/export/single/"):
                at = min(len(self.questions()), len(self.export)) - 1
                return self.export[at] or reply({"src": self.src})
            return self.media[min(len(self.downloads()), len(self.media)) - 1]

    def questions(self) -> list[dict[str, str]]:
        found = [urlsplit(path) for path, _ in self.asked if path.startswith("/api/export/single/")]
        return [{name: values[0] for name, values in parse_qs(one.query).items()} for one in found]

    def downloads(self) -> list[tuple[str, dict[str, str]]]:
        return [(path, headers) for path, headers in self.asked if not path.startswith("/api/")]


def head(status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def body(content: bytes, status: str = "200 OK", **headers: str) -> Answer:
    return lambda talk: talk.send(head(status, **{"Content_Length": str(len(content)), **headers}), content)


def reply(answer: Any, status: str = "200 OK") -> Answer:
    return body(json.dumps(answer).encode(), status)


def raw(*parts: bytes) -> Answer:
    return lambda talk: talk.send(*parts)


def to(location: str, status: str = "302 Found") -> Answer:
    return body(b"", status, Location=location)


def endless(talk: Talk) -> None:
    talk.send(head())
    while True:
        talk.send(MP3)


def endless_chunks(talk: Talk) -> None:
    talk.send(head(Transfer_Encoding="chunked"))
    while True:
        talk.send(b"%x\r\n" % len(MP3), MP3, b"\r\n")


def dripping(talk: Talk) -> None:
    talk.send(head(Content_Length=str(len(MP3))))
    for byte in MP3:
        talk.send(bytes([byte]))
        time.sleep(0.05)


def dripping_head(talk: Talk) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        talk.send(b"X-Padding: a\r\n")
        time.sleep(0.05)


def continuing(talk: Talk) -> None:
    while True:
        talk.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.01)


def silent(talk: Talk) -> None:
    talk.rfile.read(1)


def reset(talk: Talk) -> None:
    talk.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    talk.connection.close()


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@pytest.fixture
def archive() -> Iterator[Archive]:
    with Archive() as server, serving(server):
        yield server


@pytest.fixture
def forbidden() -> Iterator[Archive]:
    """A server of this machine that nobody listed: what it is asked is a break-in."""
    with Archive() as server, serving(server):
        yield server
        assert server.asked == []


@dataclass
class Names:
    """A scripted resolver and a network in which public numbers lead to the test's server; both keep what they were asked."""

    answers: dict[str, list[list[str]]] = field(default_factory=dict)
    port: int = 0
    looked_up: list[str] = field(default_factory=list)
    called: list[str] = field(default_factory=list)

    def resolver(self, host: str, port: int) -> list[str]:
        self.looked_up.append(host)
        known = self.answers.get(host)
        if known is None:
            raise socket.gaierror(socket.EAI_NONAME, "no such host")
        return known.pop(0) if len(known) > 1 else known[0]

    def dial(self, ip: str, port: int, seconds: float) -> socket.socket:
        self.called.append(ip)
        return dialled("127.0.0.1", self.port, seconds) if ip == PUBLIC else dialled(ip, port, seconds)


WIRE = Wire(connect_seconds=1.0, silence_seconds=0.4)


def exports(archive: Archive, wire: Wire = WIRE, waits: list[float] | None = None, **settings: Any) -> Exports:
    mediatree = Mediatree(url=archive.url, user="somebody", password=PASSWORD, max_attempts=1)
    resource = AudioExport(mediatree=mediatree, **{"max_bytes": 1_000_000, "whole_seconds": 5.0, **settings})
    sleep = [].append if waits is None else waits.append  # type: ignore[var-annotated]
    return Exports(resource, wire=wire, sleep=sleep, jitter=lambda: 0.0)


def exported(archive: Archive, folder: Path, wire: Wire = WIRE, waits: list[float] | None = None, **settings: Any) -> Exported:
    return exports(archive, wire, waits, **settings).export(CHANNEL, DAY, START, END, folder / "audio")


# --- what goes well


def test_the_audio_of_a_span_comes_as_it_is(archive: Archive, tmp_path: Path) -> None:
    got = exported(archive, tmp_path)
    assert got == Exported(f"{archive.url}/media/a.mp3", len(MP3), hashlib.sha256(MP3).hexdigest(), "mp3")
    assert [path.name for path in tmp_path.iterdir()] == ["audio"]
    assert (tmp_path / "audio").read_bytes() == MP3
    span = {"cts_in": str(int(START.timestamp())), "cts_out": str(int(END.timestamp()))}
    assert archive.questions() == [{"token": "token-0001/+", "channel": "canal-one", "media_format": "mp3", **span}]


def test_the_resource_itself_exports(archive: Archive, tmp_path: Path) -> None:
    mediatree = Mediatree(url=archive.url, user="somebody", password=PASSWORD)
    got = AudioExport(mediatree=mediatree).export(CHANNEL, date(2026, 11, 19), START, END, tmp_path / "audio")
    assert got.container == "mp3"
    assert archive.questions()[0]["channel"] == "canal-un", "the alias is valid from the next day"


def test_a_download_carries_nothing_of_the_account(archive: Archive, tmp_path: Path) -> None:
    archive.export = (body(json.dumps({"src": archive.src}).encode(), Set_Cookie="session=1"),)
    archive.media = (body(b"", "302 Found", Location="/media/b.mp3", Set_Cookie="media=1"), body(MP3))
    exported(archive, tmp_path)
    assert [path for path, _ in archive.downloads()] == ["/media/a.mp3?signature=media-secret", "/media/b.mp3"]
    for path, headers in archive.downloads():
        assert "token" not in path
        assert set(headers) == {"host", "user-agent", "accept", "accept-encoding", "connection"}
        assert headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "answer",
    [
        raw(head(), MP3),
        raw(head(Transfer_Encoding="chunked"), b"%x\r\n" % len(MP3), MP3, b"\r\n0\r\n\r\n"),
        raw(b"HTTP/1.1 103 Early Hints\r\n\r\n", head(Content_Length=str(len(MP3))), MP3),
        body(MP3, Content_Type="text/html", Content_Encoding="identity"),
    ],
    ids=["no length", "chunks", "early hints", "wrong type"],
)
def test_what_is_odd_and_harmless_is_taken(answer: Answer, archive: Archive, tmp_path: Path) -> None:
    archive.media = (answer,)
    assert exported(archive, tmp_path).bytes == len(MP3)


@pytest.mark.parametrize(
    ("export", "media", "waited"),
    [
        ([reply({"detail": "expired"}, "401 Unauthorized"), None], [body(MP3)], [1]),
        ([reply({"error": "the access token has expired"}), None], [body(MP3)], [1]),
        ([body(b"", "503 Busy", Retry_After="7"), None], [body(MP3)], None),
        ([raw(b""), body(b'{"src": "http'), None], [body(MP3)], [1, 2]),
        ([None], [body(b"", "502 Bad"), body(MP3)], [1]),
        ([None], [reset, raw(head(Content_Length="99999"), MP3), body(MP3)], [1, 2]),
    ],
    ids=["token", "token with status 200", "busy", "cut answers", "bad gateway", "broken downloads"],
)
def test_trouble_that_passes_is_tried_again(
    export: list[Answer | None], media: list[Answer], waited: list[float] | None, archive: Archive, tmp_path: Path
) -> None:
    archive.export, archive.media, waits = export, media, []
    assert exported(archive, tmp_path, waits=waits, whole_seconds=60.0).bytes == len(MP3)
    assert waits == (waited or [7])


def test_a_refused_token_is_renewed(archive: Archive, tmp_path: Path) -> None:
    archive.export = (reply({}, "403 Forbidden"), None)
    exported(archive, tmp_path)
    assert [question["token"] for question in archive.questions()] == ["token-0001/+", "token-0002/+"]


# --- what does not

_GZIPPED = gzip.compress(bytes(20_000_000))
_PERMANENT: dict[str, tuple[Any, Any, str]] = {
    # name: (src, or a function of the unlisted server; what the media address answers; reason)
    "another host": ("https://evil.example/a.mp3", None, "not among the allowed hosts"),
    "a file": ("file:///etc/passwd", None, "not http"),
    "ftp": ("ftp://media.mediatree.fr/a.mp3", None, "not http"),
    "a path": ("/media/a.mp3", None, "not http"),
    "a user before the host": ("https://token:x@media.mediatree.fr/a.mp3", None, "names a user"),
    "an allowed host as user": ("https://media.mediatree.fr@evil.example/", None, "names a user"),
    "loopback as one number": ("http://2130706433/", None, "a number is written as four"),
    "loopback in hexadecimal": ("http://0x7f.1/", None, "a number is written as four"),
    "loopback in IPv6": ("http://[::1]/", None, "not among"),
    "loopback mapped into IPv6": ("http://[::ffff:127.0.0.1]/", None, "not among"),
    "metadata": ("http://169.254.169.254/latest/meta-data/", None, "not among"),
    "without TLS": ("http://media.mediatree.fr/a.mp3", None, "not https"),
    "another port": ("https://media.mediatree.fr:22/a.mp3", None, "not among"),
    "a server beside": (lambda other: f"{other.url}/a.mp3", None, "not among"),
    "a number": (5, None, "int, not text"),
    "a list": (["https://media.mediatree.fr/a.mp3"], None, "list, not text"),
    "line feeds": ("https://media.mediatree.fr/a\r\nHost: evil.example", None, "control character"),
    "60 kB": ("https://media.mediatree.fr/" + "a" * 60_000, None, "60027 characters"),
    "5 MB": ("https://media.mediatree.fr/" + "a" * 5_000_000, None, "65536 at most"),
    "redirect to another host": (None, to("https://evil.example/a.mp3"), "redirects to an address that is refused"),
    "redirect to loopback": (None, lambda other: to(f"{other.url}/a.mp3"), "redirects to an address that is refused"),
    "redirect to loopback in IPv6": (None, to("http://[::1]/a"), "redirects to an address that is refused"),
    "redirect to metadata": (None, to("http://169.254.169.254/latest/"), "redirects to an address that is refused"),
    "redirect to a file": (None, to("file:///etc/passwd"), "not http"),
    "redirect to nowhere": (None, body(b"", "302 Found"), "more than 5 times"),
    "redirect loop": (None, to("/media/a.mp3", "307 Again"), "more than 5 times"),
    "redirect of a megabyte": (None, to("/" + "a" * 60_000), "60001 characters"),
    "gone": (None, body(b"", "410 Gone"), "HTTP 410"),
    "forbidden": (None, body(b"", "403 Forbidden"), "HTTP 403"),
    "part": (None, body(MP3[:100], "206 Partial Content"), "HTTP 206"),
    "gzip bomb in transit": (None, body(_GZIPPED, Content_Encoding="gzip"), "packed"),
    "twice packed": (None, body(_GZIPPED, Content_Encoding="gzip, br"), "packed"),
    "too long by its header": (None, raw(head(Content_Length="99999999999")), "announces 99999999999 bytes, 1000000 at most"),
    "endless": (None, endless, "more than 1000000 bytes"),
    "endless in chunks": (None, endless_chunks, "more than 1000000 bytes"),
    "empty": (None, body(b""), "is empty"),
    "an error page": (None, body(b"<html>Service en maintenance</html>", Content_Type="audio/mpeg"), "HTML"),
    "a playlist": (None, body(FILES["playlist of an address"].content(), Content_Type="audio/mpeg"), "a playlist"),
    "an archive": (None, body(FILES["zip"].content(), Content_Type="audio/mpeg"), "a zip archive"),
}  # fmt: skip


@pytest.mark.parametrize("name", _PERMANENT)
def test_what_no_rerun_cures_is_refused_at_once(name: str, archive: Archive, forbidden: Archive, tmp_path: Path) -> None:
    src, media, reason = _PERMANENT[name]
    if src is not None:
        archive.src = src(forbidden) if callable(src) else src
    if media is not None:
        archive.media = (media(forbidden) if name[-11:] == "to loopback" else media,)
    names = Names()
    with pytest.raises(Permanent, match=reason) as refusal:
        exported(archive, tmp_path, replace(WIRE, resolver=names.resolver))
    assert list(tmp_path.iterdir()) == []
    assert len(archive.questions()) == 1
    assert names.looked_up == []
    assert_nothing_secret(refusal.value)


_TRANSIENT: dict[str, tuple[Answer | None, Answer | None, str]] = {
    # name: (what the export answers; what the media address answers; reason)
    "answer of no JSON": (body(b"<html>"), None, "not whole JSON"),
    "answer cut": (body(b'{"src": "https://'), None, "not whole JSON"),
    "answer nested": (body(b"[" * 60_000), None, "not whole JSON"),
    "answer of a list": (reply([]), None, "no `src`"),
    "token refused for ever": (reply({}, "401 Unauthorized"), None, "refused the token"),
    "out of order": (body(b"", "500 Error"), None, "HTTP 500"),
    "download out of order": (None, body(b"", "504 Late"), "HTTP 504"),
    "too many questions": (None, body(b"", "429 Slow Down"), "HTTP 429"),
    "shorter than announced": (None, raw(head(Content_Length="99999"), MP3), "broke off"),
    "longer than announced": (None, raw(head(Content_Length="1000"), MP3), "more than it announced"),
    "two lengths": (None, raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\n", MP3), "speak HTTP"),
    "negative length": (None, raw(head(Content_Length="-5"), MP3), "speak HTTP"),
    "broken chunks": (None, raw(head(Transfer_Encoding="chunked"), b"zz\r\n", MP3), "speak HTTP"),
    "chunks that stop": (None, raw(head(Transfer_Encoding="chunked"), b"ffff\r\n", b"x" * 99), "broke off"),
    "no HTTP": (None, raw(b"SSH-2.0-OpenSSH_9.9\r\n"), "speak HTTP"),
    "a head without end": (None, raw(b"HTTP/1.1 200 OK\r\n", b"X-Padding: " + b"a" * 300_000), "speak HTTP"),
    "nothing": (None, raw(b""), "broke off"),
    "reset": (None, reset, "broke"),
    "silence": (None, silent, "said nothing for 0.4 s"),
    "silence of the export": (silent, None, "said nothing for 0.4 s"),
    "dripping": (None, dripping, "not done in time"),
    "dripping head": (None, dripping_head, "not done in time"),
    "no end of continue": (None, continuing, "not done in time"),
}  # fmt: skip


@pytest.mark.parametrize("name", _TRANSIENT)
def test_trouble_that_stays_ends_as_a_reason_within_its_time(name: str, archive: Archive, tmp_path: Path) -> None:
    export, media, reason = _TRANSIENT[name]
    archive.export, archive.media = (export,), (media or body(MP3),)
    with pytest.raises(Transient, match=reason) as trouble:
        exported(archive, tmp_path, whole_seconds=1.5)
    assert list(tmp_path.iterdir()) == []
    assert not isinstance(trouble.value, NoAudio)
    assert "attempts)" in str(trouble.value)
    assert 1 <= len(archive.questions()) <= 3
    assert_nothing_secret(trouble.value)


@pytest.mark.parametrize("answer", [{"src": ""}, {"src": None}, 404])
def test_an_archive_without_the_span_says_so_once(answer: Any, archive: Archive, tmp_path: Path) -> None:
    archive.export = (body(b"", "404 Not Found") if answer == 404 else reply(answer),)
    with pytest.raises(NoAudio, match="no audio of canal-one"):
        exported(archive, tmp_path)
    assert len(archive.questions()) == 1
    archive.export, archive.media = (None,), (body(b"", "404 Not Found"),)
    with pytest.raises(NoAudio, match="HTTP 404"):
        exported(archive, tmp_path)


def test_a_wait_that_is_longer_than_the_time_left_is_not_waited(archive: Archive, tmp_path: Path) -> None:
    archive.export, waits = (body(b"", "503 Busy", Retry_After="100"),), []
    with pytest.raises(Transient, match=r"HTTP 503 .no time for another"):
        exported(archive, tmp_path, waits=waits)
    assert waits == []


def test_an_export_that_redirects_is_not_followed_with_the_token(archive: Archive, forbidden: Archive, tmp_path: Path) -> None:
    archive.export = (to(f"{forbidden.url}/api/export/single/"),)
    with pytest.raises(Permanent, match="HTTP 302; check MEDIATREE_URL"):
        exported(archive, tmp_path)


# --- names


def named(archive: Archive, **answers: list[list[str]]) -> tuple[Names, Wire, dict[str, Any]]:
    """A public host of its own name, reached through a scripted resolver."""
    names = Names({name.replace("_", "."): ips for name, ips in answers.items()}, archive.server_address[1])
    archive.src = "http://media.mediatree.fr/a.mp3"
    settings = {"allowed_hosts": ["http://.mediatree.fr"]}
    return names, replace(WIRE, resolver=names.resolver, dial=names.dial), settings


def test_the_machine_that_was_checked_is_the_one_that_is_called(archive: Archive, tmp_path: Path) -> None:
    """DNS rebinding: public when it is checked, loopback when it would be asked again. It is not asked again."""
    names, wire, settings = named(archive, media_mediatree_fr=[[PUBLIC], ["127.0.0.1"]])
    exported(archive, tmp_path, wire, **settings)
    assert names.looked_up == ["media.mediatree.fr"]
    assert names.called == ["127.0.0.1", PUBLIC], "the API, then the media host"
    assert archive.downloads()[0][1]["host"] == "media.mediatree.fr"


@pytest.mark.parametrize(
    ("answers", "media", "reason"),
    [
        ([["127.0.0.1"]], body(MP3), "127.0.0.1, which is loopback"),
        ([[PUBLIC, "127.0.0.1"]], body(MP3), "127.0.0.1, which is loopback"),
        ([["::ffff:127.0.0.1"]], body(MP3), "IPv4 address in disguise"),
        ([["::1"]], body(MP3), "loopback"),
        ([["64:ff9b::7f00:1"]], body(MP3), "translated to IPv4"),
        ([["169.254.169.254"]], body(MP3), "clouds keep credentials"),
        ([["100.64.0.1"]], body(MP3), "shared between carriers"),
        ([["0.0.0.0"]], body(MP3), "unspecified"),
        ([["10.0.0.5"]], body(MP3), "private"),
        ([[]], body(MP3), "no IP address"),
        ([[PUBLIC], ["127.0.0.1"]], to("/b.mp3"), "127.0.0.1, which is loopback"),
        ([[PUBLIC], ["10.0.0.5"]], body(b"", "503 Busy"), "10.0.0.5, which is private"),
    ],
    ids=["loopback", "both at once", "mapped", "IPv6", "NAT64", "metadata", "CGNAT", "unspecified", "private", "none",
         "rebound at a redirect", "rebound at another try"],
)  # fmt: skip
def test_a_name_that_leads_inside_is_refused(
    answers: list[list[str]], media: Answer, reason: str, archive: Archive, tmp_path: Path
) -> None:
    names, wire, settings = named(archive, media_mediatree_fr=answers)
    archive.media = (media,)
    with pytest.raises(Permanent, match=reason):
        exported(archive, tmp_path, wire, **settings)
    assert set(names.called[1:]) <= {PUBLIC, "127.0.0.1"}
    assert names.called.count("127.0.0.1") == len(archive.questions()), "only the API is at home"
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_not_found_may_be_later(archive: Archive, tmp_path: Path) -> None:
    _, wire, settings = named(archive)
    with pytest.raises(Transient, match=r"media.mediatree.fr cannot be found .gaierror"):
        exported(archive, tmp_path, wire, **settings)


def test_a_resolver_that_hangs_is_left(archive: Archive, tmp_path: Path) -> None:
    names, wire, settings = named(archive, media_mediatree_fr=[[PUBLIC]])
    waiting = threading.Event()

    def hanging(host: str, port: int) -> list[str]:
        waiting.wait(30)
        return [PUBLIC]

    try:
        with pytest.raises(Transient, match="no answer in time"):
            exported(archive, tmp_path, replace(wire, resolver=hanging, connect_seconds=0.2), **settings)
    finally:
        waiting.set()
    assert names.called.count(PUBLIC) == 0


def test_an_address_that_does_not_answer_gives_way_to_the_next(archive: Archive, tmp_path: Path) -> None:
    names, wire, settings = named(archive, media_mediatree_fr=[["8.8.4.4", PUBLIC]])

    def dial(ip: str, port: int, seconds: float) -> socket.socket:
        if ip == "8.8.4.4":
            raise ConnectionRefusedError
        return names.dial(ip, port, seconds)

    assert exported(archive, tmp_path, replace(wire, dial=dial), **settings).bytes == len(MP3)

    def dead(ip: str, port: int, seconds: float) -> socket.socket:
        return names.dial(ip, port, seconds) if ip == "127.0.0.1" else dial("8.8.4.4", port, seconds)

    with pytest.raises(Transient, match=r"cannot be reached .ConnectionRefusedError"):
        exported(archive, tmp_path, replace(wire, dial=dead), **settings)


# --- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
    names = ["-addext", "subjectAltName=DNS:media.mediatree.fr", "-keyout", "key.pem", "-out", "cert.pem"]
    try:
        subprocess.run([*command, *names], cwd=folder, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed: no certificate for the test's server")
    return folder


@contextmanager
def over_tls(archive: Archive, certificate: Path) -> Iterator[Archive]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    with Archive() as secured:
        secured.socket = context.wrap_socket(secured.socket, server_side=True)
        with serving(secured):
            yield secured


def test_tls_asks_for_the_hosts_own_name_at_the_checked_number(archive: Archive, certificate: Path, tmp_path: Path) -> None:
    names = Names({host: [[PUBLIC]] for host in ("media.mediatree.fr", "other.mediatree.fr")})
    trusting = lambda: ssl.create_default_context(cafile=str(certificate / "cert.pem"))  # noqa: E731
    wire = replace(WIRE, resolver=names.resolver, dial=names.dial)
    with over_tls(archive, certificate) as secured:
        names.port = secured.server_address[1]
        archive.src = "https://media.mediatree.fr/a.mp3"
        assert exported(archive, tmp_path, replace(wire, tls=trusting)).address == archive.src
        with pytest.raises(Permanent, match="no valid certificate"):
            exported(archive, tmp_path, wire)
        archive.src = "https://other.mediatree.fr/a.mp3"
        with pytest.raises(Permanent, match="no valid certificate"):
            exported(archive, tmp_path, replace(wire, tls=trusting))


# --- the secret


def assert_nothing_secret(error: BaseException) -> None:
    text = "".join(traceback.format_exception(error))
    for secret in ("token-0001", "token-0001%2F%2B", PASSWORD, "media-secret"):
        assert secret not in text
    chain: BaseException | None = error
    while chain is not None:
        assert "token-0" not in repr(chain.args)
        chain = chain.__cause__ or chain.__context__


def test_no_secret_is_logged_or_returned(archive: Archive, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def echo(talk: Talk) -> None:
        talk.send(head("302 Found", Location=f"http://evil.example{talk.path}"))

    with caplog.at_level(logging.DEBUG):
        got = exported(archive, tmp_path)
        archive.export = (echo,)
        with pytest.raises(Permanent) as refusal:
            exported(archive, tmp_path)
        archive.export, archive.src = (None,), f"{archive.url}/media/token-0003/+/a.mp3"
        echoed = exported(archive, tmp_path)
    assert_nothing_secret(refusal.value)
    for text in (caplog.text, repr(got), repr(echoed)):
        for secret in ("token-000", PASSWORD, "media-secret"):
            assert secret not in text
    assert echoed.address.endswith("/media/[redacted]/a.mp3")


def test_an_address_of_the_api_that_is_none_names_its_setting(tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="set MEDIATREE_URL"):
        Exports(AudioExport(mediatree=Mediatree(url="http://user:pass@there", user="a", password="b")))


def test_there_are_enough_hostile_answers() -> None:
    assert len(_PERMANENT) + len(_TRANSIENT) >= 34
