"""An open connection to a server of the store, which carries the commands of many calls."""

from __future__ import annotations

import asyncio
import select
import ssl
from collections import deque
from collections.abc import Sequence
from time import monotonic
from typing import Any, Protocol

import hiredis
import redis
from redis.connection import DefaultParser

from chalicelib.idle import LastUse
from infra.local.pipeline.asked import Asked

READ_BYTES = 64 * 1024
LARGE_BYTES = 64 * 1024
"""A reply of which so much has come without its end holds up those behind it."""
MAX_UNANSWERED = 1024
"""Maximum number of calls whose commands a connection carries; more wait until some are answered."""
ENDED = getattr(select, "POLLRDHUP", 0)
NOT_YET = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_INCOMPLETE = object()


class Owner(Protocol):
    """Learns what happens to a connection; each function is called on the loop."""

    def lost(self, connection: PipelinedConnection, error: Exception, asked: Sequence[Asked]) -> None:
        """Take back the commands that were written and not answered, when the connection is closed."""

    def unwritten(self, asked: Sequence[Asked]) -> None:
        """Take back commands that cannot have reached the server."""

    def refused(self, asked: Asked, error: redis.ConnectionError) -> None:
        """Take back commands that the server answers with an error of the connection, such as LOADING."""

    def has_room(self) -> None:
        """Learn that a connection can take commands again."""


class PipelinedConnection:
    """A connection of redis-py, which it has opened, read and written by the loop.

    Replies come in the order of the commands. It is closed when nothing was received for `timeout` seconds
    while a reply is due.

    opened: The connection, a redis.connection.AbstractConnection.
    """

    def __init__(self, opened: Any, owner: Owner, loop: asyncio.AbstractEventLoop, timeout: float) -> None:
        self.is_open = True
        self.used = LastUse()
        self._opened = opened  # which closes the socket when it is collected
        self._owner = owner
        self._loop = loop
        self._timeout = timeout
        self._socket = opened._sock
        self._socket.setblocking(False)
        self._is_tls = isinstance(self._socket, ssl.SSLSocket)
        self._name = opened._host_error()
        self._reader = _reader()
        self._received = bytearray(READ_BYTES)
        self._unanswered: deque[Asked] = deque()
        self._unsent = bytearray()
        self._partial = 0
        self._is_retired = False
        self._heard = monotonic()
        self._late: asyncio.TimerHandle | None = None
        self._poll = select.poll()
        self._poll.register(self._socket, ENDED)
        loop.add_reader(self._socket.fileno(), self._read)

    @property
    def is_free(self) -> bool:
        """Whether new commands would be sent and answered soon."""
        return not (
            self._is_retired
            or self._unsent
            or self._partial >= LARGE_BYTES
            or len(self._unanswered) >= MAX_UNANSWERED
        )

    @property
    def room(self) -> int:
        """Maximum number of calls whose commands it may take, if no other connection is free."""
        return 0 if self._is_retired else MAX_UNANSWERED - len(self._unanswered)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits for it."""
        return not self._unanswered

    def is_ended(self) -> bool:
        """Return whether the server has closed it, though the loop has not seen it yet."""
        return bool(self._poll.poll(0))

    def write(self, asked: list[Asked]) -> None:
        """Send commands, and settle them when their replies are there."""
        if not self._unanswered:
            self._heard = monotonic()
            if self._late is None:
                self._late = self._loop.call_later(self._timeout, self._look)
        self.used.note()
        self._unanswered.extend(asked)
        data = asked[0].packed if len(asked) == 1 else b"".join([one.packed for one in asked])
        if self._unsent:
            self._unsent += data
        else:
            self._send(data)

    def close(self, error: Exception) -> None:
        """Close it; those who wait are told by its owner."""
        if not self.is_open:
            return
        self.is_open = False
        self._loop.remove_reader(self._socket.fileno())
        self._loop.remove_writer(self._socket.fileno())
        if self._late is not None:
            self._late.cancel()
        self._opened.disconnect()
        unwritten = self._take_unwritten()
        written, self._unanswered = self._unanswered, deque()
        self._owner.unwritten(unwritten)
        self._owner.lost(self, error, list(written))

    def _send(self, data: bytes) -> None:
        try:
            sent = self._socket.send(data)
        except NOT_YET:
            sent = 0
        except OSError as error:
            self._unsent += data
            self.close(_error("writing to", self._name, error))
            return
        if sent < len(data):
            self._unsent += data[sent:]
            self._loop.add_writer(self._socket.fileno(), self._send_more)

    def _send_more(self) -> None:
        try:
            del self._unsent[: self._socket.send(self._unsent)]
        except NOT_YET:
            return
        except OSError as error:
            self.close(_error("writing to", self._name, error))
            return
        if not self._unsent:
            self._loop.remove_writer(self._socket.fileno())
            self._owner.has_room()

    def _read(self) -> None:
        while self.is_open:
            try:
                size = self._socket.recv_into(self._received)
            except NOT_YET:
                return
            except OSError as error:
                self.close(_error("reading from", self._name, error))
                return
            if not size:
                self.close(redis.ConnectionError(f"Connection closed by {self._name}."))
                return
            self._heard = monotonic()
            self._reader.feed(self._received, 0, size)
            self._settle(size)
            if not (self._is_tls and self._socket.pending()):
                return  # the loop calls again for what is left, after what else is due

    def _settle(self, size: int) -> None:
        """Give each reply that is complete to its call; size: Bytes that have come."""
        was_free = self.is_free
        self._partial += size
        try:
            while (reply := self._reader.gets()) is not _INCOMPLETE:
                self._partial = 0
                self._settle_one(reply)
        except redis.InvalidResponse as error:
            self.close(redis.ConnectionError(f"{self._name} answers what is no reply: {error}"))
            return
        except IndexError:
            self.close(redis.ConnectionError(f"{self._name} answers what nobody asked."))
            return
        if self._is_retired and not self._unanswered:
            self.close(redis.ConnectionError("Connection closed."))
        elif not was_free and self.is_free:
            self._owner.has_room()

    def _settle_one(self, reply: Any) -> None:
        asked = self._unanswered[0]
        if asked.count == 1:
            self._unanswered.popleft()
            if isinstance(reply, redis.ConnectionError):
                self._refuse(asked, reply)
            else:
                asked.settle(reply)
            return
        asked.replies.append(reply)
        if len(asked.replies) == asked.count:
            self._unanswered.popleft()
            broken = (one for one in asked.replies if isinstance(one, redis.ConnectionError))
            if (error := next(broken, None)) is not None:
                self._refuse(asked, error)
            else:
                asked.settle(asked.replies)

    def _refuse(self, asked: Asked, error: redis.ConnectionError) -> None:
        """Use another connection from now on: a new one may be let in, or the server may have loaded."""
        self._is_retired = True
        self._owner.refused(asked, error)

    def _look(self) -> None:
        """Close the connection if a reply is late; look again when the next one can be."""
        self._late = None
        if self._unanswered and self._remaining() <= 0:
            self._read()  # the loop itself may have been late
        if not self.is_open or not self._unanswered:
            return
        if (remaining := self._remaining()) <= 0:
            self.close(redis.TimeoutError(f"Timeout reading from {self._name}"))
        else:
            self._late = self._loop.call_later(remaining, self._look)

    def _remaining(self) -> float:
        return self._heard + self._timeout - monotonic()

    def _take_unwritten(self) -> list[Asked]:
        """Return the commands of which the server lacks at least the end, so that they cannot have run."""
        unwritten: list[Asked] = []
        if self._is_tls:  # whose layer may have sent what counts as unsent
            return unwritten
        unsent = len(self._unsent)
        while unsent > 0 and self._unanswered:
            unwritten.append(self._unanswered.pop())
            unsent -= len(unwritten[-1].packed)
        return unwritten[::-1]


def _reader() -> Any:
    options: dict[str, Any] = {"replyError": DefaultParser.parse_error, "notEnoughData": _INCOMPLETE}
    return hiredis.Reader(protocolError=redis.InvalidResponse, **options)


def _error(doing: str, name: str, error: OSError) -> redis.ConnectionError:
    made = redis.ConnectionError(f"Error while {doing} {name}: {error.args}")
    made.__cause__ = error
    return made
