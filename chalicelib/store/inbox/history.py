"""Checks whether a chat still has the messages that a client holds."""

from __future__ import annotations

from typing import Any, NamedTuple

from chalicelib.store.access import kind_of, reader_keys
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

CHECK_HISTORY = Script("inbox/check_history")
UNREADABLE = 1
"""The script's reply to a reader who may read nothing; see lua/inbox/check_history.lua."""


class ChatHistory(NamedTuple):
    """A chat's history for a reader whose client holds another one.

    readable: Whether the chat exists and the reader may read some of it. head, time: Seq and time of the
    newest message that they may read, µs since 1970; 0: none. epoch: Of the log.
    """

    readable: bool
    head: int = 0
    time: int = 0
    epoch: int = 0


class ChatHistories:
    """Checks messages that clients hold against the logs; it has no keys of its own."""

    @staticmethod
    def check(chat: str, reader: str, seq: int, time: int, epoch: int) -> Query[ChatHistory | None]:
        """Return the query that checks one message; it gives None if the chat still has it.

        A message that was trimmed, or that the reader may no longer read, counts as one that the chat has.
        chat: The canonical id; one of the two users of a direct chat is the reader. time: µs since 1970.
        """
        args = (reader, kind_of(chat), seq, time.to_bytes(8), str(epoch))
        return Query(CHECK_HISTORY, reader_keys(chat), args, _history)


def _history(reply: Any) -> ChatHistory | None:
    if reply == UNREADABLE:
        return ChatHistory(readable=False)
    return ChatHistory(True, *reply) if reply else None
