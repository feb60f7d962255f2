"""State that the processes of one server share: the settings of its sockets, and a folder of workers."""

from __future__ import annotations

import contextlib
import os
import secrets
import string
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from infra.local.addresses import AddressLimit

VARIABLE = "PARLEY_LOCAL_SOCKETS"
"""The environment variable with the folder, in the server and in every process that it starts."""
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
"""The environment variables with the keys that sign requests of the management API."""
SETTINGS_VARIABLE = "PARLEY_LOCAL_SOCKET_SETTINGS"
"""The environment variable with the settings of the sockets as JSON, in the same processes."""
BEAT = "jobs"
"""File whose mtime, in ns of the monotonic clock, is the time until which queued work counts as done."""
BEAT_SECONDS, START_SECONDS = 10.0, 60.0
NAME_LETTERS = string.ascii_lowercase + string.digits  # file names that differ wherever case does not count
NAME_LENGTH = 6
RANDOM_BYTES = 9


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of a connection; the defaults are API Gateway's where it has such a limit.

    Source: "Quotas for configuring and running a WebSocket API" in the API Gateway Developer Guide.

    idle_seconds: Without a frame in either direction. life_seconds: From the opening. message_bytes,
    frame_bytes: Of a message, which may have several frames, and of a frame. unread_bytes: Waiting for a
    client that does not read. user_unread_bytes: The same for all connections of a user to one worker.
    queued_frames: Waiting for the handler; then the worker stops reading. control_frames: Pings, pongs and
    parts of messages a minute, which may all come at once.
    """

    idle_seconds: float = 600.0
    life_seconds: float = 7200.0
    message_bytes: int = 131_072
    frame_bytes: int = 32_768
    unread_bytes: int = 4_194_304
    user_unread_bytes: int = 8_388_608
    queued_frames: int = 64
    control_frames: int = 6000


class SocketSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The server's port and the options of its workers' WebSockets.

    shuffle: Whether waiting frames are handled in random order. by_wire: Whether pushes use `/@connections`,
    as on AWS.
    """

    port: int
    limits: Limits = Limits()
    addresses: AddressLimit = AddressLimit()
    shuffle: bool = False
    by_wire: bool = False


class Meeting:
    """The folder by which the processes of one server find each other, and the settings of its sockets."""

    def __init__(self, folder: Path, settings: SocketSettings) -> None:
        self.settings = settings
        self._folder = folder
        self._beat = folder / BEAT

    @classmethod
    def from_env(cls) -> Meeting | None:
        """Return the folder and settings of this process's server; None: it has no server with sockets."""
        if not (folder := os.environ.get(VARIABLE)):
            return None
        return cls(Path(folder), msgspec.json.decode(os.environ[SETTINGS_VARIABLE], type=SocketSettings))

    @property
    def is_removed(self) -> bool:
        """Whether the folder was removed, so that a worker without a socket in it may be alive."""
        return not self._folder.exists()

    def restore(self) -> None:
        """Make the folder again if it was removed. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def beat(self, seconds: float = BEAT_SECONDS) -> None:
        """Record that queued work is being done for some more seconds. Raises OSError."""
        until = time.monotonic_ns() + int(seconds * 1e9)
        if not self._beat.exists():
            self.restore()
            self._beat.touch()
        os.utime(self._beat, ns=(until, until))

    def does_jobs(self) -> bool:
        """Return whether the process that does queued work has called `beat` in time."""
        try:
            return self._beat.stat().st_mtime_ns >= time.monotonic_ns()
        except OSError:
            return False

    def path(self, worker: str) -> Path:
        """Return the path of the socket on which a worker takes orders; raises OSError for a bad name."""
        if not (worker.isascii() and worker.isalnum()):
            raise FileNotFoundError(worker)
        return self._folder / f"{worker}.sock"

    def new_name(self) -> str:
        """Return a new name for one run of a worker."""
        while True:
            name = "".join(secrets.choice(NAME_LETTERS) for _ in range(NAME_LENGTH))
            if not self.path(name).exists():
                return name


def new_connection_id(worker: str) -> str:
    """Return an id for a connection of a worker: base64 that ends in `=`, like API Gateway's."""
    return f"{worker}{secrets.token_urlsafe(RANDOM_BYTES)[:RANDOM_BYTES]}="


def worker_of(connection: str) -> str:
    """Return the name of the worker that has or had a connection."""
    return connection[:NAME_LENGTH]


@contextlib.contextmanager
def meeting(folder: Path, settings: SocketSettings) -> Iterator[None]:
    """Give the folder and settings to every process started within the context."""
    with contextlib.suppress(OSError):
        Meeting(folder, settings).beat(START_SECONDS)
    os.environ |= {VARIABLE: str(folder), SETTINGS_VARIABLE: msgspec.json.encode(settings).decode()}
    try:
        yield
    finally:
        for name in (VARIABLE, SETTINGS_VARIABLE):
            del os.environ[name]
