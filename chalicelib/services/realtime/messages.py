"""Frames about messages: send, pull, receipts and ping."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

from msgspec import structs

from chalicelib.schemas.encoded import Encoded
from chalicelib.schemas.inbox import ReadUpTo
from chalicelib.schemas.messages import Message, SendRequest
from chalicelib.schemas.realtime import Ack, PageFrame, Ping, Pong, Pull, Read, Received, Send
from chalicelib.services.delivery.codec import rows_bytes
from chalicelib.services.delivery.frame_push import answer
from chalicelib.services.delivery.push import PushService
from chalicelib.services.inbox.read_state import ReadStateService
from chalicelib.services.messages.send import Sent
from chalicelib.services.messages.service import Messages
from chalicelib.services.realtime.dispatch import Connection
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.paging import encoded, take_fitting
from chalicelib.services.values.times import rfc3339
from chalicelib.services.views.reader_view import Row
from chalicelib.store.messages.content import LogEntry


class MessageFrames:
    """Handles frames about messages, by the same rules as REST; clock: seconds since 1970."""

    def __init__(
        self,
        ids: ChatIds,
        messages: Messages,
        read_states: ReadStateService,
        push: PushService,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ids = ids
        self._messages = messages
        self._read_states = read_states
        self._push = push
        self._clock = clock

    def send(self, connection: Connection, frame: Send) -> None:
        """Append a message; the sender has the `ack` before others have the message."""

        def acknowledge(sent: Sent) -> None:
            self._push.send(answer(connection.recipient, _ack(sent, frame.ref)))

        request = SendRequest(
            frame.text, frame.id, frame.kind, frame.reply_to, frame.expires_in, frame.data, frame.forward
        )
        self._messages.send_acknowledged(
            connection.caller, frame.chat, request, on_stored=acknowledge, skip=connection.id
        )

    def pull(self, connection: Connection, frame: Pull) -> None:
        """Answer with messages of a chat, as many as fit in a frame."""
        fit = functools.partial(framed, most=rows_bytes(connection.protobuf))
        page = self._messages.page(
            connection.caller, frame.chat, after=frame.after, before=frame.before, limit=frame.limit, fit=fit
        )
        chat = self._ids.parse(frame.chat).text
        self._push.send(
            answer(connection.recipient, PageFrame(**structs.asdict(page), chat=chat, ref=frame.ref))
        )

    def received(self, connection: Connection, frame: Received) -> None:
        """Raise the seq up to which messages have arrived."""
        upto = ReadUpTo(seq=frame.seq, cursor=frame.cursor)
        self._read_states.received(connection.caller, frame.chat, upto, skip=connection.id)

    def read(self, connection: Connection, frame: Read) -> None:
        """Raise the seq up to which messages are read."""
        upto = ReadUpTo(seq=frame.seq, cursor=frame.cursor)
        self._read_states.read(connection.caller, frame.chat, upto, skip=connection.id)

    def ping(self, connection: Connection, frame: Ping) -> None:
        """Answer a ping with the server's time."""
        self._push.send(
            answer(connection.recipient, Pong(time=rfc3339(int(self._clock() * 1_000_000)), ref=frame.ref))
        )


def _ack(sent: Sent, ref: str | None) -> Ack:
    return Ack(**sent.stored.frame_fields, duplicate=sent.duplicate, ref=ref)


def framed(entries: list[LogEntry], _chat: str, row: Row, most: int) -> list[Encoded[Message]]:
    """Return as many leading messages of a chat as fit in `most` bytes of JSON, at least one."""
    rows = (encoded(row(entry)) for entry in entries)
    return take_fitting(rows, lambda row: len(row) + 1, most)
