"""Commands about messages that are sent later, or deleted by themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from parley_client.async_client import AsyncClient
from parley_client.chat.arguments import WrongInput, chat_of, moment, period
from parley_client.chat.conversation import Conversation
from parley_client.chat.lines import clean, time_of, title
from parley_client.models import Scheduled

SCHEDULE, CANCEL = "/schedule 18:30 your text, or /schedule 10m your text", "/cancel 1"
EXPIRE = "/expire 1h, or /expire off"
HELP = """\
  /schedule WHEN TEXT  send a text later: at 18:30, or in 10m, 2h, 1d
  /scheduled           list the texts that are sent later
  /cancel N            do not send number N of that list
  /expire TIME         delete later messages of the chat by themselves: after 10m, 1d; off
  """


class LaterCommands:
    """Schedules messages, lists and cancels them, and lets messages expire."""

    def __init__(self, client: AsyncClient, conversation: Conversation) -> None:
        self._client = client
        self._conversation = conversation
        self._listed: list[Scheduled] = []
        self.known: dict[str, Callable[[str], Awaitable[None]]] = {
            "schedule": self._schedule,
            "scheduled": self._list,
            "cancel": self._cancel,
            "expire": self._expire,
        }

    async def _schedule(self, rest: str) -> None:
        chat = chat_of(self._conversation)
        when, _, text = rest.partition(" ")
        if not text.strip():
            raise WrongInput(f"Give a time and a text: {SCHEDULE}")
        made = await self._client.schedule(chat, text.strip(), moment(when, SCHEDULE))
        self._conversation.say(f"* Sent at {time_of(made.send_at)}: {clean(made.text)}")

    async def _list(self, _: str) -> None:
        self._listed = await self._client.scheduled()
        for number, one in enumerate(self._listed, 1):
            self._conversation.say(f"  {number}. {self._line(one)}")
        if not self._listed:
            self._conversation.say(f"* No texts are sent later. {SCHEDULE}")

    async def _cancel(self, rest: str) -> None:
        if not self._listed:
            self._listed = await self._client.scheduled()
        place = int(rest) if rest.isascii() and rest.isdigit() and len(rest) < 5 else 0
        if not 0 < place <= len(self._listed):
            raise WrongInput(f"Name one by its number in the list of /scheduled: {CANCEL}")
        one = self._listed[place - 1]
        await self._client.cancel(one.id)
        self._listed = []
        self._conversation.say(f"* Not sent later any more: {clean(one.text)}")

    async def _expire(self, rest: str) -> None:
        chat = chat_of(self._conversation)
        if rest == "off":
            await self._client.expire(chat, None)
            self._conversation.say("* Later messages stay.")
            return
        await self._client.expire(chat, int(period(rest, EXPIRE).total_seconds()))
        self._conversation.say(f"* Later messages are deleted after {rest}.")

    def _line(self, one: Scheduled) -> str:
        failed = f" (not sent: {clean(one.failed.detail)})" if one.failed else ""
        chat = clean(title(one.chat, self._conversation.me))
        return f"{time_of(one.send_at)} [{chat}] {clean(one.text)}{failed}"
