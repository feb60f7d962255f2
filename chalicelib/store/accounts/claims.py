"""Claims: values that only one user can have, each kept in a slot of its own."""

from __future__ import annotations

from chalicelib.store import keys
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

CLAIM = Script("accounts/claim")
RELEASE_CLAIM = Script("accounts/release_claim")

CLAIM_SECONDS = 180
"""Time for which a claim waits for its account; after a crash between the two, the value is free again.

It is twice the maximum time after which the sweep settles a claim."""


class Claims:
    """The users of emails, outside identities and imported users. Its key, in the partition of the value:

    `{u<NNN>}:claim:<kind>:<value>`: STRING, the handle; expires after CLAIM_SECONDS until it is settled.
        A claim that the user's own account does not confirm is void.
    """

    @staticmethod
    def claim(kind: str, value: str, handle: str) -> Query[bool]:
        """Return the query that claims a value for CLAIM_SECONDS; False: this or another user has it."""
        return Query(CLAIM, (keys.claim(kind, value),), (handle, CLAIM_SECONDS), bool, repeatable=False)

    @staticmethod
    def settle(kind: str, value: str, handle: str) -> Query[bool]:
        """Return the query that claims a value without expiry; False: another user has it."""
        return Query(CLAIM, (keys.claim(kind, value),), (handle, 0), bool)

    @staticmethod
    def release(kind: str, value: str, handle: str) -> Query[object]:
        """Return the query that releases a value, if the user has it."""
        return Query(RELEASE_CLAIM, (keys.claim(kind, value),), (handle,))

    @staticmethod
    def holder(kind: str, value: str) -> Query[str | None]:
        """Return the query for the handle that has claimed a value."""
        return Query("GET", (keys.claim(kind, value),), read=lambda held: held and held.decode())
