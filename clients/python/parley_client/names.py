"""Names as the server compares them."""

from __future__ import annotations

from unicodedata import normalize


def folded(name: str) -> str:
    """Return the one form of all spellings of a name: NFC, case-folded."""
    return normalize("NFC", normalize("NFC", name).casefold())


def direct_chat(first: str, second: str) -> str:
    """Return the id of the chat of two users."""
    return ":".join(sorted((folded(first), folded(second))))
