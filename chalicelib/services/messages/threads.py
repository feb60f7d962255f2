"""Reading the threads of a chat."""

from __future__ import annotations

from chalicelib.schemas.messages import ThreadPage
from chalicelib.services.auth.caller import Caller
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.cursors import MESSAGE_CURSOR, MessageCursor, seq_of
from chalicelib.services.values.message_limits import fitting
from chalicelib.services.views.reader_view import ReaderView
from chalicelib.store.messages.threads import Threads


class ThreadService:
    """Reads threads; a page takes the round trip that authenticates the caller, and those of the view."""

    def __init__(self, ids: ChatIds, view: ReaderView) -> None:
        self._ids = ids
        self._view = view

    def page(self, caller: Caller, chat: str, seq: str, after: str | None, limit: int) -> ThreadPage:
        """Read replies of the thread of a message, which may itself be a reply.

        chat: The chat's id as the caller gave it. after: A cursor; None: from the first reply.
        Raises MessageNotFound, ChatNotFound, NotAMember, BadRequest, HistoryChanged.
        """
        found, wanted = self._ids.own(caller.handle, chat).text, seq_of(seq, "seq")
        start = MessageCursor(0) if after is None else MESSAGE_CURSOR.decode(after, "after")
        part = caller.read(
            Threads.page(
                found, caller.handle, wanted, limit, after=start.seq, time=start.time, epoch=start.epoch
            )
        )
        shown = fitting(part.replies, found)
        first = [] if part.first is None else [part.first]
        row = self._view.rows(found, caller.handle, [*first, *shown])
        last = MessageCursor(shown[-1].seq, shown[-1].time, part.epoch) if shown else start
        return ThreadPage(
            root=row(part.first) if part.first else None,
            messages=[row(one) for one in shown if not (one.is_deleted or one.is_hidden)],
            next=str(last),
            more=part.more or len(shown) < len(part.replies),
        )
