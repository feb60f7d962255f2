"""Cursors: a place in one history of a chat, or in a list."""

from __future__ import annotations

import re
from typing import NamedTuple

from chalicelib.errors import bad_field
from chalicelib.services.values.names import HANDLE
from chalicelib.store.redis.sorted_sets import ScoredMember

CURSOR = re.compile(r"(\d{1,15})(?:\.(\d{1,16})\.(\d{1,16}))?", re.ASCII)
LIST_CURSOR = re.compile(rf"(\d{{1,16}})\.({HANDLE.pattern})", re.ASCII)
SEQ = re.compile(r"[1-9]\d{0,14}", re.ASCII)


class Cursor(NamedTuple):
    """A message's seq, and what tells that it is still that message.

    time: its time, µs since 1970. epoch: its log's. Both None for a plain seq, which is not checked.
    """

    seq: int
    time: int | None = None
    epoch: int | None = None

    @classmethod
    def parse(cls, text: str, field: str) -> Cursor:
        """Read a cursor; raises BadRequest naming the field."""
        match = CURSOR.fullmatch(text)
        if not match:
            raise bad_field(field, "a cursor is one that a page gave, or a seq")
        seq, time, epoch = match.groups()
        return cls(int(seq)) if time is None else cls(int(seq), int(time), int(epoch))

    def __str__(self) -> str:
        return str(self.seq) if self.time is None else f"{self.seq}.{self.time}.{self.epoch}"


def seq_of(text: str, field: str) -> int:
    """Read a seq, a whole number from 1; raises BadRequest naming the field."""
    if not SEQ.fullmatch(text):
        raise bad_field(field, "a seq is a whole number from 1")
    return int(text)


def mark_of(cursor: str, field: str) -> ScoredMember:
    """Read a cursor of a list or feed, `<number>.<handle>`; raises BadRequest naming the field."""
    match = LIST_CURSOR.fullmatch(cursor)
    if not match:
        raise bad_field(field, "a cursor is the `next` of a page")
    return ScoredMember(int(match[1]), match[2])


def cursor_of(mark: ScoredMember) -> str:
    """Return the cursor of what a page of a list or feed ends with; its member is a handle."""
    return f"{mark.score}.{mark.member}"
