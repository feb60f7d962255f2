"""Deleting an account."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.services.accounts.indexing import AccountIndexer
from chalicelib.services.auth.oidc import IDENTITY
from chalicelib.services.delivery.session_close import SessionCloser
from chalicelib.services.jobs.pending_jobs import PendingJobs
from chalicelib.services.social.edge_removal import EdgeRemoval
from chalicelib.store.accounts.accounts import Accounts, delete_item
from chalicelib.store.accounts.claims import Claims
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.redis.client import Store

INLINE_EDGES = 1000
"""Maximum number of follows, both ways, that a deletion removes before its response."""
INLINE_CHATS = 50
"""Maximum number of chats that a deletion leaves before its response; each takes a few round trips."""


class AccountErasure:
    """Removes a deleted user's data from all slots.

    depart: Removes a deleted user from a chat, by handle and chat; idempotent.
    """

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        claims: Claims,
        indexer: AccountIndexer,
        edges: EdgeRemoval,
        inboxes: Inboxes,
        depart: Callable[[str, str], None],
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._claims = claims
        self._indexer = indexer
        self._edges = edges
        self._inboxes = inboxes
        self._depart = depart

    def erase(self, handle: str) -> None:
        """Remove a deleted user's data from all slots; idempotent, also after a crash.

        The account's own fields go last, because they lead to the rest.
        """
        account = self._store.run(self._accounts.find(handle))
        if account is None or not account.deleted:
            return
        self._indexer.index(handle)
        if account.identity is not None:
            self._store.run(self._claims.release(IDENTITY, account.identity.hex(), handle))
        self._edges.remove(handle)
        for chat in self._store.run(self._inboxes.chats_of(handle)):
            self._depart(handle, chat)
        self._store.run(self._inboxes.forget(handle))
        self._store.run(self._accounts.forget(handle))


class Deletion:
    """Deletes accounts: first the account itself, then its data in all other slots (AccountErasure)."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        inboxes: Inboxes,
        jobs: PendingJobs,
        session_closer: SessionCloser,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._inboxes = inboxes
        self._jobs = jobs
        self._session_closer = session_closer

    def delete(self, handle: str) -> None:
        """Delete a user; with many follows or chats, a job removes the data in other slots later."""
        profile, chats = self._store.run_both(self._accounts.profile(handle), self._inboxes.chats_of(handle))
        self._session_closer.close_all(handle)  # before the account, which lists the connections
        self._store.run(self._accounts.delete(handle))
        item = delete_item(handle)
        edges = 0 if profile is None else profile.followers + profile.following
        if edges > INLINE_EDGES or len(chats) > INLINE_CHATS:
            self._jobs.enqueue(item)
        else:
            self._jobs.try_now(item)
