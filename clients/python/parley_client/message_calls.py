"""What a client does with messages that are stored."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any, Literal

from parley_client.errors import Closed, Problem, Unreachable
from parley_client.incoming import Ack, Page
from parley_client.models import Message
from parley_client.outgoing import Content, ForwardedFrom, Send
from parley_client.repeating import all_pages, repeated
from parley_client.responses import Reaction, ThreadPage
from parley_client.rest import Rest
from parley_client.session import Session
from parley_client.settings import Settings

DeleteFor = Literal["all", "me"]
Reason = Literal["spam", "harassment", "hate", "violence", "sexual", "illegal", "other"]


class MessageCalls:
    """The calls of AsyncClient about single messages.

    They use REST, and repeat a request after temporary errors; limit the time by asyncio.timeout. They raise
    Problem if the server refuses the request.
    """

    rest: Rest
    settings: Settings
    _running: Session | None = None

    async def history(
        self, chat: str, *, before: str | None = None, after: str | None = None, limit: int = 50
    ) -> Page:
        """Read messages apart from the events: the newest, or those before or after another page's cursor."""
        return await self.rest.page(chat, before=before, after=after, limit=limit)

    async def message(self, chat: str, seq: int) -> Message:
        """Read one message."""
        return await repeated(lambda: self.rest.messages.one(chat, seq), self.settings)

    async def edit(
        self,
        chat: str,
        seq: int,
        text: str | None = None,
        *,
        data: dict[str, Any] | None = None,
        if_change: int | None = None,
    ) -> Message:
        """Change the text or the data of the user's own message, or both; return the message.

        if_change: Number that the message's last change must have; otherwise Problem `message_changed`.
        """
        edit = _Edit(self.rest, chat, seq, Content(text=text, data=data), if_change)
        edited = await repeated(edit.attempt, self.settings)
        self._session.inbox.changes.take(edited)
        return edited

    async def delete(self, chat: str, seq: int, *, for_: DeleteFor = "all") -> None:
        """Delete a message: for all, if it is one's own or for an admin any; or for oneself alone."""
        await repeated(lambda: self.rest.messages.delete(chat, seq, for_), self.settings)

    async def forward(
        self,
        chat: str,
        seq: int,
        to: str,
        *,
        id: str | None = None,  # noqa: A002 # the API's word
    ) -> Ack:
        """Send the text and data of a message to another chat, as send does; to: The chat."""
        source = ForwardedFrom(chat=chat, seq=seq)
        return await self._session.sending.send(Send(chat=to, id=id or str(uuid.uuid4()), forward=source))

    async def thread(self, chat: str, seq: int, *, after: str | None = None, limit: int = 50) -> ThreadPage:
        """Read the thread of a message: its first message, and the first replies or those after a page's."""
        return await repeated(lambda: self.rest.messages.thread(chat, seq, after, limit), self.settings)

    async def react(self, chat: str, seq: int, emoji: str) -> Message:
        """React to a message with an emoji; return the message. A repeated reaction changes nothing."""
        return await self._react(chat, seq, emoji, on=True)

    async def unreact(self, chat: str, seq: int, emoji: str) -> Message:
        """Take a reaction back; return the message."""
        return await self._react(chat, seq, emoji, on=False)

    async def reactions(self, chat: str, seq: int, *, emoji: str | None = None) -> list[Reaction]:
        """Read who reacted to a message; emoji: Only with this one."""
        pages = await all_pages(partial(self.rest.messages.reactions, chat, seq, emoji), self.settings)
        return [one for page in pages for one in page.reactions]

    async def pin(self, chat: str, seq: int) -> Message:
        """Pin a message for all members; return the message. Repeating it changes nothing."""
        return await self._pin(chat, seq, on=True)

    async def unpin(self, chat: str, seq: int) -> Message:
        """Unpin a message; return it."""
        return await self._pin(chat, seq, on=False)

    async def pins(self, chat: str) -> list[Message]:
        """Read the pinned messages of a chat, the newest pin first."""
        pages = await all_pages(partial(self.rest.messages.pins, chat), self.settings)
        return [message for page in pages for message in page.messages]

    async def report(self, chat: str, seq: int, *, reason: Reason = "other", note: str = "") -> None:
        """Report a message to the admins of its chat; a repeated report replaces the first one."""
        await repeated(lambda: self.rest.messages.report(chat, seq, reason, note), self.settings)

    async def _react(self, chat: str, seq: int, emoji: str, *, on: bool) -> Message:
        await repeated(lambda: self.rest.messages.react(chat, seq, emoji, on=on), self.settings)
        return await self._changed(chat, seq)

    async def _pin(self, chat: str, seq: int, *, on: bool) -> Message:
        await repeated(lambda: self.rest.messages.pin(chat, seq, on=on), self.settings)
        return await self._changed(chat, seq)

    async def _changed(self, chat: str, seq: int) -> Message:
        message = await self.message(chat, seq)
        self._session.inbox.changes.take(message)
        return message

    @property
    def _session(self) -> Session:
        if self._running is None:
            raise Closed("Start the client first: `async with AsyncClient(…)`.")
        return self._running


class _Edit:
    """An edit that may be repeated: the server may have made it without its answer arriving."""

    def __init__(self, rest: Rest, chat: str, seq: int, new: Content, if_change: int | None) -> None:
        self._rest = rest
        self._given = (chat, seq, new, if_change)
        self._may_be_made = False

    async def attempt(self) -> Message:
        chat, seq, new, if_change = self._given
        try:
            return await self._rest.messages.edit(chat, seq, new, if_change)
        except Problem as problem:
            self._may_be_made |= problem.passes
            if not (problem.code == "message_changed" and self._may_be_made):
                raise
            found = await self._rest.messages.one(chat, seq)
            if found.text != (new.text or found.text) or found.data != (new.data or found.data):
                raise
            return found
        except Unreachable:
            self._may_be_made = True
            raise
