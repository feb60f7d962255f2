"""Pinned messages on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.schemas.messages import Message
from chalicelib.schemas.social import Next, PageCursor

MAX_PINS = 100


class PinsQuery(Struct):
    """Which page of the pinned messages."""

    cursor: PageCursor | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_PINS)] = 50


class PinPage(Struct, kw_only=True):
    """Some pinned messages of a chat, the newest pin first."""

    messages: list[Message]
    next: Next
