"""How names compare: after NFC, and without regard to case."""

from __future__ import annotations

from unicodedata import normalize

LONGEST_DECOMPOSITION = 4
"""Characters that NFC makes one of at most. Source: Unicode TR 15; U+1F82 is four in NFD."""

MAX_NAME_CHARACTERS = 64
"""Of any name, in NFC."""
MOST_NAME_CHARACTERS = MAX_NAME_CHARACTERS * LONGEST_DECOMPOSITION
"""Of a name in whichever form."""


def composed(text: str, most: int) -> str:
    """Return a text in NFC; one that has more than `most` characters after it as well comes back as it is.

    So the time is bounded: NFC sorts long runs of combining characters in time by the square of their length.
    """
    if text.isascii() or len(text) > most * LONGEST_DECOMPOSITION:
        return text
    return normalize("NFC", text)


def folded(name: str) -> str:
    """Return the form of a name by which it is stored and compared: NFC, case-folded.

    A text that is too long to be a name is not composed, and so is not the form of any.
    """
    if name.isascii() or len(name) > MOST_NAME_CHARACTERS:
        return name.casefold()
    return normalize("NFC", normalize("NFC", name).casefold())
