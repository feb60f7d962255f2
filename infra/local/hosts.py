"""Which host a request names, and which names and addresses mean this machine alone."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Sequence

from chalicelib.errors import BadRequest

_HOST_AND_PORT = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]]*))(?::\d*)?")


def only_host(hosts: Sequence[str], version: str = "1.1") -> str:
    """Return the host that a request names, its port included; empty if it names none, as in HTTP/1.0.

    hosts: the values of its Host headers. version: of HTTP. Raises BadRequest.
    Source: RFC 9112, 3.2.
    """
    if len(hosts) > 1:
        raise BadRequest("A request has one Host header; this one has more.")
    named = hosts[0] if hosts else ""
    if not named and version != "1.0":
        raise BadRequest("A request of HTTP/1.1 has a Host header; this one has none.")
    return named


@functools.lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Say whether a Host header, its port included, names the loopback interface."""
    parts = _HOST_AND_PORT.fullmatch(host)
    if parts is None:
        return False
    name = (parts["ipv6"] or parts["name"]).lower()
    return name == "localhost" or is_loopback_address(name)


def is_loopback_address(address: str) -> bool:
    """Say whether an IP address is one of the loopback interface."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
