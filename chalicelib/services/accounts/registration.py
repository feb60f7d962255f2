"""Creating accounts."""

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
from chalicelib.store.redis.client import Store


class Registration:
    """Creates accounts.

    session_closer: Closes connections that an open server had accepted for the name without an account.
    """

    def __init__(
        self,
        store: Store,
        names: Names,
        accounts: Accounts,
        passwords: Passwords,
        login: Login,
        jobs: PendingJobs,
        session_closer: SessionCloser,
    ) -> None:
        self._store = store
        self._names = names
        self._accounts = accounts
        self._passwords = passwords
        self._login = login
        self._jobs = jobs
        self._session_closer = session_closer

    def register(
        self, account: Account, password: str, details: Details, *, field: str = "handle"
    ) -> StartedSession:
        """Create an account and log in.

        account: Its handle, and the name and email if given. field: The request's field for the handle.
        Raises BadRequest, AlreadyTaken.
        """
        handle = self._names.account(account.handle, field)
        email = None if account.email is None else checked_email(account.email, "email")
        name = checked_name(account.name, "name")
        password = checked_password(password)
        if self._store.run(self._accounts.find(handle)) is not None:
            raise _taken()
        stored_hash = self._passwords.hash(password)
        self._create(Account(handle=handle, name=name, email=email, password=stored_hash))
        self._session_closer.close_all(handle)
        return self._login.start_session(handle, stored_hash, details)

    def register_identity(self, identity: Identity, wanted: Account) -> str:
        """Create the account of a signed identity, which has no password; returns its handle. Idempotent.

        wanted: Handle and name. Raises BadRequest; AlreadyTaken if another user has the handle, or the
        identity has another account.
        """
        handle = self._names.account(wanted.handle, "handle")
        value = identity.digest.hex()
        if not self._claim_identity(value, handle):
            raise _taken()
        account = Account(handle=handle, name=checked_name(wanted.name, "name"), identity=identity.digest)
        if self._store.run(self._accounts.create(account)):
            self._session_closer.close_all(handle)
        elif not self._belongs_to(handle, identity):
            self._store.run(Claims.release(IDENTITY, value, handle))
            raise _taken()
        if not self._store.run(Claims.settle(IDENTITY, value, handle)):
            raise _taken()
        self._jobs.try_now(index_item(handle))
        return handle

    def _claim_identity(self, value: str, handle: str) -> bool:
        """Claim an identity for a while; returns whether the handle holds the claim.

        A deleted user's claim, which a call during the deletion may leave, is released first.
        """
        if self._store.run(Claims.claim(IDENTITY, value, handle)):
            return True
        holder = self._store.run(Claims.holder(IDENTITY, value))
        if holder is None or holder == handle:
            return holder is not None
        account = self._store.run(self._accounts.find(holder))
        if account is None or not account.deleted:
            return False
        self._store.run(Claims.release(IDENTITY, value, holder))
        return self._store.run(Claims.claim(IDENTITY, value, handle))

    def _belongs_to(self, handle: str, identity: Identity) -> bool:
        account = self._store.run(self._accounts.find(handle))
        return account is not None and not account.deleted and account.identity == identity.digest

    def _create(self, account: Account) -> None:
        """Claim the email for a while, create the account, and have the indexing make the claim permanent.

        A crash before the creation frees the email again; after it, the sweep does the rest.
        """
        if account.email is not None and not self._store.run(
            Claims.claim(EMAIL, account.email, account.handle)
        ):
            raise _taken()
        if not self._store.run(self._accounts.create(account)):
            if account.email is not None:
                self._store.run(Claims.release(EMAIL, account.email, account.handle))
            raise _taken()
        self._jobs.try_now(index_item(account.handle))


def _taken() -> AlreadyTaken:
    return AlreadyTaken("The handle or the email is taken. Choose another.")
