"""Finds the caller of a request by its token or name."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from chalicelib.config import Settings
from chalicelib.errors import HandleNeeded, NotAuthenticated, StoreUnavailable
from chalicelib.logs import LOGGER, cause_of
from chalicelib.services.auth.account_status import AccountStatusCache
from chalicelib.services.auth.caller import INVALID_TOKEN, Caller, check_rate
from chalicelib.services.auth.oidc import IDENTITY, Identity, Verifier
from chalicelib.services.values.tokens import digest_of, handle_of
from chalicelib.store.accounts.accounts import AccountStatus
from chalicelib.store.accounts.claims import Claims
from chalicelib.store.accounts.rate_limits import Rate, RateLimits
from chalicelib.store.accounts.sessions import Credential, Details, Sessions, id_of
from chalicelib.store.accounts.signed_identity import signed_mark
from chalicelib.store.redis.client import Store


class Authenticator:
    """Finds callers by a session's token, a signed identity, or on an open server an unclaimed name."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        statuses: AccountStatusCache,
        sessions: Sessions,
        claims: Claims,
        verifier: Verifier | None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._statuses = statuses
        self._sessions = sessions
        self._claims = claims
        self._verifier = verifier

    def by_bearer(self, token: str, kind: str, details: Details) -> Caller:
        """Return the caller of a bearer token, not authenticated yet.

        kind: the class of the route. details: the caller's address and User-Agent.
        Raises NotAuthenticated, HandleNeeded.
        """
        if handle := handle_of(token):
            digest = digest_of(token)
            caller = self._caller_with(Credential(handle, digest), kind, details, id_of(digest))
            caller.digest = digest
            return caller
        identity = self.identity(token)
        holder = self._store.run(self._claims.holder(IDENTITY, identity.digest.hex()))
        if holder is None:
            raise HandleNeeded("Choose a handle for this identity first: POST /v1/identity.")
        shown = Credential(holder, identity=identity.digest, signed=identity.issued_at)
        caller = self._caller_with(shown, kind, details, "")
        caller.signed = signed_mark(identity.issued_at, identity.expires_at)
        return caller

    def identity(self, token: str) -> Identity:
        """Return the identity that a token of the outside issuer proves; raises NotAuthenticated."""
        if self._verifier is None or token.count(".") != 2:
            raise NotAuthenticated(
                "This server did not issue this bearer token. Log in to get one.", challenge=INVALID_TOKEN
            )
        return self._verifier.verify(token)

    def by_name(self, names: Sequence[str]) -> Caller:
        """Return the caller of the first of some case-folded names that has no account.

        Raises NotAuthenticated, also on a server that is not open.
        """
        if self._settings.auth != "open":
            raise NotAuthenticated("This server needs a bearer token. Log in to get one.")
        for name in names:
            if self._statuses.of(name) is AccountStatus.NONE:
                return Caller(self._store, name)
        first, *others = dict.fromkeys(names)
        if others:
            both = " and ".join((first, *others))
            raise NotAuthenticated(f"{both} have accounts: authenticate with the token of one of them.")
        raise NotAuthenticated(f"{first} has an account: authenticate with its token.")

    def trusted(self, name: str) -> Caller:
        """Return the caller of a name that is authenticated elsewhere, such as by IAM."""
        return Caller(self._store, name)

    def take(self, address: str, kind: str) -> Rate | None:
        """Take a request from the limit of an address; None: there is no limit, or the store failed.

        Raises TooManyRequests. If the store fails, requests pass, and an alarm counts the log line.
        """
        limit = self._settings.rate_limits[kind]
        if not limit:
            return None
        try:
            rate = self._store.run(RateLimits.take(address, kind, limit))
        except StoreUnavailable as error:
            LOGGER.warning({"event": "rate_limit_open", "class": kind, **cause_of(error)})
            return None
        check_rate(rate)
        return rate

    def _caller_with(self, shown: Credential, kind: str, details: Details, session: str) -> Caller:
        limit = self._settings.rate_limits[kind]
        authentication = functools.partial(self._sessions.authenticate, shown, kind, limit, details)
        charging = functools.partial(RateLimits.of_user, shown.handle, shown.digest, kind, limit, done=True)
        return Caller(self._store, shown.handle, session, authentication, charging if limit else None)
