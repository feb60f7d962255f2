"""The inbox: a user's chats, ordered by their last activity."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from chalicelib.schemas.encoded import Encoded
from chalicelib.schemas.inbox import ChatRow, Inbox
from chalicelib.services.auth.caller import Caller
from chalicelib.services.values.cursors import CHAT_CURSOR
from chalicelib.services.values.paging import encoded, take_fitting
from chalicelib.services.values.times import microseconds
from chalicelib.services.views.inbox_row import PAGE_BYTES, SHOWN, Cards, checked, row, size_of, users_of
from chalicelib.store.accounts.user_cards import UserCards
from chalicelib.store.chats.summary import Summaries, Summary
from chalicelib.store.inbox.entries import ActivePage, Unchecked
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.sorted_sets import ScoredMember

MAX_CHECKED = 32
"""Maximum number of large chats that the first page checks, which bounds its cost."""


class Found(NamedTuple):
    """A chat that may be on a page. activity: Time of its last activity, µs since 1970, and its id."""

    activity: ScoredMember
    summary: Summary


class InboxService:
    """Reads the inbox: the user's index names the chats, and each chat says what its row shows.

    Chats are in the order of (last activity, id), highest first. A message to a large chat is not written to
    the indexes of its members: such a chat stands where its last check found it. The first page checks
    MAX_CHECKED of them, those with the oldest checks.
    """

    def __init__(self, store: Store, inboxes: Inboxes, summaries: Summaries, cards: UserCards) -> None:
        self._store = store
        self._inboxes = inboxes
        self._summaries = summaries
        self._cards = cards

    def page(self, caller: Caller, since: str | None, cursor: str | None, limit: int) -> Inbox:
        """Read a page of the caller's inbox: two round trips, and a third if large chats have moved.

        since: Time in RFC 3339; only chats with later activity are on the page.
        cursor: The `next` of the previous page.
        Raises BadRequest.
        """
        later = -1 if since is None else microseconds(since, "since")
        below = None if cursor is None else CHAT_CURSOR.decode(cursor, "cursor")
        most = MAX_CHECKED if below is None else 0
        active = caller.read(self._inboxes.active(caller.handle, below, later, limit + 1, most))
        found, cards = self._found(caller.handle, active)
        found = [one for one in found if one.activity.score > later]
        if len(active.rows) > limit:
            found = [one for one in found if one.activity >= active.rows[-1]]
        return _page(found, limit, cards, more=len(active.rows) > limit)

    def _found(self, handle: str, active: ActivePage) -> tuple[list[Found], Cards]:
        """Return the chats that may be on the page, in its order, and the users of direct chats."""
        activities = {activity.member: activity for activity in active.rows}
        chats = list(dict.fromkeys([*activities, *active.large.digests]))
        reading = [self._summaries.of(chat, handle) for chat in chats]
        cards, *summaries = self._store.run_all([self._cards.of(users_of(chats)), *reading])
        self._check(handle, active.large, summaries)
        for summary in summaries:
            if summary.chat in active.large.digests and summary.time:
                activities[summary.chat] = ScoredMember(summary.time, summary.chat)
        found = [Found(activities[one.chat], one) for one in summaries if one.chat in activities]
        return sorted(found, key=lambda one: one.activity, reverse=True), cards

    def _check(self, handle: str, large: Unchecked, summaries: Iterable[Summary]) -> None:
        """Write the state of the checked large chats to the index, unless the index has it."""
        now = [checked(one) for one in summaries if one.chat in large.digests]
        if large.more or any(one.digest != large.digests[one.chat] for one in now):
            self._store.run(self._inboxes.record_checks(handle, large.began if large.more else 0, now))


def _page(found: list[Found], limit: int, cards: Cards, *, more: bool) -> Inbox:
    """Return the page of the first chats; more: whether other chats follow these."""
    rows = ((activity, _row(activity, summary, cards)) for activity, summary in found)
    taken = take_fitting(rows, size_of, PAGE_BYTES, limit)
    more = more or len(taken) < len(found)
    return Inbox(
        chats=[shown for _, shown in taken if shown is not None],
        next=CHAT_CURSOR.encode(taken[-1][0]) if more and taken else None,
    )


def _row(activity: ScoredMember, summary: Summary, cards: Cards) -> Encoded[ChatRow] | None:
    return encoded(row(summary, activity.score, cards)) if summary.state in SHOWN else None
