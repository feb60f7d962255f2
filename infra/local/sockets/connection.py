"""One open connection: it receives frames, queues messages for the handler, and ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from infra.local.sockets.close_codes import LOST, UNREAD
from infra.local.sockets.events import Opening, SocketEvents
from infra.local.sockets.incoming import IncomingMessage, Refused, WaitingMessages, closing_of
from infra.local.sockets.outgoing import Outgoing
from infra.local.sockets.shared import Limits

MAX_CALLS = 8
"""Maximum number of messages of a connection that are handled at once."""


class Turn(NamedTuple):
    """The next call of a handler, `message` or `disconnect`, and its event."""

    handler: str
    event: dict[str, Any]


Listener = Callable[["Connection"], object]


class Host(NamedTuple):
    """Functions of a worker's server for its connections, each called with the connection.

    opened, ended: Record that it is open, or has ended. add_turn: Queues its next call of a handler.
    unread_grew: Checks the bytes that its client leaves unread.
    """

    loop: asyncio.AbstractEventLoop
    limits: Limits
    opened: Listener
    add_turn: Listener
    ended: Listener
    unread_grew: Listener


class Connection(WSListener):
    """One client's connection.

    host: The worker's server. events: Makes the connection's events. user: Handle of the user, if `$connect`
    has set one. behind: Whether bytes wait for the client to read. waiting: Whether it has a turn. calls:
    Number of calls of handlers under way.
    """

    def __init__(self, host: Host, connection: str, events: SocketEvents, user: str = "") -> None:
        self.id = connection
        self.user = user
        self.behind = False
        self.events = events
        self.since = self.active = time.monotonic()
        self._messages = WaitingMessages(host.limits)
        self.waiting = False
        self.calls = 0
        self.ended: tuple[int, str] | None = None
        self._host = host
        self._outgoing = Outgoing(host.limits.unread_bytes)
        self._incoming = IncomingMessage(host.limits)
        self._paused = False
        self._ping: bytes | None = None
        self._end_taken = False

    @classmethod
    def lost(cls, host: Host, connection: str) -> Connection:
        """Return an ended connection of which only the id is known."""
        made = cls(host, connection, SocketEvents(Opening(connection, {}, {}, "")))
        made.ended = LOST
        return made

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Open the connection for pushes."""
        self._outgoing.open(transport)
        transport.request.headers.clear()  # which picows keeps for as long as the connection
        self._host.opened(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Handle one frame of the client."""
        if self.ended is not None:
            return
        self.active = time.monotonic()
        try:
            self._take(frame)
        except Refused as refused:
            self.close(refused.code, refused.reason)
        except UnicodeDecodeError:
            self.close(WSCloseCode.INVALID_TEXT, "A text frame must be UTF-8.")

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Record that the TCP connection has ended."""
        handshake: Any = transport.close_handshake  # or None, which its type leaves out
        sent = handshake.sent if handshake else None
        self._end(LOST if sent is None else (sent.code.value, sent.reason))

    def pause_writing(self) -> None:
        """Record that bytes wait for the client to read."""
        self.behind = True

    def resume_writing(self) -> None:
        """Record that the client has read the waiting bytes."""
        self.behind = False

    @property
    def unread(self) -> int:
        """See Outgoing.unread."""
        return self._outgoing.unread

    def give_up(self) -> None:
        """End the connection without a close frame, which the client would not read."""
        self._end(UNREAD)
        self._host.loop.call_soon(self._outgoing.reset)

    @property
    def is_behind(self) -> bool:
        """See Outgoing.is_behind."""
        return self._outgoing.is_behind

    def send(self, data: bytes) -> None:
        """Send a text frame; call it only from the loop's thread. An ended connection sends nothing."""
        self._write(WSMsgType.TEXT, data)

    def send_defect(self, request_id: str) -> None:
        """Send the frame that API Gateway sends when a function fails."""
        said = {"message": "Internal server error", "connectionId": self.id, "requestId": request_id}
        self.send(msgspec.json.encode(said))

    def close(self, code: int | WSCloseCode, reason: str) -> None:
        """Send a close frame, and end the connection."""
        if self.ended is None and self._outgoing.is_open:
            self._end((code.value if isinstance(code, WSCloseCode) else code, reason))
            self._outgoing.close(code, reason)

    def take_turn(self, *, shuffled: bool) -> Turn | None:
        """Return the next call of a handler, and answer the last ping; None: nothing waits.

        shuffled: Whether any waiting message may be next. The end comes after all messages are handled.
        """
        if self._ping is not None:
            self._write(WSMsgType.PONG, self._ping)
            self._ping = None
        if self._may_handle_message:
            return Turn("message", self.events.message(self._next_body(shuffled=shuffled)))
        if self.ended is not None and self._may_handle_end:
            self._end_taken = True
            return Turn("disconnect", self.events.disconnect(*self.ended))
        return None

    @property
    def has_turns(self) -> bool:
        """Whether a ping or a call of a handler can be next."""
        return self._ping is not None or self._may_handle_message or self._may_handle_end

    @property
    def _may_handle_message(self) -> bool:
        return bool(self._messages) and self.calls < MAX_CALLS

    @property
    def _may_handle_end(self) -> bool:
        return self.ended is not None and not (self._end_taken or self._messages or self.calls)

    def _write(self, kind: WSMsgType, data: bytes) -> None:
        self._outgoing.send(kind, data)
        if self.behind:
            self._host.unread_grew(self)

    def _next_body(self, *, shuffled: bool) -> str:
        body = self._messages.take(shuffled=shuffled)
        if self._paused and not self._messages.are_too_many:
            self._paused = False
            self._outgoing.read(on=True)
        return body

    def _take(self, frame: WSFrame) -> None:
        kind = frame.msg_type
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            raise Refused(WSCloseCode.PROTOCOL_ERROR, "No extension was negotiated.")
        if kind is WSMsgType.PING:
            self._incoming.count_control(self.active)
            self._ping = frame.get_payload_as_bytes()
            self._host.add_turn(self)
        elif kind is WSMsgType.CLOSE:
            received, answer = closing_of(frame)
            self._end(received)
            self._outgoing.close(answer)
        elif (body := self._incoming.text(frame, self.active)) is not None:
            self._put(body)

    def _put(self, body: str) -> None:
        self._messages.put(body)
        if not self._paused and self._messages.are_too_many:
            self._paused = True
            self._outgoing.read(on=False)
        self._host.add_turn(self)

    def _end(self, how: tuple[int, str]) -> None:
        if self.ended is None:
            self.ended = how
            self._ping = None
            self._host.ended(self)
