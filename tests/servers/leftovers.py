"""Processes and listening ports of a server, found by the folder that it runs in."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

LOOPBACK = f"{int.from_bytes(socket.inet_aton('127.0.0.1'), sys.byteorder):08X}"
LISTENING = "0A"  # as /proc/net/tcp has it


def processes(folder: Path) -> dict[int, str]:
    """Return the command lines, by id, of the living processes whose current folder is in a folder."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                found[int(process.name)] = (process / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
    return found


def sockets(process: int) -> set[str]:
    """Return the inodes of a process's sockets."""
    links = [link.readlink().name for link in Path(f"/proc/{process}/fd").iterdir() if link.is_symlink()]
    return {link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:[")}


def listeners() -> Iterator[tuple[str, int, str]]:
    """Yield the address in hexadecimal, the port and the inode of each TCP socket that listens."""
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            row = line.split()
            if row[3] == LISTENING:
                address, port = row[1].split(":")
                yield address, int(port, 16), row[9]


def addresses(folder: Path, port: int | None) -> set[tuple[str, int]]:
    """Return the listening addresses, in hexadecimal, and ports of processes in a folder, or on a port."""
    inodes = {inode for process in processes(folder) for inode in sockets(process)}
    return {(at, number) for at, number, inode in listeners() if number == port or inode in inodes}
