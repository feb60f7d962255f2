"""Changes of chats on the wire."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.schemas.messages import MAX_PAGE, ChangeNumber, Message, Seq, Time
from chalicelib.schemas.system_events import Role


class ChangesQuery(Struct):
    """Which page of the changes."""

    since: Annotated[
        str | None, Meta(description="The `next` of the last page, or the `change` of a chat.")
    ] = None
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 100


class Changed(Struct, kw_only=True):
    """A change of a chat; the fields after `subject` are of a member or a message."""

    subject: Annotated[
        Literal["info", "member", "message"],
        Meta(
            description="`info`: read the chat again. `member`: `user` has joined, left or changed. "
            "`message`: message `seq` has changed."
        ),
    ]
    seq: Annotated[Seq | UnsetType, Meta(description="Of a changed message.")] = UNSET
    change: ChangeNumber | UnsetType = UNSET
    message: Annotated[Message | UnsetType, Meta(description="The message as it is now.")] = UNSET
    hidden: Annotated[
        bool | UnsetType, Meta(description="True of a message that you have hidden; it has no `message`.")
    ] = UNSET
    user: str | None = None
    role: Annotated[Role | None, Meta(description="The user's role now; null: not a member.")] = None
    muted_until: Time | None = None
    changed_at: Time


class Changes(Struct, kw_only=True):
    """The changes of a chat: each subject once, as it is now, the latest last."""

    changes: list[Changed]
    next: Annotated[str, Meta(description="Pass as `since` for later changes.")]
    more: Annotated[bool, Meta(description="Whether there is already more.")]
    reset: Annotated[
        bool,
        Meta(
            description="Some changes are no longer known: read the chat, its members and its messages again."
        ),
    ]
