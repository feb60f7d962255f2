"""Users on the wire: profiles, the search, sessions as their user sees them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.schemas.messages import Data, Time

MAX_USERS = 100
MAX_QUERY_CHARACTERS = 64

Name = Annotated[str, Meta(description="One line of up to 64 characters in NFC; empty for none.")]
Bio = Annotated[str, Meta(description="Up to 500 characters, with line breaks (LF); empty for none.")]
Avatar = Annotated[
    str, Meta(description="The id of a picture: 1-64 of A-Z a-z 0-9 _ -.", examples=["0195a1c26f1e7a51"])
]
WhoMayAdd = Annotated[
    Literal["everybody", "known", "nobody"],
    Meta(
        description="Who can add the user to a group at once; others only invite them. "
        "`known`: users whom the user follows or has written to in a direct chat."
    ),
]
Count = Annotated[int, Meta(ge=0)]


class User(Struct, kw_only=True):
    """A user as everybody sees them."""

    handle: Annotated[str, Meta(description="Case-folded.")]
    name: Name
    bio: Bio
    avatar: Avatar | None
    made_at: Time
    followers: Count
    following: Count
    posts: Count
    data: Data | UnsetType = UNSET


class Me(User, kw_only=True):
    """The caller's own user."""

    email: Annotated[str | None, Meta(description="In lower case. Only its user can see it.")]
    reset: Annotated[bool, Meta(description="Whether the next login must set a new password.")]
    who_may_add_me: WhoMayAdd


class ProfileChanges(Struct, kw_only=True, forbid_unknown_fields=True):
    """Fields to change: an absent field stays as it is, null clears a field."""

    name: Name | UnsetType | None = UNSET
    bio: Bio | UnsetType | None = UNSET
    avatar: Avatar | UnsetType | None = UNSET
    email: Annotated[str, Meta(examples=["alice@example.org"])] | UnsetType | None = UNSET
    who_may_add_me: WhoMayAdd | UnsetType | None = UNSET
    data: Annotated[Data | UnsetType | None, Meta(description="Everybody can read it.")] = UNSET


class SearchQuery(Struct):
    """A search for users, or users by their handles: exactly one of `q` and `handles`."""

    q: Annotated[
        str | None,
        Meta(
            description="The beginning of the handle, or of any word of the name and what follows it: "
            "2-64 characters; 1 is enough if it is not ASCII. Case does not count.",
            examples=["ali"],
        ),
    ] = None
    handles: Annotated[
        str | None,
        Meta(
            description=f"Up to {MAX_USERS} handles, with a comma between them. Users who do not exist are "
            "left out.",
            examples=["alice,bob"],
        ),
    ] = None
    limit: Annotated[int, Meta(ge=1, le=MAX_USERS)] = 20
    cursor: Annotated[str | None, Meta(description="The `next` of the last page.")] = None


class UserPage(Struct, kw_only=True):
    """A page of search results, ordered by the word that matched."""

    users: list[User]
    next: Annotated[
        str | None,
        Meta(
            description="Pass as `cursor` for the next page; null at the end. A short page may have one too."
        ),
    ]


class ExportedSession(Struct, kw_only=True):
    """A device on which the user is logged in."""

    id: str
    made_at: Time
    seen_at: Annotated[Time, Meta(description="The last use, to the hour.")]
    expires_at: Time
    address: str
    agent: Annotated[str, Meta(description="The User-Agent of the client.")]
