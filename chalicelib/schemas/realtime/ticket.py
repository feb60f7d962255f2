"""The ticket that opens a WebSocket connection."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.schemas.messages import Time
from chalicelib.schemas.realtime.fields import RoomId


class TicketRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The ticket to give."""

    room: Annotated[RoomId | None, Meta(description="A room to join as soon as the connection is ready.")] = (
        None
    )


class Ticket(Struct, kw_only=True):
    """A ticket that opens one WebSocket connection: `<url>?ticket=<ticket>`."""

    url: Annotated[str, Meta(examples=["wss://abc.execute-api.us-east-1.amazonaws.com/prod"])]
    ticket: Annotated[str, Meta(description="Valid once, for 30 seconds.")]
    expires_at: Time
