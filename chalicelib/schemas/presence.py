"""Presence on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.schemas.messages import Time


class UserPresence(Struct, kw_only=True):
    """Whether a user is online; users whom they have blocked see that they never were."""

    handle: str
    online: Annotated[bool, Meta(description="Whether the user has an open connection.")]
    last_seen_at: Annotated[
        Time | None, Meta(description="When the last connection ended; null while online, or for never.")
    ]
