"""Profiles: one's own, and those of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from chalicelib.errors import AlreadyTaken, NotAuthenticated, no_user
from chalicelib.schemas.users import Me, ProfileChanges, User
from chalicelib.services.jobs.pending_jobs import PendingJobs
from chalicelib.services.values.emails import EMAIL, checked_email
from chalicelib.services.values.names import Names
from chalicelib.services.values.profile_fields import checked_avatar, checked_bio, checked_name
from chalicelib.services.views.profile import me_of, user_of
from chalicelib.store.accounts.accounts import FOUND_BY, Accounts, Profile, index_item
from chalicelib.store.accounts.claims import Claims
from chalicelib.store.redis.client import Store

CHECKS: dict[str, Callable[[str, str], str]] = {
    "name": checked_name,
    "bio": checked_bio,
    "avatar": checked_avatar,
    "email": checked_email,
    "who_may_add_me": lambda value, _: value,
}


class Profiles:
    """The rules of profiles; handle: of who calls, and has an account.

    strict: whether everybody has an account, as on a server that trusts no names.
    """

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        claims: Claims,
        names: Names,
        work: PendingJobs,
        *,
        strict: bool,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._claims = claims
        self._names = names
        self._work = work
        self._strict = strict

    def me(self, handle: str) -> Me:
        """Return the caller's own profile; raises NotAuthenticated when the account is gone."""
        return me_of(self._own(handle), strict=self._strict)

    def user(self, name: str) -> User:
        """Return anybody's profile; raises UserNotFound, BadRequest."""
        handle = self._names.user(name, "handle")
        profile = self._store.run(self._accounts.profile(handle))
        if profile is None:
            raise no_user(handle)
        return user_of(profile)

    def change(self, handle: str, changes: ProfileChanges) -> Me:
        """Change the fields that are given, all or none; raises BadRequest, AlreadyTaken.

        A new email is claimed for a while, set, and claimed for good by the directory, which also gives the
        old one up. A crash between leaves either the old one, and the claim ends by itself, or the new one,
        and the sweep does the rest.
        """
        fields = _checked(changes)
        email = fields.get("email")
        if email and email != self._own(handle).account.email:
            self._claim(email, handle)
        if fields and self._accounts.update(handle, fields) is None:
            raise _gone()
        if FOUND_BY & fields.keys():
            self._work.try_now(index_item(handle))
        me = self.me(handle)
        if email and me.email is None:
            raise _taken()
        return me

    def _claim(self, email: str, handle: str) -> None:
        """Claim an email; one's own claim, which an earlier change may have left, will do."""
        if not self._claims.claim(EMAIL, email, handle) and self._claims.holder(EMAIL, email) != handle:
            raise _taken()

    def _own(self, handle: str) -> Profile:
        profile = self._store.run(self._accounts.profile(handle))
        if profile is None:
            raise _gone()
        return profile


def _checked(changes: ProfileChanges) -> dict[str, Any]:
    """Return the fields to set, and as None those to clear."""
    given = {name: getattr(changes, name) for name in CHECKS}
    return {
        name: CHECKS[name](value, name) if value else None
        for name, value in given.items()
        if value is not UNSET
    }


def _taken() -> AlreadyTaken:
    return AlreadyTaken("The email is taken. Choose another.")


def _gone() -> NotAuthenticated:
    return NotAuthenticated("The account no longer exists.")
