"""The directory's work, overtaken by changes."""

from __future__ import annotations

from chalicelib.schemas.users import ProfileChanges
from chalicelib.services.accounts.indexing import AccountIndexer
from chalicelib.services.values.emails import EMAIL
from chalicelib.store.accounts.accounts import Account, Accounts
from chalicelib.store.redis.client import Store, connect
from tests.servers.engines import Engine
from tests.store.account_services import Village, sweep
from tests.store.log_records import settings_for

EMAILS = [f"e{number}@example.org" for number in range(6)]


class OvertakenAccounts(Accounts):
    """Accounts that change, completely, each time after a run of the directory has read them."""

    def __init__(self, store: Store, village: Village) -> None:
        super().__init__(store)
        self._village = village
        self._waiting = EMAILS[1:]
        self._reads = 0

    def get(self, handle: str) -> Account | None:
        """Return the account as it was a moment ago, when it is read to be mirrored."""
        account = super().get(handle)
        self._reads += 1
        if self._reads % 2 and self._waiting:
            self._village.people.change(handle, ProfileChanges(email=self._waiting.pop(0)))
        return account


def test_a_run_that_is_overtaken_again_and_again(valkey: Engine) -> None:
    """However often a run is overtaken, no email stays claimed that the account does not have."""
    valkey.resume()
    valkey.start()
    valkey.flush()
    village = Village(connect(settings_for(valkey)))
    village.settle("alice", "Alice", EMAILS[0])
    overtaken = OvertakenAccounts(village.store, village)

    AccountIndexer(overtaken, village.claims, village.index, village.traces).index("alice")
    sweep(village.store)

    account = village.accounts.get("alice")
    assert account is not None
    assert [email for email in EMAILS if village.claims.holder(EMAIL, email)] == [account.email]
