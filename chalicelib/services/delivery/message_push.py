"""Messages to everybody of a chat who is connected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import structs

from chalicelib.errors import StoreUnavailable
from chalicelib.logs import LOGGER
from chalicelib.queues import JobQueue, PushJob
from chalicelib.schemas.messages import Message
from chalicelib.schemas.realtime import MessageFrame
from chalicelib.services.delivery.push import PushService
from chalicelib.services.views import message_row
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.messages.outbox import Outbox
from chalicelib.store.realtime.chat_connections import ChatConnections
from chalicelib.store.realtime.connection import Connections
from chalicelib.store.realtime.user_connections import Target
from chalicelib.store.redis.client import Store

JOB_CONNECTIONS = 250
"""Connections that one job of the queue pushes to."""
MOST_ATTEMPTS = 5
"""Of a job; the time before each doubles. A client that still has not got the message pulls it later."""


class MessagePush:
    """Pushes messages: to few connections at once, to many by jobs of the queue, which carry no text.

    When everybody has got a message, or is in the queue for it, that is noted in the outbox of the chat, and
    the sweep has nothing to push any more.
    lease: µs that a connection lives after it was renewed.
    """

    def __init__(self, store: Store, push: PushService, queue: JobQueue, lease: int) -> None:
        self._store = store
        self._push = push
        self._queue = queue
        self._log = MessageLog(store)
        self._outbox = Outbox(store)
        self._chat_connections = ChatConnections(store, lease)
        self._connections = Connections(store, lease)

    def push(
        self, chat: str, time: int, targets: Iterable[Target], *, message: Message | None, skip: str | None
    ) -> None:
        """Push a message to connections, by jobs if they are many, and note that it is done.

        time: the message's, µs. message: None: the newest is read. skip: the connection that sent it.
        Raises what the store raises.
        """
        there = {target.connection: target for target in targets}
        if not there or not self._push.inline:
            return
        wanted = [target for one, target in there.items() if one != skip]
        found = (message or self._newest([chat]).get(chat)) if wanted else None
        if found is None or self._pushed(found, wanted):
            self._store.run(self._outbox.pushed(chat, time))

    def push_newest(self, audiences: Iterable[tuple[str, Sequence[Target]]]) -> set[str]:
        """Push the newest message of chats; returns the chats of which it has not reached everybody.

        audiences: of each chat the connections that it goes to.
        """
        wanted = {chat: targets for chat, targets in audiences if targets and self._push.inline}
        if not wanted:
            return set()
        found = [(message, wanted[chat]) for chat, message in self._newest(list(wanted)).items()]
        if sum(len(targets) for _, targets in found) > self._push.inline:
            return {message.chat for message, targets in found if not self._queued(message, targets)}
        failed = self._push.send_all((targets, _frame(message)) for message, targets in found)
        return {message.chat for message, targets in found if not failed.isdisjoint(_ids(targets))}

    def do(self, push: PushJob) -> None:
        """Do a job of the queue; connections that were not reached get a job of their own, seconds later.

        Raises StoreUnavailable when the log cannot be read, or the queue takes no job: the queue repeats it.
        """
        found = self._store.run(self._log.after(push.chat, push.seq - 1, 1)).entries
        if not found or found[0].seq != push.seq:
            return  # trimmed, or the chat is deleted
        targets = [Target(*connection) for connection in push.connections]
        frame = _frame(message_row.message(push.chat, found[0]))
        failed = self._push.send_all([(targets, frame)])
        if failed:
            self._again(push, [target for target in targets if target.connection in failed])

    def attach(self, chat: str, handle: str, targets: Iterable[Target]) -> None:
        """Have connections of a member get the messages of a large chat."""
        there = list(targets)
        known = self._store.run_all(self._connections.attach(one.connection, chat) for one in there)
        self._store.run_all(
            self._chat_connections.attach(chat, handle, one.connection, joined=False, protobuf=one.protobuf)
            for one, is_known in zip(there, known, strict=True)
            if is_known
        )

    def _pushed(self, message: Message, targets: Sequence[Target]) -> bool:
        if len(targets) > self._push.inline:
            return self._queued(message, targets)
        return self._push.send(targets, _frame(message))

    def _queued(self, message: Message, targets: Sequence[Target]) -> bool:
        parts = [
            targets[start : start + JOB_CONNECTIONS] for start in range(0, len(targets), JOB_CONNECTIONS)
        ]
        return self._queue.put_pushes([_job(message.chat, message.seq, part) for part in parts])

    def _again(self, push: PushJob, targets: Sequence[Target]) -> None:
        attempt = push.attempt + 1
        if attempt >= MOST_ATTEMPTS:
            line = {"event": "push_given_up", "chat": push.chat, "seq": push.seq}
            LOGGER.error({**line, "connections": len(targets)})
        elif not self._queue.put_pushes([_job(push.chat, push.seq, targets, attempt)], delay=2**attempt):
            raise StoreUnavailable

    def _newest(self, chats: Sequence[str]) -> dict[str, Message]:
        """Read the newest message of chats, whoever may read it; of one without any there is none."""
        slices = self._store.run_all(self._log.newest(chat, 0, 1) for chat in chats)
        return {
            chat: message_row.message(chat, found.entries[-1])
            for chat, found in zip(chats, slices, strict=True)
            if found.entries
        }


def _frame(message: Message) -> MessageFrame:
    return MessageFrame(**structs.asdict(message))


def _ids(targets: Iterable[Target]) -> set[str]:
    return {target.connection for target in targets}


def _job(chat: str, seq: int, targets: Iterable[Target], attempt: int = 0) -> PushJob:
    return PushJob(chat, seq, [(one.connection, one.protobuf) for one in targets], attempt)
