"""Commands that find messages, and unread chats."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from parley_client.async_client import AsyncClient
from parley_client.chat.arguments import WrongInput, chat_of
from parley_client.chat.conversation import Conversation
from parley_client.chat.lines import clean, found_line, row_line
from parley_client.models import FoundMessage

MAX_PAGES = 10
"""Maximum number of pages that one command reads: a page may have no hits."""
SEARCH = "/search words"
HELP = """\
  /search WORDS        find messages of this chat; without words: further ones
  /searchall WORDS     find messages of all chats
  /unread              list the chats with unread messages
  /readall             mark all chats as read
  """


class FindingCommands:
    """Searches in messages, and counts unread ones."""

    def __init__(self, client: AsyncClient, conversation: Conversation) -> None:
        self._client = client
        self._conversation = conversation
        self._last: tuple[str, str | None, str | None] | None = None
        self.known: dict[str, Callable[[str], Awaitable[None]]] = {
            "search": self._search,
            "searchall": self._search_all,
            "unread": self._unread,
            "readall": self._read_all,
        }

    async def _search(self, words: str) -> None:
        if words:
            await self._find(words, chat_of(self._conversation), None)
        elif self._last is None:
            raise WrongInput(f"Give the words to find: {SEARCH}")
        else:
            await self._find(*self._last)

    async def _search_all(self, words: str) -> None:
        if not words:
            raise WrongInput(f"Give the words to find: {SEARCH}")
        await self._find(words, None, None)

    async def _find(self, words: str, chat: str | None, before: str | None) -> None:
        hits: list[FoundMessage] = []
        for _ in range(MAX_PAGES):
            page = await self._client.search(words, chat=chat, before=before)
            hits, before = page.hits, page.next
            if hits or before is None:
                break
        for hit in reversed(hits):
            self._conversation.say(found_line(hit, self._conversation.me, self._conversation.chat))
        if not hits:
            self._conversation.say(f"* Nothing found for {clean(words)}.")
        elif before:
            self._conversation.say("* There are older ones: /search")
        self._last = (words, chat, before) if before else None

    async def _unread(self, _: str) -> None:
        count = await self._client.unread()
        messages = f"{count.unread} unread message{'' if count.unread == 1 else 's'}"
        quiet = f", and {count.quiet} in muted and archived ones" if count.quiet else ""
        chats = f"{count.chats} chat{'' if count.chats == 1 else 's'}"
        self._conversation.say(f"* {messages} in {chats}{quiet}.")
        for row in await self._client.chats(limit=100):
            if row.unread or row.marked_unread:
                self._conversation.say(row_line(row, self._conversation.me))

    async def _read_all(self, _: str) -> None:
        chats = await self._client.read_all()
        self._conversation.say(
            f"* All is read; {len(chats)} chat{' was' if len(chats) == 1 else 's were'} not."
        )
