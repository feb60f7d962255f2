"""One TCP connection of a client: its requests are answered in order, one at a time."""

from __future__ import annotations

import asyncio
import enum
import functools
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from chalicelib.errors import Overloaded, ParleyError, RequestTimeout, TooManyRequests
from chalicelib.logs import LOGGER
from infra.local.addresses import Addresses
from infra.local.http.closing import STALL_SECONDS, Closing, Unread
from infra.local.http.head import Head
from infra.local.http.reader import Received, RequestReader
from infra.local.http.time_limit import TimeLimit
from infra.local.http.writing import CONTINUE, Answer, response_bytes

HEAD_SECONDS = 20.0
BODY_SECONDS = 10.0
IDLE_SECONDS = 75.0
"""Longer than the 60 s for which reverse proxies keep a connection, so that they are the ones to close it."""
LINGERING_SHARE = 4
"""Part of the maximum of connections that may wait for clients to close."""
AHEAD_BYTES = 64 * 1024
"""Maximum bytes of further requests that are read while one is answered, but for the last read."""
TURN_SECONDS = 0.005
"""Time after which further requests of a connection wait until the loop has done what else is due."""
ABRUPT_EXCESS = 1
"""An address with more than twice its maximum of connections gets no response to further ones."""


class State(enum.Enum):
    """What a connection does: it awaits requests, answers one, or does neither any more."""

    READY, BUSY, GONE = range(3)


class Awaited(enum.Enum):
    """What a client has to do in time."""

    NOTHING, REQUEST, HEAD, BODY, READING = range(5)


class Successor(Protocol):
    """What takes over a connection after an upgrade."""

    def take_over(self, transport: Any, received: bytes, lost: Callable[[], None]) -> None:
        """Go on with a connection.

        received: What has arrived behind the request. lost: To be called when the connection has ended.
        """


class Host(NamedTuple):
    """Functions and limits of a worker for its connections.

    serve: Begins to answer a request, and calls Connection.answer or Connection.refuse; raises nothing.
    early: Returns why a request is refused whatever its body is, or None.
    refusal: Returns an error as an answer, and logs it.
    connections, ending: Those for requests, and those after their last answer.
    most: Returns the maximum of those for requests.
    head_seconds, body_seconds, idle_seconds: Maximum time for a head, for a body, and between two requests.
    """

    serve: Callable[[Connection, Received], None]
    early: Callable[[Head], ParleyError | None]
    refusal: Callable[[Exception, Head | None], Answer]
    connections: set[Connection]
    ending: set[Closing]
    addresses: Addresses
    most: Callable[[], int]
    head_seconds: float = HEAD_SECONDS
    body_seconds: float = BODY_SECONDS
    idle_seconds: float = IDLE_SECONDS


class Connection(asyncio.Protocol):
    """One connection of a worker.

    client: Address of the other end. transport: The loop's. task: What answers the current request, ended
    with the connection; None: nothing that could be ended.
    """

    transport: Any

    def __init__(self, host: Host) -> None:
        self.client = ""
        self.task: asyncio.Task[None] | None = None
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._reader = RequestReader("")
        self._state = State.READY
        self._is_stopping = False
        self._has_ended = False
        self._is_advancing = False
        self._is_paused = False
        self._is_blocked = False
        self._is_put_off = False
        self._awaited = Awaited.NOTHING
        self._limit = TimeLimit(self._time_out)

    def connection_made(self, transport: Any) -> None:
        """Begin the connection; see asyncio.Protocol."""
        self.transport = transport
        address = transport.get_extra_info("peername")
        self.client = str(address[0]) if address else ""
        self._reader = RequestReader(self.client)
        self._host.connections.add(self)
        self._host.addresses.enter(self.client)
        self._await(Awaited.REQUEST, self._host.head_seconds)
        if excess := self._host.addresses.excess(self.client):
            self._refuse_connection(abruptly=excess > ABRUPT_EXCESS)
        elif len(self._host.connections) > self._host.most():
            self.refuse(Overloaded("The server has the maximum number of connections. Connect again later."))

    def connection_lost(self, error: Exception | None) -> None:
        """End the connection; see asyncio.Protocol."""
        self._host.addresses.leave(self.client)
        self._forget()
        if self.task is not None:
            self.task.cancel()

    def data_received(self, data: bytes) -> None:
        """Read a part of a request, and answer those that are whole."""
        if self._state is State.GONE:
            return
        self._reader.feed(data)
        if self._state is State.READY and not (self._is_blocked or self._is_put_off):
            self._advance()
        elif self._reader.waiting > AHEAD_BYTES and not self._is_paused:
            self._is_paused = True
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        """Answer what has arrived whole, and then close; see asyncio.Protocol."""
        self._has_ended = True
        is_waiting = self._is_blocked or self._is_put_off
        return self._state is State.BUSY or (self._state is State.READY and is_waiting)

    def pause_writing(self) -> None:
        """Answer nothing more until the client has read."""
        self._is_blocked = True
        size = self.transport.get_write_buffer_size
        self._unread = Unread(size, size())
        if self._state is State.READY:
            self._await(Awaited.READING, STALL_SECONDS)

    def resume_writing(self) -> None:
        """Go on with the next request."""
        self._is_blocked = False
        if self._state is State.READY and not self._is_advancing:
            self._advance()

    @property
    def is_open(self) -> bool:
        """Whether an answer can be sent."""
        return self._state is State.BUSY

    @property
    def descriptor(self) -> int:
        """The file descriptor of the connection."""
        return int(self.transport.get_extra_info("socket").fileno())

    def answer(self, head: Head, answer: Answer, *, is_last: bool = False) -> None:
        """Send the answer to the current request; raises ValueError if HTTP cannot carry it.

        is_last: Whether the connection ends with it. Does nothing if the client has gone.
        """
        if self._state is not State.BUSY:
            return
        goes_on = head.keep_alive and not (is_last or self._is_stopping)
        is_old = head.request.version == "1.0"
        option = ("keep-alive" if is_old else "") if goes_on else "close"
        data = response_bytes(answer, with_body=head.request.method != "HEAD", connection=option)
        self.task = None
        self.transport.write(data)
        if not goes_on:
            self._close()
            return
        self._state = State.READY
        if not self._is_advancing:
            self._advance()

    def refuse(self, error: ParleyError, head: Head | None = None) -> None:
        """Send an error as the last answer; head: of the request, if it could be read."""
        answer = self._host.refusal(error, head)
        with_body = head is None or head.request.method != "HEAD"
        self.transport.write(response_bytes(answer, with_body=with_body, connection="close"))
        self._close()

    def hand_over(self, successor: Successor) -> None:
        """Let something else go on with the connection."""
        transport, rest = self.transport, self._reader.rest()
        self._forget()
        if not self._is_paused:
            transport.pause_reading()  # uvloop looks at a protocol's kind when it begins to read
        transport.set_protocol(successor)
        transport.resume_reading()
        lost = functools.partial(self._host.addresses.leave, self.client)
        try:
            successor.take_over(transport, rest, lost)
        except Exception:
            transport.abort()
            raise

    def stop(self) -> None:
        """Close the connection once what it has begun to answer is answered."""
        self._is_stopping = True
        if self._state is State.READY and self._reader.is_between:
            self.transport.close()

    def _advance(self) -> None:
        """Answer whole requests, until one takes its time or the client does."""
        self._is_advancing = True
        end = time.perf_counter() + TURN_SECONDS
        try:
            while self._state is State.READY and not self._is_blocked:
                received = self._reader.next()
                if received is None:
                    self._put_off() if self._reader.has_halted else self._await_more()
                    break
                self._state, self._awaited = State.BUSY, Awaited.NOTHING
                self._limit.clear()
                self._host.serve(self, received)
                if self._state is State.READY and self._reader.waiting and time.perf_counter() > end:
                    self._put_off()
                    break
        except ParleyError as error:
            self.refuse(error, self._reader.head)
        except Exception:
            LOGGER.exception({"event": "defect", "route": "edge"})
            self.transport.abort()
        finally:
            self._is_advancing = False
        if self._is_blocked and self._state is State.READY:
            self._await(Awaited.READING, STALL_SECONDS)

    def _put_off(self) -> None:
        """Go on with what has arrived, and read more, once the loop has done what else is due."""
        if not self._is_paused and not self.transport.is_closing():
            self._is_paused = True
            self.transport.pause_reading()
        if not self._is_put_off:
            self._is_put_off = True
            self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._is_put_off = False
        if self._state is State.READY and not self._is_blocked:
            self._advance()

    def _await_more(self) -> None:
        """Await the rest of a request, or another, in the time that it may take."""
        if self._is_paused:
            self._is_paused = False
            self.transport.resume_reading()
        head = self._reader.head
        if self._has_ended or (self._is_stopping and self._reader.is_between):
            self._close()
        elif head is not None:
            self._await_body(head)
        elif self._reader.is_between:
            self._await(Awaited.REQUEST, self._host.idle_seconds)
        else:
            self._await(Awaited.HEAD, self._host.head_seconds)

    def _await_body(self, head: Head) -> None:
        if self._awaited is Awaited.BODY:
            return
        self._await(Awaited.BODY, self._host.body_seconds)
        if (refusal := self._host.early(head)) is not None:
            raise refusal
        if head.expects_continue:
            self.transport.write(CONTINUE)

    def _await(self, awaited: Awaited, seconds: float) -> None:
        """Set the time limit of what the client has to do now, unless it runs already."""
        if self._awaited is not awaited:
            self._awaited = awaited
            self._limit.set(seconds)

    def _time_out(self) -> None:
        match self._awaited:
            case Awaited.REQUEST:
                self.transport.abort() if self.transport.get_write_buffer_size() else self.transport.close()
            case Awaited.HEAD:
                self._refuse_late("The request line and headers did not arrive", self._host.head_seconds)
            case Awaited.BODY:
                self._refuse_late("The body did not arrive", self._host.body_seconds, " Send it again.")
            case Awaited.READING if self._unread.has_shrunk():
                self._limit.set(STALL_SECONDS)
            case Awaited.READING:
                self.transport.abort()

    def _refuse_late(self, what: str, seconds: float, advice: str = "") -> None:
        self.refuse(RequestTimeout(f"{what} within {seconds:g} seconds.{advice}"), self._reader.head)

    def _refuse_connection(self, *, abruptly: bool) -> None:
        if abruptly:
            self._forget()
            self.transport.abort()
        else:
            self.refuse(TooManyRequests("Your address has too many connections to this server. Close some."))

    def _close(self) -> None:
        """Leave the connection to Closing; it lingers not for so many that new ones find no descriptors."""
        self._forget()
        if self.transport.is_closing():
            return
        if self._is_paused:
            self.transport.resume_reading()
        are_few = len(self._host.ending) <= self._host.most() // LINGERING_SHARE
        lingers = are_few and not self._has_ended
        self._host.ending.add(Closing(self.transport, self._closed, lingers=lingers))

    def _closed(self, closing: Closing) -> None:
        self._host.ending.discard(closing)
        self._host.addresses.leave(self.client)

    def _forget(self) -> None:
        self._state = State.GONE
        self._host.connections.discard(self)
        self._limit.end()
