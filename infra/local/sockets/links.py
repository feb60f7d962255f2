"""What one process of the server hands to its workers over Unix sockets, and how a worker takes it in."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import select
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from infra.local.sockets.shared import Meeting

BUFFER_BYTES = 1024 * 1024
MOST_WAITING_BYTES = 16 * 1024 * 1024
"""What may wait for a worker that takes nothing in; more is refused."""
ANSWER_SECONDS = 5.0
ROOM_MILLISECONDS = 1000
HEAD = struct.Struct("!I")


class Kind(enum.IntEnum):
    """What is to be done with connections; the last three are answered."""

    PUSH = 0
    CLOSE = 1
    POST = 2
    GET = 3
    DELETE = 4


class Order(NamedTuple):
    """Something to do with connections of one worker.

    data: a frame to send them, or a packed CloseReason. droppable: see OutgoingFrame.
    """

    kind: int
    connections: Sequence[str]
    data: bytes
    droppable: bool = False


class Sent(enum.Enum):
    """What came of handing something over."""

    OK = 0
    NOBODY = 1
    REFUSED = 2


class Links:
    """Hands orders to workers, from any thread, and waits neither for an answer nor for room."""

    def __init__(self, meeting: Meeting) -> None:
        self._meeting = meeting
        self._links: dict[str, _Link] = {}
        self._lock = threading.Lock()

    def send(self, worker: str, orders: Sequence[Order]) -> Sent:
        """Hand orders over to one worker, all or none."""
        data = _packed(orders)
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
                    writer.write(_packed([order]))
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
        """Write, or put off what does not fit; False: too much waits. Raises OSError when it is broken."""
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
        if self._waiting_bytes + len(data) > MOST_WAITING_BYTES:
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
                room = select.poll()  # unlike select it takes descriptors of 1024 and more
                room.register(self._socket, select.POLLOUT)
                room.poll(ROOM_MILLISECONDS)


Carry = Callable[[Order], Any]


class Inbox(asyncio.Protocol):
    """A worker's end of one link; carry: does what an order says, and returns the answer if there is one."""

    def __init__(self, carry: Carry) -> None:
        self._carry = carry
        self._buffer = bytearray()
        self._decoder = msgspec.msgpack.Decoder(list[Order])
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Carry out every order that is complete."""
        buffer = self._buffer
        buffer += data
        start = 0
        while len(buffer) >= start + HEAD.size:
            (length,) = HEAD.unpack_from(buffer, start)
            end = start + HEAD.size + length
            if len(buffer) < end:
                break
            self._obey(bytes(memoryview(buffer)[start + HEAD.size : end]))
            start = end
        del buffer[:start]

    def _obey(self, batch: bytes) -> None:
        for order in self._decoder.decode(batch):
            answer = self._carry(order)
            if order.kind >= Kind.POST:
                packed = msgspec.msgpack.encode(answer)
                self._transport.write(HEAD.pack(len(packed)) + packed)


def _packed(orders: Sequence[Order]) -> bytes:
    batch = msgspec.msgpack.encode(orders)
    return HEAD.pack(len(batch)) + batch
