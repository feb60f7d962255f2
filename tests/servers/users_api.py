"""Another server's REST API of users, in pages, as an import reads it."""

from __future__ import annotations

import socket
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.servers.scripted_http import Request, ScriptedServer, answer, json_answer

AUTHORIZATION = "Bearer s3cret-of-the-source"
MAPPING: dict[str, Any] = {
    "items": "data.users",
    "next": "links.next",
    "total": "data.total",
    "fields": {
        "id": "id",
        "handle": "login",
        "name": "profile.name",
        "email": "profile.email",
        "bio": "profile.about",
    },
}


class UserServer(ScriptedServer):
    """Serves `/users?page=N` in pages of a size, the next one linked; with a wrong Authorization, 401."""

    def __init__(self, users: list[Any], size: int = 2) -> None:
        super().__init__(self._page)
        self.users = users
        self.size = size
        self.source = self.url
        self.list_url = f"{self.url}/users"

    def _page(self, request: Request, _connection: socket.socket) -> bytes | None:
        if request.headers.get("authorization") != AUTHORIZATION:
            return answer(b"{}", "401 Unauthorized")
        number = int(parse_qs(urlsplit(request.target).query).get("page", ["1"])[0])
        part = self.users[(number - 1) * self.size : number * self.size]
        link = f"/users?page={number + 1}" if number * self.size < len(self.users) else None
        return json_answer({"data": {"users": part, "total": len(self.users)}, "links": {"next": link}})

    def __enter__(self) -> Self:
        super().__enter__()
        return self


def person(number: int, login: str, **profile: Any) -> dict[str, Any]:
    """Return a user in that server's form."""
    return {"id": number, "login": login, "profile": profile}
