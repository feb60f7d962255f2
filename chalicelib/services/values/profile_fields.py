"""Rules for the fields of a profile."""

from __future__ import annotations

import re
from typing import Literal

from chalicelib.errors import bad_field
from chalicelib.texts import BLANKS, MAX_NAME_CHARACTERS, check_lines, checked_line

MAX_BIO_CHARACTERS = 500
AVATAR = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def checked_name(name: str, field: str) -> str:
    """Return a display name in NFC, without blanks at its ends; raises BadRequest naming the field."""
    name = name.strip(BLANKS)
    return checked_line(name, field, "a name", MAX_NAME_CHARACTERS) if name else ""


def checked_bio(bio: str, field: str) -> str:
    """Return a bio; raises BadRequest naming the field."""
    if len(bio) > MAX_BIO_CHARACTERS:
        detail = f"a bio has at most {MAX_BIO_CHARACTERS} characters; this has {len(bio)}"
        raise bad_field(field, detail)
    check_lines(bio, field, "a bio")
    return bio


def checked_avatar(avatar: str, field: str) -> str:
    """Return a valid id of a picture, which may not exist; raises BadRequest naming the field."""
    if not AVATAR.fullmatch(avatar):
        raise bad_field(field, "an avatar is the id of a picture, 1-64 of A-Z a-z 0-9 _ -")
    return avatar


def default_who_may_add(*, needs_account: bool) -> Literal["known", "everybody"]:
    """Return the default of `who_may_add_me`; needs_account: Whether every user has an account."""
    return "known" if needs_account else "everybody"
