"""The command line of the laptop server, each option with an environment variable of its own."""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import msgspec

from infra.local.sockets.shared import AddressLimit, Limits
from infra.local.terminal_log import JSON, TEXT

MOST_WORKERS = 256
MOST_PORT = 65535
NEXT_PORT = "PORT + 1"
MOST_LIMIT_SECONDS = 86_400.0
LEAST_BYTES, MOST_BYTES = 125, 64 * 1024 * 1024  # a control frame has 125
MOST_FRAMES = 100_000
MOST_CONNECTIONS = 100_000
NONE = "none"
EVERYSEC, ALWAYS = "everysec", "always"
LEAST_SWEEP_SECONDS, MOST_SWEEP_SECONDS = 0.05, 86_400.0


class Options(msgspec.Struct, frozen=True):
    """Where to listen (port 0: any that is free), where the data is, and how many processes serve.

    sweep_seconds: how long from one sweep for work that was lost to the next. socket_port: of the sockets;
    the other socket_ options are the fields of sockets.shared.Limits. address_connections,
    uncounted_addresses: the fields of sockets.shared.AddressLimit. shuffle_frames, push_by_wire: shuffle
    and by_wire of sockets.shared.SocketSettings. durability: EVERYSEC or ALWAYS: when the embedded Valkey
    brings what it has written to the disk. log: TEXT or JSON of terminal_log. end_with_parent: see
    Shutdown.end_with_parent.
    """

    host: str
    port: int
    data: Path
    durability: str
    workers: int
    sweep_seconds: float
    socket_port: int
    socket_idle_seconds: float
    socket_life_seconds: float
    socket_message_bytes: int
    socket_frame_bytes: int
    socket_unread_bytes: int
    socket_user_unread_bytes: int
    socket_queued_frames: int
    socket_control_frames: int
    address_connections: int
    uncounted_addresses: tuple[str, ...]
    shuffle_frames: bool
    push_by_wire: bool
    log: str
    end_with_parent: bool

    @property
    def limits(self) -> Limits:
        """What a socket may do."""
        return Limits(**{name: getattr(self, f"socket_{name}") for name in Limits.__struct_fields__})

    @property
    def addresses(self) -> AddressLimit:
        """How many connections a client address may have."""
        return AddressLimit(connections=self.address_connections, uncounted=self.uncounted_addresses)


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

    def limit(name: str, read: Callable[[str], object], text: str) -> None:
        default = f"{getattr(Limits(), name.replace('-', '_')):.12g}"
        add(f"socket-{name}", read, default, text, f"SOCKET_{name.replace('-', '_').upper()}")

    add("host", _address, "127.0.0.1", "address to listen on", "PARLEY_HOST")  # shells use HOST for their own
    add("port", _whole(0, MOST_PORT), "8080", "port to listen on, 0 for any that is free", "PORT")
    add("data", Path, ".data", "folder of the embedded Valkey and of the media", "DATA")
    add(
        "durability",
        _one_of(EVERYSEC, ALWAYS),
        EVERYSEC,
        "when messages are on disk: within a second or so, or before they are answered",
        "PARLEY_DURABILITY",
    )
    add(
        "workers",
        _whole(1, MOST_WORKERS),
        str(2 * (os.cpu_count() or 1) + 1),
        "processes that serve",
        "WORKERS",
    )
    sweep = _seconds(LEAST_SWEEP_SECONDS, MOST_SWEEP_SECONDS)
    add("sweep-seconds", sweep, "60", "seconds between two sweeps for lost work", "PARLEY_SWEEP_SECONDS")
    add("socket-port", _socket_port, NEXT_PORT, "port of the sockets, 0 for any that is free", "SOCKET_PORT")
    limit("idle-seconds", _idle, "seconds without a frame after which a socket is closed")
    limit("life-seconds", _idle, "seconds after which a socket is closed")
    limit("message-bytes", _bytes, "bytes of the largest message")
    limit("frame-bytes", _bytes, "bytes of the largest frame")
    limit("unread-bytes", _bytes, "bytes that may wait for a client to read them")
    limit("user-unread-bytes", _bytes, "such bytes of all sockets of a user in a process")
    limit("queued-frames", _whole(1, MOST_FRAMES), "messages of a socket that may wait for their turn")
    limit("control-frames", _whole(1, MOST_FRAMES), "pings, pongs and continuation frames a minute")
    usual = AddressLimit()
    add(
        "address-connections",
        _whole(0, MOST_CONNECTIONS),
        str(usual.connections),
        "connections of an address to each port of a process, 0 for no limit",
        "ADDRESS_CONNECTIONS",
    )
    add(
        "uncounted-addresses",
        _networks,
        ",".join(usual.uncounted),
        "networks whose connections do not count, such as a reverse proxy's",
        "UNCOUNTED_ADDRESSES",
    )
    add("shuffle-frames", _flag, "0", "1: handle the messages that wait in any order", "SHUFFLE_FRAMES")
    add("push-by-wire", _flag, "0", "1: push through /@connections, as on AWS", "PUSH_BY_WIRE")
    add("log", _one_of(TEXT, JSON), TEXT if sys.stderr.isatty() else JSON, f"{TEXT} or {JSON}", "LOG")
    add(
        "end-with-parent",
        _flag,
        "0",
        "1: stop when the process that started this one is gone, as under make run",
        "END_WITH_PARENT",
    )
    read = vars(parser.parse_args(arguments))
    if read["socket_port"] is None:
        read["socket_port"] = read["port"] + 1 if 0 < read["port"] < MOST_PORT else 0
    if read["port"] == read["socket_port"] != 0:
        parser.error(
            f"PORT and SOCKET_PORT are both {read['port']}; sockets need a port of their own."
            " Set one of them to another, or leave SOCKET_PORT out."
        )
    return Options(**read)


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(raw: str) -> int:
        if raw.isdecimal() and least <= int(raw) <= most:
            return int(raw)
        raise argparse.ArgumentTypeError(f"{raw!r} is not a whole number from {least} to {most}")

    return read


def _seconds(least: float, most: float) -> Callable[[str], float]:
    def read(raw: str) -> float:
        with contextlib.suppress(ValueError):
            if least <= (seconds := float(raw)) <= most:
                return seconds
        raise argparse.ArgumentTypeError(f"{raw!r} is not a number of seconds from {least:g} to {most:g}")

    return read


def _socket_port(raw: str) -> int | None:
    return None if raw == NEXT_PORT else _whole(0, MOST_PORT)(raw)


def _one_of(first: str, second: str) -> Callable[[str], str]:
    def read(raw: str) -> str:
        if raw in {first, second}:
            return raw
        raise argparse.ArgumentTypeError(f"{raw!r} is neither {first} nor {second}")

    return read


def _flag(raw: str) -> bool:
    return _whole(0, 1)(raw) == 1


def _networks(raw: str) -> tuple[str, ...]:
    if raw.strip() == NONE:
        return ()
    try:
        return tuple(str(ipaddress.ip_network(part.strip())) for part in raw.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{error}; give networks with commas between, such as 10.0.0.0/8, or {NONE}"
        ) from None


_bytes = _whole(LEAST_BYTES, MOST_BYTES)
_idle = _seconds(LEAST_SWEEP_SECONDS, MOST_LIMIT_SECONDS)


def _address(raw: str) -> str:
    try:
        found = socket.getaddrinfo(raw, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise argparse.ArgumentTypeError(f"{raw!r} is not an address of this machine") from None
    addresses = {family: str(address[0]) for family, _, _, _, address in reversed(found)}
    return addresses.get(socket.AF_INET) or addresses[socket.AF_INET6]
