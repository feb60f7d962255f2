"""What is kept of a group or room and of the people in it, and the bytes it is kept as."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import msgspec


class Role(IntEnum):
    """What a member may do; a higher one may do more."""

    MEMBER = 1
    ADMIN = 2
    OWNER = 3


class Relation(IntEnum):
    """How somebody stands to a chat who is no member of it."""

    INVITED = 1
    REQUESTED = 2
    BANNED = 3
    LEFT = 4
    DELETED = 5
    REMOVED = 6


class Info(msgspec.Struct, frozen=True):
    """What a group or room is.

    notice, avatar: may be empty. join: `invite`, `request` or `open`. history: whether members read what was
    written before they joined. made: µs since 1970, by the store's clock. maker: who made it. large: whether
    it has ever had more members than PARLEY_LARGE_CHAT. members: how many it has.
    """

    name: str
    notice: str = ""
    avatar: str = ""
    join: str = "invite"
    history: bool = False
    made: int = 0
    maker: str = ""
    large: bool = False
    members: int = 0


class Member(NamedTuple):
    """A member; since: the seq of the newest message when they joined; joined, muted_until: µs since 1970.

    muted_until: 0 when they are not muted.
    """

    handle: str
    role: Role
    since: int
    joined: int
    muted_until: int


class Other(NamedTuple):
    """Somebody who is no member; at: when that came about, µs since 1970.

    since, upto: they may still read the messages in between, without the first; 0 and 0 if they never were a
    member. A banned one reads nothing. refused: whether they have refused an invitation, and have been no
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
    """Return the member that a record of `members:<chat>` tells of."""
    role, since, joined, muted_until = RECORD.unpack(record)
    return Member(handle, Role(role), since, joined, muted_until)


def other_of(handle: str, record: bytes) -> Other:
    """Return the one that a record of `others:<chat>` tells of."""
    relation, at, since, upto = RECORD.unpack_from(record)
    inviter = record[RECORD.size :].decode()
    return Other(handle, Relation(relation & ~REFUSED), at, since, upto, bool(relation & REFUSED), inviter)


def info_of(flat: Sequence[bytes], members: int) -> Info | None:
    """Return what the HGETALL of `chat:<chat>` tells; None: there is no such chat, or it was deleted.

    members: how many it has.
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
        members=members,
    )
