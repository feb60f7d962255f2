"""Commands about messages of the chat on the screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import get_args

from parley_client.async_client import AsyncClient
from parley_client.chat.arguments import WrongInput, chat_of, numbered
from parley_client.chat.conversation import Conversation
from parley_client.chat.lines import clean, title
from parley_client.chat.outbox import Outbox
from parley_client.message_calls import Reason

MAX_REPLIES = 100
EDIT, DELETE = "/edit 12 the new text", "/delete 12"
REPLY, THREAD, FORWARD = "/reply 12 your answer", "/thread 12", "/forward 12 NAME"
REACT, PIN, REPORT = "/react 12 👍", "/pin 12", "/report 12 spam"
HELP = """\
  /edit N TEXT         change your message number N
  /delete N            delete a message for all; /delete N me: only for you
  /reply N TEXT        answer a message
  /react N EMOJI       react to a message; without an emoji: show who did
  /unreact N EMOJI     take your reaction back
  /pin N, /unpin N     pin a message for all, or unpin it
  /pins                show the pinned messages
  /thread N            show a message with all its replies
  /forward N NAME      send a message to another user or room (r-NAME)
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
            "react": self._react,
            "unreact": self._unreact,
            "pin": self._pin,
            "unpin": self._unpin,
            "pins": self._pins,
            "thread": self._thread,
            "forward": self._forward,
            "report": self._report,
        }

    async def _edit(self, rest: str) -> None:
        chat, (seq, text) = chat_of(self._conversation), numbered(rest, EDIT)
        if not text:
            raise WrongInput(f"Give the new text: {EDIT}")
        await self._client.edit(chat, seq, text)

    async def _delete(self, rest: str) -> None:
        chat, (seq, more) = chat_of(self._conversation), numbered(rest, DELETE)
        if more not in {"", "all", "me"}:
            raise WrongInput(f"Say for whom to delete it: {DELETE} all, or {DELETE} me")
        await self._client.delete(chat, seq, for_="me" if more == "me" else "all")

    async def _reply(self, rest: str) -> None:
        chat, (seq, text) = chat_of(self._conversation), numbered(rest, REPLY)
        if not text:
            raise WrongInput(f"Give your answer: {REPLY}")
        self._outbox.send(chat, text, seq)

    async def _react(self, rest: str) -> None:
        chat, (seq, emoji) = chat_of(self._conversation), numbered(rest, REACT)
        if emoji:
            await self._client.react(chat, seq, emoji)
            return
        for one in await self._client.reactions(chat, seq):
            self._conversation.say(f"  {clean(one.emoji)} {clean(one.user)}")

    async def _unreact(self, rest: str) -> None:
        chat, (seq, emoji) = chat_of(self._conversation), numbered(rest, REACT)
        if not emoji:
            raise WrongInput("Name the reaction to take back: /unreact 12 👍")
        await self._client.unreact(chat, seq, emoji)

    async def _pin(self, rest: str) -> None:
        await self._client.pin(chat_of(self._conversation), numbered(rest, PIN)[0])

    async def _unpin(self, rest: str) -> None:
        await self._client.unpin(chat_of(self._conversation), numbered(rest, PIN)[0])

    async def _pins(self, _: str) -> None:
        pinned = await self._client.pins(chat_of(self._conversation))
        for message in reversed(pinned):
            self._conversation.show(message)
        if not pinned:
            self._conversation.say(f"* No message is pinned. {PIN} pins one.")

    async def _thread(self, rest: str) -> None:
        chat, (seq, _) = chat_of(self._conversation), numbered(rest, THREAD)
        page = await self._client.thread(chat, seq, limit=MAX_REPLIES)
        for message in [*([page.root] if page.root else []), *page.messages]:
            self._conversation.show(message)
        if page.more:
            self._conversation.say("* There are more replies; they are in the chat.")

    async def _forward(self, rest: str) -> None:
        chat, (seq, name) = chat_of(self._conversation), numbered(rest, FORWARD)
        if not name:
            raise WrongInput(f"Name a user or a room: {FORWARD}")
        is_chat = ":" in name or name.startswith(("r-", "g-"))
        to = name if is_chat else self._conversation.direct(name)
        sent = await self._client.forward(chat, seq, to)
        self._conversation.say(f"* Forwarded to {clean(title(sent.chat, self._conversation.me))}.")

    async def _report(self, rest: str) -> None:
        chat, (seq, why) = chat_of(self._conversation), numbered(rest, REPORT)
        reason, _, note = why.partition(" ")
        known: dict[str, Reason] = {one: one for one in get_args(Reason)}
        if reason in known:
            await self._client.report(chat, seq, reason=known[reason], note=note.strip())
        else:
            await self._client.report(chat, seq, note=why)
        self._conversation.say(f"* You have reported message {seq}.")
