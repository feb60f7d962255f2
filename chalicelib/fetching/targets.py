"""Rules for URLs that may be fetched, and for the addresses of their hosts."""

from __future__ import annotations

import ipaddress
import queue
import re
import socket
import threading
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from chalicelib.config import masked

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_CHARACTERS = 2048
NAT64 = ipaddress.ip_network("64:ff9b::/96")
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# From IANA's special-purpose registries (RFC 6890): networks that `ipaddress` lacks in some Python versions.
NOT_PUBLIC: tuple[Network, ...] = tuple(
    map(
        ipaddress.ip_network,
        ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20"),
    )
)
PRIVATE: tuple[Network, ...] = tuple(
    map(
        ipaddress.ip_network,
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "::1/128",
            "fc00::/7",
        ),
    )
)
"""Networks that `allow_private` allows: not link-local ones, where clouds serve credentials."""
METADATA = frozenset({ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("fd00:ec2::23")})
"""Addresses at which AWS serves the credentials of EC2 and EKS in a private network."""


class FetchError(Exception):
    """A URL can't be fetched; the text is one line without credentials.

    status: Status of the HTTP response if it is not 2xx, else 0.
    """

    def __init__(self, detail: str, *, status: int = 0) -> None:
        super().__init__(detail)
        self.status = status


class PrivateAddress(FetchError):
    """A host has an address that `allow_private` would allow, or might."""


def shown(url: str) -> str:
    """Return a URL for a message: without user, password, query and fragment, at most 200 characters."""
    return masked(url).partition("#")[0][:200]


def parsed(url: str) -> SplitResult:
    """Return the parts of an absolute http or https URL with a host; raises FetchError for any other."""
    if not re.fullmatch(r"[!-~]+", url) or len(url) > MAX_CHARACTERS:
        raise FetchError(
            f"a URL has at most {MAX_CHARACTERS} ASCII characters and no blanks: percent-encode others"
        )
    try:
        parts = urlsplit(url)
        usable = parts.scheme in DEFAULT_PORTS and parts.hostname and parts.port != 0
    except ValueError:
        raise FetchError("the URL has an invalid host or port") from None
    if "@" in parts.netloc:
        raise FetchError("a URL must not contain a user or password: send them in an Authorization header")
    if not usable:
        raise FetchError(f"{shown(url)} is not a URL that begins with http:// or https:// and a host")
    return parts


def origin_of(parts: SplitResult) -> str:
    """Return `scheme://host`, with the port unless it is the scheme's default."""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in (None, DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def resolved(parts: SplitResult, left: Callable[[], float]) -> list[str]:
    """Return every address of a URL's host.

    left: Returns the seconds that the look-up may take; the system's own limit may be far longer.
    Raises TimeoutError, or FetchError when there is no such host.
    """
    found: queue.SimpleQueue[list[str] | None] = queue.SimpleQueue()
    look_up = threading.Thread(target=lambda: found.put(_looked_up(parts.hostname or "")), daemon=True)
    look_up.start()
    try:
        addresses = found.get(timeout=left())
    except queue.Empty:
        raise TimeoutError from None
    if not addresses:
        raise FetchError(f"{origin_of(parts)}: there is no such host")
    return addresses


def _looked_up(host: str) -> list[str] | None:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def addresses_of(addresses: list[str], parts: SplitResult, *, allow_private: bool) -> list[str]:
    """Return the addresses if all of them are allowed; raises FetchError if one is not."""
    for address in addresses:
        if not may_be_reached(address, allow_private=allow_private):
            kind, why = (
                (FetchError, "link-local or reserved")
                if allow_private
                else (PrivateAddress, "private, local or reserved")
            )
            raise kind(f"{origin_of(parts)} has a {why} address, from which this server fetches nothing")
    return addresses


def may_be_reached(text: str, *, allow_private: bool) -> bool:
    """Return whether an address is public, or private where that is allowed.

    An IPv6 address that maps an IPv4 address (mapped, NAT64) has the rules of that address; other such
    addresses (6to4, Teredo, IPv4-compatible) are never public.
    """
    address = _unwrapped(ipaddress.ip_address(text.partition("%")[0]))
    if allow_private and address not in METADATA and any(address in network for network in PRIVATE):
        return True
    listed = any(address in network for network in NOT_PUBLIC)
    routed = address.version == 4 or address in GLOBAL_UNICAST
    return address.is_global and routed and not (listed or address.is_multicast or address.is_reserved)


def _unwrapped(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address
