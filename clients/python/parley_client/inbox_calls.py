"""What a client does with all of the user's chats, and with messages that are sent later."""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import partial
from typing import Any

from parley_client.models import ChatRow, Found, Scheduled, Unread
from parley_client.outgoing import Send
from parley_client.repeating import all_pages, repeated
from parley_client.rest import Rest
from parley_client.settings import Settings


class InboxCalls:
    """The calls of AsyncClient about all chats; they use REST, as those of MessageCalls."""

    rest: Rest
    settings: Settings

    async def chats(self, *, limit: int = 50) -> list[ChatRow]:
        """Read the chats of the inbox, most recently active first; limit: 1 to 100."""
        return await self.rest.chats(limit)

    async def expire(self, chat: str, seconds: int | None) -> None:
        """Have later messages of a chat deleted by themselves after 5 s to a year; None: never."""
        await repeated(lambda: self.rest.change_chat(chat, {"expires_in": seconds}), self.settings)

    async def unread(self) -> Unread:
        """Count the unread messages of all chats."""
        pages = await all_pages(self.rest.unread, self.settings)
        return Unread(
            unread=sum(page.unread for page in pages),
            chats=sum(page.chats for page in pages),
            quiet=sum(page.quiet for page in pages),
        )

    async def read_all(self) -> list[str]:
        """Mark all messages of all chats as read; return the chats that were unread."""
        return [chat for page in await all_pages(self.rest.read_all, self.settings) for chat in page.chats]

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
        expires_in: int | None = None,
        data: dict[str, Any] | None = None,
    ) -> Scheduled:
        """Schedule a message, once for each id.

        send_at: From 5 seconds to 366 days ahead, with a time zone. It is sent within a minute after that.
        """
        if send_at.tzinfo is None:
            raise ValueError("send_at must have a time zone")
        frame = Send(
            chat=chat,
            id=id or str(uuid.uuid4()),
            text=text,
            reply_to=reply_to,
            expires_in=expires_in,
            data=data,
        )
        return await repeated(lambda: self.rest.scheduled.add(send_at, frame), self.settings)

    async def scheduled(self, chat: str | None = None) -> list[Scheduled]:
        """Read the scheduled messages of a chat, or of all, and those that failed, the earliest first."""
        pages = await all_pages(partial(self.rest.scheduled.page, chat), self.settings)
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
