"""Tickets: a client, such as a web page, connects by one without its token in a URL."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote

from chalicelib.errors import RealtimeUnavailable
from chalicelib.schemas.realtime import Ticket
from chalicelib.services.auth.caller import Caller
from chalicelib.services.values.chat_id import ROOM_PREFIX, ChatIds
from chalicelib.services.values.times import rfc3339
from chalicelib.services.values.tokens import digest_of
from chalicelib.store.realtime.user_connections import TICKET_SECONDS, UserConnections
from chalicelib.store.redis.client import Store

TICKET = re.compile(r"ticket_[A-Za-z0-9_-]{43}\.(.+)", re.DOTALL)
RANDOM_BYTES = 32


class ShownTicket(NamedTuple):
    """A ticket as a client shows it: the user that it names, and its digest in the store."""

    handle: str
    digest: bytes

    @classmethod
    def parse(cls, text: str) -> ShownTicket | None:
        """Parse a ticket; None: it is not one. The handle is as the client shows it."""
        match = TICKET.fullmatch(text)
        return cls(match[1], digest_of(text)) if match else None


class Tickets:
    """Gives tickets out; url: where sockets are opened, None: nowhere. clock: seconds since 1970."""

    def __init__(
        self,
        store: Store,
        user_connections: UserConnections,
        ids: ChatIds,
        url: str | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._user_connections = user_connections
        self._ids = ids
        self._url = url
        self._clock = clock

    @property
    def are_available(self) -> bool:
        """Whether this server has WebSocket connections, and so tickets."""
        return self._url is not None

    def issue(self, caller: Caller, room: str | None = None) -> Ticket:
        """Return a ticket for an authenticated caller; the end of their session ends its connection.

        room: the id without `r-` of a room to join.
        Raises RealtimeUnavailable, ChatNotFound.
        """
        if self._url is None:
            raise RealtimeUnavailable(
                "This server accepts no WebSocket connections: its setting PARLEY_SOCKET_URL is empty."
            )
        chat = None if room is None else self._ids.parse(ROOM_PREFIX + room, "room").text
        text = f"ticket_{secrets.token_urlsafe(RANDOM_BYTES)}.{caller.handle}"
        held = self._user_connections.ticket(caller.handle, digest_of(text), caller.proof, chat)
        self._store.run(held)
        expires = int((self._clock() + TICKET_SECONDS) * 1_000_000)
        return Ticket(url=self._url, ticket=text, expires_at=rfc3339(expires))


def opening(ticket: Ticket) -> str:
    """Return the one URL that opens a socket with a ticket."""
    return f"{ticket.url}?ticket={quote(ticket.ticket, safe='')}"
