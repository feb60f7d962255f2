"""What a client keeps over restarts: the last events that the application has taken."""

from __future__ import annotations

from typing import Self

import msgspec
from msgspec import Struct

from parley_client.models import Message


class Cursor(Struct, frozen=True, kw_only=True):
    """A position in one history of a chat: its epoch, and a message's seq and time in µs; 0 if unknown."""

    epoch: int = 0
    seq: int = 0
    time: int = 0

    def __str__(self) -> str:
        return f"{self.seq}.{self.time}.{self.epoch}" if self.checkable else str(self.seq)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a cursor that the server wrote."""
        seq, time, epoch = ([int(part) for part in text.split(".")] + [0, 0])[:3]
        return cls(epoch=epoch, seq=seq, time=time)

    @property
    def checkable(self) -> bool:
        """Whether the server can check by this cursor whether it still has the message."""
        return bool(self.time and self.epoch)

    def at(self, message: Message) -> Cursor:
        """Return the cursor of a message of the same history."""
        return Cursor(epoch=self.epoch, seq=message.seq, time=message.time)


class State(Struct, kw_only=True):
    """The last events that the application has taken.

    version: The token of the last sync all of whose messages were taken.
    chats: The newest message of each chat.
    unchecked: Chats whose newest message came after that sync.
    changes: A cursor for each chat, up to which all changes of its messages were taken.
    """

    version: str | None = None
    chats: dict[str, Cursor] = {}
    unchecked: set[str] = set()
    changes: dict[str, str] = {}

    def to_json(self) -> bytes:
        """Return the state as JSON, for storing."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the result of `to_json`; raises msgspec.DecodeError."""
        return msgspec.json.decode(data, type=cls)

    def copy(self) -> State:
        """Return a copy."""
        return State(
            version=self.version,
            chats=dict(self.chats),
            unchecked=set(self.unchecked),
            changes=dict(self.changes),
        )
