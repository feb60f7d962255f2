"""The accounts of users."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Literal, NamedTuple

import msgspec

from chalicelib.store import keys
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
"""The fields by which a user is found besides the handle; other slots hold entries and claims for them."""
SHOWN_IN_ROWS = frozenset({"name", "avatar"})
"""The fields that the rows of a user's direct chats show, in the inboxes of both users."""
FIXED = ("handle", "made", "deleted")
TEXTS = ("name", "bio", "avatar", "email", "password", "source", "who_may_add_me", "data")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A user as stored; made: µs since 1970.

    password: argon2's hash. reset: Whether the user must choose a new password at the next login. identity:
    Digest of an outside issuer and its subject. source: The source of an import. who_may_add_me: Empty for
    the default. data: A JSON object of the user; empty for none. deleted: Whether the account is deleted; its
    handle stays taken.
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
    data: str = ""
    deleted: bool = False

    def __repr__(self) -> str:
        return f"Account({self.handle!r})"


class AccountStatus(IntEnum):
    """Whether a handle has an account."""

    NONE = 0
    ACTIVE = 1
    DELETED = 2


class UserRelation(NamedTuple):
    """The relation of a user to another one: the user's status, and whether they block the other."""

    status: AccountStatus
    blocks: bool


class Profile(NamedTuple):
    """An account, with the numbers of followers, followed users and posts."""

    account: Account
    followers: int
    following: int
    posts: int


class Accounts:
    """The accounts. Their keys, in the partition of the user, `{u<NNN>}` (see store/keys.py):

    `{u<NNN>}:user:<handle>`: HASH, no expiry. `made` (µs since 1970), and of `name`, `bio`, `avatar`,
        `email`, `password` (argon2's hash), `reset` (1), `identity` (32 bytes), `source`, `who_may_add_me`,
        `data` (a JSON object), `since` (µs: signed identities from before it are invalid) those that are set;
        `followed` (see Follows), `posted` and `sent` (see Posts), µs. `deleted` (µs) makes it a tombstone;
        the other fields stay until the work that is pending for it is done, and the key for ever.
    """

    def create(self, account: Account) -> Query[bool]:
        """Return the query that makes an account, at the store's time; False: the handle was ever taken."""
        handle, fields = account.handle, _fields(msgspec.structs.asdict(account))
        args = (index_item(handle), *(part for pair in fields.items() for part in pair))
        return Query(CREATE_ACCOUNT, _user_and_pending(handle), args, bool, repeatable=False)

    def find(self, handle: str) -> Query[Account | None]:
        """Return the query for an account, or its tombstone; None: the handle was never taken."""
        return Query("HGETALL", (keys.user(handle),), read=lambda flat: _account(handle, flat))

    def profile(self, handle: str) -> Query[Profile | None]:
        """Return the query for an account and its counts; None: there is no account, or it was deleted."""
        named = (keys.user(handle), keys.followers(handle), keys.following(handle), keys.posts(handle))
        return Query(READ_PROFILE, named, read=lambda reply: _profile(handle, reply))

    def relation(self, handle: str, other: str) -> Query[UserRelation]:
        """Return the query for the status of `handle`, and whether they block `other`."""
        return Query(READ_RELATION, (keys.user(handle), keys.blocked(handle)), (other,), _relation)

    def update(self, handle: str, changes: Mapping[str, Any]) -> Query[Account | None]:
        """Return the query that sets fields, and clears those given as None.

        Its result is the account as it was before; None: there is no account.
        """
        fields = _fields(changes)
        cleared = [name for name in changes if name not in fields and name not in FIXED]
        item = index_item(handle) if FOUND_BY & changes.keys() else ""
        rows = rows_item(handle) if SHOWN_IN_ROWS & changes.keys() else ""
        args = (item, rows, len(fields), *(part for pair in fields.items() for part in pair), *cleared)
        return Query(UPDATE_ACCOUNT, _user_and_pending(handle), args, lambda flat: _account(handle, flat))

    def clear_email(self, handle: str, email: str) -> Query[object]:
        """Return the query that clears an account's email, if it is still this one."""
        return Query(CLEAR_EMAIL, (keys.user(handle),), (email,))

    def set_password(self, handle: str, held: str, new: str, keep: bytes = b"") -> Query[bool]:
        """Return the query that changes a password and ends all sessions except `keep`.

        held, new: argon2's hashes of the old and of the new password. keep: Digest of a session's token. The
        result is False if the password is no longer `held`.
        """
        named = (keys.user(handle), keys.sessions(handle))
        return Query(SET_PASSWORD, named, (held, new, keep), bool, repeatable=False)

    def delete(self, handle: str) -> Query[bool]:
        """Return the query that ends an account, and records `delete:<handle>`; False: there never was one.

        Its connections count as ended at once, and are stored until they are dropped; see UserConnections.
        """
        scheduled = (keys.scheduled(handle), keys.scheduled_due(handle))
        gone = (keys.sessions, keys.user_limits, keys.posts, keys.timeline, keys.blocked, keys.unfollowed)
        more = (*(key(handle) for key in gone), keys.last_seen(handle), keys.inbox_entries(handle))
        named = (*_user_and_pending(handle), keys.session_ends(handle), *scheduled, *more)
        return Query(DELETE_ACCOUNT, named, (delete_item(handle), handle), bool)

    def forget(self, handle: str) -> Query[object]:
        """Return the query that clears the fields of a tombstone that are no longer used."""
        shown = (
            "name",
            "bio",
            "avatar",
            "email",
            "reset",
            "identity",
            "source",
            "since",
            "who_may_add_me",
            "data",
        )
        counted = ("followed", "posted", "sent")
        return Query("HDEL", (keys.user(handle),), shown + counted)


def index_item(handle: str) -> str:
    """Return the pending item that brings the search entries and claims of a user up to date."""
    return f"index:{handle}"


def rows_item(handle: str) -> str:
    """Return the pending item that brings the rows of a user's direct chats up to date."""
    return f"rows:{handle}"


def delete_item(handle: str) -> str:
    """Return the pending item of a deletion."""
    return f"delete:{handle}"


def _user_and_pending(handle: str) -> tuple[str, str]:
    return keys.user(handle), keys.pending(handle)


def _fields(values: Mapping[str, Any]) -> dict[str, bytes | str | int]:
    """Return the fields to store: those that have a value, without the FIXED ones."""
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


def _relation(reply: list[int]) -> UserRelation:
    return UserRelation(AccountStatus(reply[0]), bool(reply[1]))


def _profile(handle: str, reply: list[Any]) -> Profile | None:
    account = _account(handle, reply[0])
    return None if account is None or account.deleted else Profile(account, *reply[1:])
