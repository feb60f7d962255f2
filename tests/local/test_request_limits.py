"""Time limits and order of the requests of one connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import uvloop

from chalicelib.errors import Forbidden, ParleyError
from infra.local.addresses import Addresses, AddressLimit
from infra.local.http.closing import Closing
from infra.local.http.connection import AHEAD_BYTES, Connection, Host
from infra.local.http.head import Head
from infra.local.http.reader import Received
from infra.local.http.writing import CONTINUE, Answer

SECONDS = 0.1
LONG_SECONDS = 30.0
GET = b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /0 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
EXPECT = POST + b"Expect: 100-continue\r\n\r\n"
LARGE = bytes(32 * 1024 * 1024)

Client = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]]


class Service:
    """Answers each request with its path and body once `goes_on` is set; `/large` at length."""

    def __init__(self, **seconds: float) -> None:
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.served: list[str] = []
        self.connections: set[Connection] = set()
        self.ending: set[Closing] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.host = Host(
            self._serve,
            lambda head: Forbidden("not here") if head.request.path == "/forbidden" else None,
            self._refusal,
            self.connections,
            self.ending,
            Addresses(AddressLimit()),
            lambda: 2,
            **{"head_seconds": LONG_SECONDS, "body_seconds": LONG_SECONDS, "idle_seconds": LONG_SECONDS}
            | seconds,
        )

    def _serve(self, connection: Connection, received: Received) -> None:
        self.served.append(received.head.request.path)
        if self.goes_on.is_set():
            self._answer(connection, received)
            return
        task = asyncio.get_running_loop().create_task(self._answer_later(connection, received))
        self._tasks.add(task)

    async def _answer_later(self, connection: Connection, received: Received) -> None:
        await self.goes_on.wait()
        self._answer(connection, received)

    def _answer(self, connection: Connection, received: Received) -> None:
        path = received.head.request.path
        body = LARGE if path == "/large" else path.encode() + received.body
        connection.answer(received.head, Answer(200, [], body))

    def _refusal(self, error: Exception, _: Head | None) -> Answer:
        assert isinstance(error, ParleyError)
        return Answer.problem(error, {})


def run(client: Client, **seconds: float) -> tuple[Service, bytes]:
    """Run a client against a service; return the service and what the client received."""

    async def both() -> tuple[Service, bytes]:
        service = Service(**seconds)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(service.host), "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            reader.service = service  # type: ignore[attr-defined]
            received = await client(reader, writer)
            writer.close()
            left: list[Connection | Closing] = [*service.connections, *service.ending]
            for one in left:
                one.transport.abort()
            await asyncio.sleep(0)
            return service, received

    return uvloop.run(both())


def service_of(reader: asyncio.StreamReader) -> Service:
    """Return the service that a client talks to."""
    service: Service = reader.service  # type: ignore[attr-defined]
    return service


def sent(*parts: bytes) -> Client:
    """Return a client that sends parts one after the other, and reads until the connection ends."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(SECONDS / 4)
        return await reader.read()

    return client


def test_connection_without_a_request_is_closed() -> None:
    """A connection that sends nothing is closed without an answer."""
    assert run(sent(), head_seconds=SECONDS)[1] == b""


def test_idle_connection_is_closed() -> None:
    """A connection that sends no further request is closed after the answer to the last one."""
    received = run(sent(GET % 1), idle_seconds=SECONDS)[1]
    assert received.count(b"HTTP/1.1 ") == 1
    assert received.endswith(b"/1")


def test_head_that_does_not_come_is_a_408() -> None:
    """A head that is late is a 408, however much of it comes meanwhile, and ends the connection."""
    parts = [bytes([byte]) for byte in (GET % 1)[:-2]]
    service, received = run(sent(*parts), head_seconds=SECONDS)
    assert received.startswith(b"HTTP/1.1 408 ")
    assert b"Connection: close\r\n" in received
    assert service.served == []


def test_body_that_does_not_come_is_a_408() -> None:
    """A body that is late is a 408, and no request reaches the application."""
    service, received = run(sent(POST + b"\r\na", b"b"), body_seconds=SECONDS)
    assert received.startswith(b"HTTP/1.1 408 ")
    assert service.served == []


def test_expectation_is_met_before_the_body() -> None:
    """A client that expects 100 Continue gets it once, before it sends the body."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(EXPECT)
        first = await reader.readexactly(len(CONTINUE))
        writer.write(b"ab")
        await asyncio.sleep(SECONDS / 4)
        writer.write(b"c" + GET % 2)
        writer.write_eof()
        return first + await reader.read()

    received = run(client)[1]
    assert received.startswith(CONTINUE)
    assert received.count(CONTINUE) == 1
    assert b"/0abcHTTP/1.1 200 " in received


def test_expectation_of_a_refused_request_is_not_met() -> None:
    """A request that is refused whatever its body is gets the refusal in place of 100 Continue."""
    received = run(sent(EXPECT.replace(b"/0", b"/forbidden")))[1]
    assert received.startswith(b"HTTP/1.1 403 ")
    assert CONTINUE not in received


def test_body_of_a_refused_request_is_not_waited_for() -> None:
    """A request that is refused whatever its body is gets the refusal before the body has come."""
    service, received = run(sent(POST.replace(b"/0", b"/forbidden") + b"\r\na"))
    assert received.startswith(b"HTTP/1.1 403 ")
    assert service.served == []


def test_body_that_has_come_needs_no_continue() -> None:
    """A body that comes with its head gets no 100 Continue."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(EXPECT + b"abc")
        writer.write_eof()
        return await reader.read()

    assert run(client)[1].startswith(b"HTTP/1.1 200 ")


def test_one_request_at_a_time_and_little_ahead() -> None:
    """While a request waits for its answer, the next ones wait, and the server stops reading."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        service = service_of(reader)
        service.goes_on.clear()
        heads = b"".join(GET % number for number in range(100))
        padding = b"GET /padding HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 8000 + b"\r\n\r\n"
        writer.write(heads + padding * (4 * AHEAD_BYTES // 8000))
        await asyncio.sleep(SECONDS)
        assert service.served == ["/0"]
        (connection,) = service.connections
        assert not connection.transport.is_reading()
        service.goes_on.set()
        writer.write_eof()
        return await reader.read()

    service, _ = run(client)
    assert service.served[:100] == [f"/{number}" for number in range(100)]
    assert service.served[100:] == ["/padding"] * (4 * AHEAD_BYTES // 8000)


def test_client_that_does_not_read_is_sent_no_more() -> None:
    """The next request waits until the client has read the last answer; then all are answered."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        large = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"
        writer.write(large * 3)
        await asyncio.sleep(SECONDS)
        assert service_of(reader).served == ["/large"]
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        writer.write_eof()
        return await reader.read()

    service, received = run(client)
    assert service.served == ["/large"] * 3
    assert len(received) > 3 * len(LARGE)


def test_old_client_is_answered_and_closed() -> None:
    """A request of HTTP/1.0 ends its connection, unless it asks for the connection to be kept."""
    old = b"GET /1 HTTP/1.0\r\n\r\n"
    kept = b"GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    received = run(sent(kept + old + old))[1]
    assert received.count(b"HTTP/1.1 200 ") == 2
    assert received.count(b"Connection: keep-alive\r\n") == 1
    assert received.count(b"Connection: close\r\n") == 1


def test_connections_have_a_maximum() -> None:
    """A connection beyond the maximum of the process is a 503."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        address = writer.get_extra_info("peername")
        others = [await asyncio.open_connection(*address) for _ in range(2)]
        received = await others[1][0].read()
        for _, other in others:
            other.close()
        return received

    assert run(client)[1].startswith(b"HTTP/1.1 503 ")
