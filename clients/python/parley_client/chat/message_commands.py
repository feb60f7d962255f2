"""Commands about messages of the chat on the screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import get_args

from parley_client.async_client import AsyncClient
from parley_client.chat.arguments import WrongInput, chat_of, numbered
from parley_client.chat.conversation import Conversation
from parley_client.chat.outbox import Outbox
from parley_client.message_calls import Reason

EDIT, DELETE = "/edit 12 the new text", "/delete 12"
REPLY, REPORT = "/reply 12 your answer", "/report 12 spam"
HELP = """\
  /edit N TEXT         change your message number N
  /delete N            delete a message for all
  /reply N TEXT        answer a message
  /report N WHY        report a message to the admins of the chat: spam, harassment, other …"""


class MessageCommands:
    """Changes messages; a changed message is shown by its event."""

    def __init__(self, client: AsyncClient, conversation: Conversation, outbox: Outbox) -> None:
        self._client = client
        self._conversation = conversation
        self._outbox = outbox
        self.known: dict[str, Callable[[str], Awaitable[None]]] = {
            "edit": self._edit,
            "delete": self._delete,
            "reply": self._reply,
            "report": self._report,
        }

    async def _edit(self, rest: str) -> None:
        chat, (seq, text) = chat_of(self._conversation), numbered(rest, EDIT)
        if not text:
            raise WrongInput(f"Give the new text: {EDIT}")
        await self._client.edit(chat, seq, text)

    async def _delete(self, rest: str) -> None:
        chat, (seq, more) = chat_of(self._conversation), numbered(rest, DELETE)
        if more not in {"", "all"}:
            raise WrongInput(f"Delete a message for all: {DELETE}")
        await self._client.delete(chat, seq)

    async def _reply(self, rest: str) -> None:
        chat, (seq, text) = chat_of(self._conversation), numbered(rest, REPLY)
        if not text:
            raise WrongInput(f"Give your answer: {REPLY}")
        self._outbox.send(chat, text, seq)

    async def _report(self, rest: str) -> None:
        chat, (seq, why) = chat_of(self._conversation), numbered(rest, REPORT)
        reason, _, note = why.partition(" ")
        known: dict[str, Reason] = {one: one for one in get_args(Reason)}
        if reason in known:
            await self._client.report(chat, seq, reason=known[reason], note=note.strip())
        else:
            await self._client.report(chat, seq, note=why)
        self._conversation.say(f"* You have reported message {seq}.")
