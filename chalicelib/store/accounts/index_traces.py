"""Traces: records of a user's entries in other slots, so that these can be removed."""

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
    """The entries of users in other slots. Its key, in the user's partition:

    `{u<NNN>}:traces:<handle>`: SET, no expiry, of `term:<term>` and `email:<email>`. A trace is recorded
        before its entry is made, and removed after the entry is removed, so every entry has a trace. The
        handle, which is a term too, has none.
    """

    def of(self, handle: str) -> Query[frozenset[IndexTrace]]:
        """Return the query for the recorded traces."""
        return Query("SMEMBERS", (keys.index_traces(handle),), read=_traces)

    def note(self, handle: str, traces: Collection[IndexTrace]) -> Batch[list[object]]:
        """Return the batch that records traces, before their entries are made."""
        return _changing("SADD", handle, traces)

    def strike(self, handle: str, traces: Collection[IndexTrace]) -> Batch[list[object]]:
        """Return the batch that removes traces, after their entries are removed."""
        return _changing("SREM", handle, traces)


def _changing(command: str, handle: str, traces: Collection[IndexTrace]) -> Batch[list[object]]:
    members = tuple(map(":".join, traces))
    return each([Query(command, (keys.index_traces(handle),), members)] if members else [])


def _traces(reply: list[bytes]) -> frozenset[IndexTrace]:
    return frozenset(IndexTrace(*member.decode().split(":", 1)) for member in reply)
