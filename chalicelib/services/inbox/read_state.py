"""How far a user has come in a chat, and how they keep it in their inbox."""

from __future__ import annotations

from chalicelib.errors import bad_field
from chalicelib.schemas.inbox import Flags, ReadUpTo, Receipt, Receipts
from chalicelib.services.auth.caller import Caller
from chalicelib.services.delivery.fan_out import ChatFanOut
from chalicelib.services.delivery.receipts import ReceiptDelivery
from chalicelib.services.social.block_filter import BlockFilter
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.cursors import MESSAGE_CURSOR, MessageCursor
from chalicelib.services.values.paging import page_of
from chalicelib.store.inbox.index import InboxEntry, InboxState
from chalicelib.store.inbox.read_state import (
    ARCHIVED,
    MARKED_UNREAD,
    MUTED,
    PINNED,
    ReadStateChange,
    ReadStates,
)

BITS = {"unread": MARKED_UNREAD, "pinned": PINNED, "muted": MUTED, "archived": ARCHIVED}


class ReadStateService:
    """The rules of marks, flags and receipts; chat: as the caller named it.

    A write is three trips: the caller is judged, the chat is written, the caller's index is told. Who is
    connected is told of marks then.
    """

    def __init__(
        self,
        ids: ChatIds,
        read_states: ReadStates,
        fan_out: ChatFanOut,
        marks: ReceiptDelivery,
        blocks: BlockFilter,
    ) -> None:
        self._ids = ids
        self._read_states = read_states
        self._fan_out = fan_out
        self._receipt_delivery = marks
        self._filter = blocks

    def read(self, caller: Caller, chat: str, upto: ReadUpTo, *, skip: str | None = None) -> None:
        """Raise the caller's read mark; a lower one is no change.

        skip: a connection that is not told.
        Raises ChatNotFound, NotAMember, BadRequest, HistoryChanged.
        """
        found, ((seq, time, epoch), field) = self._ids.own(caller.handle, chat), _named(upto)
        caller.authenticate()
        touched = self._read_states.read(found.text, caller.handle, seq, time, epoch, field=field)
        if touched is not None:
            self._tell(caller, found.text, touched)
            self._receipt_delivery.deliver(caller.handle, found, read=seq, skip=skip)

    def received(self, caller: Caller, chat: str, upto: ReadUpTo, *, skip: str | None = None) -> None:
        """Raise the caller's mark of what has arrived; see read."""
        found, ((seq, time, epoch), field) = self._ids.own(caller.handle, chat), _named(upto)
        caller.authenticate()
        if self._read_states.received(found.text, caller.handle, seq, time, epoch, field=field):
            self._receipt_delivery.deliver(caller.handle, found, received=seq, skip=skip)

    def flag(self, caller: Caller, chat: str, flags: Flags) -> None:
        """Set and take away the caller's flags; raises ChatNotFound, NotAMember."""
        chat = self._ids.own(caller.handle, chat).text
        bits_on = sum(bit for name, bit in BITS.items() if getattr(flags, name) is True)
        bits_off = sum(bit for name, bit in BITS.items() if getattr(flags, name) is False)
        caller.authenticate()
        if bits_on or bits_off:
            touched = self._read_states.flag(chat, caller.handle, bits_on, bits_off)
            if touched is not None:
                self._tell(caller, chat, touched)

    def page(self, caller: Caller, chat: str, cursor: str | None, limit: int) -> Receipts:
        """Read how far the members of a chat have come, by handle, in two trips.

        Whom the caller blocks, and who blocks them, is left out. Raises ChatNotFound, NotAMember.
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

    def _tell(self, caller: Caller, chat: str, touched: ReadStateChange) -> None:
        state = InboxState.LARGE if touched.large else InboxState.IN
        place = InboxEntry(caller.handle, touched.stamp, state, touched.active)
        self._fan_out.deliver_entries(chat, [place])


def _named(upto: ReadUpTo) -> tuple[MessageCursor, str]:
    """Return the place that is named, and the field that names it."""
    if upto.cursor is not None and upto.seq is None:
        return MESSAGE_CURSOR.decode(upto.cursor, "cursor"), "cursor"
    if upto.seq is not None and upto.cursor is None:
        return MessageCursor(upto.seq), "seq"
    raise bad_field("seq", "give a seq or a cursor, and not both")
