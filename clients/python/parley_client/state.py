"""What a client keeps over restarts: how far the application was told."""

from __future__ import annotations

from typing import Self

import msgspec
from msgspec import Struct

from parley_client.incoming import Message


class Cursor(Struct, frozen=True, kw_only=True):
    """A place in one history of a chat: its epoch, and a message's seq and time (µs); 0 for not known."""

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
        """Whether the server can tell by it whether it has the message."""
        return bool(self.time and self.epoch)

    def at(self, message: Message) -> Cursor:
        """Return the cursor of a message of the same history."""
        return Cursor(epoch=self.epoch, seq=message.seq, time=message.time)


class State(Struct, kw_only=True):
    """How far the application was told.

    version: the token of the last sync all of whose messages it has. chats: the newest message of each chat.
    unchecked: chats whose newest message came after that sync.
    """

    version: str | None = None
    chats: dict[str, Cursor] = {}
    unchecked: set[str] = set()

    def to_json(self) -> bytes:
        """Return it as JSON, to be stored."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read what `to_json` gave; raises msgspec.DecodeError."""
        return msgspec.json.decode(data, type=cls)

    def copy(self) -> State:
        """Return another one that says the same."""
        return State(version=self.version, chats=dict(self.chats), unchecked=set(self.unchecked))
