"""How names compare: after NFC, and without regard to case."""

from __future__ import annotations

from unicodedata import normalize

LONGEST_DECOMPOSITION = 4
"""Characters that NFC makes one of at most. Source: Unicode TR 15; U+1F82 is four in NFD."""


def composed(text: str, most: int) -> str:
    """Return a text in NFC; one that has more than `most` characters after it as well comes back as it is.

    So the time is bounded: NFC sorts long runs of combining characters in time by the square of their length.
    """
    if text.isascii() or len(text) > most * LONGEST_DECOMPOSITION:
        return text
    return normalize("NFC", text)


def folded(name: str) -> str:
    """Return the form of a checked name by which it is stored and compared: NFC, case-folded."""
    if name.isascii():
        return name.lower()
    return normalize("NFC", normalize("NFC", name).casefold())
