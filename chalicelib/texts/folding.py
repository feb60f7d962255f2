"""How names compare: in NFC, and without regard to case."""

from __future__ import annotations

from unicodedata import normalize

LONGEST_DECOMPOSITION = 4
"""Maximum number of characters that NFC composes to one. Source: Unicode TR 15; U+1F82 is four in NFD."""

MAX_NAME_CHARACTERS = 64
"""Maximum length of a name in NFC."""
MAX_DECOMPOSED_CHARACTERS = MAX_NAME_CHARACTERS * LONGEST_DECOMPOSITION
"""Maximum length of a name in any form."""


def composed(text: str, most: int) -> str:
    """Return a text in NFC; a text that is longer than `most` characters also in NFC may come back unchanged.

    This bounds the time: NFC sorts a long run of combining characters in time by the square of its length.
    """
    if text.isascii() or len(text) > most * LONGEST_DECOMPOSITION:
        return text
    return normalize("NFC", text)


def folded(name: str) -> str:
    """Return a name as it is stored and compared: in NFC, case-folded.

    A text that is too long for a name is not composed, and so equals no name.
    """
    if name.isascii() or len(name) > MAX_DECOMPOSED_CHARACTERS:
        return name.casefold()
    return normalize("NFC", normalize("NFC", name).casefold())
