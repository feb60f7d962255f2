"""Bearer tokens: 256 random bits, and the handle they are good for."""

from __future__ import annotations

import hashlib
import re
import secrets

PREFIX = "parley_"
"""What scanners for leaked secrets can look for."""
TOKEN = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}\.([a-z0-9][a-z0-9_.-]{0,31})", re.ASCII)


def new_token(handle: str) -> str:
    """Return a token that nobody had before."""
    return f"{PREFIX}{secrets.token_urlsafe(32)}.{handle}"


def handle_of(token: str) -> str | None:
    """Return the handle that a text claims to be the token of; None: it is no token of ours."""
    match = TOKEN.fullmatch(token)
    return match[1] if match else None


def digest_of(token: str) -> bytes:
    """Return the SHA-256 that stands for a token in the store; of 256 random bits, it needs no salt."""
    return hashlib.sha256(token.encode()).digest()
