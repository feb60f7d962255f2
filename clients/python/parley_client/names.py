"""Names in the form in which the server compares them."""

from __future__ import annotations

from unicodedata import normalize


def folded(name: str) -> str:
    """Return the normal form of all spellings of a name: NFC, case-folded."""
    return normalize("NFC", normalize("NFC", name).casefold())


def direct_chat(first: str, second: str) -> str:
    """Return the id of the direct chat of two users."""
    return ":".join(sorted((folded(first), folded(second))))
