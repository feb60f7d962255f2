"""Traces: what the index holds of a user in other slots, noted so that it can be removed."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from chalicelib.store import keys
from chalicelib.store.redis.query import Batch, Query, each

TERM, EMAIL = "term", "email"


class IndexTrace(NamedTuple):
    """A search term or an email; kind: TERM or EMAIL."""

    kind: str
    value: str


class IndexTraces:
    """What was put into other slots for a user. Its key, in the user's partition:

    `{u<NNN>}:traces:<handle>`: SET, no expiry, of `term:<term>` and `email:<email>`. A trace is noted before
        it is made and struck when it is gone, so what is not here is not there. The handle, a term itself, is
        not noted.
    """

    def of(self, handle: str) -> Query[frozenset[IndexTrace]]:
        """Return the query for the traces that are noted."""
        return Query("SMEMBERS", (keys.index_traces(handle),), read=_traces)

    def note(self, handle: str, traces: Collection[IndexTrace]) -> Batch[list[object]]:
        """Return the batch that notes traces before they are made."""
        return _changing("SADD", handle, traces)

    def strike(self, handle: str, traces: Collection[IndexTrace]) -> Batch[list[object]]:
        """Return the batch that strikes traces that are gone."""
        return _changing("SREM", handle, traces)


def _changing(command: str, handle: str, traces: Collection[IndexTrace]) -> Batch[list[object]]:
    members = tuple(map(":".join, traces))
    return each([Query(command, (keys.index_traces(handle),), members)] if members else [])


def _traces(reply: list[bytes]) -> frozenset[IndexTrace]:
    return frozenset(IndexTrace(*member.decode().split(":", 1)) for member in reply)
