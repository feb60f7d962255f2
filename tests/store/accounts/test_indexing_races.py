"""Index updates that race with changes of the account."""

from __future__ import annotations

from chalicelib.schemas.users import ProfileChanges
from chalicelib.services.accounts.indexing import AccountIndexer
from chalicelib.services.values.emails import EMAIL
from chalicelib.store.accounts.accounts import Account, Accounts
from chalicelib.store.redis.client import connect
from chalicelib.store.redis.query import Query
from tests.servers.engines import Engine
from tests.store.account_services import Village, sweep
from tests.store.log_records import settings_for

EMAILS = [f"e{number}@example.org" for number in range(6)]


class OvertakenAccounts(Accounts):
    """Accounts that change, completely, each time after a run of the directory has read them."""

    def __init__(self, village: Village) -> None:
        self._village = village
        self._waiting = EMAILS[1:]
        self._reads = 0

    def find(self, handle: str) -> Query[Account | None]:
        """Return the query for the account as it was a moment ago, when the index update reads it."""
        self._reads += 1
        mirrored = self._reads % 2 == 1

        def overtaken(account: Account | None) -> Account | None:
            if mirrored and self._waiting:
                self._village.people.change(handle, ProfileChanges(email=self._waiting.pop(0)))
            return account

        return super().find(handle).map(overtaken)


def test_a_run_that_is_overtaken_again_and_again(valkey: Engine) -> None:
    """After any number of overtaken index updates, no email stays claimed that the account does not have."""
    valkey.resume()
    valkey.start()
    valkey.flush()
    village = Village(connect(settings_for(valkey)))
    village.settle("alice", "Alice", EMAILS[0])
    overtaken = OvertakenAccounts(village)

    AccountIndexer(village.store, overtaken, village.claims, village.index, village.traces).index("alice")
    sweep(village.store)

    account = village.store.run(village.accounts.find("alice"))
    assert account is not None
    assert [email for email in EMAILS if village.store.run(village.claims.holder(EMAIL, email))] == [
        account.email
    ]
