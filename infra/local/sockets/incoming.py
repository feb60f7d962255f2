"""Messages that a connection receives: whole or frame by frame, and those that wait for the handler."""

from __future__ import annotations

import random
from collections import deque

from picows import WSCloseCode, WSFrame, WSMsgType

from infra.local.sockets.close_codes import NO_STATUS, may_be_sent
from infra.local.sockets.shared import Limits

MINUTE = 60.0
QUEUED_BYTES = 512 * 1024


class Refused(Exception):
    """A frame that ends its connection.

    code, reason: Of the close frame.
    """

    def __init__(self, code: WSCloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class IncomingMessage:
    """Joins the frames of a message, and holds them to the limits."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parts: list[bytes] | None = None
        self._size = 0
        self._control_until = 0.0

    def text(self, frame: WSFrame, now: float) -> str | None:
        """Take a frame other than a ping or a close frame; return the text of a message that it completes.

        now: Seconds of a monotonic clock. Raises Refused, UnicodeDecodeError.
        """
        kind = frame.msg_type
        if kind is WSMsgType.BINARY:
            raise Refused(WSCloseCode.UNSUPPORTED_DATA, "Only text frames are accepted.")
        if kind is WSMsgType.TEXT and frame.fin and self._parts is None:
            return self._whole(frame)
        self.count_control(now)
        return None if kind is WSMsgType.PONG else self._part(frame, first=kind is WSMsgType.TEXT)

    def _whole(self, frame: WSFrame) -> str:
        if frame.payload_size > self._limits.message_bytes:
            raise self._too_big()
        return frame.get_payload_as_utf8_text()

    def _part(self, frame: WSFrame, *, first: bool) -> str | None:
        if first is (self._parts is not None):
            raise Refused(WSCloseCode.PROTOCOL_ERROR, "A frame of another message interrupted a message.")
        parts = self._parts = [] if self._parts is None else self._parts
        self._size += frame.payload_size
        if self._size > self._limits.message_bytes:
            raise self._too_big()
        if frame.payload_size:
            parts.append(frame.get_payload_as_bytes())
        if frame.fin:
            self._parts, self._size = None, 0
            return b"".join(parts).decode()
        return None

    def count_control(self, now: float) -> None:
        """Count a control frame or a part of a message; raises Refused for too many."""
        most = self._limits.control_frames
        self._control_until = max(self._control_until, now) + MINUTE / most
        if self._control_until > now + MINUTE:
            raise Refused(
                WSCloseCode.POLICY_VIOLATION, f"At most {most} pings, pongs and continuation frames a minute."
            )

    def _too_big(self) -> Refused:
        return Refused(
            WSCloseCode.MESSAGE_TOO_BIG, f"A message has at most {self._limits.message_bytes} bytes."
        )


class WaitingMessages:
    """The messages of a connection that wait for the handler."""

    def __init__(self, limits: Limits) -> None:
        self._most = limits.queued_frames
        self._bodies: deque[str] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._bodies)

    @property
    def are_too_many(self) -> bool:
        """Whether so much waits that nothing more is read from the client."""
        return len(self._bodies) > self._most or self._bytes > QUEUED_BYTES

    def put(self, body: str) -> None:
        """Add a message."""
        self._bodies.append(body)
        self._bytes += len(body)

    def take(self, *, shuffled: bool) -> str:
        """Remove and return the oldest message; shuffled: any of them."""
        if shuffled:
            self._bodies.rotate(random.randrange(len(self._bodies)))  # noqa: S311 - no secret
        body = self._bodies.popleft()
        self._bytes -= len(body)
        return body


def closing_of(frame: WSFrame) -> tuple[tuple[int, str], WSCloseCode]:
    """Return the code and reason in a close frame, and the code that answers it; raises Refused."""
    if not frame.payload_size:
        return NO_STATUS, WSCloseCode.OK
    code = frame.get_close_code()
    number = int(code.value)
    if not may_be_sent(number):
        raise Refused(WSCloseCode.PROTOCOL_ERROR, f"A close frame may not have the code {number}.")
    return (number, frame.get_close_reason() or ""), code
