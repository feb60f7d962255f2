"""Messages as one reader sees them: the one place that adds what differs between readers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from chalicelib.schemas.messages import Message
from chalicelib.services.views.message_row import all_are_plain, message, plain_message
from chalicelib.store.messages.content import LogEntry
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Runnable

Fields = Mapping[int, Mapping[str, Any]]
"""Fields of a Message, by the seq of the message."""
Row = Callable[[LogEntry], Message]
"""Returns a message as its reader sees it."""


class Resolver(Protocol):
    """Finds the fields of messages that their log entries do not have; see message_row.is_partial."""

    def asking(self, chat: str, reader: str, entries: Sequence[LogEntry]) -> Runnable[Any] | None:
        """Return the query for the fields of messages; None: there is nothing to ask.

        chat: Its canonical id. reader: Handle. The result is Fields, or a further query.
        """


class ReaderView:
    """Shows messages to their readers.

    A page of messages takes one more round trip if a resolver asks, and another if a resolver asks further;
    plain messages take none.
    """

    def __init__(self, store: Store, resolvers: Sequence[Resolver] = ()) -> None:
        self._store = store
        self._resolvers = resolvers

    def rows(self, chat: str, reader: str, entries: Sequence[LogEntry]) -> Row:
        """Return the function that shows messages of a chat to a reader.

        chat: Its canonical id. entries: All messages that the function is called with.
        """
        if all_are_plain(entries):
            return functools.partial(plain_message, chat)
        return self.rows_of_chats(reader, {chat: entries})[chat]

    def rows_of_chats(self, reader: str, entries: Mapping[str, Sequence[LogEntry]]) -> dict[str, Row]:
        """Return such functions for the messages of several chats, with the round trips of one.

        entries: Messages by the canonical ids of their chats.
        """
        fields: dict[str, dict[int, dict[str, Any]]] = {chat: {} for chat in entries}
        asked = [
            (chat, query)
            for chat, of_chat in entries.items()
            for resolver in self._resolvers
            if of_chat and (query := resolver.asking(chat, reader, of_chat)) is not None
        ]
        while asked:
            results = self._store.run_all([query for _, query in asked])
            found = [(chat, result) for (chat, _), result in zip(asked, results, strict=True)]
            asked = [(chat, result) for chat, result in found if not isinstance(result, Mapping)]
            for chat, result in found:
                _add(fields[chat], result)
        return {chat: functools.partial(_shown, chat, of_chat) for chat, of_chat in fields.items()}

    def one(self, chat: str, reader: str, entry: LogEntry) -> Message:
        """Return a message of a chat as a reader sees it; chat: Its canonical id."""
        return self.rows(chat, reader, [entry])(entry)


def _add(fields: dict[int, dict[str, Any]], found: Fields | Runnable[Any]) -> None:
    if isinstance(found, Mapping):
        for seq, more in found.items():
            fields.setdefault(seq, {}).update(more)


def _shown(chat: str, fields: Fields, entry: LogEntry) -> Message:
    return message(chat, entry, fields.get(entry.seq, {}))
