"""Links: a process of the server hands orders to its workers over Unix sockets."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import select
import socket
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec

from infra.local.sockets.orders import HEAD, Order, packed
from infra.local.sockets.shared import Meeting

BUFFER_BYTES = 1024 * 1024
MAX_WAITING_BYTES = 16 * 1024 * 1024
"""Maximum bytes that wait for a worker that reads nothing; more is refused."""
ANSWER_SECONDS = 5.0
SPACE_MILLISECONDS = 1000


class Sent(enum.Enum):
    """Result of handing orders over."""

    OK = 0
    NOBODY = 1
    REFUSED = 2


class Links:
    """Hands orders to workers, from any thread, without waiting for an answer or for space."""

    def __init__(self, meeting: Meeting) -> None:
        self._meeting = meeting
        self._links: dict[str, _Link] = {}
        self._lock = threading.Lock()

    def send(self, worker: str, orders: Sequence[Order]) -> Sent:
        """Hand orders over to one worker, all or none."""
        data = packed(orders)
        for _ in range(2):  # a link may have broken since, and its worker live
            try:
                link = self._link(worker)
            except OSError:  # no more files may be open, it has too many callers, or the folder is removed
                return Sent.REFUSED
            if link is None:
                return Sent.NOBODY
            with contextlib.suppress(OSError):
                return Sent.OK if link.send(data) else Sent.REFUSED
            self._drop(worker, link)
        return Sent.NOBODY

    async def ask(self, worker: str, order: Order) -> Any:
        """Have a worker do something, and return its answer; None: it is gone. Raises TimeoutError."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reader, writer = await asyncio.open_unix_connection(self._meeting.path(worker))
                with contextlib.closing(writer):
                    writer.write(packed([order]))
                    (length,) = HEAD.unpack(await reader.readexactly(HEAD.size))
                    return msgspec.msgpack.decode(await reader.readexactly(length))
        except TimeoutError:
            raise
        except (OSError, EOFError):
            return None

    def close(self) -> None:
        """Give up every link."""
        for worker, link in list(self._links.items()):
            self._drop(worker, link)

    def _link(self, worker: str) -> _Link | None:
        with self._lock:
            if worker not in self._links:
                try:
                    self._links[worker] = _Link(str(self._meeting.path(worker)))
                except (FileNotFoundError, ConnectionRefusedError):
                    if self._meeting.is_removed:
                        raise
                    return None
            return self._links[worker]

    def _drop(self, worker: str, link: _Link) -> None:
        with self._lock:
            if self._links.get(worker) is link:
                del self._links[worker]
        link.close()


class _Link:
    """One connection to a worker."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        self._socket.setblocking(False)
        self._waiting: deque[memoryview] = deque()
        self._waiting_bytes = 0
        self._broken = False
        self._lock = threading.Lock()
        try:
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise

    def send(self, data: bytes) -> bool:
        """Write, and queue the rest; False if too much is queued. Raises OSError if the link is broken."""
        with self._lock:
            if self._broken:
                raise BrokenPipeError
            if self._waiting_bytes:
                return self._put_off(memoryview(data))
            sent = self._written(data)
            if sent < len(data):
                self._put_off(memoryview(data)[sent:])
                threading.Thread(target=self._write_the_rest, daemon=True).start()
            return True

    def close(self) -> None:
        """Give it up."""
        with self._lock:
            self._broken = True
            self._socket.close()

    def _put_off(self, data: memoryview) -> bool:
        if self._waiting_bytes + len(data) > MAX_WAITING_BYTES:
            return False
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        return True

    def _written(self, data: bytes | memoryview) -> int:
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0

    def _write_the_rest(self) -> None:
        while True:
            with self._lock:
                if self._broken or not self._waiting:
                    return
                try:
                    sent = self._written(self._waiting[0])
                except OSError:
                    self._broken = True
                    return
                self._waiting_bytes -= sent
                if sent == len(self._waiting[0]):
                    self._waiting.popleft()
                else:
                    self._waiting[0] = self._waiting[0][sent:]
            with contextlib.suppress(OSError, ValueError):
                space = select.poll()  # unlike select it takes descriptors of 1024 and more
                space.register(self._socket, select.POLLOUT)
                space.poll(SPACE_MILLISECONDS)
