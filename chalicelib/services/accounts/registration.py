"""Accounts: how they are made."""

from __future__ import annotations

from chalicelib.errors import AlreadyTaken
from chalicelib.services.accounts.login import Login, StartedSession
from chalicelib.services.accounts.passwords import Passwords, checked_password
from chalicelib.services.auth.oidc import IDENTITY, Identity
from chalicelib.services.delivery.session_close import SessionCloser
from chalicelib.services.jobs.pending_jobs import PendingJobs
from chalicelib.services.values.emails import EMAIL, checked_email
from chalicelib.services.values.names import Names
from chalicelib.services.values.profile_fields import checked_name
from chalicelib.store.accounts.accounts import Account, Accounts, index_item
from chalicelib.store.accounts.claims import Claims
from chalicelib.store.accounts.sessions import Details


class Registration:
    """The rules of making accounts.

    closing: ends the connections by which an open server let somebody in by the name alone.
    """

    def __init__(
        self,
        names: Names,
        accounts: Accounts,
        claims: Claims,
        passwords: Passwords,
        logins: Login,
        work: PendingJobs,
        session_closer: SessionCloser,
    ) -> None:
        self._names = names
        self._accounts = accounts
        self._claims = claims
        self._passwords = passwords
        self._logins = logins
        self._work = work
        self._session_closer = session_closer

    def register(
        self, account: Account, password: str, details: Details, *, field: str = "handle"
    ) -> StartedSession:
        """Make an account and log in.

        account: handle, and what else is known: name, email. field: what the client calls the handle.
        Raises BadRequest, AlreadyTaken.
        """
        handle = self._names.account(account.handle, field)
        email = None if account.email is None else checked_email(account.email, "email")
        name = checked_name(account.name, "name")
        password = checked_password(password)
        if self._accounts.get(handle) is not None:
            raise _taken()
        held = self._passwords.hashed(password)
        self._make(Account(handle=handle, name=name, email=email, password=held))
        self._session_closer.close_all(handle)
        return self._logins.enter(handle, held, details)

    def register_identity(self, identity: Identity, wanted: Account) -> str:
        """Make the account of a signed identity, which has no password; returns its handle.

        wanted: handle and name. Again for the same identity and handle is fine.
        Raises BadRequest, AlreadyTaken: the handle is, or the identity has one already.
        """
        handle = self._names.account(wanted.handle, "handle")
        value = identity.digest.hex()
        if not self._claimed(value, handle):
            raise _taken()
        account = Account(handle=handle, name=checked_name(wanted.name, "name"), identity=identity.digest)
        if self._accounts.create(account):
            self._session_closer.close_all(handle)
        elif not self._is_of(handle, identity):
            self._claims.release(IDENTITY, value, handle)
            raise _taken()
        if not self._claims.settle(IDENTITY, value, handle):
            raise _taken()
        self._work.try_now(index_item(handle))
        return handle

    def _claimed(self, value: str, handle: str) -> bool:
        """Claim an identity for a while; one's own claim will do, and a deleted user's counts for nothing.

        A call that was under way during the deletion may have left that.
        """
        if self._claims.claim(IDENTITY, value, handle):
            return True
        holder = self._claims.holder(IDENTITY, value)
        if holder is None or holder == handle:
            return holder is not None
        account = self._accounts.get(holder)
        if account is None or not account.deleted:
            return False
        self._claims.release(IDENTITY, value, holder)
        return self._claims.claim(IDENTITY, value, handle)

    def _is_of(self, handle: str, identity: Identity) -> bool:
        account = self._accounts.get(handle)
        return account is not None and not account.deleted and account.identity == identity.digest

    def _make(self, account: Account) -> None:
        """Make an account: claim its email for a while, make it, and have the directory claim it for good.

        After a crash before the account is there the email is free again; after it, the sweep does the rest.
        """
        if account.email is not None and not self._claims.claim(EMAIL, account.email, account.handle):
            raise _taken()
        if not self._accounts.create(account):
            if account.email is not None:
                self._claims.release(EMAIL, account.email, account.handle)
            raise _taken()
        self._work.try_now(index_item(account.handle))


def _taken() -> AlreadyTaken:
    return AlreadyTaken("The handle or the email is taken. Choose another.")
