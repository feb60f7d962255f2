"""The words of a text as a search compares them, and their places in the text.

Letters, digits and the marks on them form words. Han, Kana, Hangul, Thai, Lao, Myanmar, Khmer and symbols
such as emoji form runs, which have no blanks between their words: they compare character by character.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from unicodedata import category, normalize

IGNORED = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e0fff]"
)
"""Invisible characters: joiners, variation selectors, marks of direction, tags."""
RUN = re.compile(
    "[\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecf\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u1100-\u11ff\u1780-\u17d3"
    "\u2190-\u2bff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u303b\u3041-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97c\uac00-\ud7fb\uf900-\ufaff\U0001b000-\U0001b16f\U0001f000-\U0001faff\U00020000-\U0003fffd]"
)
"""Characters of runs. Source: the blocks of these scripts, of symbols and of pictographs in Unicode 16."""
COMPOSED = re.compile("[\u1160-\u11ff\ud7b0-\ud7fb\uff9e\uff9f]")
"""Characters beside marks that compose with the one before: vowels and finals of Hangul, marks of Kana."""
MARKS_OF_ONE = 31
"""Maximum number of marks on a character that count; the Stream-Safe Text Format of Unicode TR 15 has 30."""
SHORT = 256
"""Length up to which the time that NFKC takes for any text does not matter."""
KEPT = 8192
"""Number of characters whose classes are kept."""

ASCII_WORD = re.compile("[a-z0-9]+")
REST = re.compile("[wm]*")
TOKEN = re.compile("w[wm]*|c[cm]*")
MARKED = re.compile(f"[^mi][mi]{{0,{MARKS_OF_ONE}}}|[mi]{{1,{MARKS_OF_ONE}}}")
MANY_MARKS = "m" * (MARKS_OF_ONE + 1)


class Token(NamedTuple):
    """A word or run of a folded text; start: Its place there. is_run: Whether it compares by characters."""

    text: str
    start: int
    is_run: bool

    @property
    def end(self) -> int:
        """The place after the last character."""
        return self.start + len(self.text)


class _Classes(dict[int, str]):
    """The class of each character: `w` of words, `c` of runs, `m` a mark, `i` ignored, a blank else."""

    def __missing__(self, point: int) -> str:
        found = _class_of(chr(point))
        if len(self) < KEPT:
            self[point] = found
        return found


def _class_of(character: str) -> str:
    if IGNORED.match(character):
        return "i"
    if category(character)[0] == "M" or COMPOSED.match(character):
        return "m"
    if RUN.match(character):
        return "c"
    return "w" if character.isalnum() else " "


_CLASSES = _Classes()


def folded_words(text: str) -> str:
    """Return a text as the search compares it: in NFKC, case-folded, without invisible characters.

    More than MARKS_OF_ONE marks on one character do not count, which bounds the time.
    """
    if text.isascii():
        return text.lower()
    kept = IGNORED.sub("", _bounded(text))
    return normalize("NFKC", normalize("NFKC", kept).casefold())


def tokens(folded: str) -> Iterator[Token]:
    """Yield the words and runs of a folded text, in order."""
    if folded.isascii():
        for found in ASCII_WORD.finditer(folded):
            yield Token(found[0], found.start(), is_run=False)
        return
    for found in TOKEN.finditer(folded.translate(_CLASSES)):
        start, end = found.span()
        yield Token(folded[start:end], start, is_run=found[0][0] == "c")


def starts_of(folded: str, word: str, *, whole: bool) -> Iterator[int]:
    """Yield where words of a folded text begin with a word; whole: Where they are this word."""
    if folded.isascii():
        after = "(?![a-z0-9])" if whole else ""
        for found in re.finditer(f"(?<![a-z0-9]){re.escape(word)}{after}", folded):
            yield found.start()
        return
    classes = folded.translate(_CLASSES)
    at = folded.find(word)
    while at >= 0:
        end = at + len(word)
        rest = len(REST.match(classes, end)[0])  # type: ignore[index] # it matches no character, too
        if not _is_inside(classes, at) and not (whole and rest):
            yield at
        at = folded.find(word, end + rest)


def _is_inside(classes: str, at: int) -> bool:
    """Return whether a place in a text is inside a word, and not where it begins."""
    while at > 0 and classes[at - 1] == "m":
        at -= 1
    return at > 0 and classes[at - 1] == "w"


def split(folded: Iterable[str]) -> tuple[set[str], set[str]]:
    """Return the different words of folded texts, and their different runs."""
    plain, other = list[str](), list[str]()
    for text in folded:
        (plain if text.isascii() else other).append(text)
    words, runs = set(ASCII_WORD.findall("\n".join(plain))), set[str]()
    joined = "\n".join(other)
    for found in TOKEN.finditer(joined.translate(_CLASSES)):
        (runs if found[0][0] == "c" else words).add(joined[slice(*found.span())])
    return words, runs


def places_in(text: str, folded: str) -> list[tuple[int, int]] | None:
    """Return which characters of a text, from first to after last, each character of its folded form is of.

    None: each comes from the one at its own place. Characters count as code points.
    """
    if len(text) == len(folded) and text.casefold() == folded:
        return None
    places: list[tuple[int, int]] = []
    for found in MARKED.finditer(text.translate(_CLASSES)):
        places += [found.span()] * len(_folded_cluster(text[slice(*found.span())]))
    if len(places) == len(folded):
        return places
    return [(0, len(text))] * len(folded)  # characters apart from each other were composed


@functools.lru_cache(KEPT)
def _folded_cluster(cluster: str) -> str:
    return folded_words(cluster)


def _bounded(text: str) -> str:
    """Return a text without marks that follow MARKS_OF_ONE others."""
    if len(text) <= SHORT:
        return text
    classes = text.translate(_CLASSES)
    if MANY_MARKS not in classes.replace("i", "m"):
        return text
    return "".join(
        text[found.start() : min(found.end(), found.start() + MARKS_OF_ONE + 1)]
        for found in re.finditer("[^mi][mi]*|[mi]+", classes)
    )
