"""The body of a request: of a given length, or in chunks."""

from __future__ import annotations

import re

from chalicelib.errors import BadRequest, ParleyError, PayloadTooLarge
from chalicelib.http.call import MAX_BODY_BYTES
from infra.local.http.head import check_part, fields_of, lines_of

CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[\t -~\x80-\xff]*)?")
MAX_LINE = 1024
STEPS_AT_ONCE = 1000
"""Lines and pieces of chunks that are read at once, in about a millisecond."""
MAX_TRAILER_BYTES = 16 * 1024
LINE_END = b"\r\n"


class HeadersTooLarge(ParleyError):
    """A request whose request line and headers, or whose trailers, exceed the limit."""

    status, code, title = 431, "headers_too_large", "Request header fields too large"


class SizedBody:
    """A body with a Content-Length.

    length: Number of its bytes; raises PayloadTooLarge. content: What has arrived. done: Whether all has.
    has_halted: Whether read stopped before what it could read, so that other work gets its turn.
    """

    has_halted = False

    def __init__(self, length: int) -> None:
        if length > MAX_BODY_BYTES:
            raise too_large()
        self._length = length
        self.content = bytearray()
        self.done = False

    def read(self, data: bytes, start: int) -> int:
        """Take a part of the body from an index on, and return the index of what is not read."""
        end = min(start + self._length - len(self.content), len(data))
        self.content += data[start:end]
        self.done = len(self.content) == self._length
        return end


class ChunkedBody:
    """A body in chunks, whose trailers are checked and dropped; see SizedBody.

    Source: RFC 9112, 7.1. The line before a chunk and each trailer have less than MAX_LINE bytes.
    """

    def __init__(self) -> None:
        self.content = bytearray()
        self.done = False
        self.has_halted = False
        self._left = 0
        self._is_within = False
        self._is_trailer = False
        self._trailer_bytes = 0

    def read(self, data: bytes, start: int) -> int:
        """Take a part of the body from an index on, and return the index of what is not read.

        That is behind the body, or the begin of a line that has not arrived whole, or where it has halted.
        Raises BadRequest, PayloadTooLarge or HeadersTooLarge.
        """
        self.has_halted = False
        for _ in range(STEPS_AT_ONCE):
            step = None if self.done else self._step(data, start)
            if step is None:
                return start
            start = step
        self.has_halted = not self.done
        return start

    def _step(self, data: bytes, start: int) -> int | None:
        """Read one line or piece, and return the index behind it; None: more has to arrive."""
        if self._is_trailer:
            return self._trailer(data, start)
        if self._left:
            return self._piece(data, start)
        if self._is_within:
            return self._end_of_chunk(data, start)
        return self._line(data, start)

    def _line(self, data: bytes, start: int) -> int | None:
        end = data.find(LINE_END, start, start + MAX_LINE)
        line = data[start : end if end >= 0 else start + MAX_LINE]
        if end < 0 and len(line) < MAX_LINE and b"\n" not in line:
            return None
        parts = CHUNK_LINE.fullmatch(line) if end >= 0 else None
        if parts is None:
            raise BadRequest("A chunk must begin with its length in hexadecimal digits.")
        self._left = int(parts[1], 16)
        self._is_within = self._left > 0
        self._is_trailer = not self._is_within
        if len(self.content) + self._left > MAX_BODY_BYTES:
            raise too_large()
        return end + 2

    def _piece(self, data: bytes, start: int) -> int | None:
        piece = data[start : start + self._left]
        self.content += piece
        self._left -= len(piece)
        return start + len(piece) if piece else None

    def _end_of_chunk(self, data: bytes, start: int) -> int | None:
        end = data[start : start + 2]
        if not LINE_END.startswith(end):
            raise BadRequest("A chunk must end with a line break after as many bytes as its length says.")
        if len(end) < len(LINE_END):
            return None
        self._is_within = False
        return start + 2

    def _trailer(self, data: bytes, start: int) -> int | None:
        end = data.find(LINE_END, start, start + MAX_LINE)
        if end < 0:
            if len(data) - start >= MAX_LINE:
                raise HeadersTooLarge(f"A trailer must have less than {MAX_LINE} bytes.")
            check_part(data, start)
            return None
        self.done = end == start
        if not self.done:
            fields_of(lines_of(data[start:end]))
        self._trailer_bytes += end - start
        if self._trailer_bytes > MAX_TRAILER_BYTES:
            raise HeadersTooLarge(f"The trailers must have at most {MAX_TRAILER_BYTES} bytes.")
        return end + 2


def too_large() -> PayloadTooLarge:
    """Return the error of a body that exceeds the maximum."""
    return PayloadTooLarge(f"The body is too large: send at most {MAX_BODY_BYTES} bytes.")
