"""Filters of the words in the messages of long chats, by which a search passes over messages."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha1

from chalicelib.store import keys
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

KEEP_WORD_FILTER = Script("messages/keep_word_filter")
BLOCK = 128
"""Number of messages of a filter. Block b has the messages with the seqs from b * 128 + 1 on."""


class WordFilters:
    """A Bloom filter for each whole block of messages. Their key, in the chat's partition `{c<NNN>}`:

    `{c<NNN>}:words:<chat>`: HASH, no expiry. Number of the block -> the filter, see BloomFilter. `first` ->
        number of the first block that is not trimmed, once filters of trimmed blocks were dropped. A block
        without a filter is searched message by message. The script that changes a message drops the filter
        of its block (lua/parts/word_filters.lua), so a filter misses no word of its messages.
    """

    def keep(self, chat: str, block: int, bits: bytes, elements: Iterable[bytes]) -> Query[bool]:
        """Return the query that keeps a filter, unless the block has changed; False: it has.

        elements: All elements that the log held of the block when the filter was made.
        """
        digest = sha1(b"".join(elements), usedforsecurity=False).hexdigest()
        named = (keys.log(chat), keys.word_filters(chat))
        return Query(KEEP_WORD_FILTER, named, (block, bits, digest), bool, if_refused=0)
