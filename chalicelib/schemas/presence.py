"""Presence on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.schemas.messages import Time


class UserPresence(Struct, kw_only=True):
    """Whether a user is there; whom they have blocked is shown that they never were."""

    handle: str
    online: Annotated[bool, Meta(description="Whether any connection of theirs lives.")]
    last_seen_at: Annotated[
        Time | None, Meta(description="When the last one ended; null while they are online, or for never.")
    ]
