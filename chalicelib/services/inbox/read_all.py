"""Marking all chats of an inbox as read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from chalicelib.errors import ChatNotFound, NotAMember
from chalicelib.schemas.inbox import ReadChats
from chalicelib.services.auth.caller import Caller
from chalicelib.services.delivery.entry_delivery import EntryDelivery
from chalicelib.services.delivery.receipts import ReceiptDelivery
from chalicelib.services.inbox.read_state import own_entry
from chalicelib.services.inbox.unread import COUNTED_CHATS, UnreadService, is_unread
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.cursors import CHAT_CURSOR
from chalicelib.store.chats.summary import MembershipState, Summaries
from chalicelib.store.inbox.read_state import ReadStateChange, ReadStates
from chalicelib.store.redis.client import Store


class Raised(NamedTuple):
    """A chat that was unread, and the change that marks it as read."""

    chat: str
    change: ReadStateChange


class ReadAllService:
    """Marks chats as read up to their newest messages, COUNTED_CHATS in a call, the last active ones first.

    Takes five round trips and those of the receipts: the index, the chats, the unread ones' read states, the
    index, and the rows for the caller's connections. Repeating it changes nothing.
    """

    def __init__(
        self,
        store: Store,
        ids: ChatIds,
        unread: UnreadService,
        summaries: Summaries,
        read_states: ReadStates,
        entries: EntryDelivery,
        receipts: ReceiptDelivery,
    ) -> None:
        self._store = store
        self._ids = ids
        self._unread = unread
        self._summaries = summaries
        self._read_states = read_states
        self._entries = entries
        self._receipts = receipts

    def read(self, caller: Caller, cursor: str | None) -> ReadChats:
        """Mark the chats after a cursor as read; raises BadRequest."""
        below = None if cursor is None else CHAT_CURSOR.decode(cursor, "cursor")
        active = caller.read(self._unread.chats(caller.handle, below))
        caller.charge(self._unread.cost(active))
        rows = active.rows[:COUNTED_CHATS]
        raised = self._raise(caller.handle, self._unread_of(caller.handle, [row.member for row in rows]))
        self._deliver(caller.handle, raised)
        following = CHAT_CURSOR.encode(rows[-1]) if len(active.rows) > COUNTED_CHATS else None
        return ReadChats(chats=[one.chat for one in raised], next=following)

    def _unread_of(self, handle: str, chats: Sequence[str]) -> list[str]:
        found = self._store.run_all(self._summaries.of(chat, handle) for chat in chats)
        return [one.chat for one in found if one.state is MembershipState.MEMBER and is_unread(one)]

    def _raise(self, handle: str, chats: Sequence[str]) -> list[Raised]:
        """Raise the read states; a chat that the user has left meanwhile is left out."""
        queries = [self._read_states.read(chat, handle, None).deferred() for chat in chats]
        changes = [_result(read) for read in self._store.run_all(queries)]
        return [Raised(chat, change) for chat, change in zip(chats, changes, strict=True) if change]

    def _deliver(self, handle: str, raised: Sequence[Raised]) -> None:
        self._entries.deliver_all((one.chat, own_entry(handle, one.change)) for one in raised)
        read = [(self._ids.parse(one.chat), one.change.read) for one in raised if one.change.read]
        self._receipts.deliver_all(handle, read)


def _result(read: Callable[[], ReadStateChange | None]) -> ReadStateChange | None:
    try:
        return read()
    except (ChatNotFound, NotAMember):
        return None
