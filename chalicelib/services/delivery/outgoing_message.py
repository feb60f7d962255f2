"""A message on its way to connections, with what its frames say beside it."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import structs

from chalicelib.schemas.messages import Message
from chalicelib.schemas.realtime import MessageFrame
from chalicelib.services.values.cursors import MessageCursor
from chalicelib.services.views import message_row
from chalicelib.store.messages.content import LogEntry


class OutgoingMessage(NamedTuple):
    """A message as its readers see it, and as the log holds it.

    epoch: Of the log, µs. sender_name: The name that the sender shows.
    """

    message: Message
    entry: LogEntry
    epoch: int
    sender_name: str

    @property
    def cursor(self) -> str:
        """The message's cursor."""
        return str(MessageCursor(self.entry.seq, self.entry.time, self.epoch))

    @property
    def is_partial(self) -> bool:
        """Whether its readers see more, which differs between them."""
        return message_row.is_partial(self.entry)

    @property
    def frame(self) -> MessageFrame:
        """The frame that pushes the message."""
        return MessageFrame(
            **structs.asdict(self.message),
            cursor=self.cursor,
            epoch=self.epoch,
            sender_name=self.sender_name,
            partial=self.is_partial,
        )


def outgoing(chat: str, entry: LogEntry, epoch: int, name: str | None) -> OutgoingMessage:
    """Return an entry of a chat's log as it is pushed.

    chat: Canonical id. name: Of the sender; empty or None: they show none, and their handle is shown.
    """
    return OutgoingMessage(message_row.message(chat, entry), entry, epoch, name or entry.content.sender)
