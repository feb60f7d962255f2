"""Accounts: who there is."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Literal, NamedTuple

import msgspec

from chalicelib.store import keys
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

CREATE_ACCOUNT = Script("accounts/create_account")
UPDATE_ACCOUNT = Script("accounts/update_account")
DELETE_ACCOUNT = Script("accounts/delete_account")
SET_PASSWORD = Script("accounts/set_password")
READ_RELATION = Script("accounts/read_relation")
READ_PROFILE = Script("accounts/read_profile")
CLEAR_EMAIL = Script("accounts/clear_email")

FOUND_BY = frozenset({"name", "email"})
"""The fields by which a user is found, beside the handle: other slots hold something of them."""
FIXED = ("handle", "made", "deleted")
TEXTS = ("name", "bio", "avatar", "email", "password", "source", "who_may_add_me")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A user as stored; `made` in µs since 1970.

    password: argon2's hash. reset: a new password must be chosen at the next login. identity: the digest of
    an outside issuer and its subject. source: what an import took the user from. who_may_add_me: empty for
    the default. deleted: only the handle is left, for ever.
    """

    handle: str
    made: int = 0
    name: str = ""
    bio: str = ""
    avatar: str | None = None
    email: str | None = None
    password: str | None = None
    reset: bool = False
    identity: bytes | None = None
    source: str | None = None
    who_may_add_me: Literal["", "everybody", "known", "nobody"] = ""
    deleted: bool = False

    def __repr__(self) -> str:
        return f"Account({self.handle!r})"


class AccountStatus(IntEnum):
    """Whether a handle has an account."""

    NONE = 0
    ACTIVE = 1
    DELETED = 2


class UserRelation(NamedTuple):
    """Somebody as another user meets them; blocks: whether they have blocked that user."""

    status: AccountStatus
    blocks: bool


class Profile(NamedTuple):
    """An account and what is counted of it."""

    account: Account
    followers: int
    following: int
    posts: int


class Accounts:
    """The accounts. Their keys, in the partition of the user, `{u<NNN>}` (see store/keys.py):

    `{u<NNN>}:user:<handle>`: HASH, no expiry. `made` (µs since 1970), and of `name`, `bio`, `avatar`,
        `email`, `password` (argon2's hash), `reset` (1), `identity` (32 bytes), `source`, `who_may_add_me`,
        `since` (µs: signed identities from before it count no more) those that there are; `followed` (see
        Follows), `posted` and `sent` (see Posts), µs. `deleted` (µs) makes it a tombstone; the other fields
        stay until what is owed for it is done, and the key for ever.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, account: Account) -> bool:
        """Make an account; `made` is the store's to say. Returns False when the handle was ever taken."""
        handle, fields = account.handle, _fields(msgspec.structs.asdict(account))
        args = (index_item(handle), *(part for pair in fields.items() for part in pair))
        return bool(self._store.run(Query(CREATE_ACCOUNT, _user_and_owed(handle), args, repeatable=False)))

    def get(self, handle: str) -> Account | None:
        """Return an account, a tombstone too; None: there never was one."""
        return self._store.run(self.reading(handle))

    def reading(self, handle: str) -> Query[Account | None]:
        """Return the query for an account; see `get`."""
        return Query("HGETALL", (keys.user(handle),), read=lambda flat: _account(handle, flat))

    def profile(self, handle: str) -> Query[Profile | None]:
        """Return the query for an account and its counts; None: there is none, or none any more."""
        named = (keys.user(handle), keys.followers(handle), keys.following(handle), keys.posts(handle))
        return Query(READ_PROFILE, named, read=lambda reply: _profile(handle, reply))

    def relation(self, handle: str, other: str) -> Query[UserRelation]:
        """Return the query for how `handle` stands to `other`."""
        named = (keys.user(handle), keys.blocked(handle))
        return Query(
            READ_RELATION,
            named,
            (other,),
            lambda reply: UserRelation(AccountStatus(reply[0]), bool(reply[1])),
        )

    def update(self, handle: str, changes: Mapping[str, Any]) -> Account | None:
        """Set fields, or clear those given as None; returns the account as it was, None: there is none."""
        fields = _fields(changes)
        cleared = [name for name in changes if name not in fields and name not in FIXED]
        item = index_item(handle) if FOUND_BY & changes.keys() else ""
        args = (item, len(fields), *(part for pair in fields.items() for part in pair), *cleared)
        return self._store.run(
            Query(UPDATE_ACCOUNT, _user_and_owed(handle), args, lambda flat: _account(handle, flat))
        )

    def lose_email(self, handle: str, email: str) -> None:
        """Clear an account's email, if it is still this one."""
        self._store.run(Query(CLEAR_EMAIL, (keys.user(handle),), (email,)))

    def set_password(self, handle: str, held: str, new: str, keep: bytes = b"") -> bool:
        """Change a password, if it is still the one held, and end all sessions but the one to keep.

        held, new: argon2's hashes. keep: the digest of a session's token.
        """
        named = (keys.user(handle), keys.sessions(handle))
        return bool(self._store.run(Query(SET_PASSWORD, named, (held, new, keep), repeatable=False)))

    def delete(self, handle: str) -> bool:
        """End an account, and owe `delete:<handle>`; returns False when there never was one.

        Its connections are none any more for who asks, and stay until they are dropped; see UserConnections.
        """
        gone = (keys.sessions, keys.user_limits, keys.posts, keys.timeline, keys.blocked, keys.unfollowed)
        named = (*_user_and_owed(handle), keys.session_ends(handle), *(key(handle) for key in gone))
        args = (delete_item(handle), handle)
        return bool(self._store.run(Query(DELETE_ACCOUNT, (*named, keys.last_seen(handle)), args)))

    def forget(self, handle: str) -> None:
        """Clear all that a tombstone still holds but that it is one."""
        told = ("name", "bio", "avatar", "email", "reset", "identity", "source", "since", "who_may_add_me")
        counted = ("followed", "posted", "sent")
        self._store.run(Query("HDEL", (keys.user(handle),), told + counted))


def index_item(handle: str) -> str:
    """Return what is owed when that by which a user is found has changed."""
    return f"index:{handle}"


def delete_item(handle: str) -> str:
    """Return what is owed for a deletion."""
    return f"delete:{handle}"


def _user_and_owed(handle: str) -> tuple[str, str]:
    return keys.user(handle), keys.pending(handle)


def _fields(values: Mapping[str, Any]) -> dict[str, bytes | str | int]:
    """Return the fields to store of what has a value; `handle` and `made` are not among them."""
    return {
        name: int(value) if isinstance(value, bool) else value
        for name, value in values.items()
        if name not in FIXED and value not in (None, "", False)
    }


def _account(handle: str, flat: list[bytes]) -> Account | None:
    if not flat:
        return None
    held = {name.decode(): value for name, value in zip(flat[::2], flat[1::2], strict=True)}
    values: dict[str, Any] = {name: held[name].decode() for name in TEXTS if name in held}
    return Account(
        handle=handle,
        made=int(held["made"]),
        reset="reset" in held,
        identity=held.get("identity"),
        deleted="deleted" in held,
        **values,
    )


def _profile(handle: str, reply: list[Any]) -> Profile | None:
    account = _account(handle, reply[0])
    return None if account is None or account.deleted else Profile(account, *reply[1:])
