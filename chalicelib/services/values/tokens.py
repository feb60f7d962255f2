"""Bearer tokens: 256 random bits, and the handle of the user."""

from __future__ import annotations

import hashlib
import re
import secrets

PREFIX = "parley_"
"""Scanners for leaked secrets find tokens by this prefix."""
TOKEN = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}\.([a-z0-9][a-z0-9_.-]{0,31})", re.ASCII)


def new_token(handle: str) -> str:
    """Return a new token for a user."""
    return f"{PREFIX}{secrets.token_urlsafe(32)}.{handle}"


def handle_of(token: str) -> str | None:
    """Return the handle in a token, which is not checked; None for a text that is no token of Parley."""
    match = TOKEN.fullmatch(token)
    return match[1] if match else None


def digest_of(token: str) -> bytes:
    """Return the SHA-256 of a token, which the store has; 256 random bits need no salt."""
    return hashlib.sha256(token.encode()).digest()
