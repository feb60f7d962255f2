"""Groups and read states written by hand, byte by byte as documented."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from chalicelib.store import keys
from chalicelib.store.chats.info import RECORD, Relation, Role
from chalicelib.store.inbox.read_state import RECORD as READER
from tests.store.log_records import EPOCH, RawClient

GROUP = "g-0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a10"
FOR_EVER = 2**52


class Held(NamedTuple):
    """The stored read state of a user."""

    read: int
    received: int
    cleared: int
    stamp: int
    flags: int


def write_group(raw: RawClient, members: Mapping[str, int], chat: str = GROUP, **fields: Any) -> None:
    """Write a group, replacing the stored one; members: handle -> since; the first is the owner."""
    raw.delete(keys.chat(chat), keys.members(chat))
    info = {"name": "friends", "notice": "be kind", "avatar": "", "join": "invite", "history": 0}
    values: dict[Any, Any] = {**info, "made": EPOCH, "maker": "ann", "owners": 1, **fields}
    raw.hset(keys.chat(chat), mapping=values)
    for place, (handle, since) in enumerate(members.items()):
        write_member(raw, handle, since, Role.MEMBER if place else Role.OWNER, chat=chat)


def write_member(
    raw: RawClient, handle: str, since: int, role: Role = Role.MEMBER, muted: int = 0, chat: str = GROUP
) -> None:
    """Write a member."""
    record: Any = RECORD.pack(role, since, EPOCH, muted)
    raw.hset(keys.members(chat), handle, record)


def write_other(
    raw: RawClient, handle: str, relation: Relation, since: int = 0, upto: int = 0, chat: str = GROUP
) -> None:
    """Write the record of a user who is not a member."""
    record: Any = RECORD.pack(relation, EPOCH, since, upto)
    raw.hset(keys.others(chat), handle, record)


def write_tombstone(raw: RawClient, chat: str = GROUP) -> None:
    """Write the tombstone of a deleted group."""
    raw.delete(keys.chat(chat), keys.members(chat))
    raw.hset(keys.chat(chat), "deleted", str(EPOCH))


def reader(raw: RawClient, handle: str, chat: str) -> Held | None:
    """Return a user's stored read state."""
    held: Any = raw.hget(keys.read_states(chat), handle)
    return None if held is None else Held(*READER.unpack(held))


def write_reader(raw: RawClient, handle: str, chat: str, held: Held) -> None:
    """Write a user's read state."""
    record: Any = READER.pack(*held)
    raw.hset(keys.read_states(chat), handle, record)


def client(handle: str, expiry: int, flags: int = 0) -> bytes:
    """Return a chat connection as it is stored; expiry: µs since 1970."""
    return expiry.to_bytes(8) + bytes([flags]) + handle.encode()


def write_client(
    raw: RawClient, connection: str, handle: str, expiry: int, flags: int = 0, chat: str = GROUP
) -> None:
    """Attach a connection to a chat."""
    record: Any = client(handle, expiry, flags)
    raw.hset(keys.chat_connections(chat), connection, record)


def outbox(raw: RawClient, chat: str) -> dict[str, int]:
    """Return the pending items of a partition's chats."""
    held: Any = raw.hgetall(keys.outbox(chat))
    return {item.decode(): int(version) for item, version in held.items()}
