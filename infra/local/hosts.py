"""Which names and addresses mean this machine alone."""

from __future__ import annotations

import functools
import ipaddress
import re

_HOST_AND_PORT = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]]*))(?::\d*)?")


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
