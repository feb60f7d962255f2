"""Tokens of the sync: the changes of its chats that a client has received, and of which history."""

from __future__ import annotations

import secrets
import struct
from typing import NamedTuple

from chalicelib.services.values.paging import CursorCodec, from_base64, to_base64

LAYOUT = struct.Struct(">BQ8sQQQ")
FORMAT = 2
OLD_HEAD = struct.Struct(">BQ8sQQ")
OLD_FORMAT, OLD_DIGEST_BYTES = 1, 6
LINEAGE_BYTES = 8
UNKEPT = "00" * LINEAGE_BYTES
"""In place of a lineage: the store took no writes, and has no record of this token."""
CHECKED = 1
"""In place of `began`: all large chats are checked, and pages with moved chats still follow."""
MAX_TIME = 2**53 - 1
"""The largest whole number that Lua represents exactly."""


class SyncToken(NamedTuple):
    """What a client has received of its chats.

    version: Highest version of the moved chats that it received.
    lineage: 16 hex digits that its first sync drew, or UNKEPT.
    floor: Version of the index when the client held nothing: it never had chats that were gone by then.
    at: Time of the page, by the store's clock.
    began: Start of the current round of checks of large chats; CHECKED after the round; 0: the next page
        starts a round.
    version, floor, at and began are µs since 1970.
    """

    version: int
    lineage: str
    floor: int = 0
    at: int = 0
    began: int = 0

    @classmethod
    def first(cls, floor: int) -> SyncToken:
        """Return the token of a client that holds nothing, with a new lineage."""
        return cls(0, secrets.token_hex(LINEAGE_BYTES), floor)

    @property
    def is_kept(self) -> bool:
        """Whether the store has a record of this token's lineage."""
        return self.lineage != UNKEPT

    def __str__(self) -> str:
        return SYNC_TOKEN.encode(self)


class SyncTokenCodec(CursorCodec[SyncToken]):
    """55 characters: base64url of the byte 2, version (8 bytes), lineage (8), floor (8), at (8), began (8).

    Format 1, of earlier servers, has no `began`, and 6 bytes for each large chat, which are skipped.
    """

    hint = "send the `next` of a sync, or none to begin"

    def read(self, text: str) -> SyncToken:
        """Return a token; raises ValueError."""
        version, lineage, floor, at, began = _parts(from_base64(text))
        if max(version, floor, at, began) > MAX_TIME:
            raise ValueError
        return SyncToken(version, lineage.hex(), floor, at, began)

    def encode(self, value: SyncToken) -> str:
        """Return the text of a token."""
        version, lineage, floor, at, began = value
        return to_base64(LAYOUT.pack(FORMAT, version, bytes.fromhex(lineage), floor, at, began))


SYNC_TOKEN = SyncTokenCodec()


def _parts(raw: bytes) -> tuple[int, bytes, int, int, int]:
    """Return version, lineage, floor, at and began of either format; raises ValueError."""
    if len(raw) == LAYOUT.size and raw[0] == FORMAT:
        _, version, lineage, floor, at, began = LAYOUT.unpack(raw)
        return version, lineage, floor, at, began
    digests = len(raw) - OLD_HEAD.size
    if digests < 0 or digests % OLD_DIGEST_BYTES or raw[0] != OLD_FORMAT:
        raise ValueError
    _, version, lineage, floor, at = OLD_HEAD.unpack_from(raw)
    return version, lineage, floor, at, 0
