"""Reading and changing profiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import UNSET

from chalicelib.errors import AlreadyTaken, NotAuthenticated, bad_field, no_user
from chalicelib.schemas.users import MAX_USERS, Me, ProfileChanges, User, UserPage
from chalicelib.services.auth.caller import Caller
from chalicelib.services.jobs.pending_jobs import PendingJobs
from chalicelib.services.values.emails import EMAIL, checked_email
from chalicelib.services.values.message_limits import data_text
from chalicelib.services.values.names import Names
from chalicelib.services.values.profile_fields import checked_avatar, checked_bio, checked_name
from chalicelib.services.views.profile import me_of, user_of
from chalicelib.store.accounts.accounts import (
    FOUND_BY,
    SHOWN_IN_ROWS,
    Accounts,
    Profile,
    index_item,
    rows_item,
)
from chalicelib.store.accounts.claims import Claims
from chalicelib.store.redis.client import Store

USERS_OF_A_REQUEST = 10
"""Users read by handle that count as one request, beside the first request."""
CHECKS: dict[str, Callable[[Any, str], str]] = {
    "name": checked_name,
    "bio": checked_bio,
    "avatar": checked_avatar,
    "email": checked_email,
    "who_may_add_me": lambda value, _: value,
    "data": data_text,
}


class Profiles:
    """Reads and changes profiles.

    handle: The caller's; the caller has an account.
    needs_account: Whether every user needs an account (PARLEY_AUTH=required).
    """

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        claims: Claims,
        names: Names,
        jobs: PendingJobs,
        *,
        needs_account: bool,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._claims = claims
        self._names = names
        self._jobs = jobs
        self._needs_account = needs_account

    def me(self, handle: str) -> Me:
        """Return the caller's own profile; raises NotAuthenticated if the account is deleted."""
        return me_of(self._own(handle), needs_account=self._needs_account)

    def user(self, name: str) -> User:
        """Return the profile of any user; raises UserNotFound, BadRequest."""
        handle = self._names.user(name, "handle")
        profile = self._store.run(self._accounts.profile(handle))
        if profile is None:
            raise no_user(handle)
        return user_of(profile)

    def users(self, caller: Caller, names: Sequence[str]) -> UserPage:
        """Return the profiles of users by their handles, without those who do not exist; one round trip.

        Raises BadRequest for a name that no user can have, and for more than MAX_USERS.
        """
        if len(names) > MAX_USERS:
            raise bad_field("handles", f"name at most {MAX_USERS} users")
        handles = list(dict.fromkeys(self._names.user(name.strip(), "handles") for name in names))
        found = self._store.run_all(self._accounts.profile(handle) for handle in handles)
        caller.charge(len(handles) // USERS_OF_A_REQUEST)
        return UserPage(users=[user_of(profile) for profile in found if profile is not None], next=None)

    def change(self, handle: str, changes: ProfileChanges) -> Me:
        """Change the given fields, all or none; raises BadRequest, AlreadyTaken.

        A new email is claimed for a while and set; the indexing then makes the claim permanent and releases
        the old email. After a crash between the two, either the account has the old email and the new claim
        expires, or it has the new email and the sweep does the rest.
        """
        fields = _checked(changes)
        email = fields.get("email")
        if email and email != self._own(handle).account.email:
            self._claim(email, handle)
        if fields and self._store.run(self._accounts.update(handle, fields)) is None:
            raise _gone()
        if FOUND_BY & fields.keys():
            self._jobs.try_now(index_item(handle))
        if SHOWN_IN_ROWS & fields.keys():
            self._jobs.try_now(rows_item(handle))
        me = self.me(handle)
        if email and me.email is None:
            raise _taken()
        return me

    def _claim(self, email: str, handle: str) -> None:
        """Claim an email, unless the user has claimed it before; raises AlreadyTaken."""
        if (
            not self._store.run(self._claims.claim(EMAIL, email, handle))
            and self._store.run(self._claims.holder(EMAIL, email)) != handle
        ):
            raise _taken()

    def _own(self, handle: str) -> Profile:
        profile = self._store.run(self._accounts.profile(handle))
        if profile is None:
            raise _gone()
        return profile


def _checked(changes: ProfileChanges) -> dict[str, Any]:
    """Return the fields to set; None for fields to clear."""
    given = {name: getattr(changes, name) for name in CHECKS}
    return {
        name: None if value in (None, "") else CHECKS[name](value, name)
        for name, value in given.items()
        if value is not UNSET
    }


def _taken() -> AlreadyTaken:
    return AlreadyTaken("The email is taken. Choose another.")


def _gone() -> NotAuthenticated:
    return NotAuthenticated("The account no longer exists.")
