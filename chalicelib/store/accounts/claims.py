"""Claims: what only one user can have, though its slot is not the user's."""

from __future__ import annotations

from chalicelib.store import keys
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

CLAIM = Script("accounts/claim")
RELEASE_CLAIM = Script("accounts/release_claim")

CLAIM_SECONDS = 180
"""How long a claim waits for the user to be made: what a crash between the two leaves is free again then.

Twice as long as the sweep takes at the most to settle it."""


class Claims:
    """Who has an email, an outside identity or an imported user. Its key, in the partition of the value:

    `{u<NNN>}:claim:<kind>:<value>`: STRING, the handle; expires after CLAIM_SECONDS until it is settled.
        A claim that the user's own account does not confirm counts for nothing.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def claim(self, kind: str, value: str, handle: str) -> bool:
        """Claim a value for a while; returns False when it is claimed, by whomever."""
        args = (handle, CLAIM_SECONDS)
        return bool(self._store.run(Query(CLAIM, (keys.claim(kind, value),), args, repeatable=False)))

    def settle(self, kind: str, value: str, handle: str) -> bool:
        """Claim a value for good; returns False when another has it."""
        return bool(self._store.run(Query(CLAIM, (keys.claim(kind, value),), (handle, 0))))

    def release(self, kind: str, value: str, handle: str) -> None:
        """Give a value up, if it is the user's."""
        self._store.run(Query(RELEASE_CLAIM, (keys.claim(kind, value),), (handle,)))

    def holder(self, kind: str, value: str) -> str | None:
        """Return the handle of who claims a value."""
        held: bytes | None = self._store.run(Query("GET", (keys.claim(kind, value),)))
        return None if held is None else held.decode()
