"""A user of another server: read from an item of its list, and checked."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from chalicelib.errors import BadRequest
from chalicelib.schemas.imports import Fields
from chalicelib.services.accounts.passwords import checked_password
from chalicelib.services.imports.replies import MISSING, found_at, kind_of
from chalicelib.services.values.emails import checked_email
from chalicelib.services.values.names import Names
from chalicelib.services.values.profile_fields import checked_bio, checked_name
from chalicelib.texts import check_line

MAX_ID_CHARACTERS = 200
HALF = re.compile("[\ud800-\udfff]")
HASH = re.compile(r"\$[0-9a-z-]+\$|\{[A-Z0-9-]+\}|(pbkdf2|scrypt|argon2|bcrypt|sha\d+|md5)[_:$]")
CHECKED = {"name": checked_name, "bio": checked_bio, "email": checked_email}


class UserRejected(Exception):
    """A user can't be imported; the text says why, without passwords."""


class Candidate(msgspec.Struct, frozen=True):
    """A user of another server.

    origin: Origin of that server's URL.
    fields: New name, bio and email; None clears one. Fields that the item does not have are left out.
    """

    origin: str
    id: str
    handle: str
    fields: dict[str, str | None]
    password: str | None

    def __repr__(self) -> str:
        return f"Candidate({self.source!r})"

    @property
    def source(self) -> str:
        """The name for the other server's account in Parley."""
        return f"{self.origin}#{self.id}"


def candidate(item: Any, fields: Fields, origin: str, names: Names) -> Candidate:
    """Return the user in an item; raises UserRejected."""
    if not isinstance(item, dict):
        raise UserRejected(f"the item is {kind_of(item)}, not an object")
    number = found_at(item, fields.id)
    identifier = str(number) if type(number) is int else _text(number, "id")
    try:
        check_line(identifier, "the id", "an id", MAX_ID_CHARACTERS)
        handle = _text(found_at(item, fields.handle), "handle").strip()
        if not handle:
            raise UserRejected("the handle is empty")
        return Candidate(origin, identifier, names.account(handle, "handle"), *_rest(item, fields))
    except BadRequest as problem:
        raise UserRejected(problem.detail) from None


def named(item: Any, path: str) -> str | None:
    """Return the id or handle in an item, as a report shows it."""
    value = found_at(item, path)
    return HALF.sub("\ufffd", str(value)[:64]) if isinstance(value, str | int) else None


def _rest(item: Any, fields: Fields) -> tuple[dict[str, str | None], str | None]:
    """Return the item's other fields, None for an empty one, and its password."""
    texts: dict[str, str | None] = {}
    for field, checked in CHECKED.items():
        path = getattr(fields, field)
        if path and (value := found_at(item, path)) is not MISSING:
            text = _text(value, field).strip().replace("\r\n", "\n")
            texts[field] = checked(text, field) if text else None
    password = _text(found_at(item, fields.password), "password") if fields.password else ""
    if HASH.match(password):
        raise UserRejected(
            "the password looks like a hash, and nobody can log in with a hash: leave it out, and use codes"
        )
    return texts, checked_password(password) if password else None


def _text(value: Any, field: str) -> str:
    if value is None or value is MISSING:
        return ""
    if not isinstance(value, str):
        raise UserRejected(f"the {field} is {kind_of(value)}, not a text")
    if half := HALF.search(value):
        where = f"character {half.start() + 1} of the {field}"
        raise UserRejected(f"{where} is half of a surrogate pair (U+{ord(half[0]):04X}), or was not UTF-8")
    return value
