"""Bloom filters: bits that tell which terms a set may have, and which it has not."""

from __future__ import annotations

import math
import struct
from collections.abc import Collection, Iterable
from typing import NamedTuple

BITS_A_TERM = 10
MAX_HASHES = 4
MAX_BYTES = 24 * 128
"""Maximum size of a filter: 24 bytes a message, and one more for its place in the store."""
MAX_TERMS = 4 * MAX_BYTES
"""Maximum number of terms of a filter: with 2 bits a term, four in ten other terms are taken for its own."""
MIX, MASK = 0x85EB_CA6B, 0xFFFF_FFFF
"""A factor that spreads the bits of a number of 32 bits. Source: the finalizer of MurmurHash3."""
PLACES = struct.Struct(">II")


class BloomFilter(NamedTuple):
    """The filter of a set of terms: the number of bits of a term (a byte), then the bits.

    A term is a number of 32 bits, a hash. It is at the places (a + i * b) modulo the number of bits, for i
    from 0 on; a is the term, b another hash of it. Place p is bit p % 8, from the lowest, of byte p // 8.
    With 10 bits a term, 1.2 % of the terms that a set lacks are taken for its own. A filter without bits may
    have every term.
    """

    hashes: int
    bits: bytes

    @classmethod
    def of(cls, terms: Collection[int]) -> BloomFilter:
        """Return the filter of terms."""
        if len(terms) > MAX_TERMS:
            return cls(0, b"")
        size = min(max(len(terms) * BITS_A_TERM // 8, 8), MAX_BYTES - 1)
        hashes = max(1, min(MAX_HASHES, math.floor(size * 8 / max(len(terms), 1) * math.log(2))))
        bits, count = bytearray(size), size * 8
        for term in terms:
            place, step = term, _step(term)
            for _ in range(hashes):
                bits[place % count >> 3] |= 1 << (place % count & 7)
                place += step
        return cls(hashes, bytes(bits))

    @property
    def packed(self) -> bytes:
        """The filter as it is stored."""
        return bytes((self.hashes,)) + self.bits


def packed_terms(terms: Iterable[int]) -> bytes:
    """Return a and b of each term, as 4 bytes each, big-endian, for a script that tests filters."""
    return b"".join(PLACES.pack(term, _step(term)) for term in terms)


def _step(term: int) -> int:
    mixed = (term ^ term >> 15) * MIX & MASK
    return mixed ^ mixed >> 13
