"""The end of an account."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.services.accounts.indexing import AccountIndexer
from chalicelib.services.auth.oidc import IDENTITY
from chalicelib.services.delivery.session_close import SessionCloser
from chalicelib.services.jobs.pending_jobs import PendingJobs
from chalicelib.store.accounts.accounts import Accounts, delete_item
from chalicelib.store.accounts.claims import Claims
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.redis.client import Store
from chalicelib.store.social.follows import Follows

INLINE_EDGES = 1000
"""Follows, both ways, that are removed before a deletion is answered."""
INLINE_CHATS = 50
"""Chats that are left before a deletion is answered; each takes a few trips."""


class Deletion:
    """Ends accounts: at once for everybody, then in all the slots that hold something of them.

    depart: takes a deleted user out of a chat, by handle and chat; again is no change.
    """

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        claims: Claims,
        directory: AccountIndexer,
        depart: Callable[[str, str], None],
        work: PendingJobs,
        session_closer: SessionCloser,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._claims = claims
        self._directory = directory
        self._follows = Follows(store)
        self._inboxes = Inboxes(store)
        self._depart = depart
        self._work = work
        self._session_closer = session_closer

    def delete(self, handle: str) -> None:
        """Delete a user; what others hold of one with very many follows or chats goes soon, not now."""
        profile, chats = self._store.run_both(self._accounts.profile(handle), self._inboxes.chats_of(handle))
        self._session_closer.close_all(handle)  # the account takes with it what leads to them
        self._accounts.delete(handle)
        item = delete_item(handle)
        edges = 0 if profile is None else profile.followers + profile.following
        if edges > INLINE_EDGES or len(chats) > INLINE_CHATS:
            self._work.enqueue(item)
        else:
            self._work.try_now(item)

    def finish(self, handle: str) -> None:
        """Take away what other slots hold of a deleted user; broken off anywhere, it may be begun again.

        What leads to the rest goes last: the account's own fields.
        """
        account = self._accounts.get(handle)
        if account is None or not account.deleted:
            return
        self._directory.index(handle)
        if account.identity is not None:
            self._claims.release(IDENTITY, account.identity.hex(), handle)
        self._follows.drop(handle)
        for chat in self._store.run(self._inboxes.chats_of(handle)):
            self._depart(handle, chat)
        self._inboxes.forget(handle)
        self._accounts.forget(handle)
