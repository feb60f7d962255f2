"""Logging in, and changing a password."""

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
from chalicelib.services.accounts.passwords import (
    MAX_CHARACTERS,
    Match,
    Passwords,
    checked_password,
    normalised,
)
from chalicelib.services.delivery.session_close import SessionCloser
from chalicelib.services.values.emails import EMAIL, checked_email
from chalicelib.services.values.names import HANDLE
from chalicelib.services.values.tokens import digest_of, new_token
from chalicelib.store.accounts.accounts import Account, Accounts
from chalicelib.store.accounts.claims import Claims
from chalicelib.store.accounts.login_attempts import LoginAttempt, LoginAttempts
from chalicelib.store.accounts.sessions import Details, Sessions
from chalicelib.store.redis.client import Store

NOBODY = ""
"""Stands for a name that is not a handle: only handles become part of a key."""


class StartedSession(NamedTuple):
    """A new session; expires: µs since 1970."""

    handle: str
    token: str
    expires: int


class Login:
    """Checks passwords and starts sessions."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        claims: Claims,
        sessions: Sessions,
        attempts: LoginAttempts,
        passwords: Passwords,
        session_closer: SessionCloser,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._claims = claims
        self._sessions = sessions
        self._attempts = attempts
        self._passwords = passwords
        self._session_closer = session_closer

    def login(self, request: LoginRequest, details: Details) -> StartedSession:
        """Log in by handle or email.

        An unknown name and a wrong password get the same response after the same work. After 10 failures for
        a name from an address, or 50 from an address, in 15 minutes, further attempts raise TooManyRequests.
        Failures for a name from other addresses only delay its attempts from this address, by up to two
        seconds, so nobody can lock another user out. While many passwords are being checked, those from an
        address with failures come last, and may raise TooManyRequests too.
        Raises BadRequest, WrongCredentials, TooManyRequests, PasswordChangeNeeded.
        """
        name, email = self._handle_of(request)
        counted = email or name  # counted by email: failures of a handle would reveal whose an email is
        attempt = self._begin_attempt(counted, details.address)
        account = self._store.run(self._accounts.find(name))
        usable = account is not None and not account.deleted and email in (None, account.email)
        stored_hash = account.password if account and usable else None
        match = self._verify(stored_hash, request.password, attempt)
        if not match or account is None or stored_hash is None:
            raise WrongCredentials("The name or the password is wrong.")
        self._store.run(self._attempts.succeed(attempt))
        current = self._replace_one_time_password(account, stored_hash, request.new_password)
        if current != stored_hash or (match is Match.RIGHT and not self._passwords.needs_rehash(stored_hash)):
            return self.start_session(account.handle, current, details)
        try:
            return self.start_session(
                account.handle, stored_hash, details, self._passwords.hash(request.password)
            )
        except NotAuthenticated:  # another login has replaced the hash
            return self.login(request, details)

    def change_password(self, handle: str, change: PasswordChange, keep: bytes, address: str) -> None:
        """Change a password, and end the user's other sessions.

        keep: Digest of the token of the session that stays. Wrong passwords count as failed logins.
        Raises BadRequest, WrongCredentials, TooManyRequests.
        """
        password, new = change.password, checked_password(change.new_password, "new_password")
        attempt = self._begin_attempt(handle, address)
        account = self._store.run(self._accounts.find(handle))
        stored_hash = account.password if account else None
        if not self._verify(stored_hash, password, attempt) or stored_hash is None:
            raise WrongCredentials("The current password is wrong.")
        if not self._store.run(
            self._accounts.set_password(handle, stored_hash, self._passwords.hash(new), keep)
        ):
            raise WrongCredentials("The password has just been changed. Log in with the new one.")
        self._store.run(self._attempts.succeed(attempt))
        self._session_closer.close_all(handle, keep=keep)

    def start_session(
        self, handle: str, stored_hash: str, details: Details, rehash: str = ""
    ) -> StartedSession:
        """Start a session of an account; raises NotAuthenticated if its password hash is another by now.

        rehash: A hash of the same password by the current parameters, to replace the stored one.
        """
        token = new_token(handle)
        expires = self._store.run(self._sessions.add(handle, stored_hash, digest_of(token), details, rehash))
        if not expires:
            raise NotAuthenticated("The account has just been changed. Log in again.")
        return StartedSession(handle, token, expires)

    def _handle_of(self, request: LoginRequest) -> tuple[str, str | None]:
        """Return the handle to log in as, and the email that it was found by."""
        given = [name for name in (request.handle, request.username, request.email) if name is not None]
        if len(given) != 1:
            raise BadRequest("Log in with either a handle (or username) or an email.")
        if min(len(request.password), len(normalised(request.password))) > MAX_CHARACTERS:
            raise bad_field("password", f"a password has at most {MAX_CHARACTERS} characters")
        if request.email is None:
            name = given[0].casefold()
            return name if HANDLE.fullmatch(name) else NOBODY, None
        email = checked_email(request.email, "email")
        return self._store.run(self._claims.holder(EMAIL, email)) or email, email

    def _begin_attempt(self, name: str, address: str) -> LoginAttempt:
        """Count an attempt; raises TooManyRequests."""
        attempt = self._store.run(self._attempts.begin(name, address))
        if attempt.wait:
            self._store.run(self._attempts.take_back(attempt))
            headers = {"Retry-After": str(math.ceil(attempt.wait))}
            raise TooManyRequests(
                "Too many logins have failed for this name or from your address. Try again later.",
                headers=headers,
            )
        return attempt

    def _verify(self, stored_hash: str | None, password: str, attempt: LoginAttempt) -> Match:
        """Check the password of an attempt; one that is refused before the check does not count as failed."""
        try:
            return self._passwords.verify(stored_hash, password, attempt.doubt)
        except TooManyRequests:
            self._store.run(self._attempts.take_back(attempt))
            raise

    def _replace_one_time_password(self, account: Account, stored_hash: str, new: str | None) -> str:
        if not account.reset:
            return stored_hash
        if new is None:
            raise PasswordChangeNeeded("This password works for one login only: send `new_password` with it.")
        hashed = self._passwords.hash(checked_password(new, "new_password"))
        if not self._store.run(self._accounts.set_password(account.handle, stored_hash, hashed)):
            raise WrongCredentials(
                "This password worked for one login, and has just been used. Log in with the new one."
            )
        self._session_closer.close_all(account.handle)
        return hashed
