"""The directory: what other slots hold of an account, brought in line with it."""

from __future__ import annotations

from chalicelib.services.auth.oidc import IDENTITY
from chalicelib.services.values.emails import EMAIL, settle
from chalicelib.services.values.terms import terms_of
from chalicelib.store.accounts import index_traces
from chalicelib.store.accounts.accounts import Account, Accounts
from chalicelib.store.accounts.claims import Claims
from chalicelib.store.accounts.index_traces import IndexTrace, IndexTraces
from chalicelib.store.search import SearchEntry, SearchIndex


class AccountIndexer:
    """Puts people where they are found: by search terms, and by email."""

    def __init__(self, accounts: Accounts, claims: Claims, index: SearchIndex, noted: IndexTraces) -> None:
        self._accounts = accounts
        self._claims = claims
        self._index = index
        self._noted = noted

    def index(self, handle: str) -> None:
        """Make what the account says, and take away what it says no more; of a deleted one, all.

        What is made is noted first, so whatever a crash leaves behind the next call takes away. An email
        that somebody else has come to claim is cleared from the account.
        """
        made: frozenset[IndexTrace] = frozenset()  # another call may have struck what this one noted
        while True:  # as long as the account changes meanwhile
            noted = self._noted.of(handle) | made
            account = self._accounts.get(handle)
            if account is None:
                return
            self._mirror(account, noted)
            made |= _said_by(account)
            now = self._accounts.get(handle)
            if now is not None and _said_by(now) == _said_by(account):
                return

    def _mirror(self, account: Account, noted: frozenset[IndexTrace]) -> None:
        handle, said = account.handle, _said_by(account)
        self._noted.note(handle, said - {IndexTrace(index_traces.TERM, handle)})
        self._index.add(_entries(handle, said))
        if not account.deleted:
            self._settle(account)
        gone = (noted | _once_said_by(account)) - said
        self._index.remove(_entries(handle, gone))
        for trace in gone:
            if trace.kind == index_traces.EMAIL:
                self._claims.release(EMAIL, trace.value, handle)
        self._noted.strike(handle, gone)

    def _settle(self, account: Account) -> None:
        """Claim for good what only one user can have; an email that another has come to claim is cleared."""
        settle(self._accounts, self._claims, account)
        if account.identity is not None:
            self._claims.settle(IDENTITY, account.identity.hex(), account.handle)


def _said_by(account: Account) -> frozenset[IndexTrace]:
    """Return the traces that an account should have."""
    return frozenset() if account.deleted else _once_said_by(account)


def _once_said_by(account: Account) -> frozenset[IndexTrace]:
    """Return the traces that an account should have, or had until it was deleted."""
    terms = {IndexTrace(index_traces.TERM, term) for term in terms_of(account.handle, account.name)}
    emails = {IndexTrace(index_traces.EMAIL, account.email)} if account.email else set()
    return frozenset(terms | emails)


def _entries(handle: str, found: frozenset[IndexTrace]) -> list[SearchEntry]:
    return [SearchEntry(trace.value, handle) for trace in found if trace.kind == index_traces.TERM]
