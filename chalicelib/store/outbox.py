"""What the inboxes still have to be told of chats, kept in the slot of the chat."""

from __future__ import annotations

from typing import Any, NamedTuple

from chalicelib.logs import LOGGER
from chalicelib.store import keys
from chalicelib.store.client import Query, Store
from chalicelib.store.owed import CLEAR_OWED
from chalicelib.store.scripts import Script

READ_AUDIENCE = Script("read_audience", "chat_log")

MOVED, PLACED, INDEXED = KINDS = ("m", "p", "i")


class Telling(NamedTuple):
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
    """Whom the newest message of a chat goes to, and its time, µs; nobody: the chat is large or gone."""

    time: int
    members: list[str]


class Outbox:
    """The outbox of the chats. Its key, one a partition:

    `{c<NNN>}:outbox`: HASH, no expiry. `m<chat>` -> time of the newest message (µs) that the inboxes may not
        have, of chats that are not large. `p<handle>\\0<chat>` -> stamp of what the index of a user may not
        say. `i<chat>` -> since when (µs) the search entries may be out of date. The script that changes the
        chat puts it there, and the sweep alone takes it off, once it has told it (again).
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def everything(self) -> list[Telling]:
        """Return all that is to be told; what cannot be read is logged as an error, and stays."""
        queries = [Query("HGETALL", (key,), read=_tellings) for key in keys.outboxes_by_partition()]
        return [telling for part in self._store.fetch_all(queries) for telling in part]

    def clearing(self, telling: Telling) -> Query[bool]:
        """Return the query that takes something off, unless there is something newer to tell."""
        return Query(CLEAR_OWED, (keys.outbox(telling.chat),), (telling.field, telling.since), bool)

    def audience(self, chat: str) -> Query[Audience]:
        """Return the query for whom the newest message of a chat goes to."""
        named = (keys.log(chat), keys.chat(chat), keys.members(chat))
        direct = chat.split(":") if ":" in chat else []

        def read(reply: list[Any]) -> Audience:
            time, *members = reply
            return Audience(time, direct or [member.decode() for member in members])

        return Query(READ_AUDIENCE, named, (), read)


def _tellings(flat: list[bytes]) -> list[Telling]:
    pairs = zip(flat[::2], flat[1::2], strict=True)
    return [telling for field, since in pairs if (telling := _telling(field, since))]


def _telling(field: bytes, since: bytes) -> Telling | None:
    try:
        text, time = field.decode(), int(since)
    except ValueError:
        text, time = "", 0
    kind, rest = text[:1], text[1:]
    handle, _, chat = rest.partition("\0") if kind == PLACED else ("", "", rest)
    if kind in KINDS and chat and bool(handle) == (kind == PLACED):
        return Telling(kind, chat, handle, time)
    LOGGER.error({"event": "outbox_malformed", "item": repr(field), "value": repr(since)})
    return None
