"""Accounts and sessions on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.schemas.messages import Time
from chalicelib.schemas.users import ExportedSession, Me

Handle = Annotated[
    str,
    Meta(
        description="1-32 of a-z 0-9 _ . -, beginning with a letter or digit, in any case.",
        examples=["alice"],
    ),
]
Password = Annotated[
    str,
    Meta(
        description="8-1024 characters, counted in the normal form NFKC.",
        examples=["correct horse battery staple"],
    ),
]
Email = Annotated[str, Meta(description="Only its user can see it.", examples=["alice@example.org"])]


class RegisterRequest(Struct, forbid_unknown_fields=True):
    """The account to make."""

    handle: Handle
    password: Password
    email: Email | None = None
    name: str | None = None


class LoginRequest(Struct, forbid_unknown_fields=True):
    """A login by handle (or `username`) or by email."""

    password: str
    handle: str | None = None
    username: str | None = None
    email: str | None = None
    new_password: Annotated[
        Password | None, Meta(description="Needed when the password works for one login only.")
    ] = None


class PasswordChange(Struct, forbid_unknown_fields=True):
    """The current password and the new one."""

    password: str
    new_password: Password


class IdentityRequest(Struct, forbid_unknown_fields=True):
    """The handle to give to a signed identity."""

    handle: Handle
    name: str | None = None


class Entry(Struct, kw_only=True):
    """A user who has just logged in."""

    user: Me
    token: Annotated[
        str, Meta(description="Send it as `Authorization: Bearer <token>`. It is shown only once.")
    ]
    expires_at: Annotated[
        Time,
        Meta(description="The end of an unused session; each use moves it, up to 90 days after the login."),
    ]


class Session(ExportedSession, kw_only=True):
    """A device on which the caller is logged in."""

    current: Annotated[bool, Meta(description="Whether it is the session of this request.")]


class Devices(Struct):
    """The caller's sessions, the most recently used first."""

    sessions: list[Session]
