"""Memory that a member of a group, and a chat in a user's index, take in the store, in bytes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from bench.findings import Table
from bench.loads import SENDER, TEXT
from bench.memory import Scales
from bench.options import Scale
from chalicelib.config import Settings
from chalicelib.services.values.chat_id import new_group_id
from chalicelib.store.chats.chats import Chats
from chalicelib.store.chats.info import Info, Role
from chalicelib.store.inbox.entries import InboxEntry, InboxState
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.messages.content import Content, packed
from chalicelib.store.redis.query import Query

GROUPS, INBOXES = (10, 100, 1000), (10, 1000)
STARTED_AT = 1_700_000_000_000_000
MEMBER_COLUMNS = ("store", "members", "B a member, with its share of the group")
ROW_COLUMNS = ("store", "chats of the user", "B a chat, with its share of the user's keys")

Row = tuple[str, ...]


def members(scales: Scales, scale: Scale) -> list[Row]:
    """Measure groups by number of members; each group has its first message and nothing else."""
    return [_members(scales, size, max(1, scale.chats // size)) for size in GROUPS]


def rows(scales: Scales, scale: Scale) -> list[Row]:
    """Measure the indexes of users whose groups have changed."""
    return [_rows(scales, size, max(1, scale.chats // size)) for size in INBOXES]


def tables(member_rows: list[Row], inbox_rows: list[Row]) -> list[Table]:
    """Return both as tables."""
    return [
        Table(
            "Memory of a member",
            "The record of a member in a group, everything of the group included: its name, its log with one"
            " message, the tables of keys. A member who reads also has a read state. A server packs"
            " small hashes and sorted sets; larger ones are tables, which take more.",
            MEMBER_COLUMNS,
            member_rows,
        ),
        Table(
            "Memory of a chat in a user's index",
            "The user's relation to the chat, its last change, and its last activity; the id of a group"
            " has 38 characters, and is in each of the three.",
            ROW_COLUMNS,
            inbox_rows,
        ),
    ]


def _members(scales: Scales, size: int, count: int) -> Row:
    what = f"{count} groups of {size} members"
    total = scales.weigh(what, partial(_write_groups, scales, size, count)).total
    return scales.name, f"{size:,}", f"{total / (count * size):.1f}"


def _write_groups(scales: Scales, size: int, count: int) -> None:
    settings = Settings()
    chats = Chats(settings.max_members, settings.large_chat)
    people = [(handle, Role.MEMBER) for handle in _handles(size)]
    people[0] = (people[0][0], Role.OWNER)
    body = packed(Content(SENDER, TEXT))
    for _ in range(count):
        assert scales.store.run(chats.create(new_group_id(), Info(name="bench", maker=SENDER), people, body))
    scales.forget_owed()


def _rows(scales: Scales, size: int, count: int) -> Row:
    what = f"{count} users of {size} chats"
    total = scales.weigh(what, partial(_write_rows, scales, size, count)).total
    return scales.name, f"{size:,}", f"{total / (count * size):.1f}"


def _write_rows(scales: Scales, size: int, count: int) -> None:
    inboxes, chats = Inboxes(), [new_group_id() for _ in range(size)]

    def placing() -> Iterator[Query[Any]]:
        for handle in _handles(count):
            for place, chat in enumerate(chats):
                when = STARTED_AT + place
                yield from [inboxes.update(chat, InboxEntry(handle, when, InboxState.IN, when))]

    scales.store.run_all(placing())


def _handles(count: int) -> list[str]:
    return [f"member{number:06d}" for number in range(count)]
