"""The requests that are measured, the same over HTTP and in process."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

import msgspec

TEXT = "Shall we meet at the station at seven?"
"""38 characters."""
SENDER = "alice"
SEND_CHAT = "alice:bob"
PULL_CHAT = "alice:carol"
PULL_CHAT_LENGTH = 100
PAGE = 10

UNIQUE_ID = "$ID"
"""Stands in a body for an id that is another one each time."""
ID_CHARACTERS = 36
"""The length of a UUID, which every id has."""


class Load(NamedTuple):
    """One request, made again and again."""

    name: str
    method: str
    path: str
    body: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The headers it needs."""
        caller = {"X-Parley-User": SENDER} if self.path.startswith("/v1") else {}
        return {**caller, "Content-Type": "application/json"} if self.body else caller


def _json(**fields: object) -> str:
    return msgspec.json.encode(fields).decode()


def _messages(chat: str) -> str:
    return f"/v1/chats/{quote(chat, safe='')}/messages"


HELLO = Load("hello", "GET", "/")
PING = Load("ping", "GET", "/ping")
SEND = Load("send", "POST", "/api/send", _json(chat=SEND_CHAT, sender=SENDER, text=TEXT))
PULL = Load(f"pull of {PAGE}", "POST", "/api/pull", _json(chat=PULL_CHAT, cursor=0, limit=PAGE))
SEND_V1 = Load("/v1 send with an id", "POST", _messages(SEND_CHAT), _json(text=TEXT, id=UNIQUE_ID))
PAGE_V1 = Load(f"/v1 page of {PAGE}", "GET", f"{_messages(PULL_CHAT)}?after=0&limit={PAGE}")

LOADS = (PING, SEND, PULL, SEND_V1, PAGE_V1)
FILL = Load("fill", "POST", "/api/send", _json(chat=PULL_CHAT, sender=SENDER, text=TEXT))
"""Sent PULL_CHAT_LENGTH times before anything is pulled."""
