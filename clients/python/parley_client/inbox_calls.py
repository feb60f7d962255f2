"""What a client does with all of the user's chats, and with messages that are sent later."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any, Protocol, TypeVar

from parley_client.models import ChatRow, Found, Scheduled, Unread
from parley_client.repeating import repeated
from parley_client.rest import Rest
from parley_client.settings import Settings


class _Page(Protocol):
    @property
    def next(self) -> str | None: ...


P = TypeVar("P", bound=_Page)


class InboxCalls:
    """The calls of AsyncClient about all chats; they use REST, as those of MessageCalls."""

    rest: Rest
    settings: Settings

    async def chats(self, *, limit: int = 50) -> list[ChatRow]:
        """Read the chats of the inbox, most recently active first; limit: 1 to 100."""
        return await self.rest.chats(limit)

    async def unread(self) -> Unread:
        """Count the unread messages of all chats."""
        pages = await self._all(self.rest.unread)
        return Unread(
            unread=sum(page.unread for page in pages),
            chats=sum(page.chats for page in pages),
            quiet=sum(page.quiet for page in pages),
        )

    async def read_all(self) -> list[str]:
        """Mark all messages of all chats as read; return the chats that were unread."""
        return [chat for page in await self._all(self.rest.read_all) for chat in page.chats]

    async def search(
        self,
        text: str,
        *,
        chat: str | None = None,
        sender: str | None = None,
        before: str | None = None,
        limit: int = 20,
    ) -> Found:
        """Search in the messages that the user can read, newest first.

        text: Words that a message must have; the last one may be the beginning of a word.
        chat, sender: Only messages of this chat, or of this user.
        before: The `next` of the page before. A page may have no hits and still a `next`.
        """
        return await repeated(
            lambda: self.rest.messages.search(text, chat, sender, before, limit), self.settings
        )

    async def schedule(
        self,
        chat: str,
        text: str,
        send_at: datetime,
        *,
        id: str | None = None,  # noqa: A002 # the API's word
        reply_to: int | None = None,
    ) -> Scheduled:
        """Schedule a message, once for each id.

        send_at: From 5 seconds to 366 days ahead, with a time zone. It is sent within a minute after that.
        """
        if send_at.tzinfo is None:
            raise ValueError("send_at must have a time zone")
        fields: dict[str, Any] = {"text": text, "id": id or str(uuid.uuid4())}
        if reply_to is not None:
            fields |= {"reply_to": reply_to}
        return await repeated(lambda: self.rest.scheduled.add(chat, send_at, fields), self.settings)

    async def scheduled(self, chat: str | None = None) -> list[Scheduled]:
        """Read the scheduled messages of a chat, or of all, and those that failed, the earliest first."""
        pages = await self._all(partial(self.rest.scheduled.page, chat))
        return [one for page in pages for one in page.scheduled]

    async def reschedule(
        self,
        id: str,  # noqa: A002 # the API's word
        *,
        send_at: datetime | None = None,
        text: str | None = None,
    ) -> Scheduled:
        """Change a scheduled message; one that failed is scheduled again by a new time."""
        return await repeated(lambda: self.rest.scheduled.change(id, send_at, text), self.settings)

    async def cancel(self, id: str) -> None:  # noqa: A002 # the API's word
        """Cancel a scheduled message; it is never sent after that."""
        await repeated(lambda: self.rest.scheduled.cancel(id), self.settings)

    async def _all(self, read: Callable[[str | None], Awaitable[P]]) -> list[P]:
        """Return all pages; read: Returns the page of a cursor."""
        pages = [await repeated(partial(read, None), self.settings)]
        while pages[-1].next is not None:
            pages.append(await repeated(partial(read, pages[-1].next), self.settings))
        return pages
