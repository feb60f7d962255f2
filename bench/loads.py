"""The measured requests, the same over HTTP and in process."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

import msgspec

TEXT = "Shall we meet at the station at seven?"
"""A text of 38 characters."""
SENDER = "alice"
SEND_CHAT = "alice:bob"
PULL_CHAT = "alice:carol"
PULL_CHAT_LENGTH = 100
PAGE = 10
MEMBERS = ("dave", "erin")
"""Two users with accounts; the names above have none."""
PASSWORD = "correct horse battery staple"  # noqa: S105 # of accounts that are gone with the run

UNIQUE_ID = "$ID"
"""Placeholder in a body for an id that is new in each request."""
ID_CHARACTERS = 36
"""The length of a UUID, and so of every id."""


class Load(NamedTuple):
    """One request, which is repeated.

    sender: The caller's name.
    token: The caller's token; empty for a caller by name.
    """

    name: str
    method: str
    path: str
    body: str = ""
    sender: str = SENDER
    token: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the request."""
        return self._caller | ({"Content-Type": "application/json"} if self.body else {})

    @property
    def _caller(self) -> dict[str, str]:
        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        return {"X-Parley-User": self.sender} if self.path.startswith("/v1") else {}


def _json(**fields: object) -> str:
    return msgspec.json.encode(fields).decode()


def _messages(chat: str) -> str:
    return f"/v1/chats/{quote(chat, safe='')}/messages"


def sends(sender: str, chat: str, token: str = "") -> tuple[Load, Load]:
    """Return a TikTok-IM send and one under /v1, by a member of a chat."""
    legacy = _json(chat=chat, sender=sender, text=TEXT)
    v1 = _json(text=TEXT, id=UNIQUE_ID)
    return (
        Load("send", "POST", "/api/send", legacy, sender, token),
        Load("/v1 send with an id", "POST", _messages(chat), v1, sender, token),
    )


def pull_from(sender: str, chat: str, cursor: int, token: str = "") -> Load:
    """Return a TikTok-IM pull of a page from a place in a chat, by a member."""
    body = _json(chat=chat, cursor=cursor, limit=PAGE)
    return Load(f"pull of {PAGE}", "POST", "/api/pull", body, sender, token)


def pulls(sender: str, chat: str, token: str = "") -> tuple[Load, Load]:
    """Return a TikTok-IM pull of a chat's first messages, and a page of them under /v1, by a member."""
    return (
        pull_from(sender, chat, 0, token),
        Load(f"/v1 page of {PAGE}", "GET", f"{_messages(chat)}?after=0&limit={PAGE}", "", sender, token),
    )


def new_group(sender: str, others: list[str], token: str = "") -> Load:
    """Return the request that creates a group of its sender and others."""
    body = _json(kind="group", name="bench", members=others)
    return Load("make a group", "POST", "/v1/chats", body, sender, token)


def registration(handle: str) -> Load:
    """Return the request that registers an account."""
    return Load("register", "POST", "/v1/register", _json(handle=handle, password=PASSWORD))


HELLO = Load("hello", "GET", "/")
PING = Load("ping", "GET", "/ping")
SEND, SEND_V1 = sends(SENDER, SEND_CHAT)
PULL, PAGE_V1 = pulls(SENDER, PULL_CHAT)

LOADS = (PING, SEND, PULL, SEND_V1, PAGE_V1)
FILL, _ = sends(SENDER, PULL_CHAT)
"""A message; it is sent PULL_CHAT_LENGTH times before the first pull."""
