"""Updating the search index and the claim of an email after an account changes."""

from __future__ import annotations

from chalicelib.services.auth.oidc import IDENTITY
from chalicelib.services.values.emails import EMAIL, settle
from chalicelib.services.values.terms import terms_of
from chalicelib.store.accounts import index_traces
from chalicelib.store.accounts.accounts import Account, Accounts
from chalicelib.store.accounts.claims import Claims
from chalicelib.store.accounts.index_traces import IndexTrace, IndexTraces
from chalicelib.store.redis.client import Store
from chalicelib.store.search import SearchEntry, SearchIndex


class AccountIndexer:
    """Makes accounts findable by search terms and by email.

    A trace is a term or an email that another slot holds of an account.
    """

    def __init__(
        self, store: Store, accounts: Accounts, claims: Claims, index: SearchIndex, known: IndexTraces
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._claims = claims
        self._index = index
        self._traces = known

    def index(self, handle: str) -> None:
        """Add the account's missing traces and remove its stale ones; of a deleted account, all.

        A trace is noted before it is added, so the next call removes what a crash has left behind. An email
        that another user has claimed meanwhile is cleared from the account.
        """
        made: frozenset[IndexTrace] = frozenset()  # another call may have struck out what this one noted
        while True:  # repeats if the account changes meanwhile
            known = self._store.run(self._traces.of(handle)) | made
            account = self._store.run(self._accounts.find(handle))
            if account is None:
                return
            self._update(account, known)
            made |= _wanted_traces(account)
            now = self._store.run(self._accounts.find(handle))
            if now is not None and _wanted_traces(now) == _wanted_traces(account):
                return

    def _update(self, account: Account, known: frozenset[IndexTrace]) -> None:
        handle, wanted = account.handle, _wanted_traces(account)
        self._store.run(self._traces.note(handle, wanted - {IndexTrace(index_traces.TERM, handle)}))
        self._store.run(self._index.add(_entries(handle, wanted)))
        if not account.deleted:
            self._settle(account)
        stale = (known | _traces_of(account)) - wanted
        self._store.run(self._index.remove(_entries(handle, stale)))
        for trace in stale:
            if trace.kind == index_traces.EMAIL:
                self._store.run(self._claims.release(EMAIL, trace.value, handle))
        self._store.run(self._traces.strike(handle, stale))

    def _settle(self, account: Account) -> None:
        """Make the claims of email and identity permanent; clear an email that another user has claimed."""
        settle(self._store, self._accounts, self._claims, account)
        if account.identity is not None:
            self._store.run(self._claims.settle(IDENTITY, account.identity.hex(), account.handle))


def _wanted_traces(account: Account) -> frozenset[IndexTrace]:
    """Return the traces that an account should have."""
    return frozenset() if account.deleted else _traces_of(account)


def _traces_of(account: Account) -> frozenset[IndexTrace]:
    """Return the traces of an account, deleted or not."""
    terms = {IndexTrace(index_traces.TERM, term) for term in terms_of(account.handle, account.name)}
    emails = {IndexTrace(index_traces.EMAIL, account.email)} if account.email else set()
    return frozenset(terms | emails)


def _entries(handle: str, found: frozenset[IndexTrace]) -> list[SearchEntry]:
    return [SearchEntry(trace.value, handle) for trace in found if trace.kind == index_traces.TERM]
