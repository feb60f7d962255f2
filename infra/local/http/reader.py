"""Reads the requests of one connection out of its bytes, in whatever pieces they arrive."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.http.call import MAX_BODY_BYTES
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
        self._start = self._scanned = 0
        self._body: SizedBody | ChunkedBody | None = None

    def feed(self, data: bytes) -> None:
        """Add bytes that have arrived."""
        if self._start < len(self._data):
            self._data = self._data[self._start :] + data
            self._scanned = max(0, self._scanned - self._start)
        else:
            self._data, self._scanned = data, 0
        self._start = 0

    def next(self) -> Received | None:
        """Return the next request; None: it has not arrived whole, or it takes long; see has_halted.

        Raises BadRequest, HeadersTooLarge or PayloadTooLarge; what follows can't be read then.
        """
        if self.head is None:
            head = self._next_head()
            if head is None:
                return None
            start, end = self._start, self._start + head.length
            if start <= end <= len(self._data) and head.length <= MAX_BODY_BYTES:
                self._start = end
                return Received(head, self._data[start:end])
            self.head = head
            self._body = ChunkedBody() if head.length == CHUNKED else SizedBody(head.length)
        return self._with_body(self.head)

    @property
    def has_halted(self) -> bool:
        """Whether `next` has to be called again though nothing more has arrived."""
        return self._body is not None and self._body.has_halted

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
        self._data, self._start, self._scanned = b"", 0, 0
        return rest

    def _next_head(self) -> Head | None:
        data, start = self._data, self._start
        if start == len(data):
            return None
        scanned = max(start, self._scanned - len(HEAD_END) + 1)
        end = data.find(HEAD_END, scanned)
        if end < 0:
            self._check_part(scanned)
            return None
        if end - start >= MAX_HEAD_BYTES:
            raise _too_large()
        self._start = end + 4
        if end > start and data.startswith(b"\r\n", start):  # RFC 9112, 2.2
            start += 2
        return parse_head(data[start:end], self._client)

    def _check_part(self, scanned: int) -> None:
        """Check what has arrived of a head from an index on, so that each byte is looked at about once."""
        if self.waiting >= MAX_HEAD_BYTES:
            raise _too_large()
        check_part(self._data, scanned)
        self._scanned = len(self._data)

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
