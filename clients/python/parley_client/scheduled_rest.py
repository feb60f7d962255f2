"""HTTP requests about scheduled messages."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

from parley_client.models import Scheduled
from parley_client.outgoing import Send
from parley_client.responses import ScheduledPage
from parley_client.transport import Transport, chat_path

LIMIT = "100"


class ScheduledRest:
    """Requests about the user's scheduled messages; all raise Problem, NotAuthenticated and Unreachable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def add(self, send_at: datetime, frame: Send) -> Scheduled:
        """Schedule a message, once for each id."""
        body = frame.body() | {"send_at": _text(send_at)}
        return await self._transport.ask(Scheduled, "POST", f"{chat_path(frame.chat)}/scheduled", body)

    async def page(self, chat: str | None, cursor: str | None) -> ScheduledPage:
        """List scheduled messages, of one chat or of all."""
        query = {"chat": chat, "cursor": cursor, "limit": LIMIT}
        return await self._transport.ask(ScheduledPage, "GET", "/v1/scheduled", query=query)

    async def change(self, id: str, send_at: datetime | None, text: str | None) -> Scheduled:  # noqa: A002
        """Change the time or the text of a scheduled message."""
        fields = {"send_at": send_at and _text(send_at), "text": text}
        body = {name: value for name, value in fields.items() if value is not None}
        return await self._transport.ask(Scheduled, "PATCH", _path(id), body)

    async def cancel(self, id: str) -> None:  # noqa: A002
        """Cancel a scheduled message."""
        await self._transport.call("DELETE", _path(id))


def _path(id: str) -> str:  # noqa: A002 # the API's own word
    return f"/v1/scheduled/{quote(id, safe='')}"


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
