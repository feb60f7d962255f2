"""Tokens of the sync: how far a client has been told of its chats, and in which history."""

from __future__ import annotations

import re
import secrets
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

from chalicelib.errors import BadRequest, bad_field

HEAD = struct.Struct(">BQ8sQQ")
FORMAT = 1
DIGEST_BYTES = 6
LINEAGE_BYTES = 8
MAX_TIME = 2**53 - 1
"""The largest whole number that Lua can hold."""
BASE64 = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


class SyncToken(NamedTuple):
    """What a client was told.

    version: of its chats that moved, the highest it was told. at: when it was told, by the store's clock.
    lineage: 16 hex digits that the first sync of the client drew. floor: the version when the client held
    nothing yet: what was out by then it never had. told: a digest for each large chat as it was told.
    version, at and floor are µs since 1970. On the wire: base64url without padding of the byte 1, version (8
    bytes), lineage (8), floor (8), at (8), then 6 bytes a digest.
    """

    version: int
    lineage: str
    floor: int = 0
    at: int = 0
    told: frozenset[bytes] = frozenset()

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
        digests = raw[HEAD.size :]
        if len(raw) < HEAD.size or len(digests) % DIGEST_BYTES:
            raise _malformed(field)
        form, version, lineage, floor, at = HEAD.unpack_from(raw)
        if form != FORMAT or max(version, floor, at) > MAX_TIME:
            raise _malformed(field)
        places = range(0, len(digests), DIGEST_BYTES)
        told = frozenset(digests[place : place + DIGEST_BYTES] for place in places)
        return cls(version, lineage.hex(), floor, at, told)

    def after(self, version: int, told: Iterable[bytes]) -> SyncToken:
        """Return the token of the same client once it was told more; told: all digests from now on."""
        return self._replace(version=version, told=frozenset(told))

    def __str__(self) -> str:
        head = HEAD.pack(FORMAT, self.version, bytes.fromhex(self.lineage), self.floor, self.at)
        return urlsafe_b64encode(head + b"".join(sorted(self.told))).rstrip(b"=").decode()


def digest(*parts: str | int) -> bytes:
    """Return the digest of a chat as it is told; parts: whatever the telling depends on."""
    return blake2b(repr(parts).encode(), digest_size=DIGEST_BYTES).digest()


def _malformed(field: str) -> BadRequest:
    return bad_field(field, "a sync goes on from what the one before gave, or begins without")
