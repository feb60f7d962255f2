"""Failed logins of late."""

from __future__ import annotations

import secrets
from typing import NamedTuple

from chalicelib.store import keys
from chalicelib.store.client import Query, Store
from chalicelib.store.rates import site_of
from chalicelib.store.scripts import Script

TRY = Script("try")

WINDOW_SECONDS = 15 * 60
PAIR_FAILURES = 10
ADDRESS_FAILURES = 50
REMEMBERED = 1000


class Attempt(NamedTuple):
    """A login that may go on, or not.

    failures: of the name, from anywhere, of late. wait: seconds until one from here may go on; 0: this may.
    """

    id: str
    failures: int
    wait: float


class Attempts:
    """Attempts to log in that did not succeed. Its keys, each a ZSET of attempts by time in µs, which expires
    15 minutes after its last write:

    `{u<NNN>}:tries:<name>:<address>`: as a name from an address, in the partition of the name.
    `{u<NNN>}:tries:<name>:`: as a name from anywhere.
    `{u<NNN>}:tries::<address>`: as anyone from an address, in the partition of the address.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, name: str, address: str) -> Attempt:
        """Count an attempt before its password is looked at, so that many at once are all counted.

        name: handle or email as which someone logs in.
        """
        attempt, site = secrets.token_hex(8), site_of(address)
        (_, pair), (_, everyone), (failures, _) = self._store.fetch_all(
            [
                _trying(keys.tries(name, site), attempt, PAIR_FAILURES),
                _trying(keys.address_tries(site), attempt, ADDRESS_FAILURES),
                _trying(keys.tries(name, ""), attempt, 0),
            ]
        )
        begun = Attempt(attempt, failures, max(pair, everyone) / 1_000_000)
        if begun.wait:
            self._store.fetch_all(_taking_back(name, site, attempt))
        return begun

    def succeed(self, name: str, address: str, attempt: Attempt) -> None:
        """Take an attempt back, and forget those that failed from the same address."""
        site = site_of(address)
        forgotten: Query[int] = Query("DEL", (keys.tries(name, site),))
        self._store.fetch_all([forgotten, *_taking_back(name, site, attempt.id)])


def _taking_back(name: str, site: str, attempt: str) -> list[Query[int]]:
    named = (keys.tries(name, site), keys.tries(name, ""), keys.address_tries(site))
    return [Query("ZREM", (key,), (attempt,)) for key in named]


def _trying(key: str, attempt: str, most: int) -> Query[tuple[int, int]]:
    args = (attempt, WINDOW_SECONDS * 1_000_000, most, REMEMBERED)
    return Query(TRY, (key,), args, lambda reply: (reply[0], reply[1]))
