"""TikTok-IM on the wire: send and pull of three small servers with the same API."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.schemas.messages import MessageId, Position


class TikTokSend(Struct):
    """A message for a chat of two: the chat, or the receiver, is named."""

    sender: str
    text: str
    chat: str | None = None
    receiver: str | None = None
    id: MessageId | None = None


class TikTokPull(Struct):
    """Which messages of a chat, by position in send order (0 is the first, or with reverse the newest)."""

    chat: Annotated[str, Meta(examples=["alice:bob"])]
    cursor: Position | None = None
    limit: Annotated[Position | None, Meta(description="10 when absent or 0; a page holds 1000 at most.")] = (
        None
    )
    reverse: bool | None = None


class TikTokMessage(Struct):
    """A message of a page, or the message that a send stored."""

    chat: str
    text: str
    sender: str
    send_time: Annotated[int, Meta(description="Seconds since 1970.")]


class TikTokPage(Struct, omit_defaults=True):
    """Some messages of a chat, in the order asked for."""

    messages: list[TikTokMessage]
    has_more: bool
    next_cursor: Annotated[
        int | None, Meta(description="Where the next page begins; only with has_more.")
    ] = None
