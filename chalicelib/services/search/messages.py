"""Search in the texts of the messages that a user can read."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from chalicelib.errors import bad_field
from chalicelib.schemas.message_search import FoundMessage, FoundRange, MessageSearchPage
from chalicelib.services.auth.caller import Caller
from chalicelib.services.search.matches import ChatScan, Hit, Sought
from chalicelib.services.search.scan import FIRST_STEP, Found, Scanner
from chalicelib.services.search.words_query import WordsQuery
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.cursors import (
    LAST_TIME,
    MESSAGE_CURSOR,
    MESSAGE_SEARCH_CURSOR,
    MessageCursor,
    MessageSearchCursor,
)
from chalicelib.services.values.message_limits import fitting
from chalicelib.services.values.names import Names
from chalicelib.services.values.times import microseconds
from chalicelib.services.views.reader_view import ReaderView
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.messages.content import LogEntry
from chalicelib.store.messages.log_search import Activity, SearchStart
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.sorted_sets import ScoredMember

CHATS = 128
"""Number of chats whose messages are merged by their times."""
MAX_MOVED = 256
"""Maximum number of chats that were active since the first page and are searched with each of the others."""
CHARGED = 2048
"""Work that counts as one more request."""


class MessageSearch:
    """Finds messages by their words, newest first, in one chat or in all chats of a user's inbox.

    Each page has what the caller may read at that moment. Its work is limited, so it may have few hits, or
    none, and still a `next`. Over all chats, the CHATS that were active last are searched as one, and then
    the next ones. The place of a chat in this order is that of its newest message when the first page was
    read: so a message that is sent meanwhile does not hide the older ones of its chat, or show them twice.

    clock: Returns seconds since 1970.
    """

    def __init__(
        self,
        store: Store,
        ids: ChatIds,
        names: Names,
        inboxes: Inboxes,
        view: ReaderView,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._scanner = Scanner(store)
        self._ids = ids
        self._names = names
        self._inboxes = inboxes
        self._view = view
        self._clock = clock

    def page(
        self, caller: Caller, q: str, chat: str | None, sender: str | None, before: str | None, limit: int
    ) -> MessageSearchPage:
        """Return a page of the messages that have all words of `q`, the last one by its beginning.

        chat: Id of the only chat to search. sender: Handle of the only sender. before: `next` of a page; or a
        cursor or seq of the chat; or, over all chats, a time in RFC 3339. limit: 1-100.
        Raises BadRequest, ChatNotFound, NotAMember, HistoryChanged, NotAuthenticated, TooManyRequests.
        """
        handle = None if sender is None else self._names.user(sender, "from")
        sought = Sought(WordsQuery.of(q), handle)
        if chat is None:
            return self._in_all(caller, sought, self._start(before), limit)
        found = self._ids.own(caller.handle, chat).text
        start = SearchStart() if before is None else SearchStart(*MESSAGE_CURSOR.decode(before, "before"))
        return self._in_chat(caller, ChatScan(found, caller.handle, sought, start), limit)

    def _in_chat(self, caller: Caller, scan: ChatScan, limit: int) -> MessageSearchPage:
        hits = list(scan.take(caller.read(scan.step(FIRST_STEP))))
        found = self._scanner.find([scan], limit, LAST_TIME, hits)
        caller.charge(found.work // CHARGED)
        shown = _fitting(found.hits, limit)
        return self._page(caller.handle, found.hits[:shown], _next_in_chat(scan, found.hits, shown))

    def _in_all(
        self, caller: Caller, sought: Sought, cursor: MessageSearchCursor, limit: int
    ) -> MessageSearchPage:
        cursor, scans = self._scans(caller, sought, cursor)
        found = self._scanner.find(scans, limit, cursor.time)
        caller.charge(found.work // CHARGED)
        shown = _fitting(found.hits, limit)
        after = _next_in_all(cursor, found, shown)
        text = None if after is None else MESSAGE_SEARCH_CURSOR.encode(after)
        return self._page(caller.handle, found.hits[:shown], text)

    def _page(self, reader: str, hits: Sequence[Hit], after: str | None) -> MessageSearchPage:
        chats: dict[str, list[LogEntry]] = {}
        for hit in hits:
            chats.setdefault(hit.chat, []).append(hit.entry)
        rows = self._view.rows_of_chats(reader, chats)
        found = [
            FoundMessage(
                message=rows[hit.chat](hit.entry),
                ranges=[FoundRange(start=start, end=end) for start, end in hit.ranges],
            )
            for hit in hits
        ]
        return MessageSearchPage(hits=found, next=after)

    def _start(self, before: str | None) -> MessageSearchCursor:
        now = int(self._clock() * 1_000_000)
        if before is None:
            return MessageSearchCursor.first(now, LAST_TIME)
        try:
            return MESSAGE_SEARCH_CURSOR.read(before)
        except ValueError:
            if not before[:1].isdigit() or "-" not in before:
                raise bad_field("before", MESSAGE_SEARCH_CURSOR.hint) from None
        return MessageSearchCursor.first(now, microseconds(before, "before"))

    def _scans(
        self, caller: Caller, sought: Sought, cursor: MessageSearchCursor
    ) -> tuple[MessageSearchCursor, list[ChatScan]]:
        """Return the cursor with its chats settled, and what is left to be searched of each."""
        since, most = (-1, CHATS + 1) if cursor.low == cursor.upto else (cursor.low - 1, CHATS + MAX_MOVED)
        handle = caller.handle
        listed, moved, large = caller.read_all(
            self._inboxes.active(handle, ScoredMember(cursor.upto, ""), since, most),
            self._inboxes.active(handle, None, cursor.opened, MAX_MOVED),
            self._inboxes.large(handle),
        )
        cursor = _settled(cursor, listed.rows)
        sure = {row.member: row.score for row in listed.rows if row.score >= cursor.low}
        unsure = dict.fromkeys([*(row.member for row in moved.rows), *large])
        scans = [ChatScan(chat, handle, sought, *_unsure_start(cursor, chat)) for chat in unsure]
        scans += [
            ChatScan(chat, handle, sought, *_start(cursor, chat, active))
            for chat, active in sure.items()
            if chat not in unsure
        ]
        return cursor, scans


def _fitting(hits: Sequence[Hit], limit: int) -> int:
    """Return the maximum number of hits of a page: `limit`, or fewer if that many do not fit in a reply."""
    entries = [hit.entry for hit in hits[:limit]]
    longest = max((hit.chat for hit in hits[:limit]), key=len, default="")
    shown = len(fitting(entries, longest))
    return limit if shown == len(entries) else shown


def _settled(cursor: MessageSearchCursor, rows: Sequence[ScoredMember]) -> MessageSearchCursor:
    """Return a cursor that says which chats it is about; rows: CHATS + 1 chats below `upto`, if there are."""
    if cursor.low < cursor.upto:
        return cursor
    low = rows[CHATS - 1].score if len(rows) > CHATS else 0
    if cursor.upto < LAST_TIME or not rows:
        return cursor._replace(low=low)
    return cursor._replace(low=low, opened=max(cursor.opened, rows[0].score))  # by the store's clock too


def _start(cursor: MessageSearchCursor, chat: str, active: int) -> tuple[SearchStart, int]:
    """Return where the search of a chat begins, and the time before which it has messages.

    active: Time of its newest message, µs.
    """
    earlier = cursor.bound_of(chat)
    return SearchStart(earlier=earlier), min(earlier, active + 1)


def _unsure_start(cursor: MessageSearchCursor, chat: str) -> tuple[SearchStart, int]:
    """Return the same for a chat that was active since the first page, or whose index entry may lag."""
    earlier = cursor.bound_of(chat)
    activity = Activity(cursor.opened, cursor.low - 1, cursor.upto - 1)
    return SearchStart(earlier=earlier, activity=activity), earlier


def _next_in_chat(scan: ChatScan, hits: Sequence[Hit], limit: int) -> str | None:
    """Return the cursor of the last message that a page has dealt with; None if nothing is left."""
    step = scan.last
    if step is None or (scan.ends and len(hits) <= limit):
        return None
    if len(hits) < limit:
        return str(MessageCursor(step.position, step.time, step.epoch))
    last = hits[limit - 1].entry
    return str(MessageCursor(last.seq, last.time, step.epoch))


def _next_in_all(cursor: MessageSearchCursor, found: Found, limit: int) -> MessageSearchCursor | None:
    """Return where the search goes on after a page; None if nothing is left."""
    if len(found.hits) > limit or (len(found.hits) == limit and found.left is not None):
        last = found.hits[limit - 1]
        return cursor._replace(time=last.time, chat=last.chat)
    if found.left is not None:
        return cursor._replace(time=found.left, chat=None)
    return cursor.next_chats() if cursor.low else None
