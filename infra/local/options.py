"""The command line of the laptop server, each option with an environment variable of its own."""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import msgspec

MOST_WORKERS = 256
LEAST_SWEEP_SECONDS, MOST_SWEEP_SECONDS = 0.05, 86_400.0


class Options(msgspec.Struct, frozen=True):
    """Where to listen (port 0: any that is free), where the data is, and how many processes serve.

    sweep_seconds: how long from one sweep for work that was lost to the next.
    """

    host: str
    port: int
    data: Path
    workers: int
    sweep_seconds: float


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"parley: {message}\n")


def parse(arguments: Sequence[str], environ: Mapping[str, str]) -> Options:
    """Read the options from the arguments, then the environment; exits with one line on a wrong value."""
    parser = _Parser(
        prog="python -m infra.local",
        allow_abbrev=False,
        description="Serve Parley on this machine, with an embedded Valkey unless REDIS_URL names a server.",
    )

    def add(name: str, read: Callable[[str], object], otherwise: str, text: str, variable: str) -> None:
        default = environ.get(variable, "").strip() or otherwise
        parser.add_argument(f"--{name}", type=read, default=default, help=f"{text} ({variable}; %(default)s)")

    add("host", _address, "127.0.0.1", "address to listen on", "PARLEY_HOST")  # shells use HOST for their own
    add("port", _whole(0, 65535), "8080", "port to listen on, 0 for any that is free", "PORT")
    add("data", Path, ".data", "folder of the embedded Valkey and of the media", "DATA")
    add(
        "workers",
        _whole(1, MOST_WORKERS),
        str(2 * (os.cpu_count() or 1) + 1),
        "processes that serve",
        "WORKERS",
    )
    add("sweep-seconds", _seconds, "60", "seconds between two sweeps for lost work", "PARLEY_SWEEP_SECONDS")
    return Options(**vars(parser.parse_args(arguments)))


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(raw: str) -> int:
        if raw.isdecimal() and least <= int(raw) <= most:
            return int(raw)
        raise argparse.ArgumentTypeError(f"{raw!r} is not a whole number from {least} to {most}")

    return read


def _seconds(raw: str) -> float:
    with contextlib.suppress(ValueError):
        if LEAST_SWEEP_SECONDS <= (seconds := float(raw)) <= MOST_SWEEP_SECONDS:
            return seconds
    raise argparse.ArgumentTypeError(
        f"{raw!r} is not a number of seconds from {LEAST_SWEEP_SECONDS:g} to {MOST_SWEEP_SECONDS:g}"
    )


def _address(raw: str) -> str:
    try:
        found = socket.getaddrinfo(raw, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise argparse.ArgumentTypeError(f"{raw!r} is not an address of this machine") from None
    addresses = {family: str(address[0]) for family, _, _, _, address in reversed(found)}
    return addresses.get(socket.AF_INET) or addresses[socket.AF_INET6]
