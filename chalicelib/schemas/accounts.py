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
        description="8-1024 characters in the form NFKC, whatever form is sent.",
        examples=["correct horse battery staple"],
    ),
]
Email = Annotated[str, Meta(description="Shown to nobody else.", examples=["alice@example.org"])]


class RegisterRequest(Struct, forbid_unknown_fields=True):
    """Who wants an account."""

    handle: Handle
    password: Password
    email: Email | None = None
    name: str | None = None


class LoginRequest(Struct, forbid_unknown_fields=True):
    """Who is back: by handle (or `username`) or by email."""

    password: str
    handle: str | None = None
    username: str | None = None
    email: str | None = None
    new_password: Annotated[
        Password | None, Meta(description="Wanted where the password was given for one login only.")
    ] = None


class PasswordChange(Struct, forbid_unknown_fields=True):
    """A password and the one that shall take its place."""

    password: str
    new_password: Password


class IdentityRequest(Struct, forbid_unknown_fields=True):
    """The handle that a signed identity wants."""

    handle: Handle
    name: str | None = None


class Entry(Struct, kw_only=True):
    """A user who is logged in now."""

    user: Me
    token: Annotated[str, Meta(description="Send it as `Authorization: Bearer <token>`. Shown this once.")]
    expires_at: Annotated[
        Time, Meta(description="If it is not used before; at the most 90 days after the login.")
    ]


class Session(ExportedSession, kw_only=True):
    """A device on which the caller is logged in."""

    current: Annotated[bool, Meta(description="Whether this request came by it.")]


class Devices(Struct):
    """The caller's sessions, the one used last first."""

    sessions: list[Session]
