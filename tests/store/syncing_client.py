"""Clients that know their chats only from the inbox and the sync."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tests.store.app_requests import Answer, call
from tests.store.chat_model import FLAGS, Row

SHOWN_FLAGS = {"unread": "marked_unread", "pinned": "pinned", "muted": "muted", "archived": "archived"}
MAX_PAGES = 50


def asked(method: str, path: str, user: str, body: Any = None, query: str = "") -> Answer:
    """Call the app by name."""
    return call(method, path, query, body, X_Parley_User=quote(user))


def row_of(body: dict[str, Any]) -> Row:
    """Return a chat's row in an answer, as the model has it."""
    flags = frozenset(flag for flag in FLAGS if body[SHOWN_FLAGS[flag]])
    if body["state"] == "invited":
        return Row("invited", 0, 0, 0, frozenset(), None)
    last = body["last"]
    shown = last and (last["sender"], last["kind"], last["text"] if last["kind"] == "text" else "")
    return Row(body["state"], body["seq"], body["unread"], body["read"], flags, shown)


def inbox_of(user: str, limit: int) -> list[dict[str, Any]]:
    """Return the inbox of a user, read in pages."""
    rows: list[dict[str, Any]] = []
    cursor = ""
    for _ in range(MAX_PAGES):
        page = asked("GET", "/v1/chats", user, query=f"limit={limit}{cursor}").body
        rows += page["chats"]
        if page["next"] is None:
            return rows
        cursor = f"&cursor={quote(page['next'])}"
    raise AssertionError("the inbox does not end")


class Client:
    """Keeps the chats of a user up to date by sync alone."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.rows: dict[str, dict[str, Any]] = {}
        self.token: str | None = None
        self.resets = 0

    def sync(self, limit: int = 3) -> list[str]:
        """Apply a sync, and return the chats in its order."""
        chats: list[str] = []
        for _ in range(MAX_PAGES):
            since = "" if self.token is None else f"&since={quote(self.token)}"
            page = asked("GET", "/v1/sync", self.user, query=f"limit={limit}{since}").body
            if page["reset"]:
                self.rows, self.resets = {}, self.resets + 1
            for row in page["chats"]:
                chats.append(row["chat"])
                self._take(row)
            self.token = page["next"]
            if not page["more"]:
                return chats
        raise AssertionError("the sync does not end")

    def _take(self, row: dict[str, Any]) -> None:
        if row["state"] in ("member", "invited"):
            self.rows[row["chat"]] = row
        else:
            self.rows.pop(row["chat"], None)

    @property
    def known(self) -> dict[str, Row]:
        """The client's state, as the model has it."""
        return {chat: row_of(row) for chat, row in self.rows.items()}
