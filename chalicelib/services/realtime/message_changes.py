"""Frames that change messages."""

from __future__ import annotations

from msgspec.structs import replace

from chalicelib.schemas.messages import EditRequest
from chalicelib.schemas.realtime import Delete, Edit, Pin, React
from chalicelib.services.delivery.frame_push import answer
from chalicelib.services.delivery.message_push import change_frame
from chalicelib.services.delivery.push import PushService
from chalicelib.services.messages.changes import MessageChanger
from chalicelib.services.messages.hidden import MessageHider
from chalicelib.services.messages.pins import PinService
from chalicelib.services.messages.reactions import ReactionService, WantedReaction
from chalicelib.services.messages.service import Messages
from chalicelib.services.realtime.dispatch import Connection
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.store.messages.content import LogEntry


class ChangeFrames:
    """Handles frames that change messages, by the same rules as REST; the reply is a `change` frame."""

    def __init__(
        self,
        ids: ChatIds,
        changer: MessageChanger,
        hider: MessageHider,
        reactions: ReactionService,
        pins: PinService,
        messages: Messages,
        push: PushService,
    ) -> None:
        self._ids = ids
        self._changer = changer
        self._hider = hider
        self._reactions = reactions
        self._pins = pins
        self._messages = messages
        self._push = push

    def edit(self, connection: Connection, frame: Edit) -> None:
        """Change the text or data of the caller's own message."""
        request = EditRequest(frame.text, frame.data)
        changed = self._changer.edit(
            connection.caller, frame.chat, frame.seq, request, if_change=frame.change, skip=connection.id
        )
        self._answer(connection, frame, changed.entry, changed.epoch)

    def delete(self, connection: Connection, frame: Delete) -> None:
        """Delete a message for all, or for the caller."""
        if frame.for_ == "me":
            hidden = self._hider.hide(connection.caller, frame.chat, frame.seq, skip=connection.id)
            self._push.send(answer(connection.recipient, replace(hidden, ref=frame.ref)))
            return
        changed = self._changer.delete(connection.caller, frame.chat, frame.seq, skip=connection.id)
        self._answer(connection, frame, changed.entry, changed.epoch)

    def react(self, connection: Connection, frame: React) -> None:
        """Add or remove the caller's reaction to a message."""
        wanted = WantedReaction(frame.chat, frame.seq, frame.emoji, frame.on)
        reacted = self._reactions.react(connection.caller, wanted, skip=connection.id)
        self._answer(connection, frame, reacted.entry, reacted.epoch)

    def pin(self, connection: Connection, frame: Pin) -> None:
        """Pin a message for all members, or unpin it."""
        pinned = self._pins.pin(connection.caller, frame.chat, frame.seq, on=frame.on, skip=connection.id)
        self._answer(connection, frame, pinned.entry, pinned.epoch)

    def _answer(
        self, connection: Connection, frame: Edit | Delete | React | Pin, entry: LogEntry, epoch: int
    ) -> None:
        """Answer with the message as the caller sees it."""
        shown = change_frame(self._ids.parse(frame.chat).text, entry, epoch, frame.ref)
        message = self._messages.shown(connection.caller, frame.chat, entry)
        self._push.send(answer(connection.recipient, replace(shown, message=message, partial=False)))
