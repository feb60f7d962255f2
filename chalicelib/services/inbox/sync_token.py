"""Tokens of the sync: how far a client has been told of its chats, and in which history."""

from __future__ import annotations

import re
import secrets
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from chalicelib.errors import BadRequest, bad_field

LAYOUT = struct.Struct(">BQ8sQQQ")
FORMAT = 2
OLD_HEAD = struct.Struct(">BQ8sQQ")
OLD_FORMAT, OLD_DIGEST_BYTES = 1, 6
LINEAGE_BYTES = 8
UNKEPT = "00" * LINEAGE_BYTES
"""In place of a lineage: the store took no writes, and has not noted what the client was told."""
CHECKED = 1
"""In place of `began`: all large chats were checked, and the client is still told what has moved."""
MAX_TIME = 2**53 - 1
"""The largest whole number that Lua can hold."""
BASE64 = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


class SyncToken(NamedTuple):
    """What a client was told.

    version: of its chats that moved, the highest it was told. at: when it was told, by the store's clock.
    lineage: 16 hex digits that the first sync of the client drew, or UNKEPT. floor: the version when the
    client held nothing yet: what was out by then it never had. began: when the checks of its large chats
    began that are under way; CHECKED; 0: the next page begins them.
    version, at, floor and began are µs since 1970. On the wire: base64url without padding of the byte 2,
    version (8 bytes), lineage (8), floor (8), at (8), began (8): 55 characters.
    Format 1, of earlier servers, has no `began`, and 6 bytes for each large chat, which are skipped.
    """

    version: int
    lineage: str
    floor: int = 0
    at: int = 0
    began: int = 0

    @classmethod
    def first(cls, floor: int) -> SyncToken:
        """Return the token of a client that holds nothing, with a lineage of its own."""
        return cls(0, secrets.token_hex(LINEAGE_BYTES), floor)

    @classmethod
    def parse(cls, text: str, field: str) -> SyncToken:
        """Read a token; raises BadRequest naming the field."""
        if not BASE64.fullmatch(text) or len(text) % 4 == 1:
            raise _malformed(field)
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        version, lineage, floor, at, began = _parts(raw, field)
        if max(version, floor, at, began) > MAX_TIME:
            raise _malformed(field)
        return cls(version, lineage.hex(), floor, at, began)

    @property
    def is_kept(self) -> bool:
        """Whether the store has noted what the client was told."""
        return self.lineage != UNKEPT

    def __str__(self) -> str:
        lineage = bytes.fromhex(self.lineage)
        raw = LAYOUT.pack(FORMAT, self.version, lineage, self.floor, self.at, self.began)
        return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _parts(raw: bytes, field: str) -> tuple[int, bytes, int, int, int]:
    """Return version, lineage, floor, at and began of either format."""
    if len(raw) == LAYOUT.size and raw[0] == FORMAT:
        _, version, lineage, floor, at, began = LAYOUT.unpack(raw)
        return version, lineage, floor, at, began
    digests = len(raw) - OLD_HEAD.size
    if digests < 0 or digests % OLD_DIGEST_BYTES or raw[0] != OLD_FORMAT:
        raise _malformed(field)
    _, version, lineage, floor, at = OLD_HEAD.unpack_from(raw)
    return version, lineage, floor, at, 0


def _malformed(field: str) -> BadRequest:
    return bad_field(field, "a sync goes on from what the one before gave, or begins without")
