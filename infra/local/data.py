"""The folder that keeps the messages: one server at a time, and a place for the store's socket."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from infra.local.private_folders import earlier_path, private_folder, private_path
from infra.local.shutdown import StartError

LOCK = "parley.lock"
SOCKET = "valkey.sock"
SOCKET_PATH_BYTES = 100  # a Unix socket's path ends at 104 bytes on macOS, 108 on Linux
PROBE = "parley.probe"
PROBE_BYTES = 64 * 1024
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class DataFolder:
    """A data folder that this process has for itself.

    path: the folder, absolute.
    alias: the folder by a name that is short and has no blanks or quotes in it, as Valkey's configuration
    and Unix sockets need it; the same at each start.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.alias = path if _is_plain(path) else private_path(path) / "data"

    @property
    def socket(self) -> Path:
        """Where the store listens."""
        return (self.path if self.alias == self.path else self.alias.parent) / SOCKET

    @property
    def earlier_socket(self) -> Path:
        """Where the store of an earlier version listens, which outlives a server that is killed."""
        return self.socket if self.alias == self.path else earlier_path(self.path) / SOCKET

    @property
    def url(self) -> str:
        """The store's URL, as REDIS_URL takes it."""
        return f"unix://{quote(str(self.socket))}"

    def restore_alias(self) -> None:
        """Make what the alias needs, if somebody removed it."""
        if self.alias != self.path and not self.alias.is_symlink():
            self.alias.parent.mkdir(mode=0o700, exist_ok=True)
            self.alias.symlink_to(self.path)


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
                f"Another Parley server uses the {setting} folder {path}. Stop it, or set {setting}."
            ) from None
        except OSError as error:
            raise unusable(path, setting, error) from None
        folder = DataFolder(path.resolve())
        if folder.alias != folder.path:
            held.enter_context(private_folder(folder.path))
        folder.restore_alias()
        yield folder


def unusable(path: Path, setting: str, error: OSError) -> StartError:
    """Return the error that says in one line why a data folder cannot be used, and what to do."""
    remedy = f" Free some space, or set {setting} to a folder on another disk." if error.errno in FULL else ""
    return StartError(f"{setting} folder {path} cannot be used: {error.strerror}.{remedy}")


def write_error(folder: Path) -> OSError | None:
    """Return why a file of PROBE_BYTES cannot be written to a folder, or None."""
    probe = folder / PROBE
    try:
        with probe.open("wb") as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()
    return None


def fits_socket(path: Path) -> bool:
    """Return whether a path is short enough for a Unix socket."""
    return len(os.fsencode(path)) <= SOCKET_PATH_BYTES


def _is_plain(path: Path) -> bool:
    text = str(path)
    return fits_socket(path / SOCKET) and text.isprintable() and not any(one in text for one in " \"'\\")
