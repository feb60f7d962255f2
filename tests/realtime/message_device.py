"""A device that holds the messages of its chats: by frames while connected, else by syncs and feeds."""

from __future__ import annotations

from typing import Any

import msgspec

from chalicelib.services import Services
from chalicelib.services.auth.caller import Caller
from tests.realtime.recorded_connections import Socket, Stage

Row = dict[str, Any]
LIMIT = 3
"""Rows of a page: so few that most reads take several."""
DERIVED = frozenset(("replied", "thread"))
"""What a message shows of others, which a client derives from those that it holds."""
OF_FRAME = frozenset(("type", "cursor", "epoch", "sender_name", "partial"))


class Device:
    """A device of a user; held: Its messages by chat and seq, without what they show of others."""

    def __init__(self, stage: Stage, user: str) -> None:
        self._stage, self._services = stage, stage.services
        self.user = user
        self.socket: Socket | None = None
        self.held: dict[str, dict[int, Row]] = {}
        self.rows: dict[str, Row] = {}
        self._version: str | None = None
        self._hidden: set[tuple[str, int]] = set()
        self._known: dict[str, tuple[str, str | None]] = {}

    def connect(self) -> None:
        """Open a connection, and read what was missed."""
        self.socket = self._stage.connect(self.user)
        self.sync()

    def disconnect(self) -> None:
        """Close the connection."""
        assert self.socket is not None
        self.socket.close()
        self.socket = None

    def sync(self) -> None:
        """Read the rows that have moved, and of each chat what is new and what has changed."""
        more = True
        while more:
            page = self._services.sync.page(self._caller(), self._version, LIMIT)
            self._version, more = page.next, page.more
            for row in plain(page.chats):
                self._take(row)

    def receive(self) -> None:
        """Apply the frames that have come."""
        assert self.socket is not None
        frames, self.socket.frames[:] = list(self.socket.frames), []
        for frame in frames:
            chat = frame.get("chat", "")
            if frame["type"] == "message":
                self._hold(chat, {name: value for name, value in frame.items() if name not in OF_FRAME})
                self._read_partial(frame, frame)
            elif frame["type"] == "change" and frame.get("hidden"):
                self._drop(chat, frame["seq"])
            elif frame["type"] == "change":
                self._hold(chat, frame["message"])
                self._read_partial(frame, frame["message"])
            elif frame["type"] == "chat":
                self.rows[chat] = frame
                self._fill({name: value for name, value in frame.items() if name != "type"})

    def _take(self, row: Row) -> None:
        self.rows[row["chat"]] = row
        self._fill(row)

    def _fill(self, row: Row) -> None:
        """Read the messages and changes of a chat that the device does not have."""
        if row["state"] != "member":
            return
        chat = row["chat"]
        held = self.held.get(chat, {})
        for seq in [one for one in held if one <= row["base"]]:
            del held[seq]
        cursor, change = self._known.get(chat, ("0", None))
        if cursor != row["cursor"]:
            cursor = self._pull(chat, cursor, row["cursor"])
        if change != row["change"]:
            change = self._feed(chat, change)
        self._known[chat] = cursor, change

    def _pull(self, chat: str, cursor: str, upto: str) -> str:
        """Read the messages after a cursor, up to another; return the last one."""
        before = None
        while cursor not in (upto, before):
            page = self._services.messages.page(self._caller(), chat, after=cursor, before=None, limit=LIMIT)
            for message in plain(page.messages):
                self._hold(chat, message)
            before, cursor = cursor, page.next
        return cursor

    def _feed(self, chat: str, since: str | None) -> str | None:
        """Read the changes since a cursor; return the cursor of the last one."""
        more = True
        while more:
            page = self._services.changelog.page(self._caller(), chat, since, LIMIT)
            for changed in plain(page.changes):
                if changed.get("hidden"):
                    self._drop(chat, changed["seq"])
                elif changed["subject"] == "message":
                    self._hold(chat, changed["message"])
            since, more = page.next, page.more
        return since

    def _drop(self, chat: str, seq: int) -> None:
        """Drop a message that the user has hidden, for good."""
        self._hidden.add((chat, seq))
        self.held.get(chat, {}).pop(seq, None)

    def _read_partial(self, frame: Row, message: Row) -> None:
        if frame.get("partial") and (message["chat"], message["seq"]) not in self._hidden:
            found = self._services.messages.one(self._caller(), message["chat"], str(message["seq"]))
            self._hold(message["chat"], plain(found))

    def _hold(self, chat: str, message: Row) -> None:
        if (chat, message["seq"]) in self._hidden:
            return
        held = self.held.setdefault(chat, {})
        before = held.get(message["seq"])
        if before is None or message.get("change", 0) >= before.get("change", 0):
            held[message["seq"]] = {name: value for name, value in message.items() if name not in DERIVED}

    def _caller(self) -> Caller:
        return self._stage.caller(self.user)


def plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    return msgspec.json.decode(msgspec.json.encode(value))


def pulled(services: Services, caller: Caller, chat: str) -> list[Row]:
    """Return all messages of a chat that a user can read."""
    page = services.messages.page(caller, chat, after="0", before=None, limit=1000)
    messages: list[Row] = plain(page.messages)
    return messages
