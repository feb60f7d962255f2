"""What a profile may say, and how it is shown."""

from __future__ import annotations

import re

from msgspec import structs

from chalicelib.errors import bad_field
from chalicelib.schemas.users import Me, User
from chalicelib.services.times import rfc3339
from chalicelib.store.accounts import Profile

MAX_NAME_CHARACTERS = 64
MAX_BIO_CHARACTERS = 500
AVATAR = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
JOINERS = dict.fromkeys(map(ord, "\u200c\u200d"))
"""Not printable by themselves; Persian words and many emoji need them."""


def checked_name(name: str, field: str) -> str:
    """Return a display name without the blanks around it; raises BadRequest naming the field."""
    name = name.strip(" ")
    if len(name) > MAX_NAME_CHARACTERS or not _printable(name):
        raise bad_field(field, f"a name is {MAX_NAME_CHARACTERS} printable characters at the most")
    return name


def checked_bio(bio: str, field: str) -> str:
    """Return a bio; raises BadRequest naming the field."""
    if len(bio) > MAX_BIO_CHARACTERS or not _printable(bio.replace("\n", "")):
        detail = f"a bio is {MAX_BIO_CHARACTERS} printable characters and line breaks (\\n) at the most"
        raise bad_field(field, detail)
    return bio


def checked_avatar(avatar: str, field: str) -> str:
    """Return the id of a picture, which is not looked for; raises BadRequest naming the field."""
    if not AVATAR.fullmatch(avatar):
        raise bad_field(field, "an avatar is the id of a picture, 1-64 of A-Z a-z 0-9 _ -")
    return avatar


def user_of(profile: Profile) -> User:
    """Return a profile as anybody may see it."""
    account, followers, following, posts = profile
    return User(
        handle=account.handle,
        name=account.name,
        bio=account.bio,
        avatar=account.avatar,
        made_at=rfc3339(account.made),
        followers=followers,
        following=following,
        posts=posts,
    )


def me_of(profile: Profile) -> Me:
    """Return a profile as its user sees it."""
    account = profile.account
    return Me(**structs.asdict(user_of(profile)), email=account.email, reset=account.reset)


def _printable(text: str) -> bool:
    """Return whether a text has neither control characters nor any that change the direction of others."""
    return text.translate(JOINERS).isprintable()
