"""Logging in, and changing the password."""

from __future__ import annotations

import math
from typing import NamedTuple

from chalicelib.errors import (
    BadRequest,
    NotAuthenticated,
    PasswordChangeNeeded,
    TooManyRequests,
    WrongCredentials,
    bad_field,
)
from chalicelib.schemas.accounts import LoginRequest, PasswordChange
from chalicelib.services.accounts.passwords import MOST, Match, Passwords, checked_password, normalised
from chalicelib.services.delivery.session_close import SessionCloser
from chalicelib.services.values.emails import EMAIL, checked_email
from chalicelib.services.values.names import HANDLE
from chalicelib.services.values.tokens import digest_of, new_token
from chalicelib.store.accounts.accounts import Account, Accounts
from chalicelib.store.accounts.claims import Claims
from chalicelib.store.accounts.login_attempts import LoginAttempt, LoginAttempts
from chalicelib.store.accounts.sessions import Details, Sessions

NOBODY = ""
"""The name of all that cannot be a handle: a text of one's choice in a key might be another's key."""


class StartedSession(NamedTuple):
    """A session that has begun; expires: µs since 1970."""

    handle: str
    token: str
    expires: int


class Login:
    """The rules of logging in."""

    def __init__(
        self,
        accounts: Accounts,
        claims: Claims,
        sessions: Sessions,
        attempts: LoginAttempts,
        passwords: Passwords,
        session_closer: SessionCloser,
    ) -> None:
        self._accounts = accounts
        self._claims = claims
        self._sessions = sessions
        self._attempts = attempts
        self._passwords = passwords
        self._session_closer = session_closer

    def login(self, request: LoginRequest, details: Details) -> StartedSession:
        """Log in by handle or email.

        An unknown name and a wrong password are answered alike and after the same work. 10 failures of a
        name from an address, or 50 from an address, in 15 minutes are TooManyRequests; failures of a name
        from elsewhere only part its tries from here by up to two seconds, so that nobody can lock another
        out. While many passwords are tried, those of an address that has failed come last, and may be
        TooManyRequests too.
        Raises BadRequest, WrongCredentials, TooManyRequests, PasswordChangeNeeded.
        """
        name, email = self._named(request)
        counted = email or name  # by email apart: else the failures of a handle would tell whose an email is
        attempt = self._begun(counted, details.address)
        account = self._accounts.get(name)
        usable = account is not None and not account.deleted and email in (None, account.email)
        held = account.password if account and usable else None
        match = self._verified(held, request.password, attempt)
        if not match or account is None or held is None:
            raise WrongCredentials("The name or the password is wrong.")
        self._attempts.succeed(attempt)
        current = self._changed_at_login(account, held, request.new_password)
        if current != held or (match is Match.RIGHT and not self._passwords.outdated(held)):
            return self.enter(account.handle, current, details)
        try:
            return self.enter(account.handle, held, details, self._passwords.hashed(request.password))
        except NotAuthenticated:  # another login hashed it anew meanwhile
            return self.login(request, details)

    def change_password(self, handle: str, change: PasswordChange, keep: bytes, address: str) -> None:
        """Change a password, and end the user's other sessions.

        keep: the digest of this one's token. Wrong passwords count as failed logins from the address.
        Raises BadRequest, WrongCredentials, TooManyRequests.
        """
        password, new = change.password, checked_password(change.new_password, "new_password")
        attempt = self._begun(handle, address)
        account = self._accounts.get(handle)
        held = account.password if account else None
        if not self._verified(held, password, attempt) or held is None:
            raise WrongCredentials("The current password is wrong.")
        if not self._accounts.set_password(handle, held, self._passwords.hashed(new), keep):
            raise WrongCredentials("The password has just been changed. Log in with the new one.")
        self._attempts.succeed(attempt)
        self._session_closer.close_all(handle, keep=keep)

    def enter(self, handle: str, held: str, details: Details, rehash: str = "") -> StartedSession:
        """Begin a session of an account whose password's hash is the one held; raises NotAuthenticated.

        rehash: the same password by today's parameters.
        """
        token = new_token(handle)
        expires = self._sessions.add(handle, held, digest_of(token), details, rehash)
        if not expires:
            raise NotAuthenticated("The account has just been changed. Log in again.")
        return StartedSession(handle, token, expires)

    def _named(self, request: LoginRequest) -> tuple[str, str | None]:
        """Return the handle to log in as, and the email that led to it."""
        given = [name for name in (request.handle, request.username, request.email) if name is not None]
        if len(given) != 1:
            raise BadRequest("Log in with either a handle (or username) or an email.")
        if min(len(request.password), len(normalised(request.password))) > MOST:
            raise bad_field("password", f"a password has at most {MOST} characters")
        if request.email is None:
            name = given[0].casefold()
            return name if HANDLE.fullmatch(name) else NOBODY, None
        email = checked_email(request.email, "email")
        return self._claims.holder(EMAIL, email) or email, email

    def _begun(self, name: str, address: str) -> LoginAttempt:
        """Count an attempt; raises TooManyRequests."""
        attempt = self._attempts.begin(name, address)
        if attempt.wait:
            headers = {"Retry-After": str(math.ceil(attempt.wait))}
            raise TooManyRequests(
                "Too many logins have failed for this name or from your address. Try again later.",
                headers=headers,
            )
        return attempt

    def _verified(self, held: str | None, password: str, attempt: LoginAttempt) -> Match:
        """Look at the password of an attempt; one that finds no turn to be looked at has not failed."""
        try:
            return self._passwords.verify(held, password, attempt.doubt)
        except TooManyRequests:
            self._attempts.take_back(attempt)
            raise

    def _changed_at_login(self, account: Account, held: str, new: str | None) -> str:
        if not account.reset:
            return held
        if new is None:
            raise PasswordChangeNeeded("This password works for one login only: send `new_password` with it.")
        hashed = self._passwords.hashed(checked_password(new, "new_password"))
        if not self._accounts.set_password(account.handle, held, hashed):
            raise WrongCredentials(
                "This password worked for one login, and has just been used. Log in with the new one."
            )
        self._session_closer.close_all(account.handle)
        return hashed
