"""The kinds of cursors; inbox/sync_token.py and export/archive.py declare one each, too."""

from __future__ import annotations

import re
from typing import NamedTuple

from chalicelib.errors import bad_field
from chalicelib.services.values.chat_id import ROOM
from chalicelib.services.values.names import HANDLE
from chalicelib.services.values.paging import Field, TextCursor, Value, from_base64, number, to_base64
from chalicelib.store.messages.pins import PinMark
from chalicelib.store.redis.sorted_sets import ScoredMember
from chalicelib.store.search import SearchEntry

SEQ = re.compile(r"[1-9]\d{0,14}", re.ASCII)
SCHEDULED_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
MAX_BASE64_CURSOR_CHARACTERS = 1024
TIME = number(16)
"""µs since 1970."""
LAST_TIME = 2**53 - 1
"""A time after all others, in µs since 1970: the largest whole number that a script can hold."""


class MessageCursor(NamedTuple):
    """The seq of a message, with the time and epoch that identify the message.

    time: Of the message, µs since 1970.
    epoch: Of its chat's log, µs since 1970.
    Both are None for a plain seq, which is not checked.
    """

    seq: int
    time: int | None = None
    epoch: int | None = None

    def __str__(self) -> str:
        """Return what MESSAGE_CURSOR encodes, in less time: each pushed message and each row has one."""
        return str(self.seq) if self.epoch is None else f"{self.seq}.{self.time}.{self.epoch}"


class ChangeCursor(NamedTuple):
    """The newest change of a chat's members and fields that a client knows.

    cursor: Of a system message at that change or after it.
    time: Of the change, µs since 1970; None for the time of the message.
    subject: The changed member or fields; empty or None for a client that knows all changes of that time.
    """

    cursor: MessageCursor
    time: int | None = None
    subject: str | None = None


class MessageSearchCursor(NamedTuple):
    """Where a search in the messages of all chats goes on: at messages of some chats below (time, chat).

    opened: When the first page was read. start: All messages of the search are earlier. upto, low: The chats
    whose last activity, when the first page was read, was before `upto` and not before `low`; both are the
    same where it is not settled yet which chats. All in µs since 1970.
    """

    opened: int
    start: int
    upto: int
    low: int
    time: int
    chat: str | None = None

    @classmethod
    def first(cls, opened: int, start: int) -> MessageSearchCursor:
        """Return the cursor of the first page."""
        return cls(opened, start, LAST_TIME, LAST_TIME, start)

    def next_chats(self) -> MessageSearchCursor:
        """Return the cursor of the chats that follow those of this one."""
        start = min(self.start, self.opened + 1)
        return self._replace(upto=self.low, time=start, chat=None)

    def bound_of(self, chat: str) -> int:
        """Return the time before which the messages of a chat are left."""
        return self.time + 1 if self.chat is not None and chat < self.chat else self.time


MESSAGE_HINT = "send the cursor of a page, or a seq"
MESSAGE_CURSOR = TextCursor(
    MessageCursor, "{seq}[.{time}.{epoch}]", MESSAGE_HINT, seq=number(15), time=TIME, epoch=TIME
)
"""A message of a chat."""
CHANGE_CURSOR = TextCursor(
    ChangeCursor,
    "{cursor}[~{time}.{subject}]",
    MESSAGE_HINT,
    cursor=Field(r"[\d.]+", MESSAGE_CURSOR.read),
    time=TIME,
    subject=Field(".{1,200}"),
)
"""A change of a group's or room's members and fields."""
USER_CURSOR = TextCursor(ScoredMember, "{time}.{handle}", time=TIME, handle=Field(HANDLE.pattern))
"""A user in a list, or a post by its author: posts are named by their times."""
CHAT_CURSOR = TextCursor(ScoredMember, "{time}.{chat}", time=TIME, chat=Field(".{1,200}"))
"""A chat of an inbox, by the time of its last activity."""
MESSAGE_SEARCH_CURSOR = TextCursor(
    MessageSearchCursor,
    "{opened}.{start}.{upto}.{low}.{time}[.{chat}]",
    "send the `next` of a page or a time; a seq needs `chat`",
    opened=TIME,
    start=TIME,
    upto=TIME,
    low=TIME,
    time=TIME,
    chat=Field(".{1,200}"),
)
"""A search in the messages of all chats."""
ROOM_CURSOR = TextCursor(ScoredMember, "{time}.{room}", time=TIME, room=Field(ROOM.pattern))
"""A room in the list of all rooms, by the time at which it was made."""


class Base64Cursor(TextCursor[Value]):
    """A cursor that is its text in base64url; read with or without padding."""

    def read(self, text: str) -> Value:
        """Return the value of a cursor; raises ValueError."""
        if len(text) > MAX_BASE64_CURSOR_CHARACTERS:
            raise ValueError
        return super().read(from_base64(text.rstrip("=")).decode())

    def encode(self, value: Value) -> str:
        """Return the cursor of a value."""
        return to_base64(super().encode(value).encode())


PIN_CURSOR = TextCursor(PinMark, "{time}.{seq}", time=TIME, seq=number(15))
"""A pinned message, by when it was pinned."""
SCHEDULED_CURSOR = TextCursor(
    ScoredMember, "{time}.{scheduled}", time=TIME, scheduled=Field(SCHEDULED_ID.pattern)
)
"""A scheduled message, by when it is sent."""


class ReportMark(NamedTuple):
    """The place of a report in the list of its chat; time: µs since 1970."""

    time: int
    seq: int
    reporter: str


REPORT_CURSOR = TextCursor(
    ReportMark, "{time}.{seq}.{reporter}", time=TIME, seq=number(15), reporter=Field(r"[^\n]{1,64}")
)
"""A report of a message of a chat."""


class ReactionMark(NamedTuple):
    """The place of a reaction in the list of a message."""

    emoji: str
    handle: str


REACTION_CURSOR = Base64Cursor(
    ReactionMark, "{emoji}\0{handle}", emoji=Field(r"[^\0]{1,64}"), handle=Field(r"[^\0]{1,200}")
)
"""A reaction to a message."""
SEARCH_CURSOR = Base64Cursor(
    SearchEntry,
    "{term}\0{id}",
    "send the `next` of a page of this search",
    term=Field(r"[^\0]*"),
    id=Field(r"[^\0]*"),
)


def seq_of(text: str, field: str) -> int:
    """Return the seq that a text is, a whole number from 1; raises BadRequest naming the field."""
    if not SEQ.fullmatch(text):
        raise bad_field(field, "a seq is a whole number from 1")
    return int(text)
