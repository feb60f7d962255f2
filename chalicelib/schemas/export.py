"""The export of a user's data on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.schemas.encoded import Encoded
from chalicelib.schemas.inbox import ChatState
from chalicelib.schemas.messages import Data, Deletion, Forwarded, RepliedTo, Time
from chalicelib.schemas.reports import Note, Reason
from chalicelib.schemas.scheduled import Scheduled
from chalicelib.schemas.system_events import Event, Kind, Role
from chalicelib.schemas.users import ExportedSession, Me


class SignIn(Struct, kw_only=True):
    """The ways in which a user can log in, without any secret."""

    password: Annotated[bool, Meta(description="Whether the user has a password.")]
    outside_identity: Annotated[bool, Meta(description="Whether the user can log in by an outside identity.")]
    imported_from: str | None


class Since(Struct):
    """A user, and since when."""

    handle: str
    since: Time


class ExportedPost(Struct):
    """A post of the user."""

    id: str
    made_at: Time
    text: str


class PostReference(Struct):
    """A post in the user's feed, without its text, which is its author's."""

    author: str
    post: str


class ExportedReport(Struct, kw_only=True):
    """A report of the user about a message."""

    seq: int
    reason: Reason
    note: Note
    reported_at: Time


class ExportedChat(Struct, kw_only=True):
    """A chat that the user has or had, with the user's own read state and flags."""

    chat: str
    kind: Kind
    state: ChatState
    role: Role | None
    name: Annotated[str | None, Meta(description="The name of a group or room, if the user may see it.")]
    since: Annotated[
        Time | None,
        Meta(description="Start of this `state`; for a direct chat its first message, null if empty."),
    ]
    muted_until: Annotated[Time | None, Meta(description="The user cannot write before this time.")]
    read: Annotated[int, Meta(description="The last message that the user has read; 0 for none.")]
    received: Annotated[int, Meta(description="The last message that the user has received; 0 for none.")]
    marked_unread: bool
    pinned: bool
    muted: bool
    archived: bool
    reports: Annotated[list[ExportedReport], Meta(description="The user's reports that wait for the admins.")]


class ExportedReaction(Struct, kw_only=True):
    """A reaction of the user to a message."""

    chat: str
    seq: int
    emoji: str


class ExportedMessage(Struct, kw_only=True):
    """A message that the user sent, or one of kind `system` about an action of the user."""

    chat: str
    seq: int
    sent_at: Time
    kind: str
    text: str
    event: Annotated[Event | UnsetType, Meta(description="The event of a message of kind `system`.")] = UNSET
    reply_to: RepliedTo | UnsetType = UNSET
    data: Data | UnsetType = UNSET
    forwarded: Annotated[
        Forwarded | UnsetType, Meta(description="Only of a forwarded message, whose text is another's.")
    ] = UNSET
    edited_at: Time | UnsetType = UNSET
    deleted: Deletion | UnsetType = UNSET
    expires_at: Time | UnsetType = UNSET


class ExportQuery(Struct):
    """Which page of the archive."""

    cursor: Annotated[str | None, Meta(description="The `next` of the last page.")] = None


class Export(Struct, kw_only=True):
    """A page of all data about a user; parts that are not on this page are absent."""

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
    scheduled: list[Encoded[Scheduled]] | UnsetType = UNSET
    chats: list[Encoded[ExportedChat]] | UnsetType = UNSET
    messages: list[Encoded[ExportedMessage]] | UnsetType = UNSET
    reactions: list[Encoded[ExportedReaction]] | UnsetType = UNSET
    next: Annotated[str | None, Meta(description="Pass as `cursor` for the next page; null at the end.")]
