"""The rows of the inbox, as syncs, frames and messages change them."""

from __future__ import annotations

from msgspec.structs import replace

from parley_client.models import ChatRow, Message, Preview
from parley_client.state import Cursor

LISTED = frozenset({"member", "invited"})
PREVIEW_CHARACTERS = 256


class Rows:
    """Holds the newest row of each chat.

    A pushed row may be older than messages that came before it, or than another pushed row.

    me: The user's handle; None before the first connection.
    """

    def __init__(self) -> None:
        self.me: str | None = None
        self._rows: dict[str, ChatRow] = {}
        self._received: dict[str, ChatRow] = {}

    def listed(self) -> list[ChatRow]:
        """Return the rows of the list of chats: pinned ones first, then by their last activity."""
        rows = [row for row in self._rows.values() if row.state in LISTED]
        return sorted(rows, key=lambda row: (row.pinned, _active(row)), reverse=True)

    def clear(self) -> None:
        """Drop all rows."""
        self._rows.clear()
        self._received.clear()

    def sync(self, row: ChatRow) -> None:
        """Take a row of a sync."""
        self._rows[row.chat] = self._received[row.chat] = row

    def pushed(self, row: ChatRow) -> ChatRow | None:
        """Take a pushed row; return it as it is after the known messages, or None if it is outdated."""
        before, held = self._received.get(row.chat), self._rows.get(row.chat)
        if before and _is_older(row, before):
            return None
        self._received[row.chat] = row
        if held and held.epoch == row.epoch and held.seq > row.seq and held.state == row.state:
            row = _with_messages_of(held, row)
        self._rows[row.chat] = row
        return row

    def message(self, message: Message, cursor: Cursor) -> bool:
        """Take a message that the application gets; return whether the chat has a row."""
        row = self._rows.get(message.chat)
        if row is None or message.seq <= row.seq:
            return row is not None
        own = message.sender == self.me
        counts = not (own or message.kind == "system" or message.deleted)
        self._rows[message.chat] = replace(
            row,
            seq=message.seq,
            cursor=str(cursor),
            epoch=cursor.epoch or row.epoch,
            read=message.seq if own else row.read,
            unread=0 if own else row.unread + counts,
            mentions=0 if own else row.mentions + (counts and message.concerns(self.me)),
            active_at=message.sent_at,
            last=_preview(message),
        )
        return True

    def changed(self, message: Message) -> None:
        """Take a change of a message that the application gets."""
        row = self._rows.get(message.chat)
        if row is None:
            return
        if row.last and row.last.seq == message.seq:
            row = replace(row, last=_preview(message))
        if message.deleted and message.seq > row.read and message.sender != self.me:
            row = replace(row, unread=max(row.unread - 1, 0))
        self._rows[message.chat] = row

    def hidden(self, chat: str, seq: int) -> None:
        """Take that the user has deleted a message for themselves."""
        if (row := self._rows.get(chat)) is None or row.last is None:
            return
        if row.last.seq == seq:
            row = replace(row, last=None)
        if seq > row.read:
            row = replace(row, unread=max(row.unread - 1, 0))
        self._rows[chat] = row


def _is_older(row: ChatRow, before: ChatRow) -> bool:
    """Return whether a pushed row was read from the store before another one."""
    if row.change and before.change:
        number, known = Cursor.parse(row.change).time, Cursor.parse(before.change).time
        if number != known:
            return number < known
    if row.epoch != before.epoch or row.state != before.state:
        return False
    return row.seq < before.seq or row.read < before.read


def _with_messages_of(held: ChatRow, row: ChatRow) -> ChatRow:
    """Return a row with the newer messages of the row that is held."""
    newer = replace(row, seq=held.seq, cursor=held.cursor, last=held.last, active_at=held.active_at)
    if row.read >= held.seq:
        return newer
    return replace(newer, read=max(row.read, held.read), unread=held.unread, mentions=held.mentions)


def _preview(message: Message) -> Preview:
    return Preview(
        seq=message.seq,
        sender=message.sender,
        kind=message.kind,
        text=message.text[:PREVIEW_CHARACTERS],
        sent_at=message.sent_at,
        cut=len(message.text) > PREVIEW_CHARACTERS,
        deleted=message.deleted is not None,
    )


def _active(row: ChatRow) -> float:
    return row.active_at.timestamp() if row.active_at else 0.0
