"""Check that the store has the messages that clients hold: a failover may lose acknowledged messages."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from chalicelib.errors import ChatNotFound, NotAMember, bad_field
from chalicelib.schemas.history_check import ChangedHistory, HeldCursor, SyncRequest, SyncWithHistoryCheck
from chalicelib.services.auth.caller import Caller
from chalicelib.services.inbox.sync import ROWS_OF_A_REQUEST, SyncService
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.cursors import MESSAGE_CURSOR, MessageCursor
from chalicelib.services.views.inbox_row import PAGE_BYTES
from chalicelib.store.inbox.history import ChatHistories, ChatHistory


class Held(NamedTuple):
    """A message that a client holds.

    chat: Canonical id of its chat; the client's text if `known` is false.
    known: Whether the chat may be one of the caller's: False for an id that no chat can have, and for the
        direct chat of two other users.
    time, epoch: Of the message and of its chat's log, µs since 1970.
    """

    chat: str
    known: bool
    seq: int
    time: int
    epoch: int


class Lost(NamedTuple):
    """Checked chats without the message that a client holds, each once."""

    history_changed: list[ChangedHistory]
    unreadable: list[str]

    @property
    def size(self) -> int:
        """Size in bytes of JSON."""
        return len(msgspec.json.encode(self))


NOTHING_LOST = Lost([], [])


class HistoryCheck:
    """Checks the newest messages that a client holds against the logs; one round trip for all of them.

    A cursor below the first readable message passes: a trimmed or cleared message is not lost. A chat that
    the caller may not read is reported like one that does not exist.
    """

    def __init__(self, ids: ChatIds, sync: SyncService) -> None:
        self._ids = ids
        self._sync = sync

    def page(self, caller: Caller, request: SyncRequest) -> SyncWithHistoryCheck:
        """Check the messages that a client holds, and read the next page of its sync; see SyncService.page.

        Raises BadRequest, NotAuthenticated, TooManyRequests, StoreUnavailable.
        """
        held = self.parse(caller.handle, request.check)
        lost = self.check(caller, held) if held else NOTHING_LOST
        page = self._sync.page(caller, request.since, request.limit, most=PAGE_BYTES - lost.size)
        return SyncWithHistoryCheck(
            chats=page.chats,
            next=page.next,
            more=page.more,
            reset=page.reset,
            history_changed=lost.history_changed,
            unreadable=lost.unreadable,
        )

    def parse(self, handle: str, check: Iterable[HeldCursor]) -> list[Held]:
        """Return the messages that a client holds, each once; raises BadRequest naming the chat."""
        return list(
            dict.fromkeys(self._parsed(handle, one, f"check[{index}]") for index, one in enumerate(check))
        )

    def check(self, caller: Caller, held: Sequence[Held]) -> Lost:
        """Return the chats that lack a message that the caller's client holds.

        Authenticates the caller in the same round trip, unless that was done; see check_cost.
        Raises NotAuthenticated, TooManyRequests.
        """
        known = [one for one in held if one.known]
        queries = [
            ChatHistories.check(one.chat, caller.handle, one.seq, one.time, one.epoch) for one in known
        ]
        found = caller.read_all(*queries, cost=check_cost(len(held)))
        answers = dict.fromkeys((one.chat for one in held if not one.known), ChatHistory(readable=False))
        for one, history in zip(known, found, strict=True):
            if history is not None:
                answers[one.chat] = history
        return Lost(
            [_changed(chat, history) for chat, history in answers.items() if history.readable],
            [chat for chat, history in answers.items() if not history.readable],
        )

    def _parsed(self, handle: str, given: HeldCursor, field: str) -> Held:
        seq, time, epoch = _cursor(given, f"{field}.cursor")
        try:
            chat = self._ids.own(handle, given.chat, f"{field}.chat").text
        except (ChatNotFound, NotAMember):
            return Held(given.chat, False, seq, time, epoch)
        return Held(chat, True, seq, time, epoch)


def check_cost(cursors: int) -> int:
    """Return the number of requests that a call with so many cursors counts as."""
    return 1 + cursors // ROWS_OF_A_REQUEST


def _cursor(given: HeldCursor, field: str) -> tuple[int, int, int]:
    with contextlib.suppress(ValueError):
        seq, time, epoch = MESSAGE_CURSOR.read(given.cursor)
        if time is not None and epoch is not None:
            return seq, time, epoch
    raise bad_field(field, f"the cursor of {given.chat} must be `seq.time.epoch` of a message")


def _changed(chat: str, history: ChatHistory) -> ChangedHistory:
    cursor = MessageCursor(history.head, history.time, history.epoch) if history.time else MessageCursor(0)
    return ChangedHistory(chat=chat, epoch=history.epoch, seq=history.head, cursor=str(cursor))
