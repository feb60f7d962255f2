"""The part of the sweep that sends scheduled messages."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec import structs

from chalicelib.errors import (
    FilterUnavailable,
    InternalError,
    ParleyError,
    SendUnconfirmed,
    SlowMode,
    StoreFull,
    StoreUnavailable,
)
from chalicelib.logs import log_failures
from chalicelib.services.auth.caller import Caller
from chalicelib.services.messages.send import MessageSender
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.messages.scheduled import Due, Failure, Held, ScheduledMessages
from chalicelib.store.redis.client import BREAK_SECONDS, Store

DUE_OF_PARTITION = 100
"""Maximum number of messages of each of the 256 partitions that one sweep sends."""
BUDGET_SECONDS = 20.0
"""How long one sweep begins to send messages; the next sweep goes on."""
MAX_FAILURES = 5
"""Number of failures of the store after which a sweep ends."""
CERTAIN_MICROSECONDS = 24 * 3600 * 1_000_000
"""How long the store knows for certain whether a message of an id was sent."""
KEPT_MICROSECONDS = 7 * 24 * 3600 * 1_000_000
"""How long a message that was not sent stays in the list of its sender."""

NOTHING_STORED = (SlowMode, FilterUnavailable, StoreFull)
"""Refusals that pass, and after which it is certain that the message was not sent."""


class ScheduledSender:
    """Sends scheduled messages whose times have come, each exactly once.

    A message is taken for a lease, sent with its own id as idempotency id, and removed. If that is
    interrupted, another sweep takes it after the lease, and asks first whether it was sent: so an answer that
    got lost, or a permission that was lost meanwhile, changes nothing. An attempt that lasts longer than its
    lease does not begin to send. A message that is refused, by the rules of a send at that moment, stays in
    its sender's list with the problem; a slow mode, a word filter that does not answer and a full store only
    delay it, and meanwhile it can be changed and cancelled. After 24 hours of interrupted attempts
    nobody can tell whether it was sent; then it is not sent again.

    clock, monotonic: Return seconds, as time.time and time.monotonic.
    """

    def __init__(
        self,
        store: Store,
        scheduled: ScheduledMessages,
        log: MessageLog,
        ids: ChatIds,
        sender: MessageSender,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._scheduled = scheduled
        self._log = log
        self._ids = ids
        self._sender = sender
        self._clock = clock
        self._monotonic = monotonic
        self._pause: Callable[[float], None] = time.sleep

    def sweep(self) -> int:
        """Send the messages whose times have come, the earliest first; return how many were sent.

        A message that fails is logged, is tried again after its lease, and does not stop the others. Raises
        StoreUnavailable: the messages cannot be read, or the store failed MAX_FAILURES times.
        """
        end, sent, failures = self._monotonic() + BUDGET_SECONDS, 0, 0
        for due in sorted(self._store.run(self._scheduled.due(DUE_OF_PARTITION))):
            if self._monotonic() > end:
                break
            try:
                sent += self._attempt(due)
            except Exception as failure:
                log_failures("scheduled_pending", [({"item": due.id}, failure)])
                if isinstance(failure, StoreUnavailable):
                    failures += 1
                    if failures == MAX_FAILURES:
                        raise
                    self._pause(BREAK_SECONDS)
        return sent

    def _attempt(self, due: Due) -> bool:
        """Try to send a message; return whether it was sent."""
        handle, began = due.handle, self._monotonic()
        held = self._store.run(self._scheduled.take(due))
        if held is None:
            return False
        settled = self._settled_before(handle, held)
        if settled is not None:
            return settled
        if self._monotonic() - began > self._scheduled.lease / 2_000_000:
            return False
        try:
            self._send(handle, held)
        except ParleyError as refusal:
            return self._refused(handle, held, refusal)
        self._store.run(self._scheduled.replace(handle, held, None))
        return True

    def _settled_before(self, handle: str, held: Held) -> bool | None:
        """Return whether an earlier attempt, if any, has sent a message; None: it is to be sent now."""
        message = held.message
        if message.first == message.last:
            return None
        if self._store.run(self._log.has_id(message.body.chat, handle, message.id)):
            return self._store.run(self._scheduled.replace(handle, held, None))
        if message.last - message.first <= CERTAIN_MICROSECONDS:
            return None
        unknown = SendUnconfirmed("The server was interrupted while it sent this message. See the chat.")
        return self._fail(handle, held, unknown)

    def _refused(self, handle: str, held: Held, refusal: ParleyError) -> bool:
        """Keep a message that was refused, and return False; raise what says nothing about the message."""
        if isinstance(refusal, NOTHING_STORED):
            self._postpone(handle, held, int(refusal.headers["Retry-After"]))
        if isinstance(refusal, SlowMode):
            return False
        if refusal.status >= InternalError.status:
            raise refusal
        return self._fail(handle, held, refusal)

    def _send(self, handle: str, held: Held) -> None:
        message = held.message
        caller = Caller(self._store, handle, "" if message.of_account else None)
        chat = self._ids.own(handle, message.body.chat)
        self._sender.send(caller, chat, structs.replace(message.body.request, id=message.id))

    def _postpone(self, handle: str, held: Held, seconds: int) -> None:
        """Try again to send a message after some seconds, until when it may be changed."""
        waiting = held.message._replace(first=0)
        later = int(self._clock() * 1_000_000) + seconds * 1_000_000
        self._store.run(self._scheduled.replace(handle, held, waiting, later))

    def _fail(self, handle: str, held: Held, refusal: ParleyError) -> bool:
        """Keep a message that was not sent in its sender's list, with the problem; return False."""
        now = int(self._clock() * 1_000_000)
        body = structs.replace(held.message.body, failure=Failure(now, refusal.code, refusal.detail))
        failed = held.message._replace(body=body)
        self._store.run(self._scheduled.replace(handle, held, failed, now + KEPT_MICROSECONDS))
        return False
