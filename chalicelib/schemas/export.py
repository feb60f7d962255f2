"""The archive of what is held about a user, on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.schemas.encoded import Encoded
from chalicelib.schemas.inbox import ChatState
from chalicelib.schemas.messages import RepliedTo, Time
from chalicelib.schemas.system_events import Event, Kind, Role
from chalicelib.schemas.users import ExportedSession, Me


class SignIn(Struct, kw_only=True):
    """How a user proves who they are; no secret is told."""

    password: Annotated[bool, Meta(description="Whether there is a password.")]
    outside_identity: Annotated[bool, Meta(description="Whether an outside identity stands for the user.")]
    imported_from: str | None


class Since(Struct):
    """Somebody, and since when."""

    handle: str
    since: Time


class ExportedPost(Struct):
    """A post of the user."""

    id: str
    made_at: Time
    text: str


class PostReference(Struct):
    """A post in the user's feed; what it says is its author's."""

    author: str
    post: str


class ExportedChat(Struct, kw_only=True):
    """A chat that the user has, or had, and what is kept there for the user alone."""

    chat: str
    kind: Kind
    state: ChatState
    role: Role | None
    name: Annotated[str | None, Meta(description="Of a group or room, if the user may know it.")]
    since: Annotated[
        Time | None,
        Meta(
            description="Since when `state` is so; of a chat of two, when it began, null while it is empty."
        ),
    ]
    muted_until: Annotated[Time | None, Meta(description="Till when the user cannot write.")]
    read: Annotated[int, Meta(description="How far the user has read; 0 for nothing.")]
    received: Annotated[int, Meta(description="How far the user has received; 0 for nothing.")]
    marked_unread: bool
    pinned: bool
    muted: bool
    archived: bool


class ExportedMessage(Struct, kw_only=True):
    """A message that the user sent, or of the kind `system`, that tells of what the user did."""

    chat: str
    seq: int
    sent_at: Time
    kind: str
    text: str
    event: Annotated[Event | UnsetType, Meta(description="Of the kind `system`: what happened.")] = UNSET
    reply_to: RepliedTo | UnsetType = UNSET


class ExportQuery(Struct):
    """Which page of the archive."""

    cursor: Annotated[str | None, Meta(description="The `next` of the page before.")] = None


class Export(Struct, kw_only=True):
    """A page of everything that is held about a user; a part that is not on this page is absent."""

    handle: str
    exported_at: Time
    profile: Me | UnsetType = UNSET
    sign_in: SignIn | UnsetType = UNSET
    sessions: list[ExportedSession] | UnsetType = UNSET
    following: list[Encoded[Since]] | UnsetType = UNSET
    followers: list[Encoded[Since]] | UnsetType = UNSET
    blocked: list[Encoded[Since]] | UnsetType = UNSET
    posts: list[Encoded[ExportedPost]] | UnsetType = UNSET
    timeline: list[Encoded[PostReference]] | UnsetType = UNSET
    chats: list[Encoded[ExportedChat]] | UnsetType = UNSET
    messages: list[Encoded[ExportedMessage]] | UnsetType = UNSET
    next: Annotated[str | None, Meta(description="Pass as `cursor` for the next page; null at the end.")]
