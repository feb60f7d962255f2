"""Which host a request names, and which names and addresses mean this machine alone."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Collection, Iterable, Sequence

from chalicelib.errors import BadRequest, Forbidden

_HOST_AND_PORT = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]]*))(?::\d*)?")

_REFERENCE = re.compile(r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+,;=-]+", re.ASCII)


def reference(name: str) -> str:
    """Return a name or address out of a Host header as a URL may have it; raises BadRequest.

    Source: RFC 3986, 3.2.2.
    """
    if not _REFERENCE.fullmatch(name):
        raise BadRequest("The Host header must be a host name or an address, such as chat.example.lan.")
    return name


def only_host(hosts: Sequence[str], version: str = "1.1") -> str:
    """Return the host that a request names, its port included; empty if it names none, as in HTTP/1.0.

    hosts: the values of its Host headers. version: of HTTP. Raises BadRequest.
    Source: RFC 9112, 3.2.
    """
    if len(hosts) > 1:
        raise BadRequest("Send exactly one Host header; this request has more.")
    named = hosts[0] if hosts else ""
    if not named and version != "1.0":
        raise BadRequest("Send a Host header: HTTP/1.1 requires it.")
    return named


def refuse_foreign_names(hosts: Iterable[str], listed: Collection[str]) -> None:
    """Raise Forbidden when an open server does not answer to one of some Host headers.

    listed: the setting open_hosts; loopback's own names are always answered to.
    """
    for host in hosts:
        name = name_of(host)
        if name not in listed and not is_loopback(name):
            raise Forbidden(
                "An open server answers only to localhost, 127.0.0.1 and [::1], so that no web page can reach"
                " it under a name of its own. PARLEY_OPEN_HOSTS lists other names that it answers to."
            )


@functools.lru_cache(maxsize=256)
def name_of(host: str) -> str:
    """Return the name or address in a Host header, in lower case; empty if it has none."""
    parts = _HOST_AND_PORT.fullmatch(host)
    return "" if parts is None else (parts["ipv6"] or parts["name"]).lower()


def is_loopback(name: str) -> bool:
    """Say whether a name or an address is the loopback interface's."""
    return name == "localhost" or is_loopback_address(name)


def is_loopback_address(address: str) -> bool:
    """Say whether an IP address is one of the loopback interface."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
