"""HTTP requests about single messages."""

from __future__ import annotations

from urllib.parse import quote

from msgspec import to_builtins

from parley_client.models import Found, Message
from parley_client.outgoing import Content
from parley_client.responses import PinPage, ReactionPage, ThreadPage
from parley_client.transport import Transport, chat_path, message_path

REACTIONS, PINS = "200", "100"
"""Numbers of reactions and of pinned messages on a page."""


class MessageRest:
    """Requests about messages of chats; all raise Problem, NotAuthenticated and Unreachable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def one(self, chat: str, seq: int) -> Message:
        """Read one message."""
        return await self._transport.ask(Message, "GET", message_path(chat, seq))

    async def edit(self, chat: str, seq: int, new: Content, if_change: int | None) -> Message:
        """Change the content of a message; if_change: Number that its last change must have."""
        headers = {} if if_change is None else {"If-Match": f'"{if_change}"'}
        path, body = message_path(chat, seq), to_builtins(new)
        return await self._transport.ask(Message, "PATCH", path, body, headers=headers)

    async def delete(self, chat: str, seq: int, for_: str) -> None:
        """Delete a message for all."""
        await self._transport.call("DELETE", message_path(chat, seq), query={"for": for_})

    async def thread(self, chat: str, seq: int, after: str | None, limit: int) -> ThreadPage:
        """Read a part of a message's thread."""
        query = {"after": after, "limit": str(limit)}
        return await self._transport.ask(ThreadPage, "GET", f"{message_path(chat, seq)}/thread", query=query)

    async def react(self, chat: str, seq: int, emoji: str, *, on: bool) -> None:
        """Add a reaction, or remove it."""
        path = f"{message_path(chat, seq)}/reactions/{quote(emoji, safe='')}"
        await self._transport.call("PUT" if on else "DELETE", path)

    async def reactions(self, chat: str, seq: int, emoji: str | None, cursor: str | None) -> ReactionPage:
        """List who reacted to a message."""
        query = {"emoji": emoji, "cursor": cursor, "limit": REACTIONS}
        path = f"{message_path(chat, seq)}/reactions"
        return await self._transport.ask(ReactionPage, "GET", path, query=query)

    async def pin(self, chat: str, seq: int, *, on: bool) -> None:
        """Pin a message, or unpin it."""
        await self._transport.call("PUT" if on else "DELETE", f"{message_path(chat, seq)}/pin")

    async def pins(self, chat: str, cursor: str | None) -> PinPage:
        """List the pinned messages of a chat."""
        query = {"cursor": cursor, "limit": PINS}
        return await self._transport.ask(PinPage, "GET", f"{chat_path(chat)}/pins", query=query)

    async def report(self, chat: str, seq: int, reason: str, note: str) -> None:
        """Report a message to the admins of its chat."""
        await self._transport.call(
            "POST", f"{message_path(chat, seq)}/report", {"reason": reason, "note": note}
        )

    async def search(
        self, text: str, chat: str | None, sender: str | None, before: str | None, limit: int
    ) -> Found:
        """Search in the messages that the user can read."""
        query = {"q": text, "chat": chat, "from": sender, "before": before, "limit": str(limit)}
        return await self._transport.ask(Found, "GET", "/v1/search", query=query)
