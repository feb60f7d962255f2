"""What a client does with messages that are stored."""

from __future__ import annotations

from typing import Literal

from parley_client.errors import Closed, Problem, Unreachable
from parley_client.incoming import Page
from parley_client.models import Message
from parley_client.repeating import repeated
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

    async def edit(self, chat: str, seq: int, text: str, *, if_change: int | None = None) -> Message:
        """Change the text of the user's own message; return it.

        if_change: Number that the message's last change must have; otherwise Problem `message_changed`.
        """
        edit = _Edit(self.rest, chat, seq, text, if_change)
        edited = await repeated(edit.attempt, self.settings)
        self._session.inbox.changes.take(edited)
        return edited

    async def delete(self, chat: str, seq: int, *, for_: DeleteFor = "all") -> None:
        """Delete a message, so that nobody can read it again; admins and owners may delete any."""
        await repeated(lambda: self.rest.messages.delete(chat, seq, for_), self.settings)

    async def report(self, chat: str, seq: int, *, reason: Reason = "other", note: str = "") -> None:
        """Report a message to the admins of its chat; a repeated report replaces the first one."""
        await repeated(lambda: self.rest.messages.report(chat, seq, reason, note), self.settings)

    @property
    def _session(self) -> Session:
        if self._running is None:
            raise Closed("Start the client first: `async with AsyncClient(…)`.")
        return self._running


class _Edit:
    """An edit that may be repeated: the server may have made it without its answer arriving."""

    def __init__(self, rest: Rest, chat: str, seq: int, text: str, if_change: int | None) -> None:
        self._rest = rest
        self._given = (chat, seq, text, if_change)
        self._may_be_made = False

    async def attempt(self) -> Message:
        chat, seq, text, if_change = self._given
        try:
            return await self._rest.messages.edit(chat, seq, text, if_change)
        except Problem as problem:
            self._may_be_made |= problem.passes
            if not (problem.code == "message_changed" and self._may_be_made):
                raise
            found = await self._rest.messages.one(chat, seq)
            if found.text != text:
                raise
            return found
        except Unreachable:
            self._may_be_made = True
            raise
