"""People on the wire: profiles, the search, the export."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.schemas.messages import Time

MAX_USERS = 100
MAX_QUERY_CHARACTERS = 64

Name = Annotated[str, Meta(description="Up to 64 printable characters, not only blanks; empty for none.")]
Bio = Annotated[str, Meta(description="Up to 500 printable characters and line breaks; empty for none.")]
Avatar = Annotated[
    str, Meta(description="The id of a picture: 1-64 of A-Z a-z 0-9 _ -.", examples=["0195a1c26f1e7a51"])
]
Count = Annotated[int, Meta(ge=0)]


class User(Struct, kw_only=True):
    """A user, as anybody may see them."""

    handle: Annotated[str, Meta(description="Case-folded.")]
    name: Name
    bio: Bio
    avatar: Avatar | None
    made_at: Time
    followers: Count
    following: Count
    posts: Count


class Me(User, kw_only=True):
    """A user, as they see themselves."""

    email: Annotated[str | None, Meta(description="Lower case; shown to nobody else.")]
    reset: Annotated[bool, Meta(description="Whether the next login asks for a new password.")]


class ProfileChanges(Struct, kw_only=True):
    """What to change: an absent field stays as it is, null clears it."""

    name: Name | UnsetType | None = UNSET
    bio: Bio | UnsetType | None = UNSET
    avatar: Avatar | UnsetType | None = UNSET
    email: Annotated[str, Meta(examples=["alice@example.org"])] | UnsetType | None = UNSET


class SearchQuery(Struct):
    """Whom to find."""

    q: Annotated[
        str,
        Meta(
            description="How the handle, or any word of the name and what follows it, begins: at least "
            "2 characters, or 1 beyond ASCII; at most 64. Case does not count.",
            examples=["ali"],
        ),
    ]
    limit: Annotated[int, Meta(ge=1, le=MAX_USERS)] = 20
    cursor: Annotated[str | None, Meta(description="The `next` of the page before.")] = None


class UserPage(Struct, kw_only=True):
    """Some of the users found, in the order of what was found of them."""

    users: list[User]
    next: Annotated[
        str | None,
        Meta(
            description="Pass as `cursor` for more; null at the end. A page may be short and still have it."
        ),
    ]


class SignIn(Struct, kw_only=True):
    """How a user proves who they are; no secret is told."""

    password: Annotated[bool, Meta(description="Whether there is a password.")]
    outside_identity: Annotated[bool, Meta(description="Whether an outside identity stands for the user.")]
    imported_from: str | None


class ExportedSession(Struct, kw_only=True):
    """A device on which the user is logged in."""

    id: str
    made_at: Time
    seen_at: Annotated[Time, Meta(description="To the hour.")]
    expires_at: Time
    address: str
    agent: Annotated[str, Meta(description="What the client called itself (User-Agent).")]


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
    following: list[Since] | UnsetType = UNSET
    followers: list[Since] | UnsetType = UNSET
    blocked: list[Since] | UnsetType = UNSET
    posts: list[ExportedPost] | UnsetType = UNSET
    timeline: list[PostReference] | UnsetType = UNSET
    next: Annotated[str | None, Meta(description="Pass as `cursor` for the next page; null at the end.")]
