"""Traces: what other slots hold of a user, so that it can be taken away again."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from chalicelib.store import keys
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query

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

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, handle: str) -> frozenset[IndexTrace]:
        """Return what is noted."""
        return self._store.run(Query("SMEMBERS", (keys.traces(handle),), read=_traces))

    def note(self, handle: str, traces: Collection[IndexTrace]) -> None:
        """Note what will be made."""
        self._change("SADD", handle, traces)

    def strike(self, handle: str, traces: Collection[IndexTrace]) -> None:
        """Note no longer what is gone."""
        self._change("SREM", handle, traces)

    def _change(self, command: str, handle: str, traces: Collection[IndexTrace]) -> None:
        if traces:
            self._store.run(Query(command, (keys.traces(handle),), tuple(map(":".join, traces))))


def _traces(reply: list[bytes]) -> frozenset[IndexTrace]:
    return frozenset(IndexTrace(*member.decode().split(":", 1)) for member in reply)
