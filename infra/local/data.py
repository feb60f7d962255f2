"""The folder that keeps the messages: one server at a time, and a place for the store's socket."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from infra.local.shutdown import StartError

LOCK = "parley.lock"
SOCKET = "valkey.sock"
SOCKET_PATH_BYTES = 100  # a Unix socket's path ends at 104 bytes on macOS, 108 on Linux
PRIVATE_FOLDERS = Path("/tmp")  # noqa: S108 - the shortest there is; what is made in it is checked below


class DataFolder:
    """A data folder that this process has for itself.

    path: the folder, absolute.
    alias: the folder by a name that is short and has no blanks or quotes in it, as Valkey's configuration
    and Unix sockets need it; the same at each start.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.alias = path if _is_plain(path) else _private_link(path)

    @property
    def socket(self) -> Path:
        """Where the store listens."""
        return (self.path if self.alias == self.path else self.alias.parent) / SOCKET

    @property
    def url(self) -> str:
        """The store's URL, as REDIS_URL takes it."""
        return f"unix://{quote(str(self.socket))}"

    def drop_alias(self) -> None:
        """Remove what was made for the alias."""
        if self.alias != self.path:
            self.alias.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self.alias.parent.rmdir()


@contextlib.contextmanager
def locked(path: Path, setting: str = "DATA") -> Iterator[DataFolder]:
    """Hold a data folder, made if it is missing, against any other server.

    setting: the variable that chooses the folder, for what an error says.
    Raises StartError when it cannot be used or another server has it.
    """
    path = path.expanduser().absolute()
    with contextlib.ExitStack() as held:
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = held.enter_context((path / LOCK).open("ab"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(
                f"Another Parley server has the {setting} folder {path}. Stop it, or set {setting}."
            ) from None
        except OSError as error:
            raise StartError(f"{setting} folder {path} cannot be used: {error.strerror}.") from None
        folder = DataFolder(path.resolve())
        held.callback(folder.drop_alias)
        yield folder


def _is_plain(path: Path) -> bool:
    text = str(path)
    fits = len(os.fsencode(path / SOCKET)) <= SOCKET_PATH_BYTES
    return fits and text.isprintable() and not any(mark in text for mark in " \"'\\")


def _private_link(path: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    folder = PRIVATE_FOLDERS / f"parley-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or about.st_mode & 0o077:
        raise StartError(f"{folder} must be a folder that only you can open. Remove it, or set DATA.")
    link = folder / "data"
    link.unlink(missing_ok=True)
    link.symlink_to(path)
    return link
