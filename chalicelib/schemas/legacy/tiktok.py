"""TikTok-IM on the wire: send and pull of three small servers with the same API."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.schemas.messages import MessageId, Position


class TikTokSend(Struct):
    """A message for a chat of two; name the chat or the receiver."""

    sender: str
    text: str
    chat: str | None = None
    receiver: str | None = None
    id: MessageId | None = None


class TikTokPull(Struct):
    """Which messages of a chat, by position: 0 is the first, or with `reverse` the newest."""

    chat: Annotated[str, Meta(examples=["alice:bob"])]
    cursor: Position | None = None
    limit: Annotated[Position | None, Meta(description="10 if absent or 0; a page has at most 1000.")] = None
    reverse: bool | None = None


class TikTokMessage(Struct, omit_defaults=True):
    """A message of a page, or the message that a send stored."""

    chat: str
    text: str
    sender: str
    send_time: Annotated[int, Meta(description="Seconds since 1970.")]
    deleted: Annotated[
        bool, Meta(description="Only with true: the message was deleted or has expired; `text` is empty.")
    ] = False


class TikTokPage(Struct, omit_defaults=True):
    """A page of messages, in the requested order."""

    messages: list[TikTokMessage]
    has_more: bool
    next_cursor: Annotated[
        int | None, Meta(description="The position of the next page; only with `has_more`.")
    ] = None
