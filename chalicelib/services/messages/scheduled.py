"""Scheduled messages: a user's own list of messages that are sent later."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from hashlib import blake2b

import msgspec
from msgspec import UNSET, structs

from chalicelib.errors import (
    BeingSent,
    IdConflict,
    ParleyError,
    ScheduledNotFound,
    TooManyScheduled,
    UserNotFound,
    bad_field,
)
from chalicelib.schemas.messages import SendRequest
from chalicelib.schemas.scheduled import Scheduled, ScheduledChanges, ScheduledPage, ScheduleRequest
from chalicelib.services.auth.caller import Caller
from chalicelib.services.messages.send import MessageSender
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.cursors import SCHEDULED_CURSOR, SCHEDULED_ID
from chalicelib.services.values.message_limits import REPLY_BYTES, carried_bytes, checked_id
from chalicelib.services.values.paging import take_fitting
from chalicelib.services.values.times import microseconds, rfc3339
from chalicelib.services.views.scheduled_row import scheduled_row
from chalicelib.store.messages.scheduled import (
    MAX_SCHEDULED,
    NO_ACCOUNT,
    TOO_MANY,
    Held,
    ScheduledBody,
    ScheduledMessage,
    ScheduledMessages,
)
from chalicelib.store.redis.client import Store

SECOND = 1_000_000
MIN_AHEAD, MAX_AHEAD = 5 * SECOND, 366 * 86_400 * SECOND
"""How far ahead a message can be scheduled, µs; 366 days, so that the same date of the next year is one."""
ID_BYTES, FINGERPRINT_BYTES = 16, 8


class ScheduledService:
    """The rules of scheduled messages. A message is checked when it is scheduled, and again when it is sent.

    clock: Returns seconds since 1970.
    """

    def __init__(
        self,
        store: Store,
        scheduled: ScheduledMessages,
        ids: ChatIds,
        sender: MessageSender,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._scheduled = scheduled
        self._ids = ids
        self._sender = sender
        self._clock = clock

    def add(self, caller: Caller, chat: str, request: ScheduleRequest) -> Scheduled:
        """Schedule a message to a chat to which the caller may write now, once for an id.

        Raises what MessageSender.send does, TooManyScheduled, and UserNotFound for a deleted account.
        """
        found = self._ids.own(caller.handle, chat)
        wanted = self._message(caller, found.text, request)
        self._sender.check(caller, found, wanted.body.request)
        outcome, message = self._store.run(self._scheduled.add(caller.handle, wanted))
        if outcome == TOO_MANY:
            raise TooManyScheduled(
                f"You have {MAX_SCHEDULED} scheduled messages. Delete some, or wait until they are sent."
            )
        if outcome == NO_ACCOUNT or message is None:
            raise UserNotFound("Your account no longer exists.")
        if message.body.fingerprint != wanted.body.fingerprint:
            raise IdConflict(f"The id belongs to scheduled message {message.id}. Use a new id.")
        return scheduled_row(message)

    def page(self, handle: str, chat: str | None, cursor: str | None, limit: int) -> ScheduledPage:
        """Read a page of a user's scheduled messages, the earliest first; raises BadRequest.

        chat: Only messages to this chat; None: to any.
        """
        only = None if chat is None else self._ids.own(handle, chat).text
        after = None if cursor is None else SCHEDULED_CURSOR.decode(cursor, "cursor")
        found = [
            message
            for message in self._store.run(self._scheduled.of(handle))
            if only in (None, message.body.chat) and (after is None or message.mark > after)
        ]
        rows = [scheduled_row(message) for message in found]
        shown = len(take_fitting(rows, carried_bytes, REPLY_BYTES, limit))
        following = SCHEDULED_CURSOR.encode(found[shown - 1].mark) if shown < len(found) else None
        return ScheduledPage(rows[:shown], following)

    def one(self, handle: str, scheduled: str) -> Scheduled:
        """Read one of a user's scheduled messages; raises ScheduledNotFound."""
        return scheduled_row(self._held(handle, scheduled).message)

    def change(self, caller: Caller, scheduled: str, changes: ScheduledChanges) -> Scheduled:
        """Change one of the caller's scheduled messages; one that has failed is scheduled again.

        Raises what `add` does, ScheduledNotFound, BeingSent, and BadRequest for a message that has failed if
        there is no new time.
        """
        while True:
            held = self._held(caller.handle, scheduled)
            changed = self._changed(held, changes)
            chat = self._ids.own(caller.handle, changed.body.chat)
            self._sender.check(caller, chat, changed.body.request)
            if self._store.run(self._scheduled.replace(caller.handle, held, changed, changed.send_at)):
                return scheduled_row(changed)

    def cancel(self, handle: str, scheduled: str) -> None:
        """Delete one of a user's scheduled messages, which is then never sent.

        Raises ScheduledNotFound, BeingSent.
        """
        while True:
            held = self._held(handle, scheduled)
            _refuse_being_sent(held.message)
            if self._store.run(self._scheduled.replace(handle, held, None)):
                return

    def _message(self, caller: Caller, chat: str, request: ScheduleRequest) -> ScheduledMessage:
        fields = structs.asdict(request)
        given, send_at = checked_id(fields.pop("id")), self._time(fields.pop("send_at"))
        sent = SendRequest(**fields)
        raw = msgspec.msgpack.encode((chat, send_at, sent))
        body = ScheduledBody(chat, self._now(), sent, _digest(raw, FINGERPRINT_BYTES))
        name = secrets.token_bytes(ID_BYTES) if given is None else _id_of(chat, given)
        return ScheduledMessage(name.hex(), send_at, caller.session is not None, body)

    def _changed(self, held: Held, changes: ScheduledChanges) -> ScheduledMessage:
        message = held.message
        _refuse_being_sent(message)
        fields = {name: value for name, value in structs.asdict(changes).items() if value is not UNSET}
        send_at = fields.pop("send_at", None)
        if send_at is None and message.body.failure is not None:
            raise bad_field("send_at", "the message was not sent; choose a new time")
        request = structs.replace(message.body.request, **fields)
        return message._replace(
            send_at=message.send_at if send_at is None else self._time(send_at),
            body=structs.replace(message.body, request=request, failure=None),
            first=0,
        )

    def _held(self, handle: str, scheduled: str) -> Held:
        held = (
            self._store.run(self._scheduled.one(handle, scheduled))
            if SCHEDULED_ID.fullmatch(scheduled)
            else None
        )
        if held is None:
            raise _not_found(scheduled)
        return held

    def _time(self, text: str) -> int:
        send_at, now = microseconds(text, "send_at"), self._now()
        if not now + MIN_AHEAD <= send_at <= now + MAX_AHEAD:
            raise bad_field(
                "send_at", f"choose a time from 5 seconds to 366 days after now, {rfc3339(now)[:19]}Z"
            )
        return send_at

    def _now(self) -> int:
        return int(self._clock() * SECOND)


def _not_found(scheduled: str) -> ParleyError:
    return ScheduledNotFound(f"You have no scheduled message {scheduled}. It may have been sent.")


def _refuse_being_sent(message: ScheduledMessage) -> None:
    if message.is_being_sent:
        raise BeingSent(f"Message {message.id} is being sent; it can no longer be changed or deleted.")


def _id_of(chat: str, given: str) -> bytes:
    return _digest(msgspec.msgpack.encode((chat, given)), ID_BYTES)


def _digest(raw: bytes, size: int) -> bytes:
    return blake2b(raw, digest_size=size).digest()
