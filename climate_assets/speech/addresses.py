"""Whether an address that somebody else wrote may be fetched, and whether the machine behind it may be talked to.

Belongs here: the shape of an address, the list of hosts an operator allows, what an IP address is good for. Does not:
asking a name server and connecting (`resources/wire.py`), when to fetch. Everything that is not plainly allowed is refused.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urljoin

from climate_assets.failures import Permanent

# Longer than any signed address in use.
MOST_CHARACTERS: Final = 8192
_PORTS: Final = {"https": 443, "http": 80}
_SHAPE: Final = re.compile(r"(?i)(https?)://([^/?#@\\]+)((?:/[^#]*)?(?:\?[^#]*)?)(?:#.*)?")
_AUTHORITY: Final = re.compile(r"([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

# IANA special-purpose registries (IPv4 of 2024-10, IPv6 of 2024-10), and one address that a cloud keeps for its agents.
_V4: Final = (
    ("0.0.0.0/8", "unspecified"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "shared between carriers"),
    ("127.0.0.0/8", "loopback"),
    ("168.63.129.16/32", "a cloud's own"),
    ("169.254.0.0/16", "link-local, where clouds keep credentials"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "reserved"),
    ("192.0.2.0/24", "for documentation"),
    ("192.88.99.0/24", "a retired relay"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "for benchmarks"),
    ("198.51.100.0/24", "for documentation"),
    ("203.0.113.0/24", "for documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
)
_V6: Final = (
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("::ffff:0:0/96", "an IPv4 address in disguise"),
    ("::/96", "an IPv4 address in disguise"),
    ("64:ff9b::/96", "translated to IPv4"),
    ("64:ff9b:1::/48", "translated to IPv4"),
    ("2001::/23", "of a protocol, not of a host"),
    ("2001:db8::/32", "for documentation"),
    ("2002::/16", "an IPv4 address in disguise"),
    ("3fff::/20", "for documentation"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "private"),
    ("ff00::/8", "multicast"),
)
_GLOBAL_V6: Final = IPv6Network("2000::/3")
_V4_NETWORKS: Final = tuple((IPv4Network(text), reason) for text, reason in _V4)
_V6_NETWORKS: Final = tuple((IPv6Network(text), reason) for text, reason in _V6)
# What an operator can mean by listing a number: a machine of theirs. A link-local one never is.
_LISTABLE: Final = {"private", "loopback"}


@dataclass(frozen=True, slots=True)
class Address:
    """One address, in its parts."""

    scheme: str
    host: str
    """Lower case; an IPv6 number without brackets."""
    port: int
    target: str
    """Path and query as they are asked for; may hold a signature, so it is shown nowhere."""
    listed_number: bool = False
    """The host is a number, and the operator listed just that number and port."""

    @property
    def is_number(self) -> bool:
        """Whether the host is an IP address, not a name."""
        return ":" in self.host or self.host.replace(".", "").isdigit()

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def authority(self) -> str:
        """Host and port, as a server is told them."""
        return self.origin.partition("://")[2]

    @property
    def shown(self) -> str:
        """The address as it may be logged: without its query."""
        return f"{self.origin}{self.target.partition('?')[0]}"


def parsed(text: object) -> Address:
    """The address that a text is; raises `Permanent` with what is wrong with it, and never quotes it whole."""
    if not isinstance(text, str):
        raise Permanent(f"the address is {type(text).__name__}, not text")
    if len(text) > MOST_CHARACTERS:
        raise Permanent(f"the address has {len(text)} characters, {MOST_CHARACTERS} at most")
    if not text.isascii() or re.search(r"[\x00-\x20\x7f\\]", text):
        raise Permanent("the address holds a space, a control character, a backslash or a letter outside ASCII")
    scheme, colon, _ = text.partition(":")
    if not colon or scheme.lower() not in _PORTS:
        raise Permanent(f"the address is not http(s): it begins with {text[:12]!a}")
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        user = "@" in re.split(r"[/?#]", text.partition("://")[2], maxsplit=1)[0]
        raise Permanent("the address names a user before the host" if user else "the address has no host")
    scheme, target = shape[1].lower(), shape[3]
    split = _AUTHORITY.fullmatch(shape[2].lower())
    if split is None:
        raise Permanent(f"{shape[2][:80]!a} is no host with a port")
    host, port = _host(split[1]), int(split[2] or _PORTS[scheme])
    if not 0 < port < 65536:
        raise Permanent(f"{port} is no port")
    return Address(scheme, host, port, target if target.startswith("/") else f"/{target}")


def fetchable(text: object, allowed: Sequence[str]) -> Address:
    """The address that a text is, if the list allows it; raises `Permanent` with the reason if not.

    An entry of `allowed` is `host`, `.suffix` (every host under it, not itself) or either with `:port`; it stands for
    https unless it begins with `http://`. Without a port it allows the scheme's own only.
    """
    address = parsed(text)
    for entry in allowed:
        number = _allows(entry, address)
        if number is not None:
            return Address(address.scheme, address.host, address.port, address.target, number)
    if any(_allows(f"http://{entry}", address) is not None for entry in allowed if "://" not in entry):
        raise Permanent(f"{address.origin} is not https; list it as http://{address.authority} if it has no better")
    raise Permanent(f"{address.origin} is not among the allowed hosts ({', '.join(allowed) or 'there are none'})")


def redirected(address: Address, location: str, allowed: Sequence[str]) -> Address:
    """Where a redirect leads, if it may be followed; raises `Permanent` with the reason if not."""
    if len(location) > MOST_CHARACTERS:
        raise Permanent(f"the address has {len(location)} characters, {MOST_CHARACTERS} at most")
    try:
        joined = urljoin(f"{address.origin}{address.target}", location)
    except ValueError:
        raise Permanent("the address has no host") from None
    return fetchable(joined, allowed)


def not_public(ip: str) -> str:
    """Why an IP address is none of the public internet; empty if it is of it."""
    try:
        number = ip_address(ip)
    except ValueError:
        return "no IP address"
    if isinstance(number, IPv4Address):
        return next((reason for network, reason in _V4_NETWORKS if number in network), "")
    if number.scope_id is not None:
        return "link-local"
    disguised = number.packed[8:12] in (b"\0\0\x5e\xfe", b"\2\0\x5e\xfe")  # ISATAP, RFC 5214
    named = next((reason for network, reason in _V6_NETWORKS if number in network), "")
    return named or ("an IPv4 address in disguise" if disguised else "" if number in _GLOBAL_V6 else "reserved")


def is_public(ip: str) -> bool:
    """Whether a machine of the public internet can have this IP address."""
    return not not_public(ip)


def unfit(address: Address, ips: Iterable[str]) -> str:
    """Why no connection may be made to where a host was found to be; empty if every one of its IP addresses will do.

    One bad IP address condemns them all: a name that is both public and private is a trick.
    """
    ips = list(ips)
    if not ips:
        return f"{address.host} has no IP address"
    for ip in ips:
        reason = not_public(ip)
        if reason and not (address.listed_number and reason in _LISTABLE and ip == address.host):
            return f"{address.host} is at {ip[:45]}, which is {reason}; fetched from only if listed by number and port"
    return ""


def _host(text: str) -> str:
    """A host in its one spelling: a name, or a number as it is usually written."""
    bare = text.strip("[]")
    last = bare.rpartition(".")[2]
    if text.startswith("[") or last.isdigit() or last.startswith("0x"):
        # 2130706433, 0x7f.1 and 127.1 are all 127.0.0.1 to a resolver: a number has one spelling, or is none.
        try:
            number = ip_address(bare)
        except ValueError:
            number = None
        if number is None or isinstance(number, IPv6Address) != text.startswith("["):
            raise Permanent(f"{text[:80]!a} is no host: a number is written as four, or in brackets")
        return str(number)
    if len(bare) > 253 or not all(_LABEL.fullmatch(label) for label in bare.split(".")):
        raise Permanent(f"{text[:80]!a} is no host name")
    return bare


def _allows(entry: str, address: Address) -> bool | None:
    """Whether an entry lists the address by number; None if it does not allow it. Raises `Permanent` for a bad entry."""
    scheme, _, rest = entry.lower().rpartition("://")
    under = rest.startswith(".")
    try:
        listed = parsed(f"{scheme or 'https'}://{rest.removeprefix('.')}")
    except Permanent as error:
        raise Permanent(f"allowed host {entry!a} cannot be read ({error}); write a host, .suffix or host:port") from None
    if listed.target != "/" or (under and "." not in listed.host):
        raise Permanent(f"allowed host {entry!a} is too wide or has a path; write a host, .suffix or host:port")
    if (listed.scheme, listed.port) != (address.scheme, address.port):
        return None
    if under:
        return False if address.host.endswith(f".{listed.host}") else None
    if listed.host != address.host:
        return None
    return listed.is_number
