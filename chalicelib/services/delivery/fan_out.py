"""The fan-out: delivers the messages and changes of chats to inboxes and connections."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from chalicelib.logs import LOGGER
from chalicelib.services.delivery.message_push import MessagePush, change_frame
from chalicelib.services.delivery.outgoing_message import OutgoingMessage
from chalicelib.services.values.chat_id import ChatId
from chalicelib.store.inbox.entries import InboxEntry
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.messages.changes import MessageChange
from chalicelib.store.messages.content import LogEntry
from chalicelib.store.messages.one_step import Delivered
from chalicelib.store.messages.outbox import Outbox
from chalicelib.store.realtime.connection_results import Recipient
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Runnable

Depart = Callable[[str, str], None]
"""Removes a deleted account from a chat, by handle and chat."""
Queries = list[Runnable[Any]]


class ChatFanOut:
    """Delivers messages and inbox entries as soon as they are stored.

    A failure is logged; OutboxSweep delivers the entries of the outbox again.
    """

    def __init__(self, store: Store, inboxes: Inboxes, outbox: Outbox, message_push: MessagePush) -> None:
        self._store = store
        self.inboxes = inboxes
        self.outbox = outbox
        self.message_push = message_push

    def deliver_message(
        self,
        chat: str,
        time: int,
        members: Sequence[str] | None,
        *,
        message: OutgoingMessage,
        recipients: Sequence[Recipient] = (),
        skip: str | None = None,
    ) -> None:
        """Write a sent message to the members' inboxes, in one round trip, and push it.

        time: Of the message, µs. members: None: there are too many to write each inbox. recipients: The
        connections of such a large chat. skip: The sender's connection, which already has the answer.
        """
        with left_to_sweep():
            there = [*recipients, *self._store.run(self.inboxes.deliver(chat, time, members or ()))]
            self.message_push.push(chat, time, there, message=message, skip=skip)

    def push_delivered(
        self, chat: str, time: int, delivered: Delivered, *, message: OutgoingMessage, skip: str | None
    ) -> None:
        """Push a message that is in both inboxes of a direct chat; see deliver_message."""
        with left_to_sweep():
            if delivered.settled:
                self.message_push.push_settled(time, delivered.recipients, message, skip)
            else:
                self.message_push.push(chat, time, delivered.recipients, message=message, skip=skip)

    def deliver_message_change(
        self, chat: ChatId, entry: LogEntry, epoch: int, change: MessageChange, *, skip: str | None = None
    ) -> None:
        """Move a chat up in the members' inboxes, in one round trip, and push a changed message.

        entry: The message after the change. epoch: Of the log. skip: A connection that already has the
        answer.
        """
        with left_to_sweep():
            moved = self._store.run(self.inboxes.deliver_change(chat.text, change.members))
            there = [*change.recipients, *moved]
            self.message_push.push_change(change_frame(chat.text, entry, epoch), there, skip)

    def deliver_expired(
        self, chat: ChatId, entries: Sequence[LogEntry], epoch: int, change: MessageChange
    ) -> None:
        """Deliver the deletions of messages that have expired; see deliver_message_change.

        change: One of these changes, which all have the same readers.
        """
        with left_to_sweep():
            moved = self._store.run(self.inboxes.deliver_change(chat.text, change.members))
            frames = [change_frame(chat.text, entry, epoch) for entry in entries]
            self.message_push.push_changes(frames, [*change.recipients, *moved])

    def deliver_settings(self, chat: ChatId) -> None:
        """Move a direct chat whose settings have changed up in both inboxes, in one round trip."""
        with left_to_sweep():
            self._store.run(self.inboxes.deliver_change(chat.text, chat.members or ()))

    def deliver_change(
        self,
        chat: str,
        time: int,
        members: Sequence[str] | None,
        entries: Sequence[InboxEntry],
        depart: Depart,
    ) -> None:
        """Write a change of a chat and its message of kind `system` to inboxes, and push the message.

        time: Of the message, µs. members: None: there are too many to write each inbox. entries: The inbox
        entries that the change makes. depart: See write.
        """
        delivering = self.inboxes.deliver(chat, time, members or ())
        asking: Queries = [self.outbox.audience(chat)] if members is None else []
        with left_to_sweep():
            there, *audiences = self.write(
                [(chat, entry) for entry in entries], [delivering, *asking], depart
            )
            there += [one for audience in audiences for one in audience.recipients]
            self.message_push.push(chat, time, there, message=None, skip=None)

    def deliver_entries(self, chat: str, entries: Iterable[InboxEntry], depart: Depart) -> None:
        """Write inbox entries of a chat, in one round trip; depart: See write."""
        self.deliver_entries_of_chats([(chat, entry) for entry in entries], depart)

    def deliver_entries_of_chats(self, entries: Sequence[tuple[str, InboxEntry]], depart: Depart) -> None:
        """Write inbox entries by chat, 100 in a round trip; depart: See write."""
        with left_to_sweep():
            self.write(entries, [], depart)

    def write(
        self, entries: Sequence[tuple[str, InboxEntry]], delivering: Queries, depart: Depart
    ) -> list[Any]:
        """Write inbox entries by chat, and then run queries that deliver messages; return their replies.

        The entries come first: a message is not delivered to a user whose inbox has no entry of its chat.
        depart: Called for each deleted account among the entries.
        """
        updates = [self.inboxes.update(chat, entry) for chat, entry in entries]
        replies = self._store.run_all([*updates, *delivering])
        for (chat, entry), updated in zip(entries, replies[: len(updates)], strict=True):
            if not updated.live_account:
                depart(entry.handle, chat)
            elif updated.recipients:
                self.message_push.attach(chat, entry.handle, updated.recipients)
        return replies[len(updates) :]


class LeftToSweep:
    """A context manager that logs a failure and goes on: the entry stays in the outbox for the sweep.

    Each send enters it; it takes less time than a generator.
    """

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if not isinstance(error, Exception):
            return False
        LOGGER.exception({"event": "delivery_pending"})
        return True


_LEFT_TO_SWEEP = LeftToSweep()


def left_to_sweep() -> LeftToSweep:
    """Return the context in which failures are left to the sweep."""
    return _LEFT_TO_SWEEP
