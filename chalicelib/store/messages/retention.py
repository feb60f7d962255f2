"""How many messages chats keep, and for how long."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.store import key_rows, keys
from chalicelib.store.access import kind_of
from chalicelib.store.redis.query import Batch, Query
from chalicelib.store.redis.scripts import Script
from chalicelib.store.redis.sorted_sets import due

TRIM_LOG = Script("messages/trim_log")

AT_ONCE = 500
"""Maximum number of messages that one call trims; longer ones would delay other commands of the node."""


class Trimmed(NamedTuple):
    """The result of a step; messages: How many it trimmed. more: Whether another step is needed now."""

    messages: int
    more: bool


class Retention:
    """Trims the logs of chats. Its key, in the chats' partition:

    `{c<NNN>}:retained`: ZSET, no expiry, one a partition: chat -> time at which the sweep looks at it, µs. An
        append adds a chat that keeps messages for a time, and one whose log it trims by number; a change of
        the chat's settings has the sweep look at once. A chat that keeps messages for good leaves it.

    A chat keeps the messages that the server's settings keep and its own fields `keep` (number of messages)
    and `keep_days` as well, see Chats. A step also removes what other keys hold of trimmed messages:
    reactions, threads, pins, reports, changes, filters. `mentions` and `expiries` drop theirs by themselves.
    """

    def __init__(self, keep: int = 0, keep_days: int = 0) -> None:
        """Take the limits PARLEY_KEEP_MESSAGES and PARLEY_KEEP_DAYS."""
        self._limits = (keep, keep_days)

    def due(self, most: int) -> Batch[list[str]]:
        """Return the batch for the chats to look at; most: maximum number of a partition."""
        return due(keys.all_of(keys.retained), most, lambda one: one.member)

    def trim(self, chat: str) -> Query[Trimmed]:
        """Return the query for one step: at most AT_ONCE messages; chat: The canonical id."""
        args = (chat, kind_of(chat), *self._limits, AT_ONCE)
        return Query(TRIM_LOG, _keys(chat), args, lambda reply: Trimmed(reply[0], bool(reply[1])))


_keys = key_rows.together(
    keys.log,
    keys.chat,
    keys.uncounted,
    keys.changes,
    keys.reactions,
    keys.threads,
    keys.pins,
    keys.reports,
    keys.word_filters,
    keys.retained,
)
