"""Reads the requests of one connection out of its bytes, in whatever pieces they arrive."""

from __future__ import annotations

from typing import NamedTuple

from infra.local.http.body import ChunkedBody, HeadersTooLarge, SizedBody
from infra.local.http.head import CHUNKED, Head, check_part, parse_head

MAX_HEAD_BYTES = 16 * 1024
"""Maximum bytes of a request's head; with as many or more it is refused."""
HEAD_END = b"\r\n\r\n"


class Received(NamedTuple):
    """A whole request."""

    head: Head
    body: bytes


class RequestReader:
    """Reads the requests of a connection, one after the other.

    client: Address of the connection's other end.
    head: Of a request whose body has not arrived whole, or is refused; None: of no request.
    """

    def __init__(self, client: str) -> None:
        self.head: Head | None = None
        self._client = client
        self._data = b""
        self._start = 0
        self._body: SizedBody | ChunkedBody | None = None

    def feed(self, data: bytes) -> None:
        """Add bytes that have arrived."""
        self._data = self._data[self._start :] + data if self.waiting else data
        self._start = 0

    def next(self) -> Received | None:
        """Return the next request; None: it has not arrived whole.

        Raises BadRequest, HeadersTooLarge or PayloadTooLarge; what follows can't be read then.
        """
        if self.head is None:
            head = self._next_head()
            if head is None:
                return None
            if head.length == 0:
                return Received(head, b"")
            self.head = head
            self._body = ChunkedBody() if head.length == CHUNKED else SizedBody(head.length)
        return self._with_body(self.head)

    @property
    def waiting(self) -> int:
        """Number of bytes that have arrived and are not read."""
        return len(self._data) - self._start

    @property
    def is_between(self) -> bool:
        """Whether nothing of another request has arrived."""
        return self.head is None and self._start == len(self._data)

    def rest(self) -> bytes:
        """Return what has arrived behind the last request, and forget it."""
        rest = self._data[self._start :]
        self._data, self._start = b"", 0
        return rest

    def _next_head(self) -> Head | None:
        data, start = self._data, self._start
        end = data.find(HEAD_END, start)
        if end < 0:
            self._check_part(data[start:])
            return None
        if end - start >= MAX_HEAD_BYTES:
            raise _too_large()
        self._start = end + 4
        if end > start and data.startswith(b"\r\n", start):  # RFC 9112, 2.2
            start += 2
        return parse_head(data[start:end], self._client)

    def _check_part(self, part: bytes) -> None:
        if len(part) >= MAX_HEAD_BYTES:
            raise _too_large()
        check_part(part)

    def _with_body(self, head: Head) -> Received | None:
        body = self._body
        if body is None:
            raise RuntimeError("a head whose body is awaited has a body")
        self._start = body.read(self._data, self._start)
        if not body.done:
            return None
        self.head = self._body = None
        return Received(head, bytes(body.content))


def _too_large() -> HeadersTooLarge:
    return HeadersTooLarge(f"The request line and headers must have less than {MAX_HEAD_BYTES} bytes.")
