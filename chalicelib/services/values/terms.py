"""Search terms: the handle, and the name from each of its words on."""

from __future__ import annotations

from unicodedata import normalize

MAX_TERM_CHARACTERS = 64
MAX_WORDS = 8
JOINERS = dict.fromkeys(map(ord, "\0\u200b\u200c\u200d\u2060\ufeff"))
"""Invisible characters, which nobody types into a search."""


def folded(text: str) -> str:
    """Return a text as the search compares it: case-folded, in NFKC, with one blank between words."""
    compatible = normalize("NFKC", text).casefold().translate(JOINERS)
    return " ".join(normalize("NFKC", compatible).split())


def terms_of(handle: str, name: str) -> frozenset[str]:
    """Return the terms of a user, without those that no query can match."""
    words = folded(name).split()
    starts = {handle, *(cut(" ".join(words[first:])) for first in range(min(len(words), MAX_WORDS)))}
    return frozenset(filter(can_be_sought, starts))


def cut(text: str) -> str:
    """Return the beginning of a folded text, as long as a term may be."""
    return text[:MAX_TERM_CHARACTERS].rstrip(" ")


def can_be_sought(text: str) -> bool:
    """Return whether a folded text is long enough to search for: 2 characters, or 1 beyond ASCII."""
    return len(text) > 1 or not text.isascii()
