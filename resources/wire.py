"""One HTTP question over a connection to a machine that was looked at first: checked IP, one deadline, one size.

Belongs here: resolving once, checking every IP address found, connecting to one of those and no other, TLS under the host's
own name, HTTP/1.1 without redirects, proxies, cookies, compression or logs. Does not: which hosts are allowed
(`speech/addresses.py`), retries, redirects, what comes (`resources/media.py`).
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import h11
import httpx

from climate_assets.failures import Permanent, Transient
from climate_assets.speech.addresses import Address, unfit

Resolver = Callable[[str, int], Sequence[str]]
"""Host and port -> IP addresses."""
Dial = Callable[[str, int, float], socket.socket]
"""IP address, port, seconds -> a connection."""

_PART: Final = 64 * 1024
_LONGEST_HEAD: Final = 64 * 1024
# More addresses of one host are not tried.
_MOST_ADDRESSES: Final = 4


@dataclass(frozen=True, slots=True)
class Reply:
    """Status and headers of an answer; its body went to the sink if the status is 200."""

    status: int
    headers: dict[str, str]
    """Names in lower case; of a repeated one the last."""


def resolved(host: str, port: int) -> list[str]:
    """The IP addresses that the system's resolver knows of a host."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def dialled(ip: str, port: int, seconds: float) -> socket.socket:
    """A connection to an IP address; never to a name."""
    return socket.create_connection((ip, port), seconds)


@dataclass(frozen=True, slots=True)
class Wire:
    """How questions are asked; `resolver`, `dial`, `clock` (monotonic) and `tls` can be given."""

    connect_seconds: float = 10.0
    silence_seconds: float = 20.0
    resolver: Resolver = resolved
    dial: Dial = dialled
    clock: Callable[[], float] = time.monotonic
    # httpx reads the system's and the operator's certificate settings.
    tls: Callable[[], ssl.SSLContext] = field(default=httpx.create_ssl_context)

    def get(
        self, address: Address, sink: Callable[[bytes], object], *, deadline: float, max_bytes: int, trusted: bool = False
    ) -> Reply:
        """The answer to a GET; raises `Transient` for trouble on the way, `Permanent` for what a rerun cannot cure.

        `trusted`: the operator named this very host in the settings; it may be anywhere. Errors name the host, and
        never the path or what the server said.
        """
        line = self._connected(address, deadline, trusted)
        try:
            return self._exchanged(line, address, sink, deadline, max_bytes)
        finally:
            line.close()

    def _connected(self, address: Address, deadline: float, trusted: bool) -> socket.socket:
        ips = self._found(address, deadline)
        refused = "" if trusted else unfit(address, ips)
        if refused:
            raise Permanent(refused)
        trouble = ""
        for ip in ips[:_MOST_ADDRESSES]:
            try:
                line = self.dial(ip, address.port, self._left(address, deadline, self.connect_seconds))
            except OSError as error:
                trouble = type(error).__name__
                continue
            return self._secured(line, address, deadline) if address.scheme == "https" else line
        raise Transient(f"{address.host} cannot be reached ({trouble})")

    def _found(self, address: Address, deadline: float) -> Sequence[str]:
        """Where the host is, asked once: what is checked is what is connected to."""
        if address.is_number:
            return [address.host]
        found: list[Sequence[str]] = []
        trouble: list[str] = []

        def ask() -> None:
            try:
                found.append(self.resolver(address.host, address.port))
            except (OSError, UnicodeError) as error:
                trouble.append(type(error).__name__)

        # The system's resolver knows no time limit.
        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(self._left(address, deadline, self.connect_seconds))
        if not found:
            raise Transient(f"{address.host} cannot be found ({trouble[0] if trouble else 'no answer in time'})")
        return found[0]

    def _secured(self, line: socket.socket, address: Address, deadline: float) -> socket.socket:
        trouble: Exception
        try:
            line.settimeout(self._left(address, deadline, self.connect_seconds))
            return self.tls().wrap_socket(line, server_hostname=address.host)
        except ssl.SSLCertVerificationError as error:
            trouble = Permanent(f"{address.host} shows no valid certificate ({error.verify_message})")
        except OSError as error:
            trouble = Transient(f"{address.host} does not agree on TLS ({type(error).__name__})")
        line.close()
        raise trouble

    def _exchanged(
        self, line: socket.socket, address: Address, sink: Callable[[bytes], object], deadline: float, max_bytes: int
    ) -> Reply:
        trouble = ""
        try:
            return self._answer(line, address, sink, deadline, max_bytes)
        except h11.RemoteProtocolError:
            trouble = "broke off or does not speak HTTP"
        except TimeoutError:
            late = self.clock() >= deadline
            trouble = "was not done in time" if late else f"said nothing for {self.silence_seconds:g} s"
        except OSError as error:
            trouble = f"broke the connection ({type(error).__name__})"
        # Raised here, not above: those errors quote what the server said, and it may repeat the question.
        raise Transient(f"{address.host} {trouble}")

    def _answer(
        self, line: socket.socket, address: Address, sink: Callable[[bytes], object], deadline: float, max_bytes: int
    ) -> Reply:
        talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
        headers = [
            ("Host", address.authority),
            ("User-Agent", "climate-assets"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
            ("Connection", "close"),
        ]
        line.settimeout(self._left(address, deadline, self.silence_seconds))
        question = h11.Request(method="GET", target=address.target, headers=headers)
        line.sendall((talk.send(question) or b"") + (talk.send(h11.EndOfMessage()) or b""))
        reply: Reply | None = None
        received = 0
        while True:
            event = talk.next_event()
            if event is h11.NEED_DATA:
                line.settimeout(self._left(address, deadline, self.silence_seconds))
                talk.receive_data(line.recv(_PART))
            elif isinstance(event, h11.Response):
                reply = Reply(event.status_code, {name.decode(): value.decode("latin-1") for name, value in event.headers})
                if reply.status != 200:
                    return reply
                _accept(address, reply, max_bytes)
            elif isinstance(event, h11.Data):
                received += len(event.data)
                if received > max_bytes:
                    raise Permanent(f"{address.host} sends more than {max_bytes} bytes")
                sink(bytes(event.data))
            elif reply is not None and isinstance(event, h11.EndOfMessage):
                if talk.trailing_data[0]:
                    raise Transient(f"{address.host} sends more than it announced")
                return reply

    def _left(self, address: Address, deadline: float, most: float) -> float:
        """Seconds that the next step may take."""
        left = deadline - self.clock()
        if left <= 0:
            raise Transient(f"{address.host} was not done in time")
        return min(left, most)


def _accept(address: Address, reply: Reply, max_bytes: int) -> None:
    """Refuse by its headers what is not worth reading."""
    coding = reply.headers.get("content-encoding", "").strip().lower()
    if coding not in ("identity", ""):
        raise Permanent(f"{address.host} sends its answer packed ({coding[:40]!a}) although it was asked not to")
    announced = reply.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > max_bytes:
        raise Permanent(f"{address.host} announces {announced[:20]} bytes, {max_bytes} at most")
