"""How far users have read and received chats, and the flags of chats in an inbox."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.errors import bad_field
from chalicelib.schemas.inbox import Flags, ReadUpTo, Receipt, Receipts
from chalicelib.services.auth.caller import Caller
from chalicelib.services.delivery.entry_delivery import EntryDelivery
from chalicelib.services.delivery.receipts import ReceiptDelivery
from chalicelib.services.social.block_filter import BlockFilter
from chalicelib.services.values.chat_id import ChatId, ChatIds
from chalicelib.services.values.cursors import MESSAGE_CURSOR
from chalicelib.services.values.paging import page_of
from chalicelib.store.inbox.entries import InboxEntry, InboxState
from chalicelib.store.inbox.read_state import (
    ARCHIVED,
    MARKED_UNREAD,
    MUTED,
    PINNED,
    ReadStateChange,
    ReadStates,
)
from chalicelib.store.redis.client import Store

BITS = {"unread": MARKED_UNREAD, "pinned": PINNED, "muted": MUTED, "archived": ARCHIVED}


class Named(NamedTuple):
    """A message up to which a client has read or received; field: That named it.

    seq: None: the newest message. time, epoch: What the message must have, µs since 1970; None: anything.
    """

    seq: int | None
    time: int | None = None
    epoch: int | None = None
    field: str = "seq"


class ReadStateService:
    """The rules of read states, flags and receipts; chat: The chat as the caller wrote it.

    A write is three round trips: authenticate the caller, write the chat, write the caller's index. Then
    connections get the receipt.
    """

    def __init__(
        self,
        store: Store,
        ids: ChatIds,
        read_states: ReadStates,
        entries: EntryDelivery,
        receipt_delivery: ReceiptDelivery,
        blocks: BlockFilter,
    ) -> None:
        self._store = store
        self._ids = ids
        self._read_states = read_states
        self._entries = entries
        self._receipt_delivery = receipt_delivery
        self._filter = blocks

    def read(self, caller: Caller, chat: str, upto: ReadUpTo, *, skip: str | None = None) -> None:
        """Raise the seq up to which the caller has read; a lower seq changes nothing.

        upto: Names no message: up to the newest. skip: Id of a connection that gets no receipt.
        Raises ChatNotFound, NotAMember, BadRequest, HistoryChanged.
        """
        found, named = self._ids.own(caller.handle, chat), _named(upto, or_newest=True)
        caller.authenticate()
        change = self._store.run(
            self._read_states.read(
                found.text, caller.handle, named.seq, named.time, named.epoch, field=named.field
            )
        )
        if change is not None:
            self._deliver_read(caller.handle, found, change, skip)

    def received(self, caller: Caller, chat: str, upto: ReadUpTo, *, skip: str | None = None) -> None:
        """Raise the seq up to which the caller has received; see `read`."""
        found, named = self._ids.own(caller.handle, chat), _named(upto)
        seq, time, epoch, field = named
        caller.authenticate()
        if self._store.run(
            self._read_states.received(found.text, caller.handle, seq or 0, time, epoch, field=field)
        ):
            self._receipt_delivery.deliver(caller.handle, found, received=seq, skip=skip)

    def flag(self, caller: Caller, chat: str, flags: Flags) -> None:
        """Set and clear the caller's flags; raises ChatNotFound, NotAMember."""
        chat = self._ids.own(caller.handle, chat).text
        bits_on = sum(bit for name, bit in BITS.items() if getattr(flags, name) is True)
        bits_off = sum(bit for name, bit in BITS.items() if getattr(flags, name) is False)
        caller.authenticate()
        if bits_on or bits_off:
            change = self._store.run(self._read_states.flag(chat, caller.handle, bits_on, bits_off))
            if change is not None:
                self._entries.deliver(chat, own_entry(caller.handle, change))

    def page(self, caller: Caller, chat: str, cursor: str | None, limit: int) -> Receipts:
        """Read a page of the members' read states, by handle; two round trips.

        Users whom the caller blocks or who block the caller are left out. Raises ChatNotFound, NotAMember.
        """
        chat = self._ids.own(caller.handle, chat).text
        found = caller.read(self._read_states.receipts(chat, caller.handle))
        rest = [one for one in found if cursor is None or one.handle > cursor]
        page = page_of(rest, limit, lambda one: one.handle)
        hidden = self._filter.hidden(caller.handle, [one.handle for one in page.rows])
        shown = [
            Receipt(handle=one.handle, read=one.read, received=one.received)
            for one in page.rows
            if one.handle not in hidden
        ]
        return Receipts(receipts=shown, next=page.next)

    def _deliver_read(self, handle: str, chat: ChatId, change: ReadStateChange, skip: str | None) -> None:
        """Deliver a risen read state: to the index, to others as a receipt, to own devices as a row too."""
        entry = own_entry(handle, change)
        if not change.read:  # only the mark as unread is cleared, in a chat without messages
            self._entries.deliver(chat.text, entry)
            return
        self._entries.write(chat.text, entry)
        own = self._receipt_delivery.deliver(handle, chat, read=change.read, skip=skip)
        self._entries.push_to(own, chat.text, handle)


def own_entry(handle: str, change: ReadStateChange) -> InboxEntry:
    """Return the inbox entry of a user whose read state has changed."""
    state = InboxState.LARGE if change.large else InboxState.IN
    return InboxEntry(handle, change.stamp, state, change.active)


def _named(upto: ReadUpTo, *, or_newest: bool = False) -> Named:
    """Return the message that a client names; or_newest: Whether naming none means the newest."""
    if or_newest and upto.cursor is None and upto.seq is None:
        return Named(None)
    if upto.cursor is not None and upto.seq is None:
        return Named(*MESSAGE_CURSOR.decode(upto.cursor, "cursor"), field="cursor")
    if upto.seq is not None and upto.cursor is None:
        return Named(upto.seq)
    raise bad_field("seq", "send either `seq` or `cursor`")
