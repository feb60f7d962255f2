"""Commands: lines that begin with a slash."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from parley_client.async_client import AsyncClient
from parley_client.chat import finding_commands, later_commands, message_commands
from parley_client.chat.conversation import Conversation
from parley_client.chat.finding_commands import FindingCommands
from parley_client.chat.later_commands import LaterCommands
from parley_client.chat.lines import clean
from parley_client.chat.message_commands import MessageCommands
from parley_client.chat.outbox import Outbox
from parley_client.errors import ParleyError, Problem

HELP = f"""\
  /to NAME             write to a user
  /room NAME           join a room; it is created if it does not exist
  /leave               leave the room
  /who                 list the users in the room
  /chats               list your chats
  /older               show older messages
{message_commands.HELP}
{later_commands.HELP}
{finding_commands.HELP}
  /quit                end the chat; Ctrl-C and Ctrl-D do the same
  //…                  send a message that begins with a slash
  """


class Commands:
    """Carries out what the user types."""

    def __init__(self, client: AsyncClient, conversation: Conversation) -> None:
        self._client = client
        self._conversation = conversation
        self.outbox = Outbox(client, conversation.say, conversation.until_shown)
        self._known: dict[str, Callable[[str], Awaitable[None]]] = {
            "to": self.to,
            "room": self.room,
            "leave": self._leave,
            "who": self._who,
            "chats": self._chats,
            "older": self._older,
            "help": self._help,
            **MessageCommands(client, conversation, self.outbox).known,
            **LaterCommands(client, conversation).known,
            **FindingCommands(client, conversation).known,
        }

    async def do(self, line: str) -> bool:
        """Carry out a line; returns whether to continue."""
        if not line.startswith("/") or line.startswith("//"):
            self._send(line.removeprefix("/").strip())
            return True
        name, _, rest = line[1:].partition(" ")
        if name in {"quit", "exit", "q"}:
            return False
        if command := self._known.get(name):
            await self._try(command, rest.strip())
        else:
            self._conversation.say(f"! There is no command /{clean(name)}. The commands are:\n{HELP}")
        return True

    def typed(self, text: str) -> None:
        """Take the text that the user has typed so far."""
        chat = self._conversation.chat
        if text and not text.startswith("/") and chat:
            self.outbox.typed(chat)

    def _send(self, text: str) -> None:
        if text and (chat := self._conversation.chat):
            self.outbox.send(chat, text)
        elif text:
            self.outbox.unsent += 1
            self._conversation.say(f"! Not sent: {clean(text)}\nChoose a chat first: /to NAME or /room NAME.")

    async def to(self, name: str) -> None:
        """Write to another user."""
        if not name or ":" in name or " " in name:
            self._conversation.say("Name a user: /to NAME")
            return
        await self._try(self._conversation.open, self._conversation.direct(name))

    async def room(self, name: str) -> None:
        """Join a room; create it if it does not exist."""
        if not name:
            self._conversation.say("Name a room: /room NAME")
            return
        await self._try(self._join, name.removeprefix("r-").casefold())

    async def _try(self, command: Callable[[str], Awaitable[None]], rest: str) -> None:
        try:
            await command(rest)
        except (ParleyError, TimeoutError) as error:
            self._conversation.say(f"! {clean(str(error) or 'The server did not respond in time.')}")

    async def _join(self, room: str) -> None:
        async with self._conversation.holding(f"r-{room}"):
            await self._join_or_create(room)

    async def _join_or_create(self, room: str) -> None:
        enter = self._enter if self._client.connected else self._become_member
        try:
            await enter(room)
        except Problem as problem:
            if problem.code != "chat_not_found":
                raise
            await self._client.rest.make_room(room)
            self._conversation.say(f"* Created room {clean(room)}.")
            await enter(room)

    async def _enter(self, room: str) -> None:
        joined = await self._client.join(room)
        await self._conversation.open(joined.chat)
        self._conversation.say(f"* In {clean(room)} now: {clean(', '.join(joined.clients or []))}")

    async def _become_member(self, room: str) -> None:
        await self._client.rest.join(f"r-{room}")
        self._conversation.entering = room
        await self._conversation.open(f"r-{room}")

    def _room(self) -> str | None:
        chat = self._conversation.chat
        if chat is None or not chat.startswith("r-"):
            self._conversation.say("You are not in a room. /room NAME joins one.")
            return None
        if not self._client.connected:
            self._conversation.say("! This command needs a WebSocket, and none is open now. Try again later.")
            return None
        return chat.removeprefix("r-")

    async def _leave(self, _: str) -> None:
        if room := self._room():
            await self._client.leave(room)
            self._conversation.chat = None
            self._conversation.say(f"* You have left {clean(room)}.")

    async def _who(self, _: str) -> None:
        if room := self._room():
            self._conversation.say(
                f"* In {clean(room)} now: {clean(', '.join(await self._client.clients(room)))}"
            )

    async def _chats(self, _: str) -> None:
        await self._conversation.list_chats()

    async def _older(self, _: str) -> None:
        await self._conversation.older()

    async def _help(self, _: str) -> None:
        self._conversation.say(HELP)
