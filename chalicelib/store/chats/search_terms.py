"""The search terms of a group or room, recorded so that their entries can be removed."""

from __future__ import annotations

from collections.abc import Collection

from chalicelib.store import keys
from chalicelib.store.redis.query import Batch, Query, each
from chalicelib.store.redis.scripts import Script

UPDATE_SEARCH_TERMS = Script("chats/update_search_terms")


class ChatTerms:
    """The terms of groups and rooms in the search index. Their key, in the chat's partition:

    `{c<NNN>}:chat:<chat>`: HASH, no expiry, see Chats. Its field `terms`: the terms, joined by NULs. A term
        is recorded before its entry is made, and removed after the entry is removed, so every entry has a
        record. The tombstone of a deleted chat keeps the field until all entries are removed.
    """

    def of(self, chat: str) -> Query[frozenset[str]]:
        """Return the query for the recorded terms."""
        return Query("HGET", (keys.chat(chat),), ("terms",), _terms)

    def note(self, chat: str, terms: Collection[str]) -> Batch[list[object]]:
        """Return the batch that records terms, before their entries are made."""
        return _changing(chat, noted=terms)

    def strike(self, chat: str, terms: Collection[str]) -> Batch[list[object]]:
        """Return the batch that removes terms, after their entries are removed."""
        return _changing(chat, struck=terms)


def _changing(chat: str, noted: Collection[str] = (), struck: Collection[str] = ()) -> Batch[list[object]]:
    args = ("\0".join(noted), "\0".join(struck))
    return each([Query(UPDATE_SEARCH_TERMS, (keys.chat(chat),), args)] if noted or struck else [])


def _terms(joined: bytes | None) -> frozenset[str]:
    return frozenset(joined.decode().split("\0")) if joined else frozenset()
