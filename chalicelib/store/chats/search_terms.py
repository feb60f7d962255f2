"""What the search index holds of a group or room, noted so that it can be taken away again."""

from __future__ import annotations

from collections.abc import Collection

from chalicelib.store import keys
from chalicelib.store.redis.query import Batch, Query, each
from chalicelib.store.redis.scripts import Script

UPDATE_SEARCH_TERMS = Script("chats/update_search_terms")


class ChatTerms:
    """The terms that were put into the index for a group or room. Their key, in the chat's partition:

    `{c<NNN>}:chat:<chat>`: HASH, no expiry, see Chats. Its field `terms`: the terms, joined by NULs. A term
        is noted before it is made and struck off when it is gone, so what is not here is not there. The
        tombstone of a deleted chat keeps the field until all of it is gone.
    """

    def of(self, chat: str) -> Query[frozenset[str]]:
        """Return the query for the terms that are noted."""
        return Query("HGET", (keys.chat(chat),), ("terms",), _terms)

    def note(self, chat: str, terms: Collection[str]) -> Batch[list[object]]:
        """Return the batch that notes terms before they are made."""
        return _changing(chat, noted=terms)

    def strike(self, chat: str, terms: Collection[str]) -> Batch[list[object]]:
        """Return the batch that strikes terms that are gone."""
        return _changing(chat, struck=terms)


def _changing(chat: str, noted: Collection[str] = (), struck: Collection[str] = ()) -> Batch[list[object]]:
    args = ("\0".join(noted), "\0".join(struck))
    return each([Query(UPDATE_SEARCH_TERMS, (keys.chat(chat),), args)] if noted or struck else [])


def _terms(joined: bytes | None) -> frozenset[str]:
    return frozenset(joined.decode().split("\0")) if joined else frozenset()
