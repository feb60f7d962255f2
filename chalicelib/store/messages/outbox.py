"""The outbox: changes of chats that inboxes may not have yet, kept in the slot of the chat."""

from __future__ import annotations

from typing import Any, NamedTuple

from chalicelib.logs import LOGGER
from chalicelib.store import keys
from chalicelib.store.realtime.connection_results import Target, targets_of
from chalicelib.store.redis.query import Batch, Query, concatenated
from chalicelib.store.redis.scripts import Script
from chalicelib.store.work.pending import CLEAR_PENDING_WORK

READ_RECIPIENTS = Script("messages/read_recipients")
RECORD_PUSH = Script("messages/record_push")

MOVED, PLACED, INDEXED = KINDS = ("m", "p", "i")
PUSHED = "d"


class OutboxEntry(NamedTuple):
    """Something to tell; kind: MOVED, PLACED or INDEXED. handle: whom, of PLACED. since: µs, or a stamp."""

    kind: str
    chat: str
    handle: str
    since: int

    @property
    def field(self) -> str:
        """Its field in the outbox."""
        return f"p{self.handle}\0{self.chat}" if self.kind == PLACED else f"{self.kind}{self.chat}"


class Audience(NamedTuple):
    """Whom the newest message of a chat goes to, and its time, µs.

    members: nobody, if the chat is large or gone. targets: of a large chat, the connections of members that
    are attached to it. pushed: the time of the newest message that was pushed to everybody, µs; 0: of none
    that is pending.
    """

    time: int
    members: list[str]
    targets: list[Target]
    pushed: int


class Outbox:
    """The outbox of the chats. Its key, one a partition:

    `{c<NNN>}:outbox`: HASH, no expiry. `m<chat>` -> time of the newest message (µs) that the inboxes, or of a
        large chat the connections, may not have. `p<handle>\\0<chat>` -> stamp of what the index of a user
        may not say. `i<chat>` -> since when (µs) the search entries may be out of date. The script that
        changes the chat puts it there, and the sweep alone deletes it, once it has delivered it (again).
        `d<chat>`, only beside `m<chat>` -> time of the newest message (µs) that was pushed to everybody.
    """

    def entries(self) -> Batch[list[OutboxEntry]]:
        """Return the batch for all entries; an entry that cannot be read is logged as an error, and stays."""
        return concatenated([Query("HGETALL", (key,), read=_entries) for key in keys.all_of(keys.outbox)])

    def clear(self, entry: OutboxEntry) -> Query[bool]:
        """Return the query that takes something off, unless there is something newer to tell."""
        chat = entry.chat
        more = (PUSHED + chat,) if entry.kind == MOVED else ()
        return Query(CLEAR_PENDING_WORK, (keys.outbox(chat),), (entry.field, entry.since, *more), bool)

    def pushed(self, chat: str, time: int) -> Query[bool]:
        """Return the query that notes that a message was pushed to everybody, if one is pending.

        The noted time only rises. time: the message's, µs.
        """
        return Query(RECORD_PUSH, (keys.outbox(chat),), (MOVED + chat, PUSHED + chat, time), bool)

    def audience(self, chat: str) -> Query[Audience]:
        """Return the query for whom the newest message of a chat goes to."""
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
            recipients = direct or [member.decode() for member in members]
            return Audience(time, recipients, targets_of(json, protobuf), pushed)

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
    handle, _, chat = rest.partition("\0") if kind == PLACED else ("", "", rest)
    if kind in KINDS and chat and bool(handle) == (kind == PLACED):
        return OutboxEntry(kind, chat, handle, time)
    LOGGER.error({"event": "outbox_malformed", "item": repr(field), "value": repr(since)})
    return None
