"""The message that a connection is receiving: whole, or frame by frame."""

from __future__ import annotations

from picows import WSCloseCode, WSFrame

from infra.local.sockets.shared import Limits

MINUTE = 60.0


class Refused(Exception):
    """A frame that ends its connection.

    code, reason: for the close frame.
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

    @property
    def has_parts(self) -> bool:
        """Whether a message has begun that is not complete."""
        return self._parts is not None

    def whole(self, frame: WSFrame) -> str:
        """Return the text of a frame that is a message; raises Refused, UnicodeDecodeError."""
        if frame.payload_size > self._limits.message_bytes:
            raise self._too_big()
        return frame.get_payload_as_utf8_text()

    def part(self, frame: WSFrame, *, first: bool) -> str | None:
        """Take a part of a message; return the text once it is complete.

        first: whether the frame begins a message. Raises Refused, UnicodeDecodeError.
        """
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
        """Count a frame that is no whole message, which no handler sees; raises Refused for too many."""
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
