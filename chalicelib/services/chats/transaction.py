"""Changing groups and rooms by compare-and-set: read, decide, write, and repeat after another's change."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

from chalicelib.errors import ChatNotFound, LastOwner, StoreUnavailable, UserNotFound, no_chat
from chalicelib.logs import LOGGER, cause_of
from chalicelib.pauses import pause
from chalicelib.services.chats.account_removal import check_alone, remove_deleted, successor_of
from chalicelib.services.chats.decisions import Action, Decision
from chalicelib.services.delivery.fan_out import ChatFanOut
from chalicelib.services.delivery.row_push import RowPush, SeenRow
from chalicelib.services.values.chat_id import is_group
from chalicelib.services.values.system_events import Stored
from chalicelib.store.chats.changes import ChatChange, ChatSnapshot
from chalicelib.store.chats.chats import Chats
from chalicelib.store.chats.info import Info
from chalicelib.store.inbox.hidden_messages import HiddenMessages
from chalicelib.store.messages.content import SYSTEM, Content, packed
from chalicelib.store.redis.client import Store

MAX_ATTEMPTS = 20
MAX_PAUSE_SECONDS = 0.02  # between two attempts

Decide = Callable[[Info, ChatSnapshot], Decision | None]


class ChatTransactions:
    """Changes groups and rooms, and delivers the changes to inboxes, connections and the search index.

    The row of the chat is pushed to the users whom a change concerns; to all members of a chat that is not
    large if their rows show something else: the number of members, the name, the picture.

    index: Updates a chat's search entries; the sweep repeats what fails.
    """

    def __init__(
        self,
        store: Store,
        chats: Chats,
        fan_out: ChatFanOut,
        row_push: RowPush,
        index: Callable[[str], None],
    ) -> None:
        self._store = store
        self._chats = chats
        self._fan_out = fan_out
        self._row_push = row_push
        self._index = index

    def change(
        self, chat: str, snapshot: ChatSnapshot, sender: str, decide: Decide
    ) -> tuple[ChatSnapshot, Decision | None]:
        """Make the change that is decided on; returns the snapshot before it, and the decision.

        sender: Handle of the acting user. decide: Called again with a newer snapshot if the chat has changed.
        Raises ChatNotFound, ChatFull, LastOwner, what `decide` raises, and StoreUnavailable: the chat changes
        too quickly.
        """
        for _ in range(MAX_ATTEMPTS):
            decision = decide(existing_info(chat, snapshot), snapshot)
            if decision is None:
                return snapshot, None
            body = None if decision.event is None else system_message(sender, decision.event)
            changed = self._store.run(
                self._chats.change(chat, snapshot, decision.member_changes, info=decision.info, body=body)
            )
            if changed is not None:
                self._deliver(chat, changed, decision)
                return snapshot, decision
            snapshot = self._read_again(chat, snapshot)
        raise too_busy(chat)

    def delete(self, chat: str, snapshot: ChatSnapshot, check: Callable[[ChatSnapshot], object]) -> None:
        """Delete a chat; raises ChatNotFound, StoreUnavailable, and what `check` raises to refuse it."""
        for _ in range(MAX_ATTEMPTS):
            existing_info(chat, snapshot)
            check(snapshot)
            changed = self._store.run(self._chats.delete(chat, snapshot))
            if changed is not None:
                self._forget_hidden(chat, changed)
                self.deliver_to_all(chat, changed)
                return
            snapshot = self._read_again(chat, snapshot)
        raise too_busy(chat)

    def deliver_to_all(self, chat: str, changed: ChatChange) -> None:
        """Deliver the creation or deletion of a chat to all its members."""
        self._deliver_message(chat, changed)
        self._push_rows(chat, changed, ())
        self._update_index(chat)

    def remove_account(self, handle: str, chat: str) -> None:
        """Remove a deleted user from a group or room; idempotent, and fine for a chat that does not exist.

        If the user was the only owner, the member with the highest role becomes an owner: of several, the
        one who joined first. A chat without other members is deleted. Direct chats stay as they are.

        chat: The canonical id.
        """
        if not is_group(chat):
            return
        for _ in range(MAX_ATTEMPTS):
            try:
                self._remove_account(handle, chat)
            except (LastOwner, UserNotFound):  # the other owner, or the successor, has left meanwhile
                continue
            except ChatNotFound:
                pass
            return
        raise too_busy(chat)

    def _remove_account(self, handle: str, chat: str) -> None:
        snapshot, members = self._store.run_both(
            self._chats.snapshot(chat, handle), self._chats.members(chat)
        )
        successor = successor_of(handle, snapshot, members)
        if successor is None:
            self.delete(chat, snapshot, check_alone)
            return
        if successor != handle:
            snapshot = self._store.run(self._chats.snapshot(chat, handle, successor))

        def decide(info: Info, seen: ChatSnapshot) -> Decision | None:
            own, other = seen.records[handle], seen.records[successor]
            return remove_deleted(Action(chat, info, handle, successor, own, other))

        self.change(chat, snapshot, handle, decide)

    def _forget_hidden(self, chat: str, deleted: ChatChange) -> None:
        """Remove what readers of a deleted chat had hidden from themselves."""
        try:
            self._store.run(HiddenMessages.forget(chat, deleted.known))
        except StoreUnavailable as error:
            LOGGER.warning({"event": "hidden_not_removed", "chat": chat, **cause_of(error)})

    def _update_index(self, chat: str) -> None:
        try:
            self._index(chat)
        except StoreUnavailable as error:
            LOGGER.warning({"event": "index_pending", "chat": chat, **cause_of(error)})

    def _deliver(self, chat: str, changed: ChatChange, decision: Decision) -> None:
        if decision.event is None:
            self._fan_out.deliver_entries(chat, changed.entries, self.remove_account)
        else:
            self._deliver_message(chat, changed)
        self._push_rows(chat, changed, decision.shown_to(changed.members))
        if decision.info is not None:
            self._update_index(chat)

    def _deliver_message(self, chat: str, changed: ChatChange) -> None:
        self._fan_out.deliver_change(
            chat, changed.time, changed.members, changed.entries, self.remove_account
        )

    def _push_rows(self, chat: str, changed: ChatChange, others: Iterable[str]) -> None:
        """Push the chat's row to the users whom a change concerns, and to others."""
        concerned = [entry.handle for entry in changed.entries]
        self._row_push.push(SeenRow(chat, handle) for handle in (*concerned, *others))

    def _read_again(self, chat: str, snapshot: ChatSnapshot) -> ChatSnapshot:
        pause(random.uniform(0, MAX_PAUSE_SECONDS))  # noqa: S311  # a pause is no secret
        return self._store.run(self._chats.snapshot(chat, *snapshot.records))


def too_busy(chat: str) -> StoreUnavailable:
    """Return the error for a chat that changes too quickly."""
    return StoreUnavailable(f"Chat {chat} is being changed by too many requests. Try again.")


def existing_info(chat: str, snapshot: ChatSnapshot) -> Info:
    """Return the fields of a chat in a snapshot; raises ChatNotFound."""
    if snapshot.info is None:
        raise no_chat(chat)
    return snapshot.info


def system_message(sender: str, event: Stored) -> bytes:
    """Return the message of kind `system` about an event, as the log stores it."""
    return packed(Content(sender, "", kind=SYSTEM, event=event))
