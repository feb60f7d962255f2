"""Messages pushed to all connections of a chat's members."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import UNSET, structs

from chalicelib.errors import StoreUnavailable
from chalicelib.logs import LOGGER
from chalicelib.queues import JobQueue, PushJob
from chalicelib.schemas.realtime import ChangeFrame, ReactionChange
from chalicelib.services.delivery.connection_stores import ConnectionStores
from chalicelib.services.delivery.display_names import DisplayNames
from chalicelib.services.delivery.frame_push import AddressedFrame
from chalicelib.services.delivery.outgoing_message import OutgoingMessage
from chalicelib.services.delivery.push import PushService
from chalicelib.services.values.cursors import MessageCursor
from chalicelib.services.views import message_row
from chalicelib.store.messages.content import LogEntry
from chalicelib.store.messages.log import LogPage, MessageLog
from chalicelib.store.messages.outbox import MESSAGE, Outbox, OutboxEntry
from chalicelib.store.realtime.connection_results import Recipient

JOB_CONNECTIONS = 250
"""Maximum number of connections to which one job of the queue pushes."""
MAX_ATTEMPTS = 5
"""Maximum number of attempts of a job, after growing pauses; then the client gets the message by a pull."""


class MessagePush:
    """Pushes messages: to few connections at once, to many by jobs of the queue, which hold no text.

    The outbox of a chat records a message that is pushed to all connections, or queued for them; no sweep
    pushes it again.
    """

    def __init__(
        self,
        stores: ConnectionStores,
        log: MessageLog,
        outbox: Outbox,
        push: PushService,
        queue: JobQueue,
        names: DisplayNames,
    ) -> None:
        self._store, self._connections, _, self._chat_connections = stores
        self._log = log
        self._outbox = outbox
        self._push = push
        self._queue = queue
        self._names = names

    def push(
        self,
        chat: str,
        time: int,
        recipients: Iterable[Recipient],
        *,
        message: OutgoingMessage | None,
        skip: str | None,
    ) -> None:
        """Push a message to connections, by jobs if they are many, and record the push in the outbox.

        time: Of the message, µs. message: None: the newest is read. skip: The sender's connection.
        Raises the errors of the store.
        """
        there = {recipient.connection: recipient for recipient in recipients}
        if not there or not self._push.inline:
            return
        wanted = [recipient for one, recipient in there.items() if one != skip]
        found = (message or self._newest([chat]).get(chat)) if wanted else None
        if found is None or self._is_done(found, wanted):
            self._store.run(self._outbox.pushed(chat, time))

    def push_change(
        self, frame: ChangeFrame, recipients: Iterable[Recipient], skip: str | None = None
    ) -> None:
        """Push a changed message to connections; those that miss it learn of it by their next sync.

        skip: A connection to leave out.
        """
        self.push_changes([frame], [one for one in recipients if one.connection != skip])

    def push_changes(self, frames: Sequence[ChangeFrame], recipients: Iterable[Recipient]) -> None:
        """Push changed messages to connections: to few all at once, to many by jobs of the queue."""
        there = list({one.connection: one for one in recipients}.values())
        if not there or not self._push.inline:
            return
        if len(there) <= self._push.inline:
            self._push.send(*(AddressedFrame(there, frame) for frame in frames))
            return
        self._queue.put_pushes([_change_job(frame, part) for frame in frames for part in _parts(there)])

    def push_settled(
        self, time: int, recipients: Iterable[Recipient], message: OutgoingMessage, skip: str | None
    ) -> None:
        """Push a message that is in all inboxes, and delete its entry in the outbox; see push."""
        wanted = [recipient for recipient in recipients if recipient.connection != skip]
        if wanted and self._push.inline and self._is_done(message, wanted):
            self._store.run(self._outbox.clear(OutboxEntry(MESSAGE, message.chat, "", time)))

    def push_newest(self, audiences: Iterable[tuple[str, Sequence[Recipient]]]) -> set[str]:
        """Push the newest message of chats; return the chats of which some connections were not reached.

        audiences: Chats with the recipients of their messages.
        """
        wanted = {chat: recipients for chat, recipients in audiences if recipients and self._push.inline}
        if not wanted:
            return set()
        found = self._newest(list(wanted))
        if sum(len(wanted[chat]) for chat in found) > self._push.inline:
            return {chat for chat, message in found.items() if not self._queued(message, wanted[chat])}
        failed = self._push.send(*(_frame(message, wanted[chat]) for chat, message in found.items()))
        return {
            chat
            for chat in found
            if not failed.isdisjoint(recipient.connection for recipient in wanted[chat])
        }

    def run(self, job: PushJob) -> None:
        """Run a job of the queue; a later job repeats the push of a message to connections that it missed.

        Raises StoreUnavailable if the log cannot be read, or the queue takes no job: the queue repeats it.
        """
        found = self._store.run(self._log.after(job.chat, job.seq - 1, 1))
        entry = found.first(job.seq)
        if entry is None:
            return  # trimmed, or the chat is deleted
        recipients = [Recipient(*connection) for connection in job.connections]
        if job.changed is True:
            frame = change_frame(job.chat, entry, found.epoch)
            self._push.send(AddressedFrame(recipients, with_reaction(frame, job.reaction or None)))
            return
        failed = self._push.send(_frame(self._outgoing({job.chat: found})[job.chat], recipients))
        if failed:
            self._retry(job, [recipient for recipient in recipients if recipient.connection in failed])

    def attach(self, chat: str, handle: str, recipients: Sequence[Recipient]) -> None:
        """Attach a member's connections to a large chat, so that they get its messages."""
        known = self._store.run_all(self._connections.attach(one.connection, chat) for one in recipients)
        self._store.run_all(
            self._chat_connections.attach(chat, handle, one.connection, joined=False, protobuf=one.protobuf)
            for one, is_known in zip(recipients, known, strict=True)
            if is_known
        )

    def _is_done(self, message: OutgoingMessage, recipients: Sequence[Recipient]) -> bool:
        """Return whether a message is pushed to all open connections, or queued for them."""
        if len(recipients) > self._push.inline:
            return self._queued(message, recipients)
        return not self._push.send(_frame(message, recipients))

    def _queued(self, message: OutgoingMessage, recipients: Sequence[Recipient]) -> bool:
        chat, seq = message.chat, message.entry.seq
        return self._queue.put_pushes([_job(chat, seq, part) for part in _parts(recipients)])

    def _retry(self, job: PushJob, recipients: Sequence[Recipient]) -> None:
        attempt = job.attempt + 1
        if attempt >= MAX_ATTEMPTS:
            line = {"event": "push_given_up", "chat": job.chat, "seq": job.seq}
            LOGGER.error({**line, "connections": len(recipients)})
        elif not self._queue.put_pushes([_job(job.chat, job.seq, recipients, attempt)], delay=2**attempt):
            raise StoreUnavailable

    def _newest(self, chats: Sequence[str]) -> dict[str, OutgoingMessage]:
        """Return the newest message of each chat that has one, without a check of permissions."""
        found = self._store.run_all(self._log.newest(chat, 0, 1) for chat in chats)
        pages = zip(chats, found, strict=True)
        return self._outgoing({chat: page for chat, page in pages if page.entries})

    def _outgoing(self, pages: dict[str, LogPage]) -> dict[str, OutgoingMessage]:
        """Return the last message of each page, by chat, with the name of its sender."""
        entries = {chat: page.entries[-1] for chat, page in pages.items()}
        senders = {chat: message_row.handle_of(entry.content.sender) for chat, entry in entries.items()}
        names = self._names.of(senders.values())
        return {
            chat: OutgoingMessage(chat, entry, pages[chat].epoch, names[senders[chat]])
            for chat, entry in entries.items()
        }


def change_frame(chat: str, entry: LogEntry, epoch: int, ref: str | None = None) -> ChangeFrame:
    """Return the frame of a changed message.

    epoch: Of the chat's log. ref: Of the frame that this answers.
    """
    return ChangeFrame(
        chat=chat,
        seq=entry.seq,
        change=entry.change,
        cursor=str(MessageCursor(entry.seq, entry.change, epoch)),
        partial=message_row.is_partial(entry),
        message=message_row.message(chat, entry),
        ref=ref,
    )


def with_reaction(frame: ChangeFrame, reaction: tuple[str, str, bool] | None) -> ChangeFrame:
    """Return the frame of a message that a reaction has changed; reaction: See PushJob."""
    if reaction is None:
        return frame
    emoji, user, on = reaction
    return structs.replace(frame, reaction=ReactionChange(emoji=emoji, user=user, on=on))


def _parts(recipients: Sequence[Recipient]) -> list[Sequence[Recipient]]:
    """Return the recipients of one job each."""
    return [
        recipients[start : start + JOB_CONNECTIONS] for start in range(0, len(recipients), JOB_CONNECTIONS)
    ]


def _change_job(frame: ChangeFrame, recipients: Iterable[Recipient]) -> PushJob:
    made = frame.reaction
    reaction = UNSET if made is None else (made.emoji, made.user, made.on)
    return structs.replace(_job(frame.chat, frame.seq, recipients), changed=True, reaction=reaction)


def _frame(message: OutgoingMessage, recipients: Sequence[Recipient]) -> AddressedFrame:
    return AddressedFrame(recipients, message.frame)


def _job(chat: str, seq: int, recipients: Iterable[Recipient], attempt: int = 0) -> PushJob:
    return PushJob(chat, seq, [(one.connection, one.protobuf) for one in recipients], attempt)
