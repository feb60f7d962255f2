"""A message on its way to connections, with what its frames say beside it."""

from __future__ import annotations

from typing import Any

from chalicelib.schemas.realtime import MessageFrame
from chalicelib.services.values.cursors import MessageCursor
from chalicelib.services.views import message_row
from chalicelib.store.messages.content import LogEntry


class OutgoingMessage:
    """A message as the log holds it, and as its readers see it.

    chat: Canonical id. epoch: Of the log, µs. name: Of the sender; empty or None: they show none, and their
    handle is shown.
    What only readers see is made when it is first asked for: most messages reach no connection.
    """

    __slots__ = ("_fields", "_frame_fields", "_name", "chat", "entry", "epoch")

    def __init__(self, chat: str, entry: LogEntry, epoch: int, name: str | None) -> None:
        self.chat = chat
        self.entry = entry
        self.epoch = epoch
        self._name = name
        self._fields: dict[str, Any] | None = None
        self._frame_fields: dict[str, Any] | None = None

    @property
    def is_partial(self) -> bool:
        """Whether its readers see more, which differs between them."""
        return message_row.is_partial(self.entry)

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the message; see message_row.fields_of."""
        if self._fields is None:
            self._fields = message_row.fields_of(self.chat, self.entry)
        return self._fields

    @property
    def frame_fields(self) -> dict[str, Any]:
        """The fields that all frames with the message have."""
        if self._frame_fields is None:
            entry = self.entry
            self._frame_fields = {
                **self.fields,
                "cursor": str(MessageCursor(entry.seq, entry.time, self.epoch)),
                "epoch": self.epoch,
                "sender_name": self._name or entry.content.sender,
            }
            if self.is_partial:
                self._frame_fields["partial"] = True
        return self._frame_fields

    @property
    def frame(self) -> MessageFrame:
        """The frame that pushes the message."""
        return MessageFrame(**self.frame_fields)
