"""Reactions to messages on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.schemas.messages import EmojiText
from chalicelib.schemas.social import Next, PageCursor

MAX_REACTIONS_PAGE = 200


class ReactionsQuery(Struct):
    """Which page of the reactions to a message."""

    emoji: Annotated[EmojiText | None, Meta(description="Only reactions of this kind.")] = None
    cursor: PageCursor | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_REACTIONS_PAGE)] = 50


class Reaction(Struct, kw_only=True):
    """A user's reaction to a message."""

    emoji: Annotated[str, Meta(description="One emoji, fully qualified.", examples=["👍"])]
    user: str


class ReactionPage(Struct, kw_only=True):
    """Some reactions to a message, those of one kind together, each kind by handle."""

    reactions: list[Reaction]
    next: Next
