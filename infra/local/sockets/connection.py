"""One open connection: which frames it takes, what waits for the handler, and how it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import msgspec
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from infra.local.sockets.close_codes import LOST, NO_STATUS, UNREAD, may_be_sent
from infra.local.sockets.events import Opening, SocketEvents
from infra.local.sockets.incoming import IncomingMessage, Refused, WaitingMessages
from infra.local.sockets.shared import Limits
from infra.local.sockets.transport import Transport

TEXT, PONG = WSMsgType.TEXT, WSMsgType.PONG
BEHIND_PART = 16
"""A client is behind once this part of the bytes that may wait for it do."""


class Turn(NamedTuple):
    """A call that is due: `message` or `disconnect`, and its event."""

    handler: str
    event: dict[str, Any]


Listener = Callable[["Connection"], object]


class Host(NamedTuple):
    """What a worker's server does for its connections; each is called with the connection.

    opened, ended: note that it is open, or has ended. add_turn: has what waits in it handled in its turn.
    unread_grew: checks what its client leaves unread.
    """

    loop: asyncio.AbstractEventLoop
    limits: Limits
    opened: Listener
    add_turn: Listener
    ended: Listener
    unread_grew: Listener


class Connection(WSListener):
    """One client's connection.

    host: the worker's server. events: makes the connection's events. user: the user, if `$connect` named one.
    behind: something waits for the client to read.
    """

    def __init__(self, host: Host, connection: str, events: SocketEvents, user: str = "") -> None:
        self.id = connection
        self.user = user
        self.behind = False
        self.events = events
        self.since = self.active = time.monotonic()
        self._messages = WaitingMessages(host.limits)
        self.waiting = False
        self.ended: tuple[int, str] | None = None
        self._host = host
        self._limits = host.limits
        self._incoming = IncomingMessage(host.limits)
        self._paused = False
        self._ping: bytes | None = None
        self._end_taken = False
        self._transport: WSTransport | None = None

    @classmethod
    def lost(cls, host: Host, connection: str) -> Connection:
        """Return one that has ended some time ago, and of which no more is known than its id."""
        made = cls(host, connection, SocketEvents(Opening(connection, {}, {}, "")))
        made.ended = LOST
        return made

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Open it for pushes."""
        self._transport = transport
        transport.request.headers.clear()  # which picows keeps for as long as the connection
        self._host.opened(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take one frame."""
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
        """Note that the TCP connection has ended."""
        handshake: Any = transport.close_handshake  # or None, which its type leaves out
        sent = handshake.sent if handshake else None
        self._end(LOST if sent is None else (sent.code.value, sent.reason))

    def pause_writing(self) -> None:
        """Note that the client reads more slowly than it is sent to."""
        self.behind = True

    def resume_writing(self) -> None:
        """Note that the client has read what waited for it."""
        self.behind = False

    @property
    def unread(self) -> int:
        """How many bytes wait for the client to read, beyond what the kernel holds for it."""
        if self._transport is None:
            return 0
        return cast(Transport, self._transport.underlying_transport).get_write_buffer_size()

    def give_up(self) -> None:
        """End it without a close frame, which the client would not read either."""
        self._end(UNREAD)
        self._host.loop.call_soon(self._reset)

    @property
    def is_behind(self) -> bool:
        """Whether so much is unread that it goes without frames that are worth nothing later."""
        return self.unread * BEHIND_PART > self._limits.unread_bytes

    def send(self, data: bytes) -> None:
        """Send a text frame; only from the loop's thread, and nothing once it has ended."""
        self._write(TEXT, data)

    def send_defect(self, request_id: str) -> None:
        """Send what API Gateway sends when a function fails."""
        said = {"message": "Internal server error", "connectionId": self.id, "requestId": request_id}
        self.send(msgspec.json.encode(said))

    def close(self, code: int | WSCloseCode, reason: str) -> None:
        """Send a close frame, and end it."""
        if self.ended is None and self._transport is not None:
            self._end((code.value if isinstance(code, WSCloseCode) else code, reason))
            self._transport.send_close(cast(WSCloseCode, code), reason)  # picows takes any number
            self._transport.disconnect()

    def take_turn(self, *, shuffled: bool) -> Turn | None:
        """Return what the handlers are to be called with next, and answer the last ping.

        shuffled: any message that waits may be the next. The end comes after all messages.
        """
        if self._ping is not None:
            self._write(PONG, self._ping)
            self._ping = None
        if self._messages:
            return Turn("message", self.events.message(self._next_body(shuffled=shuffled)))
        if self.ended is not None and not self._end_taken:
            self._end_taken = True
            return Turn("disconnect", self.events.disconnect(*self.ended))
        return None

    @property
    def has_turns(self) -> bool:
        """Whether something waits."""
        return (
            bool(self._messages) or self._ping is not None or (self.ended is not None and not self._end_taken)
        )

    def _write(self, kind: WSMsgType, data: bytes) -> None:
        if self._transport is not None:
            self._transport.send(kind, data)
            if self.behind:
                self._host.unread_grew(self)

    def _next_body(self, *, shuffled: bool) -> str:
        body = self._messages.take(shuffled=shuffled)
        if self._paused and not self._messages.are_too_many:
            self._paused = False
            self._reading(on=True)
        return body

    def _take(self, frame: WSFrame) -> None:
        kind = frame.msg_type
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            raise Refused(WSCloseCode.PROTOCOL_ERROR, "No extension was negotiated.")
        if kind is TEXT and frame.fin and not self._incoming.has_parts:
            self._put(self._incoming.whole(frame))
        elif kind is WSMsgType.PING:
            self._incoming.count_control(self.active)
            self._ping = frame.get_payload_as_bytes()
            self._host.add_turn(self)
        elif kind is WSMsgType.CLOSE:
            self._answer_close(frame)
        elif kind is WSMsgType.BINARY:
            raise Refused(WSCloseCode.UNSUPPORTED_DATA, "Only text frames are accepted.")
        else:
            self._incoming.count_control(self.active)
            if kind is not PONG and (body := self._incoming.part(frame, first=kind is TEXT)) is not None:
                self._put(body)

    def _put(self, body: str) -> None:
        self._messages.put(body)
        if not self._paused and self._messages.are_too_many:
            self._paused = True
            self._reading(on=False)
        self._host.add_turn(self)

    def _answer_close(self, frame: WSFrame) -> None:
        if not frame.payload_size:
            self._confirm_close(NO_STATUS, WSCloseCode.OK)
            return
        code = frame.get_close_code()
        number = int(code.value)
        if not may_be_sent(number):
            raise Refused(WSCloseCode.PROTOCOL_ERROR, f"A close frame may not have the code {number}.")
        self._confirm_close((number, frame.get_close_reason() or ""), code)

    def _confirm_close(self, received: tuple[int, str], answer: WSCloseCode) -> None:
        self._end(received)
        if self._transport is not None:
            self._transport.send_close(answer)
            self._transport.disconnect()

    def _end(self, how: tuple[int, str]) -> None:
        if self.ended is None:
            self.ended = how
            self._ping = None
            self._host.ended(self)

    def _reading(self, *, on: bool) -> None:
        if self._transport is not None:
            transport = cast(Transport, self._transport.underlying_transport)
            (transport.resume_reading if on else transport.pause_reading)()

    def _reset(self) -> None:
        if self._transport is not None:
            cast(Transport, self._transport.underlying_transport).reset()
