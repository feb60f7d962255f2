"""The number of unread messages in all chats of an inbox."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.schemas.inbox import UnreadTotal
from chalicelib.services.auth.caller import Caller
from chalicelib.services.inbox.sync import ROWS_OF_A_REQUEST
from chalicelib.services.values.cursors import CHAT_CURSOR
from chalicelib.store.chats.summary import Summaries, Summary
from chalicelib.store.inbox.entries import ActivePage
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.inbox.read_state import ARCHIVED, MARKED_UNREAD, MUTED
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.sorted_sets import ScoredMember

COUNTED_CHATS = 100
"""Maximum number of chats that one call counts: one round trip."""


class UnreadService:
    """Counts the unread messages of a user: in COUNTED_CHATS chats at a time, the last active ones first.

    A count takes two round trips: the index, then each chat; and a third to charge for more than ten chats.
    """

    def __init__(self, store: Store, inboxes: Inboxes, summaries: Summaries) -> None:
        self._store = store
        self._inboxes = inboxes
        self._summaries = summaries

    def total(self, caller: Caller, cursor: str | None) -> UnreadTotal:
        """Count the caller's unread messages in the chats after a cursor; raises BadRequest."""
        below = None if cursor is None else CHAT_CURSOR.decode(cursor, "cursor")
        active = caller.read(self.chats(caller.handle, below))
        caller.charge(self.cost(active))
        return self.counted(caller.handle, active)

    def chats(self, handle: str, below: ScoredMember | None = None) -> Query[ActivePage]:
        """Return the query for the chats to count; below: The chat before them, None: from the first."""
        return self._inboxes.active(handle, below, -1, COUNTED_CHATS + 1)

    def counted(self, handle: str, active: ActivePage) -> UnreadTotal:
        """Count the unread messages in chats, in one round trip."""
        rows = active.rows[:COUNTED_CHATS]
        found = self._store.run_all(self._summaries.of(row.member, handle) for row in rows)
        following = CHAT_CURSOR.encode(rows[-1]) if len(active.rows) > COUNTED_CHATS else None
        return _total(found, following)

    @staticmethod
    def cost(active: ActivePage) -> int:
        """Return the number of requests that a count is charged, beside the first."""
        return min(len(active.rows), COUNTED_CHATS) // ROWS_OF_A_REQUEST


def is_unread(summary: Summary) -> bool:
    """Return whether a chat has unread messages, or is marked as unread."""
    return bool(summary.unread or summary.flags & MARKED_UNREAD)


def _total(summaries: Iterable[Summary], following: str | None) -> UnreadTotal:
    total = UnreadTotal(unread=0, chats=0, quiet=0, next=following)
    for summary in summaries:
        if summary.flags & (MUTED | ARCHIVED):
            total.quiet += summary.unread
        else:
            total.unread += summary.unread
            total.chats += is_unread(summary)
    return total
