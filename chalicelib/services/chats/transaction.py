"""Changes of groups and rooms: looked at, decided on and made, again if somebody else was faster."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from chalicelib.errors import StoreUnavailable, no_chat
from chalicelib.logs import LOGGER, cause_of
from chalicelib.services.chats.decisions import Decision
from chalicelib.services.delivery.fan_out import ChatFanOut
from chalicelib.services.values.system_events import Stored
from chalicelib.store.chats.chats import ChatChange, Chats, ChatSnapshot
from chalicelib.store.chats.info import Info
from chalicelib.store.messages.log import Content, packed
from chalicelib.store.redis.client import Store

MOST_TRIES = 20
LONGEST_PAUSE = 0.02
"""Seconds between two tries at the most."""

Decide = Callable[[Info, ChatSnapshot], Decision | None]


class ChatTransactions:
    """Makes changes of groups and rooms, and tells inboxes and search of them.

    index: brings the search in line with a chat; what it fails to do stays owed.
    """

    def __init__(self, store: Store, chats: Chats, fan_out: ChatFanOut, index: Callable[[str], None]) -> None:
        self._store = store
        self._chats = chats
        self._fan_out = fan_out
        self._index = index

    def change(
        self, chat: str, view: ChatSnapshot, sender: str, decide: Decide
    ) -> tuple[ChatSnapshot, Decision | None]:
        """Make what is decided of a view; returns the view that it was, and what was decided.

        sender: who does it. Raises ChatNotFound, ChatFull, LastOwner, StoreUnavailable: the chat changes too
        quickly; and what deciding raises.
        """
        for _ in range(MOST_TRIES):
            decision = decide(info_of(chat, view), view)
            if decision is None:
                return view, None
            body = None if decision.event is None else told(sender, decision.event)
            changed = self._chats.change(chat, view, decision.becomes, info=decision.info, body=body)
            if changed is not None:
                self._tell(chat, changed, decision)
                return view, decision
            view = self._again(chat, view)
        raise busy(chat)

    def delete(self, chat: str, view: ChatSnapshot, check: Callable[[ChatSnapshot], object]) -> None:
        """Delete a chat; check: raises what refuses it. Raises ChatNotFound, StoreUnavailable."""
        for _ in range(MOST_TRIES):
            info_of(chat, view)
            check(view)
            changed = self._chats.delete(chat, view)
            if changed is not None:
                self.tell_all(chat, changed)
                return
            view = self._again(chat, view)
        raise busy(chat)

    def tell_all(self, chat: str, changed: ChatChange) -> None:
        """Tell everybody of a chat that was made or deleted."""
        self._fan_out.deliver_message(chat, changed.time, changed.members, changed.entries)
        self._indexed(chat)

    def _indexed(self, chat: str) -> None:
        try:
            self._index(chat)
        except StoreUnavailable as error:
            LOGGER.warning({"event": "index_owed", "chat": chat, **cause_of(error)})

    def _tell(self, chat: str, changed: ChatChange, decision: Decision) -> None:
        if decision.event is None:
            self._fan_out.deliver_entries(chat, changed.entries)
        else:
            self._fan_out.deliver_message(chat, changed.time, changed.members, changed.entries)
        if decision.info is not None:
            self._indexed(chat)

    def _again(self, chat: str, view: ChatSnapshot) -> ChatSnapshot:
        time.sleep(random.uniform(0, LONGEST_PAUSE))  # noqa: S311  # a pause is no secret
        return self._store.run(self._chats.viewing(chat, *view.records))


def busy(chat: str) -> StoreUnavailable:
    """Return the error of a chat that changes too quickly."""
    return StoreUnavailable(f"Others change chat {chat} all the time. Try again.")


def info_of(chat: str, view: ChatSnapshot) -> Info:
    """Return what a chat was when it was viewed; raises ChatNotFound."""
    if view.info is None:
        raise no_chat(chat)
    return view.info


def told(sender: str, event: Stored) -> bytes:
    """Return the message of kind `system` that tells of an event, as the log stores it."""
    return packed(Content(sender, "", kind="system", event=event))
