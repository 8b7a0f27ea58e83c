"""Which addresses may be fetched: tables of tricks, and properties over everything that looks like an address."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from climate_assets.failures import Permanent
from climate_assets.speech.addresses import Address, fetchable, is_public, not_public, parsed, redirected, unfit

ALLOWED = [
    ".mediatree.example",
    "media.example",
    "cdn.example:8443",
    "http://old.example",
    "http://127.0.0.1:8085",
    "[2606:4700::1]",
]


@pytest.mark.parametrize(
    ("text", "host", "port", "target"),
    [
        ("https://media.example/a.mp3", "media.example", 443, "/a.mp3"),
        ("HTTPS://Media.Example:443/a.mp3?sig=x%2F&t=1#part", "media.example", 443, "/a.mp3?sig=x%2F&t=1"),
        ("https://media.example", "media.example", 443, "/"),
        ("https://media.example?x=1", "media.example", 443, "/?x=1"),
        ("https://a.b.mediatree.example/x@y", "a.b.mediatree.example", 443, "/x@y"),
        ("https://cdn.example:8443/a", "cdn.example", 8443, "/a"),
        ("http://old.example/a", "old.example", 80, "/a"),
        ("http://127.0.0.1:8085/a", "127.0.0.1", 8085, "/a"),
        ("https://[2606:4700:0::1]/a", "2606:4700::1", 443, "/a"),
    ],
)
def test_what_is_allowed(text: str, host: str, port: int, target: str) -> None:
    address = fetchable(text, ALLOWED)
    assert (address.host, address.port, address.target) == (host, port, target)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "NoneType, not text"),
        (5, "int, not text"),
        ({"src": "x"}, "dict, not text"),
        ("", "not http"),
        ("/media/a.mp3", "not http"),
        ("//media.example/a.mp3", "not http"),
        ("file:///etc/passwd", "not http"),
        ("ftp://media.example/a.mp3", "not http"),
        ("gopher://media.example/", "not http"),
        ("data:audio/mp3;base64,AAAA", "not http"),
        ("concat:https://media.example/a|file:/etc/passwd", "not http"),
        ("https:media.example/a", "no host"),
        ("https:///etc/passwd", "no host"),
        ("https://user:secret@media.example/a.mp3", "names a user"),
        ("https://media.example@evil.example/a.mp3", "names a user"),
        ("https://media.example:443@evil.example/", "names a user"),
        ("https://evil.example\\@media.example/a.mp3", "backslash"),
        ("https://evil.example\\.media.example/", "backslash"),
        ("https://media.example\n.evil.example/", "control"),
        ("https://media.example /a", "space"),
        ("https://ｍedia.example/a", "outside ASCII"),
        ("https://①②⑦.⓪.⓪.①/", "outside ASCII"),
        ("https://media.example%2eevil.example/", "no host"),
        ("https://media.example:/a", "no host with a port"),
        ("https://media.example:0/", "no port"),
        ("https://media.example:99999/", "no port"),
        ("https://media.example:8443/", "not among"),
        ("https://cdn.example/", "not among"),
        ("https://mediatree.example/", "not among"),
        ("https://notmediatree.example/", "not among"),
        ("https://mediatree.example.evil.example/", "not among"),
        ("https://media.example./", "no host name"),
        ("https://.media.example/", "no host name"),
        ("https://-x.mediatree.example/", "no host name"),
        ("https://" + "a" * 64 + ".mediatree.example/", "no host name"),
        ("http://media.example/a", "not https"),
        ("https://old.example/a", "not among"),
        ("http://127.0.0.1:22/", "not among"),
        ("http://127.0.0.1/", "not among"),
        ("http://127.0.0.2:8085/", "not among"),
        ("http://localhost:8085/", "not among"),
        ("http://2130706433:8085/", "a number is written as four"),
        ("http://0x7f000001:8085/", "a number is written as four"),
        ("http://0x7f.0.0.0x1:8085/", "a number is written as four"),
        ("http://017700000001:8085/", "a number is written as four"),
        ("http://127.1:8085/", "a number is written as four"),
        ("http://127.000.000.001:8085/", "a number is written as four"),
        ("http://[::ffff:127.0.0.1]:8085/", "not among"),
        ("http://[127.0.0.1]:8085/", "no host"),
        ("http://[::1%25lo]:8085/", "no host"),
        ("https://169.254.169.254/latest/meta-data/", "not among"),
        ("https://media.example/" + "a" * 5_000_000, "5000022 characters"),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_what_is_refused_says_why_and_quotes_little(text: object, reason: str) -> None:
    with pytest.raises(Permanent, match=reason) as refusal:
        fetchable(text, ALLOWED)
    assert len(str(refusal.value)) < 400
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "entry", ["", ".", ".example", "*", "https://", "a b", "media.example/path", "user@media.example", "ftp://x.example"]
)
def test_a_bad_entry_is_the_operators_to_mend(entry: str) -> None:
    with pytest.raises(Permanent, match="allowed host"):
        fetchable("https://media.example/", [entry])


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("/b.mp3", "https://media.example/b.mp3"),
        ("c.mp3?x=1", "https://media.example/a/c.mp3"),
        ("//x.mediatree.example/b", "https://x.mediatree.example/b"),
        ("https://cdn.example:8443/", "https://cdn.example:8443/"),
    ],
)
def test_a_redirect_is_read_from_where_it_was_met(location: str, leads_to: str) -> None:
    assert redirected(fetchable("https://media.example/a/b.mp3?sig=1", ALLOWED), location, ALLOWED).shown == leads_to


@pytest.mark.parametrize(
    "location", ["http://media.example/b", "file:///etc/passwd", "//evil.example/", "http://[", "https://169.254.169.254/"]
)
def test_a_redirect_is_checked_like_an_address(location: str) -> None:
    with pytest.raises(Permanent):
        redirected(fetchable("https://media.example/a", ALLOWED), location, ALLOWED)


def test_what_is_shown_has_no_query() -> None:
    assert parsed("https://media.example:444/a/b.mp3?signature=secret").shown == "https://media.example:444/a/b.mp3"
    assert parsed("https://[::1]:444/a").authority == "[::1]:444"


@pytest.mark.parametrize(
    ("ip", "reason"),
    [
        ("0.0.0.0", "unspecified"),
        ("10.1.2.3", "private"),
        ("100.64.0.1", "shared"),
        ("100.100.100.200", "shared"),
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("168.63.129.16", "cloud"),
        ("169.254.169.254", "link-local"),
        ("172.31.255.255", "private"),
        ("192.0.0.192", "reserved"),
        ("192.168.1.1", "private"),
        ("198.19.0.1", "benchmarks"),
        ("203.0.113.7", "documentation"),
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "reserved"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::7f00:1", "disguise"),
        ("::ffff:127.0.0.1", "disguise"),
        ("::ffff:8.8.8.8", "disguise"),
        ("64:ff9b::7f00:1", "translated"),
        ("64:ff9b:1::a00:1", "translated"),
        ("2002:7f00:1::", "disguise"),
        ("2001:0:53aa:64c::1", "protocol"),
        ("2a00:1450::200:5efe:7f00:1", "disguise"),
        ("2a00:1450::5efe:a00:1", "disguise"),
        ("2001:db8::1", "documentation"),
        ("fc00::1", "private"),
        ("fd00:ec2::254", "private"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("2a00:1450::1%eth0", "link-local"),
        ("fec0::1", "private"),
        ("ff02::1", "multicast"),
        ("4000::1", "reserved"),
        ("not-an-ip", "no IP address"),
        ("8.8.8.8", ""),
        ("172.32.0.1", ""),
        ("100.128.0.1", ""),
        ("2a00:1450:4007::200e", ""),
    ],
)
def test_what_an_ip_address_is_good_for(ip: str, reason: str) -> None:
    assert (reason in not_public(ip)) if reason else not_public(ip) == ""
    assert is_public(ip) is not reason


def of(host: str, port: int = 443, listed: bool = False) -> Address:
    return Address("https", host, port, "/", listed)


def test_one_bad_ip_address_condemns_them_all() -> None:
    assert unfit(of("media.example"), ["8.8.8.8", "2a00:1450:4007::200e"]) == ""
    assert "127.0.0.1, which is loopback" in unfit(of("media.example"), ["8.8.8.8", "127.0.0.1"])
    assert "no IP address" in unfit(of("media.example"), [])


def test_a_listed_number_is_that_number_and_no_name() -> None:
    there = fetchable("http://127.0.0.1:8085/a", ALLOWED)
    assert unfit(there, ["127.0.0.1"]) == ""
    assert "loopback" in unfit(there, ["127.0.0.2"])
    assert "loopback" in unfit(fetchable("http://old.example/", ALLOWED), ["127.0.0.1"])
    named = fetchable("http://localhost:8085/", ["http://localhost:8085"])
    assert "listed by number" in unfit(named, ["127.0.0.1"])


def test_credentials_of_a_cloud_cannot_even_be_listed() -> None:
    for number in ("169.254.169.254", "0.0.0.0", "224.0.0.1", "100.100.100.200"):
        assert unfit(fetchable(f"http://{number}/", [f"http://{number}"]), [number])


@given(st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(0, 2**128 - 1).map(IPv6Address))
def test_public_is_never_more_than_the_registries_say(ip: IPv4Address | IPv6Address) -> None:
    if is_public(str(ip)):
        assert ip.is_global
        assert not any((ip.is_multicast, ip.is_private, ip.is_loopback, ip.is_link_local, ip.is_reserved))


@given(st.integers(0, 2**32 - 1))
def test_no_disguise_of_an_ipv4_address_passes(number: int) -> None:
    for prefix in ("::", "::ffff:0:0", "64:ff9b::", "64:ff9b:1::"):
        assert not is_public(str(IPv6Address(int(ip_address(prefix)) | number)))
    assert not is_public(str(IPv6Address(int(ip_address("2002::")) | number << 80)))


_PIECES = [
    *("https", "http", "://", ":", "/", "//", "@", "?", "#", "\\", "%40", "é", "0x7f", ".", "8085", "443", "\t", " "),
    *("media.example", "evil.example", "127.0.0.1", "[::1]", "mediatree", ".example", "a"),
]
_MADE = st.lists(st.sampled_from(_PIECES), max_size=12).map("".join)


@given(_MADE | st.text(max_size=60).map("https://media.example".__add__))
def test_whatever_is_allowed_is_on_the_list(text: str) -> None:
    try:
        address = fetchable(text, ALLOWED)
    except Permanent:
        return
    assert (address.scheme, address.port) in {("https", 443), ("https", 8443), ("http", 80), ("http", 8085)}
    assert address.host in {"media.example", "cdn.example", "old.example", "127.0.0.1"} or address.host.endswith(
        ".mediatree.example"
    )
    assert fetchable(f"{address.origin}{address.target}", ALLOWED) == address
    assert address.target.startswith("/")
    assert not set(address.target) & set(" \t\r\n#")
