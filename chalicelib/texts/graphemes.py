"""Cut texts between graphemes, which readers take for one character each (Unicode TR 29)."""

from __future__ import annotations


def beginning(text: str, most: int) -> str:
    """Return the leading graphemes of a text that have at most `most` characters together.

    A longer single grapheme, which no language has, is cut. The function reads at most `most` + 1 characters.
    """
    if len(text) <= most:
        return text
    piece = text[: most + 1]
    if piece[-2:].isascii():  # of ASCII, only CR and LF form one grapheme
        return piece[: (most - piece.endswith("\r\n")) or most]
    # A grapheme never spans a blank, and a word is faster to match than a text.
    word = max(piece.rfind(" ", 0, most), 0)
    start = word + _last_grapheme(piece[word:])
    return piece[: (start if start > word else _last_grapheme(piece)) or most]


def _last_grapheme(text: str) -> int:
    """Return the position of the last grapheme."""
    import regex  # takes 14 ms, and few calls need it

    found = regex.fullmatch(r"(\X)+", text)
    return found.start(1) if found else 0
