"""The outbox: changes of chats that inboxes may not have yet, kept in the slot of the chat."""

from __future__ import annotations

from typing import Any, NamedTuple

from chalicelib.logs import LOGGER
from chalicelib.store import keys
from chalicelib.store.realtime.connection_results import Recipient, recipients_of
from chalicelib.store.redis.query import Batch, Query, concatenated
from chalicelib.store.redis.scripts import Script
from chalicelib.store.work.pending import CLEAR_PENDING_WORK

READ_RECIPIENTS = Script("messages/read_recipients")
RECORD_PUSH = Script("messages/record_push")

MESSAGE, INBOX_ENTRY, SEARCH_ENTRIES, MESSAGE_CHANGE = KINDS = ("m", "p", "i", "c")
PUSHED = "d"


class OutboxEntry(NamedTuple):
    """Something to deliver.

    kind: MESSAGE: the newest message; INBOX_ENTRY: a user's inbox entry; SEARCH_ENTRIES: those of the chat;
    MESSAGE_CHANGE: the newest change of a message.
    handle: Of the user of an INBOX_ENTRY, else empty. since: µs since 1970, or the stamp of an INBOX_ENTRY.
    """

    kind: str
    chat: str
    handle: str
    since: int

    @property
    def field(self) -> str:
        """The field of the outbox that holds this entry."""
        return f"p{self.handle}\0{self.chat}" if self.kind == INBOX_ENTRY else f"{self.kind}{self.chat}"


class Audience(NamedTuple):
    """The recipients of a chat's newest message.

    time: Of that message, µs. members: Their handles; empty if the chat is large or deleted. recipients: Of a
    large chat, the attached connections of members. pushed: Time of the newest pending message that was
    pushed to all connections, µs; 0: none was.
    """

    time: int
    members: list[str]
    recipients: list[Recipient]
    pushed: int


class Outbox:
    """The outbox of the chats. Its key, one a partition:

    `{c<NNN>}:outbox`: HASH, no expiry. `m<chat>` -> time of the newest message (µs) that the inboxes, or of a
        large chat the connections, may not have. `p<handle>\\0<chat>` -> stamp of the inbox entry that the
        index of a user may not have. `i<chat>` -> since when (µs) the search entries may be out of date.
        `c<chat>` -> number of the newest change of a message (µs) that inboxes may not have. The
        script that changes the chat adds the entry, and only the sweep deletes it, after it has delivered it
        (again). `d<chat>`, only beside `m<chat>` -> time of the newest message (µs) that was pushed to all.
    """

    def entries(self) -> Batch[list[OutboxEntry]]:
        """Return the batch for all entries; a malformed entry is logged as an error, and stays."""
        return concatenated([Query("HGETALL", (key,), read=_entries) for key in keys.all_of(keys.outbox)])

    def clear(self, entry: OutboxEntry) -> Query[bool]:
        """Return the query that deletes an entry if it is unchanged; it returns whether it was deleted."""
        chat = entry.chat
        more = (PUSHED + chat,) if entry.kind == MESSAGE else ()
        return Query(CLEAR_PENDING_WORK, (keys.outbox(chat),), (entry.field, entry.since, *more), bool)

    def pushed(self, chat: str, time: int) -> Query[bool]:
        """Return the query that records the push of a message to all connections, if a message is pending.

        time: Of the message, µs; the recorded time never falls.
        """
        return Query(RECORD_PUSH, (keys.outbox(chat),), (MESSAGE + chat, PUSHED + chat, time), bool)

    def audience(self, chat: str) -> Query[Audience]:
        """Return the query for the recipients of a chat's newest message."""
        named = (
            keys.log(chat),
            keys.chat(chat),
            keys.members(chat),
            keys.chat_connections(chat),
            keys.outbox(chat),
        )
        direct = chat.split(":") if ":" in chat else []

        def read(reply: list[Any]) -> Audience:
            time, pushed, json, protobuf, *members = reply
            handles = direct or [member.decode() for member in members]
            return Audience(time, handles, recipients_of(json, protobuf), pushed)

        return Query(READ_RECIPIENTS, named, (PUSHED + chat,), read)


def _entries(flat: list[bytes]) -> list[OutboxEntry]:
    held = zip(flat[::2], flat[1::2], strict=True)
    pairs = [pair for pair in held if not pair[0].startswith(PUSHED.encode())]
    return [entry for field, since in pairs if (entry := _entry(field, since))]


def _entry(field: bytes, since: bytes) -> OutboxEntry | None:
    try:
        text, time = field.decode(), int(since)
    except ValueError:
        text, time = "", 0
    kind, rest = text[:1], text[1:]
    handle, _, chat = rest.partition("\0") if kind == INBOX_ENTRY else ("", "", rest)
    if kind in KINDS and chat and bool(handle) == (kind == INBOX_ENTRY):
        return OutboxEntry(kind, chat, handle, time)
    LOGGER.error({"event": "outbox_malformed", "item": repr(field), "value": repr(since)})
    return None
