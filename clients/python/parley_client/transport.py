"""HTTP requests to one server."""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from parley_client.errors import ParleyError, Unreachable, problem
from parley_client.settings import Settings

T = TypeVar("T")
VERSION = "0.1.0"


class Transport:
    """Requests of one user to one server; all raise Problem, NotAuthenticated and Unreachable.

    url: Of the server.
    user: A name, on an open server.
    token: The token of an account.
    """

    def __init__(
        self, url: str, settings: Settings, *, user: str | None = None, token: str | None = None
    ) -> None:
        self.url = url.rstrip("/")
        headers = {"User-Agent": f"parley-client/{VERSION}"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        elif user:
            headers["X-Parley-User"] = quote(user, safe="")
        self._http = httpx.AsyncClient(
            headers=headers,
            timeout=settings.answer_seconds,
            verify=settings.tls if settings.tls is not None else True,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def ask(
        self,
        kind: type[T],
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        query: dict[str, str | None] | None = None,
        headers: dict[str, str] | None = None,
    ) -> T:
        """Return the answer to a request; raises ParleyError if it is not of this kind."""
        content = await self.call(method, path, body, query, headers)
        try:
            return msgspec.json.decode(content, type=kind)
        except msgspec.DecodeError as error:
            raise ParleyError(f"The server's answer is not what its API says: {error}.") from None

    async def call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        query: dict[str, str | None] | None = None,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        """Return the body of the answer to a request."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            answer = await self._http.request(
                method, self.url + path, json=body, params=given, headers=headers
            )
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise Unreachable(
                f"{self.url} cannot be reached: {str(error) or type(error).__name__}."
            ) from error
        if answer.is_success:
            return answer.content
        raise problem(answer.status_code, answer.content, answer.headers.get("Retry-After"))


def chat_path(chat: str) -> str:
    """Return the path of a chat."""
    return f"/v1/chats/{quote(chat, safe='')}"


def messages_path(chat: str) -> str:
    """Return the path of the messages of a chat."""
    return f"{chat_path(chat)}/messages"


def message_path(chat: str, seq: int) -> str:
    """Return the path of a message."""
    return f"{messages_path(chat)}/{seq}"
