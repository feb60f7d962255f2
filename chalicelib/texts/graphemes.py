"""Where a text may be cut: between graphemes, what a reader takes for one character (Unicode TR 29)."""

from __future__ import annotations


def beginning(text: str, most: int) -> str:
    """Return as many of a text's first graphemes as have at most `most` characters in all.

    A single grapheme that is longer, which no language writes, is cut in its middle. No more than `most` + 1
    characters are looked at.
    """
    if len(text) <= most:
        return text
    piece = text[: most + 1]
    if piece[-2:].isascii():  # ASCII joins nothing but CR and LF
        return piece[: (most - piece.endswith("\r\n")) or most]
    # From a blank on, what stands before it decides nothing, and a word is looked at faster than a text.
    word = max(piece.rfind(" ", 0, most), 0)
    start = word + _last_grapheme(piece[word:])
    return piece[: (start if start > word else _last_grapheme(piece)) or most]


def _last_grapheme(text: str) -> int:
    """Return where the last grapheme begins."""
    import regex  # 14 ms that few calls need

    found = regex.fullmatch(r"(\X)+", text)
    return found.start(1) if found else 0
