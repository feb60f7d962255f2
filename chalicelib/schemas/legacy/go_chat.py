"""Go-Chat on the wire: accounts, follows and rooms of a chat platform."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.schemas.accounts import Email, Handle, LoginRequest, Password
from chalicelib.schemas.chats import ChatName


class GoChatRegister(Struct):
    """The account to make."""

    username: Handle
    password: Password
    email: Email | None = None


class GoChatLogin(LoginRequest, forbid_unknown_fields=False):
    """A login by username or email."""


class GoChatFollow(Struct, rename="camel"):
    """The user to follow."""

    to_follow_id: Annotated[str, Meta(description="A handle.", examples=["bob"])]


class GoChatUnfollow(Struct, rename="camel"):
    """The user to unfollow."""

    to_unfollow_id: Annotated[str, Meta(description="A handle.", examples=["bob"])]


class GoChatRoom(Struct):
    """A room; on /v1 it is the chat `r-<id>`."""

    id: Annotated[str, Meta(description="Without `r-`.", examples=["lobby"])]
    name: ChatName


class GoChatJoinedRoom(GoChatRoom):
    """A room that the caller has joined; `chat` is its id on /v1."""

    chat: str
    url: Annotated[
        str | None,
        Meta(description="Opens one WebSocket connection in the room within 30 seconds, or null."),
    ]


class GoChatMember(Struct):
    """A member of a room; `id` and `username` are both the handle."""

    id: str
    username: str
    connected: Annotated[
        bool, Meta(description="Whether the member is in the room by a WebSocket connection now.")
    ]
