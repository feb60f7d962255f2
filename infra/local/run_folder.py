"""A folder below DATA for what lives as long as one server, such as the sockets of its processes."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from infra.local.data import fits_socket
from infra.local.private_folders import (
    held_folder,
    private_folder,
    private_path,
    remove_if_unheld,
    remove_unheld,
)

RUN = "run"
UNHELD = "."
"""Begins the name of a folder that its server does not hold yet."""
NAME_BYTES = 3
LONGEST_FILE = "123456.sock"


@contextlib.contextmanager
def run_folder(data: Path) -> Iterator[Path]:
    """Give a new folder in `run` of a data folder, and remove it and those of servers that were killed.

    Where the path is too long for sockets, or nothing can be written, it is below /tmp; see `detour`.
    Raises StartError.
    """
    remove_unheld()
    data = data.expanduser().absolute()
    with contextlib.ExitStack() as held:
        try:
            folder = held.enter_context(_new_folder(_base(data)))
        except OSError:
            folder = held.enter_context(_new_folder(held.enter_context(private_folder(data))))
        yield folder


def detour(data: Path) -> list[str]:
    """Return the line that says where the sockets are of a data folder whose path is too long for them."""
    data = data.expanduser().absolute()
    if _fits(data / RUN):
        return []
    return [f"The path of DATA is too long for sockets. They are in {private_path(data)}: do not remove it."]


@contextlib.contextmanager
def _new_folder(base: Path) -> Iterator[Path]:
    _remove_left_behind(base)
    folder = base / secrets.token_hex(NAME_BYTES)
    unheld = folder.with_name(f"{UNHELD}{folder.name}")
    unheld.mkdir(mode=0o700)
    try:
        with held_folder(unheld, fcntl.LOCK_EX):
            unheld.rename(folder)  # from now on every process that sees it finds it held
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_left_behind(base: Path) -> None:
    for folder in base.iterdir():
        if folder.is_dir() and not folder.is_symlink() and not folder.name.startswith(UNHELD):
            remove_if_unheld(folder)


def _base(data: Path) -> Path:
    base = data / RUN
    if not _fits(base):
        raise OSError(errno.ENAMETOOLONG, "too long a path for sockets")
    for folder in (data, base):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return base


def _fits(base: Path) -> bool:
    return fits_socket(base / (2 * NAME_BYTES * "0") / LONGEST_FILE)
