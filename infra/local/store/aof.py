"""The append-only file of the embedded Valkey: its parts, and how much of one is whole writes."""

from __future__ import annotations

import mmap
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

FOLDER = "appendonlydir"
MANIFEST = "appendonly.aof.manifest"
LISTED = re.compile(r'^file "?(?P<name>[^"\s]+)"? seq \d+ type (?P<kind>[bhi])\b', re.MULTILINE)
PART = re.compile(r"appendonly\.aof\.\d+\.(base|incr)\.(rdb|aof)")

COUNT = re.compile(rb"\*([1-9][0-9]{0,6})\r\n")
LENGTH = re.compile(rb"\$([0-9]{1,9})\r\n")
NOTE = re.compile(rb"#[^\r\n]{0,1000}\r\n")
COMMAND = re.compile(rb"\*[1-9][0-9]{0,6}\r\n\$[0-9]{1,9}\r\n")


class Parts(NamedTuple):
    """The files that hold the data: the base, if it has one, then what was written since, oldest first."""

    bases: list[Path]
    increments: list[Path]


class Scan(NamedTuple):
    """How much of a file is whole.

    size: bytes in it. cut: bytes up to which it holds whole writes. damage: where the first byte is that is
    part of none. resumes: whether whole writes follow the damage.
    """

    size: int
    cut: int
    damage: int
    resumes: bool


def parts_of(folder: Path) -> Parts:
    """Return the files that a manifest lists; folder: of the append-only file. Raises OSError."""
    listed = LISTED.findall((folder / MANIFEST).read_text(encoding="utf-8", errors="replace"))
    return Parts(
        [folder / name for name, kind in listed if kind == "b"],
        [folder / name for name, kind in listed if kind == "i"],
    )


def scan(file: Path, go_on: Callable[[], object] = lambda: None) -> Scan:
    """Read a file of commands, whose transactions are whole writes as well as single commands are.

    go_on: is called often, and raises to break off.
    """
    size = file.stat().st_size
    if not size:
        return Scan(0, 0, 0, resumes=False)
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        cut, damage = _whole(data, go_on)
        return Scan(size, cut, damage, damage < size and _resumes(data, damage + 1, go_on))


def cut_off(file: Path, at: int, kept: Path) -> Path:
    """Move the end of a file into one of its own; return that file, which has a name that was free.

    at: bytes that stay. kept: how to name the file, without its ending. Raises OSError; the end is on disk
    before it is cut.
    """
    with file.open("r+b") as opened:
        opened.seek(at)
        with _new_file(kept).open("xb") as end:
            shutil.copyfileobj(opened, end)
            end.flush()
            os.fsync(end.fileno())
        opened.truncate(at)
        os.fsync(opened.fileno())
    return Path(end.name)


def _new_file(name: Path) -> Path:
    number = 1
    while (found := name.with_name(f"{name.name}.{number}")).exists():
        number += 1
    return found


def _whole(data: mmap.mmap, go_on: Callable[[], object]) -> tuple[int, int]:
    """Return where the last whole write ends, and where the last whole command does."""
    cut = place = 0
    in_transaction = False
    while (command := _command(data, place)) is not None:
        name, after = command
        if name in (b"MULTI", b"EXEC"):
            if in_transaction == (name == b"MULTI"):
                break
            in_transaction = not in_transaction
        place = after
        if not in_transaction:
            cut = place
            go_on()
    return cut, place


def _command(data: mmap.mmap, place: int) -> tuple[bytes, int] | None:
    """Return the name of the command at a place and where it ends; None: there is no whole one."""
    if note := NOTE.match(data, place):
        return b"", note.end()
    count = COUNT.match(data, place)
    if count is None:
        return None
    place, name = count.end(), b""
    for _ in range(int(count[1])):
        length = LENGTH.match(data, place)
        if length is None:
            return None
        end = length.end() + int(length[1])
        if data[end : end + 2] != b"\r\n":
            return None
        name = name or data[length.end() : min(end, length.end() + 5)].upper()
        place = end + 2
    return name, place


def _resumes(data: mmap.mmap, place: int, go_on: Callable[[], object]) -> bool:
    for found in COMMAND.finditer(data, place):
        if _command(data, found.start()):
            return True
        go_on()
    return False
