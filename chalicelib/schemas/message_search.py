"""Search in messages, on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from chalicelib.schemas.messages import ChatId, Message

MAX_FOUND_MESSAGES = 100
Place = Annotated[int, Meta(ge=0)]


class MessageSearchQuery(Struct):
    """A search in messages."""

    q: Annotated[
        str,
        Meta(
            description="Words that a message must have: 1 to 16, in up to 256 characters. The last one may"
            " be the beginning of a word. Case does not count.",
            examples=["train tick"],
        ),
    ]
    chat: Annotated[ChatId | None, Meta(description="Only messages of this chat.")] = None
    sender: Annotated[str | None, Meta(description="Only messages of this user, by handle.")] = field(
        default=None, name="from"
    )
    before: Annotated[
        str | None,
        Meta(
            description="The `next` of a page of this search. Or only earlier messages: with `chat` than a"
            " cursor or seq of it, else than a time in RFC 3339."
        ),
    ] = None
    limit: Annotated[int, Meta(ge=1, le=MAX_FOUND_MESSAGES)] = 20


class FoundRange(Struct, kw_only=True):
    """A part of a message's text that a search has found, in Unicode code points."""

    start: Annotated[Place, Meta(description="The place of its first character, from 0.")]
    end: Annotated[Place, Meta(description="The place after its last character.")]


class FoundMessage(Struct, kw_only=True):
    """A message that a search has found."""

    message: Message
    ranges: Annotated[
        list[FoundRange],
        Meta(
            description="The first 100 places of the words in its `text`, in order and apart from each other."
        ),
    ]


class MessageSearchPage(Struct, kw_only=True):
    """A page of found messages, newest first."""

    hits: list[FoundMessage]
    next: Annotated[
        str | None,
        Meta(
            description="Pass as `before` to search on; null if nothing is left. A page without hits may"
            " have it."
        ),
    ]
