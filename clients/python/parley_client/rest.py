"""The HTTP requests of a client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from msgspec import to_builtins

from parley_client.errors import ParleyError, Unreachable, problem
from parley_client.incoming import Ack, Page
from parley_client.models import ChatRow
from parley_client.outgoing import HeldCursor
from parley_client.responses import Account, Entry, RestInbox, RestSync, Ticket
from parley_client.settings import Settings

T = TypeVar("T")
VERSION = "0.1.0"


class Rest:
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

    async def register(self, handle: str, password: str, email: str | None = None) -> Account:
        """Register an account and log in."""
        fields = {"handle": handle, "password": password} | ({"email": email} if email else {})
        return await self._enter("/v1/register", fields)

    async def login(self, handle: str, password: str) -> Account:
        """Log in."""
        return await self._enter("/v1/login", {"handle": handle, "password": password})

    async def logout(self) -> None:
        """End the session of the token, and its WebSockets."""
        await self._call("POST", "/v1/logout")

    async def ticket(self) -> Ticket:
        """Get a ticket, which opens one WebSocket once."""
        return _read(await self._call("POST", "/v1/realtime/ticket", {}), Ticket)

    async def send(
        self,
        chat: str,
        text: str,
        id: str,  # noqa: A002 # the API's own word
        reply_to: int | None,
    ) -> Ack:
        """Append a message to a chat, once for each id."""
        body = {"text": text, "id": id, "reply_to": reply_to}
        return _read(await self._call("POST", _messages(chat), body), Ack)

    async def page(
        self, chat: str, *, after: str | None = None, before: str | None = None, limit: int = 50
    ) -> Page:
        """Read messages of a chat: those after a cursor, those before one, or the newest."""
        query = {"after": after, "before": before, "limit": str(limit)}
        return _read(await self._call("GET", _messages(chat), query=query), Page)

    async def sync(
        self, since: str | None = None, limit: int = 50, check: Sequence[HeldCursor] = ()
    ) -> RestSync:
        """Read the chats that changed since a sync, and those whose checked messages the server has lost.

        since: The `next` of the earlier sync.
        check: The client's newest messages, at most MAX_CHECKED. Servers without checks answer 405 to any.
        """
        if not check:
            query = {"since": since, "limit": str(limit)}
            return _read(await self._call("GET", "/v1/sync", query=query), RestSync)
        body = {"since": since, "limit": limit, "check": to_builtins(check)}
        return _read(await self._call("POST", "/v1/sync", body), RestSync)

    async def chats(self, limit: int = 50) -> list[ChatRow]:
        """Read the most recently active chats, latest first."""
        return _read(await self._call("GET", "/v1/chats", query={"limit": str(limit)}), RestInbox).chats

    async def chat(self, chat: str) -> ChatRow:
        """Read one chat of the inbox. Raises Problem if it does not exist."""
        return _read(await self._call("GET", f"/v1/chats/{quote(chat, safe='')}"), ChatRow)

    async def join(self, chat: str) -> None:
        """Join an open room or group."""
        await self._call("POST", f"/v1/chats/{quote(chat, safe='')}/join")

    async def make_room(self, room: str, name: str | None = None) -> None:
        """Create an open room; room: Its id without `r-`. Raises Problem if it exists already."""
        fields = {"kind": "room", "id": room, "name": name or room}
        await self._call("POST", "/v1/chats", fields)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _enter(self, path: str, fields: dict[str, str]) -> Account:
        entry = _read(await self._call("POST", path, fields), Entry)
        return Account(handle=entry.user.handle, token=entry.token, expires_at=entry.expires_at)

    async def _call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        query: dict[str, str | None] | None = None,
    ) -> bytes:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            answer = await self._http.request(method, self.url + path, json=body, params=given)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise Unreachable(
                f"{self.url} cannot be reached: {str(error) or type(error).__name__}."
            ) from error
        if answer.is_success:
            return answer.content
        raise problem(answer.status_code, answer.content, answer.headers.get("Retry-After"))


def _messages(chat: str) -> str:
    return f"/v1/chats/{quote(chat, safe='')}/messages"


def _read(content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise ParleyError(f"The server's answer is not what its API says: {error}.") from None
