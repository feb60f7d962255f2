"""Frames that change messages."""

from __future__ import annotations

from chalicelib.schemas.messages import EditRequest
from chalicelib.schemas.realtime import Delete, Edit
from chalicelib.services.delivery.frame_push import answer
from chalicelib.services.delivery.message_push import change_frame
from chalicelib.services.delivery.push import PushService
from chalicelib.services.messages.changes import MessageChanger
from chalicelib.services.messages.transaction import ChangedMessage
from chalicelib.services.realtime.dispatch import Connection
from chalicelib.services.values.chat_id import ChatIds


class ChangeFrames:
    """Handles frames that change messages, by the same rules as REST; the reply is a `change` frame."""

    def __init__(self, ids: ChatIds, changer: MessageChanger, push: PushService) -> None:
        self._ids = ids
        self._changer = changer
        self._push = push

    def edit(self, connection: Connection, frame: Edit) -> None:
        """Change the text of the caller's own message."""
        request = EditRequest(frame.text)
        changed = self._changer.edit(
            connection.caller, frame.chat, frame.seq, request, if_change=frame.change, skip=connection.id
        )
        self._answer(connection, frame, changed)

    def delete(self, connection: Connection, frame: Delete) -> None:
        """Delete a message for all."""
        changed = self._changer.delete(connection.caller, frame.chat, frame.seq, skip=connection.id)
        self._answer(connection, frame, changed)

    def _answer(self, connection: Connection, frame: Edit | Delete, changed: ChangedMessage) -> None:
        chat = self._ids.parse(frame.chat).text
        shown = change_frame(chat, changed.entry, changed.epoch, frame.ref)
        self._push.send(answer(connection.recipient, shown))
