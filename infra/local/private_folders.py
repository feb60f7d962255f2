"""Short folders below /tmp for what a data folder's own path is too long for, or cannot be made in."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from infra.local.shutdown import StartError

PRIVATE_FOLDERS = Path("/tmp")  # noqa: S108 - the shortest there is; what is made in it is checked below


def private_path(path: Path) -> Path:
    """Return the path of the short folder that replaces a data folder with a long path."""
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Path(f"{_prefix()}{digest}")


def earlier_path(path: Path) -> Path:
    """Return where earlier versions have the short folder of a data folder."""
    return PRIVATE_FOLDERS / private_path(path).name.replace("-run-", "-", 1)


@contextlib.contextmanager
def private_folder(path: Path) -> Iterator[Path]:
    """Hold the short folder of a data folder, made if it is missing; its last holder removes it.

    path: of the data folder; the same one has the same short folder at each start. Raises StartError.
    """
    folder = private_path(path)
    try:
        with _held(folder):
            yield folder
    finally:
        remove_if_unheld(folder)


def make_private(folder: Path) -> None:
    """Make a folder that only this user can open, unless there is one; raises StartError."""
    folder.mkdir(mode=0o700, exist_ok=True)
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or about.st_mode & 0o077:
        raise StartError(f"{folder} must be a folder that only you can open. Remove it, or set DATA.")


def remove_unheld() -> None:
    """Remove the short folders of servers that were killed."""
    for folder in PRIVATE_FOLDERS.glob(f"{Path(_prefix()).name}*"):
        remove_if_unheld(folder)


@contextlib.contextmanager
def held_folder(folder: Path, kind: int) -> Iterator[None]:
    """Hold a folder as long as this process lives; kind: of fcntl.flock. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, kind)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Make a folder and hold it, though another server may be about to remove it."""
    with contextlib.ExitStack() as held:
        make_private(folder)
        held.enter_context(held_folder(folder, fcntl.LOCK_SH))
        while not folder.exists():
            make_private(folder)
            held.enter_context(held_folder(folder, fcntl.LOCK_SH))
        yield


def _prefix() -> str:
    # Not `parley-<uid>-`: servers of earlier versions have theirs there, and hold no lock on them.
    return f"{PRIVATE_FOLDERS}/parley-run-{os.getuid()}-"


def remove_if_unheld(folder: Path) -> None:
    """Remove a folder that nobody holds."""
    with contextlib.suppress(OSError), held_folder(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
        shutil.rmtree(folder, ignore_errors=True)
