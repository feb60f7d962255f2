"""Reading a chat's log for a search: the messages that may have some words."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

from chalicelib.store import key_rows, keys
from chalicelib.store.access import kind_of, refusal
from chalicelib.store.messages.bloom_filter import packed_terms
from chalicelib.store.messages.content import LogEntry, entry_of
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

SEARCH_LOG = Script("messages/search_log")
STEP_BYTES = 128 * 1024
MAX_TESTED = 256
"""Maximum number of filters that one script call tests, which bounds how long others wait for it."""


class Activity(NamedTuple):
    """When a chat was last active at the time `opened`: after `above`, and not after `upto`. In µs."""

    opened: int
    above: int
    upto: int


class SearchStart(NamedTuple):
    """Where a step of a search begins: at the newest message with a lower seq than `before`, and earlier.

    before: None: any. time, epoch: Expected of the message at `before` and of the log; None: any. earlier:
    Only messages before this time, µs; None: any. activity: Of a chat that is searched; None: any.
    """

    before: int | None = None
    time: int | None = None
    epoch: int | None = None
    earlier: int | None = None
    activity: Activity | None = None


class Run(NamedTuple):
    """Neighbouring elements of a log, in rising seq; whole: They are a whole block without a filter."""

    first: int
    whole: bool
    elements: list[bytes]

    def entry(self, place: int) -> LogEntry:
        """Return the message at a place among the elements; raises CorruptEntry."""
        return entry_of(self.first + place, self.elements[place])


class SearchStep(NamedTuple):
    """What a step of a search has read.

    position: Seq from which on nothing is left to be searched. time: Of the message there, µs; 0: nothing was
    searched. ends: Whether nothing is left at all. tested: Number of filters. runs: Messages, newest first.
    """

    position: int
    time: int
    epoch: int
    ends: bool
    tested: int
    runs: list[Run]


class LogSearch:
    """Reads logs for searches. It has no keys of its own; see MessageLog and WordFilters."""

    @staticmethod
    def step(
        chat: str, reader: str, terms: Sequence[int], start: SearchStart, limit: int
    ) -> Query[SearchStep]:
        """Return the query for messages that may have all terms, from the newest down.

        reader: Handle of the reader, one of the two users of a direct chat. limit: Maximum number of
        messages, which are also at most STEP_BYTES. Reading the reply raises HistoryChanged, ChatNotFound and
        NotAMember.
        """
        before, time, epoch, earlier, activity = start
        at = b"" if time is None else time.to_bytes(8)
        args: tuple[bytes | str | int, ...] = (reader, kind_of(chat), packed_terms(terms))
        args += (0 if before is None else max(before, 1), at, "" if epoch is None else str(epoch))
        args += (0 if earlier is None else max(earlier, 1), *(activity or (0, 0, 0)))
        args += (limit, STEP_BYTES, MAX_TESTED)
        return Query(
            SEARCH_LOG, (*_keys(chat), keys.hidden(chat, reader)), args, functools.partial(_step, chat)
        )


_keys = key_rows.together(keys.log, keys.chat, keys.members, keys.others, keys.read_states, keys.word_filters)


def _step(chat: str, reply: Any) -> SearchStep:
    if isinstance(reply, int):
        raise refusal(chat, reply)
    base, _, epoch, position, time, tested, *runs = reply
    found = [Run(first, bool(whole), elements) for first, whole, *elements in runs]
    return SearchStep(position, time, epoch, position <= base + 1, tested, found)
