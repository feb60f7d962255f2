"""The command line of `python -m infra.local`; each option has an environment variable too."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import msgspec

from infra.local.addresses import AddressLimit
from infra.local.option_values import (
    MAX_PORT,
    MAX_SWEEP_SECONDS,
    MIN_SWEEP_SECONDS,
    byte_count,
    flag,
    idle_seconds,
    networks,
    one_of,
    own_address,
    seconds_between,
    whole_number,
)
from infra.local.sockets.shared import Limits
from infra.local.terminal_log import JSON, TEXT

MAX_WORKERS = 256
MAX_FRAMES = 100_000
MAX_CONNECTIONS = 100_000
EVERYSEC, ALWAYS = "everysec", "always"
DISPATCH = "DISPATCH"
"""The variable by which workers learn the way that is chosen: DIRECT or CHALICE."""
DIRECT, CHALICE = "direct", "chalice"


class Options(msgspec.Struct, frozen=True):
    """The options of one server.

    host: Address to listen on.
    port: For HTTP and WebSockets; 0: a free one.
    data: Folder of the embedded Valkey and of the media.
    durability: EVERYSEC or ALWAYS: when the embedded Valkey syncs its writes to disk.
    workers: Number of processes that serve.
    sweep_seconds: Seconds between two sweeps.
    socket_*: Fields of sockets.shared.Limits.
    address_connections, uncounted_addresses: Fields of addresses.AddressLimit.
    shuffle_frames, push_by_wire: `shuffle` and `by_wire` of sockets.shared.SocketSettings.
    dispatch: DIRECT or CHALICE: how an HTTP call reaches the application.
    log: TEXT or JSON of terminal_log.
    end_with_parent: See Shutdown.end_with_parent.
    """

    host: str
    port: int
    data: Path
    durability: str
    workers: int
    sweep_seconds: float
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
    dispatch: str
    log: str
    end_with_parent: bool

    @property
    def limits(self) -> Limits:
        """The limits of a connection."""
        return Limits(**{name: getattr(self, f"socket_{name}") for name in Limits.__struct_fields__})

    @property
    def addresses(self) -> AddressLimit:
        """The maximum number of connections of a client address."""
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

    add(
        "host", own_address, "127.0.0.1", "address to listen on", "PARLEY_HOST"
    )  # shells use HOST for their own
    add("port", whole_number(0, MAX_PORT), "8080", "port to listen on, 0 for a free one", "PORT")
    add("data", Path, ".data", "folder of the embedded Valkey and of the media", "DATA")
    add(
        "durability",
        one_of(EVERYSEC, ALWAYS),
        EVERYSEC,
        "when writes are synced to disk: once a second, or before each answer",
        "PARLEY_DURABILITY",
    )
    add(
        "workers",
        whole_number(1, MAX_WORKERS),
        str(os.cpu_count() or 1),
        "number of processes that serve",
        "WORKERS",
    )
    sweep = seconds_between(MIN_SWEEP_SECONDS, MAX_SWEEP_SECONDS)
    add(
        "sweep-seconds",
        sweep,
        "60",
        "seconds between two sweeps, which send scheduled messages and process lost work",
        "PARLEY_SWEEP_SECONDS",
    )
    limit("idle-seconds", idle_seconds, "seconds without a frame after which a connection is closed")
    limit("life-seconds", idle_seconds, "maximum life of a connection in seconds")
    limit("message-bytes", byte_count, "maximum size of a message in bytes")
    limit("frame-bytes", byte_count, "maximum size of a frame in bytes")
    limit("unread-bytes", byte_count, "maximum number of bytes that wait for a client to read them")
    limit("user-unread-bytes", byte_count, "the same for all connections of a user in a process")
    limit("queued-frames", whole_number(1, MAX_FRAMES), "maximum number of waiting messages of a connection")
    limit(
        "control-frames",
        whole_number(1, MAX_FRAMES),
        "maximum pings, pongs and continuation frames a minute",
    )
    usual = AddressLimit()
    add(
        "address-connections",
        whole_number(0, MAX_CONNECTIONS),
        str(usual.connections),
        "maximum connections of an address to a process, 0 for no limit",
        "ADDRESS_CONNECTIONS",
    )
    add(
        "uncounted-addresses",
        networks,
        ",".join(usual.uncounted),
        "networks whose connections do not count, such as a reverse proxy's",
        "UNCOUNTED_ADDRESSES",
    )
    add("shuffle-frames", flag, "0", "1: handle waiting messages in random order", "SHUFFLE_FRAMES")
    add("push-by-wire", flag, "0", "1: push through /@connections, as on AWS", "PUSH_BY_WIRE")
    add(
        "dispatch",
        one_of(DIRECT, CHALICE),
        DIRECT,
        "how HTTP calls reach the application: directly, or by Lambda events through Chalice",
        DISPATCH,
    )
    add("log", one_of(TEXT, JSON), TEXT if sys.stderr.isatty() else JSON, f"{TEXT} or {JSON}", "LOG")
    add(
        "end-with-parent",
        flag,
        "0",
        "1: stop when the parent process ends, as under make run",
        "END_WITH_PARENT",
    )
    if environ.get("SOCKET_PORT", "").strip() or any(word.startswith("--socket-port") for word in arguments):
        parser.error("SOCKET_PORT is gone: WebSockets are on PORT now. Unset it.")
    return Options(**vars(parser.parse_args(arguments)))
