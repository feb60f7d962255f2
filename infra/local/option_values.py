"""Readers of option values; each raises argparse.ArgumentTypeError for a wrong value."""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import socket
from collections.abc import Callable

MAX_PORT = 65535
MAX_LIMIT_SECONDS = 86_400.0
MIN_BYTES, MAX_BYTES = 125, 64 * 1024 * 1024  # a control frame has 125
NONE = "none"
MIN_SWEEP_SECONDS, MAX_SWEEP_SECONDS = 0.05, 86_400.0


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return a function that reads a whole number within bounds."""

    def read(raw: str) -> int:
        if raw.isdecimal() and least <= int(raw) <= most:
            return int(raw)
        raise argparse.ArgumentTypeError(f"{raw!r} is not a whole number from {least} to {most}")

    return read


def seconds_between(least: float, most: float) -> Callable[[str], float]:
    """Return a function that reads a number of seconds within bounds."""

    def read(raw: str) -> float:
        with contextlib.suppress(ValueError):
            if least <= (number := float(raw)) <= most:
                return number
        raise argparse.ArgumentTypeError(f"{raw!r} is not a number of seconds from {least:g} to {most:g}")

    return read


def one_of(first: str, second: str) -> Callable[[str], str]:
    """Return a function that reads one of two words."""

    def read(raw: str) -> str:
        if raw in {first, second}:
            return raw
        raise argparse.ArgumentTypeError(f"{raw!r} is neither {first} nor {second}")

    return read


def flag(raw: str) -> bool:
    """Read 0 or 1."""
    return whole_number(0, 1)(raw) == 1


def networks(raw: str) -> tuple[str, ...]:
    """Read networks with commas between them, or NONE."""
    if raw.strip() == NONE:
        return ()
    try:
        return tuple(str(ipaddress.ip_network(part.strip())) for part in raw.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{error}; give networks separated by commas, such as 10.0.0.0/8, or {NONE}"
        ) from None


byte_count = whole_number(MIN_BYTES, MAX_BYTES)
idle_seconds = seconds_between(MIN_SWEEP_SECONDS, MAX_LIMIT_SECONDS)


def own_address(raw: str) -> str:
    """Read an address of this machine, by name or number."""
    try:
        found = socket.getaddrinfo(raw, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise argparse.ArgumentTypeError(f"{raw!r} is not an address of this machine") from None
    addresses = {family: str(address[0]) for family, _, _, _, address in reversed(found)}
    return addresses.get(socket.AF_INET) or addresses[socket.AF_INET6]
