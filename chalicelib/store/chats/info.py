"""The records of a group or room, of its members and of other users, and their bytes in the store."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

import msgspec


class Role(IntEnum):
    """A member's role; a higher role has more permissions."""

    MEMBER = 1
    ADMIN = 2
    OWNER = 3


class Relation(IntEnum):
    """The relation of a user to a chat of which they are not a member."""

    INVITED = 1
    REQUESTED = 2
    BANNED = 3
    LEFT = 4
    DELETED = 5
    REMOVED = 6


class Info(msgspec.Struct, frozen=True):
    """The fields of a group or room.

    notice, avatar: May be empty. join: `invite`, `request` or `open`. history: Whether members may read
    messages from before they joined. made: µs since 1970, by the store's clock. maker: Handle of the creator.
    large: Whether the chat ever had more than PARLEY_LARGE_CHAT members. members: Their number. expires_in:
    Seconds after which new messages expire; 0: never. slow: Seconds between two messages of a member; 0: no
    slow mode. requests: Number of users who ask to join. keep, keep_days: See Retention; 0: not set. data: A
    JSON object of the admins; empty for none.
    """

    name: str
    notice: str = ""
    avatar: str = ""
    join: str = "invite"
    history: bool = False
    made: int = 0
    maker: str = ""
    large: bool = False
    slow: int = 0
    keep: int = 0
    keep_days: int = 0
    members: int = 0
    expires_in: int = 0
    requests: int = 0
    data: str = ""


class Member(NamedTuple):
    """A member; since: Seq of the newest message when they joined. joined, muted_until: µs since 1970.

    muted_until: 0: they are not muted.
    """

    handle: str
    role: Role
    since: int
    joined: int
    muted_until: int


class Other(NamedTuple):
    """A user who is not a member; at: When the relation began, µs since 1970.

    since, upto: They may read the messages after the first seq, up to the second; 0 and 0: they never were a
    member. A banned user reads nothing. refused: Whether they have refused an invitation, and were not a
    member since. inviter: Handle of the sender of a waiting invitation; empty for another relation, and for
    an invitation of an earlier version.
    """

    handle: str
    relation: Relation
    at: int
    since: int
    upto: int
    refused: bool = False
    inviter: str = ""


REFUSED = 128
"""A bit of the relation in a record, beside Relation."""
RECORD = struct.Struct(">BQQQ")
"""A member: role, since, joined, muted_until. Another: relation (REFUSED beside it), at, since, upto,
and after it the handle of an invited one's inviter.
`>BI8I8I8` in Lua."""


def member_of(handle: str, record: bytes) -> Member:
    """Return the member in a record of `members:<chat>`."""
    role, since, joined, muted_until = RECORD.unpack(record)
    return Member(handle, Role(role), since, joined, muted_until)


def other_of(handle: str, record: bytes) -> Other:
    """Return the user in a record of `others:<chat>`."""
    relation, at, since, upto = RECORD.unpack_from(record)
    inviter = record[RECORD.size :].decode()
    return Other(handle, Relation(relation & ~REFUSED), at, since, upto, bool(relation & REFUSED), inviter)


def expires_in(fields: Mapping[bytes, bytes]) -> int:
    """Return the seconds after which new messages expire, from the fields of `chat:<chat>`; 0: never."""
    return int(fields.get(b"expires_in", 0))


def info_of(flat: Sequence[bytes], members: int) -> Info | None:
    """Return the fields in an HGETALL of `chat:<chat>`; None: the chat does not exist, or is deleted.

    members: Their number.
    """
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    if b"made" not in fields or b"deleted" in fields:
        return None
    return Info(
        name=fields[b"name"].decode(),
        notice=fields[b"notice"].decode(),
        avatar=fields[b"avatar"].decode(),
        join=fields[b"join"].decode(),
        history=fields[b"history"] == b"1",
        made=int(fields[b"made"]),
        maker=fields[b"maker"].decode(),
        large=b"large" in fields,
        slow=int(fields.get(b"slow", 0)),
        keep=int(fields.get(b"keep", 0)),
        keep_days=int(fields.get(b"keep_days", 0)),
        data=fields.get(b"data", b"").decode(),
        members=members,
        expires_in=expires_in(fields),
        requests=int(fields.get(b"requests", 0)),
    )
