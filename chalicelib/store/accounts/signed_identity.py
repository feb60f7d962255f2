"""The mark of a signed identity, which connections store instead of the digest of a session's token."""

from __future__ import annotations

KIND = b"\1"
DIGEST_BYTES = 32
LATEST = 2**53 - 1
"""µs since 1970, in 2255: later ones would lose digits in a script."""


def signed_mark(issued_at: int, expires_at: int) -> bytes:
    """Return the 17 bytes with the times at which an outside token was made and expires, µs since 1970."""
    return KIND + min(issued_at, LATEST).to_bytes(8) + min(expires_at, LATEST).to_bytes(8)


def issued_in(mark: bytes) -> int:
    """Return the time at which the outside token of a mark was made, µs since 1970; empty mark: 0."""
    return int.from_bytes(mark[1:9])


def digest_in(session: bytes) -> bytes:
    """Return the digest of a session's token; empty: there is no session, but a name or a signed identity."""
    return session if len(session) == DIGEST_BYTES else b""
