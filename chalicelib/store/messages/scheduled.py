"""Scheduled messages, stored with their senders."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from chalicelib.schemas.messages import SendRequest
from chalicelib.store import keys
from chalicelib.store.messages.content import CorruptEntry
from chalicelib.store.redis.query import Batch, Query
from chalicelib.store.redis.scripts import Script
from chalicelib.store.redis.sorted_sets import ScoredMember, due

ADD_SCHEDULED = Script("messages/add_scheduled")
REPLACE_SCHEDULED = Script("messages/replace_scheduled")
TAKE_SCHEDULED = Script("messages/take_scheduled")

MAX_SCHEDULED = 100
"""Maximum number of scheduled messages of a user, failed ones included."""
LEASE_MICROSECONDS = 60_000_000
"""How long one attempt to send may take; then another one may begin."""
VERSION = b"\x01"
FAILED, OF_ACCOUNT = 1, 2
"""The flags of a record."""
FLAGS, SEND_AT, FIRST, LAST, BODY = 1, slice(2, 10), slice(10, 18), slice(18, 26), slice(26, None)
ADDED, TOO_MANY, NO_ACCOUNT = range(3)


class Failure(msgspec.Struct, array_like=True, frozen=True):
    """Why a message was not sent; at: µs since 1970. code, detail: Of the problem."""

    at: int
    code: str
    detail: str


class ScheduledBody(msgspec.Struct, array_like=True, frozen=True):
    """What is to be sent.

    made: When it was scheduled, µs since 1970. fingerprint: Digest of the request that made it, by which a
    repeated one is recognised.
    """

    chat: str
    made: int
    request: SendRequest
    fingerprint: bytes
    failure: Failure | None = None


class ScheduledMessage(NamedTuple):
    """A scheduled message; send_at: µs since 1970.

    of_account: Whether its sender has an account; otherwise the sender is a name of an open server. first,
    last: Times of the first and the last attempt to send it, µs; 0: there was none.
    """

    id: str
    send_at: int
    of_account: bool
    body: ScheduledBody
    first: int = 0
    last: int = 0

    @property
    def mark(self) -> ScoredMember:
        """Its place in the list of its sender."""
        return ScoredMember(self.send_at, self.id)

    @property
    def is_being_sent(self) -> bool:
        """Whether an attempt to send it has begun, and its outcome is not known."""
        return self.first > 0 and self.body.failure is None


class Held(NamedTuple):
    """A scheduled message, and the record that holds it, with which it can be replaced."""

    message: ScheduledMessage
    record: bytes


class Due(NamedTuple):
    """A scheduled message whose time has come; at: µs since 1970."""

    at: int
    handle: str
    id: str


class ScheduledMessages:
    """The scheduled messages of users. Their keys, in the sender's partition:

    `{u<NNN>}:scheduled:<handle>`: HASH, no expiry, at most MAX_SCHEDULED fields: id -> record.
        record: byte 1 (the version), a byte of flags (1: it has failed, 2: its sender has an account), then
        send_at and the times of the first and the last attempt to send it (0: none), 8 bytes each (µs,
        big-endian), then the msgpack array [chat, made, request, fingerprint, failure].
    `{u<NNN>}:scheduled_due`: ZSET, no expiry, one a partition: `<handle>\\0<id>` -> time at which the
        schedule looks at it: `send_at`; while it is being sent, the end of the attempt's lease; after a
        failure, when it is dropped.
    An attempt takes a message for a lease, sends it with its id as the message's idempotency id, and removes
    it. Each attempt writes its own record, so that only the last attempt can settle a message, and an edit or
    a cancellation is refused once an attempt has begun.

    lease: µs that an attempt may take.
    """

    def __init__(self, lease: int = LEASE_MICROSECONDS) -> None:
        self.lease = lease

    def add(self, handle: str, message: ScheduledMessage) -> Query[tuple[int, ScheduledMessage | None]]:
        """Return the query that adds a message; its result is the outcome, and the message of that id.

        The outcome is ADDED, also if the id is there already; TOO_MANY; NO_ACCOUNT: it has been deleted.
        """
        named = (keys.user(handle), keys.scheduled(handle), keys.scheduled_due(handle))
        args = (message.id, _item(handle, message.id), message.send_at, packed(message), MAX_SCHEDULED)

        def read(reply: list[Any]) -> tuple[int, ScheduledMessage | None]:
            outcome, *held = reply
            return outcome, message_of(message.id, held[0]) if held else None

        return Query(ADD_SCHEDULED, named, args, read)

    def one(self, handle: str, scheduled: str) -> Query[Held | None]:
        """Return the query for one of a user's messages by its id."""
        return Query(
            "HGET", (keys.scheduled(handle),), (scheduled,), functools.partial(_held_or_none, scheduled)
        )

    def of(self, handle: str) -> Query[list[ScheduledMessage]]:
        """Return the query for a user's messages, the earliest `send_at` first."""
        return Query("HGETALL", (keys.scheduled(handle),), read=_messages)

    def replace(
        self, handle: str, held: Held, message: ScheduledMessage | None, time: int = 0
    ) -> Query[bool]:
        """Return the query that replaces a message if it is unchanged; it returns whether it was.

        message: None: it is removed. time: When the schedule looks at it next, µs.
        """
        named = (keys.scheduled(handle), keys.scheduled_due(handle))
        record = b"" if message is None else packed(message)
        args = (held.message.id, _item(handle, held.message.id), held.record, record, time)
        return Query(REPLACE_SCHEDULED, named, args, bool, repeatable=False)

    def due(self, most: int) -> Batch[list[Due]]:
        """Return the batch for the messages whose times have come; most: maximum number of a partition."""
        return due(keys.all_of(keys.scheduled_due), most, _due)

    def take(self, due: Due) -> Query[Held | None]:
        """Return the query that takes a message for an attempt to send it.

        None: another attempt has taken it, or there is nothing to send: it is gone, has failed long ago, or
        its sender's account is gone, or was made since by somebody else.
        """
        handle, scheduled = due.handle, due.id
        named = (keys.user(handle), keys.scheduled(handle), keys.scheduled_due(handle))
        args = (scheduled, _item(handle, scheduled), self.lease)
        read = functools.partial(_held_or_none, scheduled)
        return Query(TAKE_SCHEDULED, named, args, read, repeatable=False)


def packed(message: ScheduledMessage) -> bytes:
    """Return the record of a message."""
    flags = (FAILED if message.body.failure else 0) | (OF_ACCOUNT if message.of_account else 0)
    times = [time.to_bytes(8) for time in (message.send_at, message.first, message.last)]
    return b"".join([VERSION, bytes([flags]), *times, msgspec.msgpack.encode(message.body)])


def message_of(scheduled: str, record: bytes) -> ScheduledMessage:
    """Return the message of a record; raises CorruptEntry."""
    if record[:1] != VERSION:
        raise CorruptEntry(f"scheduled message {scheduled} has version {record[:1].hex()}")
    try:
        body = msgspec.msgpack.decode(record[BODY], type=ScheduledBody)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptEntry(f"scheduled message {scheduled} cannot be decoded") from error
    send_at, first, last = (int.from_bytes(record[part]) for part in (SEND_AT, FIRST, LAST))
    return ScheduledMessage(scheduled, send_at, bool(record[FLAGS] & OF_ACCOUNT), body, first, last)


def _item(handle: str, scheduled: str) -> str:
    return f"{handle}\0{scheduled}"


def _held_or_none(scheduled: str, record: bytes | None) -> Held | None:
    return None if record is None else Held(message_of(scheduled, record), record)


def _messages(flat: Sequence[bytes]) -> list[ScheduledMessage]:
    pairs = zip(flat[::2], flat[1::2], strict=True)
    found = [message_of(name.decode(), record) for name, record in pairs]
    return sorted(found, key=lambda message: message.mark)


def _due(one: ScoredMember) -> Due:
    return Due(one.score, *one.member.split("\0"))
