"""Changes of inbox rows: written to the index, and shown on the devices of their users."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chalicelib.services.delivery.fan_out import ChatFanOut, Depart
from chalicelib.services.delivery.row_push import RowPush, SeenRow
from chalicelib.services.values.chat_id import ChatId
from chalicelib.store.inbox.entries import InboxEntry
from chalicelib.store.realtime.connection_results import Recipient


class EntryDelivery:
    """Delivers inbox entries of one user, and settings of direct chats.

    depart: See ChatFanOut.write. A failure is logged.
    """

    def __init__(self, fan_out: ChatFanOut, row_push: RowPush, depart: Depart) -> None:
        self._fan_out = fan_out
        self._row_push = row_push
        self._depart = depart

    def deliver(self, chat: str, entry: InboxEntry) -> None:
        """Write a user's inbox entry, and push the row to their connections."""
        self.write(chat, entry)
        self._row_push.push([SeenRow(chat, entry.handle)])

    def deliver_all(self, entries: Iterable[tuple[str, InboxEntry]]) -> None:
        """Write inbox entries of a user by chat, and push their rows."""
        written = list(entries)
        self._fan_out.deliver_entries_of_chats(written, self._depart)
        self._row_push.push(SeenRow(chat, entry.handle) for chat, entry in written)

    def write(self, chat: str, entry: InboxEntry) -> None:
        """Write a user's inbox entry, in one round trip."""
        self._fan_out.deliver_entries(chat, [entry], self._depart)

    def deliver_settings(self, chat: ChatId) -> None:
        """Move a direct chat whose settings have changed up in both inboxes, and push its rows."""
        self._fan_out.deliver_settings(chat)
        self._row_push.push(SeenRow(chat.text, handle) for handle in chat.members or ())

    def push_to(self, recipients: Sequence[Recipient], chat: str, handle: str) -> None:
        """Push a user's row of a chat to some connections of theirs, in one round trip if there are any."""
        self._row_push.push_to(recipients, SeenRow(chat, handle))
