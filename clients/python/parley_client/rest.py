"""The HTTP requests of a client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import to_builtins

from parley_client.incoming import Ack, Page
from parley_client.message_rest import MessageRest
from parley_client.models import ChatRow
from parley_client.outgoing import HeldCursor, Send
from parley_client.responses import (
    Account,
    Changes,
    Entry,
    ReadPage,
    RestInbox,
    RestSync,
    Ticket,
    UnreadPage,
)
from parley_client.scheduled_rest import ScheduledRest
from parley_client.settings import Settings
from parley_client.transport import Transport, chat_path, messages_path


class Rest:
    """Requests of one user to one server; all raise Problem, NotAuthenticated and Unreachable.

    url: Of the server.
    user: A name, on an open server.
    token: The token of an account.
    messages, scheduled: Requests about single messages, and about scheduled ones.
    """

    def __init__(
        self, url: str, settings: Settings, *, user: str | None = None, token: str | None = None
    ) -> None:
        self._transport = Transport(url, settings, user=user, token=token)
        self.url = self._transport.url
        self.messages = MessageRest(self._transport)
        self.scheduled = ScheduledRest(self._transport)

    async def register(self, handle: str, password: str, email: str | None = None) -> Account:
        """Register an account and log in."""
        fields = {"handle": handle, "password": password} | ({"email": email} if email else {})
        return await self._enter("/v1/register", fields)

    async def login(self, handle: str, password: str) -> Account:
        """Log in."""
        return await self._enter("/v1/login", {"handle": handle, "password": password})

    async def logout(self) -> None:
        """End the session of the token, and its WebSockets."""
        await self._transport.call("POST", "/v1/logout")

    async def ticket(self) -> Ticket:
        """Get a ticket, which opens one WebSocket once."""
        return await self._transport.ask(Ticket, "POST", "/v1/realtime/ticket", {})

    async def send(self, frame: Send) -> Ack:
        """Append a message to a chat, once for each id."""
        return await self._transport.ask(Ack, "POST", messages_path(frame.chat), frame.body())

    async def page(
        self, chat: str, *, after: str | None = None, before: str | None = None, limit: int = 50
    ) -> Page:
        """Read messages of a chat: those after a cursor, those before one, or the newest."""
        query = {"after": after, "before": before, "limit": str(limit)}
        return await self._transport.ask(Page, "GET", messages_path(chat), query=query)

    async def changes(self, chat: str, since: str | None) -> Changes:
        """Read the changes of a chat after a cursor."""
        return await self._transport.ask(Changes, "GET", f"{chat_path(chat)}/changes", query={"since": since})

    async def sync(
        self, since: str | None = None, limit: int = 50, check: Sequence[HeldCursor] = ()
    ) -> RestSync:
        """Read the chats that changed since a sync, and those whose checked messages the server has lost.

        since: The `next` of the earlier sync.
        check: The client's newest messages, at most MAX_CHECKED. Servers without checks answer 405 to any.
        """
        if not check:
            query = {"since": since, "limit": str(limit)}
            return await self._transport.ask(RestSync, "GET", "/v1/sync", query=query)
        body = {"since": since, "limit": limit, "check": to_builtins(check)}
        return await self._transport.ask(RestSync, "POST", "/v1/sync", body)

    async def chats(self, limit: int = 50) -> list[ChatRow]:
        """Read the most recently active chats, latest first."""
        found = await self._transport.ask(RestInbox, "GET", "/v1/chats", query={"limit": str(limit)})
        return found.chats

    async def unread(self, cursor: str | None) -> UnreadPage:
        """Count the unread messages of 100 chats."""
        return await self._transport.ask(UnreadPage, "GET", "/v1/unread", query={"cursor": cursor})

    async def read_all(self, cursor: str | None) -> ReadPage:
        """Mark 100 chats as read."""
        return await self._transport.ask(ReadPage, "POST", "/v1/read", query={"cursor": cursor})

    async def chat(self, chat: str) -> ChatRow:
        """Read one chat of the inbox. Raises Problem if it does not exist."""
        return await self._transport.ask(ChatRow, "GET", chat_path(chat))

    async def change_chat(self, chat: str, fields: dict[str, Any]) -> None:
        """Change the settings of a chat."""
        await self._transport.call("PATCH", chat_path(chat), fields)

    async def join(self, chat: str) -> None:
        """Join an open room or group."""
        await self._transport.call("POST", f"{chat_path(chat)}/join")

    async def make_room(self, room: str, name: str | None = None) -> None:
        """Create an open room; room: Its id without `r-`. Raises Problem if it exists already."""
        fields = {"kind": "room", "id": room, "name": name or room}
        await self._transport.call("POST", "/v1/chats", fields)

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def _enter(self, path: str, fields: dict[str, str]) -> Account:
        entry = await self._transport.ask(Entry, "POST", path, fields)
        return Account(handle=entry.user.handle, token=entry.token, expires_at=entry.expires_at)
