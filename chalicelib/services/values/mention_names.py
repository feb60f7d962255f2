"""The names after `@` in a text."""

from __future__ import annotations

import re
from typing import NamedTuple
from unicodedata import east_asian_width

from chalicelib.texts import folded

MAX_NAMES = 200
"""Maximum number of places in a text at which a name is looked for."""
HANDLE = re.compile(r"[a-z0-9][a-z0-9_.-]*", re.ASCII | re.IGNORECASE)
RUN = re.compile(r"[^\s@:]+")
LONGEST_HANDLE, LONGEST_NAME = 32, 64
ENDINGS = ".,;!?…)]}>\"'\u2019”»-_"
"""Characters that may follow a name without belonging to it."""
MAX_ENDINGS = 3
JOINING = frozenset("@/+-_.%=&#")
"""Characters before `@` that make it a part of an address."""
ALL = "all"


class MentionNames(NamedTuple):
    """What a text may mention.

    places: Of each `@`, the case-folded names that may be meant, the longest first. all: Whether it has
    `@all`.
    """

    places: list[list[str]]
    all: bool

    @property
    def names(self) -> list[str]:
        """Every name, once."""
        return list(dict.fromkeys(name for place in self.places for name in place))


NOTHING = MentionNames([], all=False)


def names_in(text: str) -> MentionNames:
    """Return what a text may mention: names after an `@` that begins a word.

    A name ends with a character that handles do not have, or with the word.
    """
    starts = [at for at, character in enumerate(text) if character == "@"] if "@" in text else []
    places = [_names_at(text, at + 1) for at in starts[:MAX_NAMES] if _begins_word(text, at)]
    return MentionNames(
        [named for place in places if (named := [one for one in place if one != ALL])],
        all=any(ALL in place for place in places),
    )


def _begins_word(text: str, at: int) -> bool:
    """Return whether the `@` at an index is no part of an address, such as that of an email."""
    before = text[at - 1 : at]
    return not before or not (before in JOINING or _is_letter(before))


def _names_at(text: str, start: int) -> list[str]:
    found = [_handle_at(text, start), _run_at(text, start)]
    shorter = [name[: len(name) - cut] for name in found for cut in range(_endings(name) + 1)]
    names = {folded(name) for name in shorter if name}
    return sorted(names, key=lambda name: (-len(name), name))


def _handle_at(text: str, start: int) -> str:
    found = HANDLE.match(text, start)
    if found is None or len(found[0]) > LONGEST_HANDLE:
        return ""
    following = text[found.end() : found.end() + 1]
    return "" if following == "@" or _is_letter(following) else found[0]


def _run_at(text: str, start: int) -> str:
    """Return the rest of the word, which is a name on a server with open names."""
    found = RUN.match(text, start, start + LONGEST_NAME + MAX_ENDINGS + 1)
    if found is None or text[found.end() : found.end() + 1] == "@":
        return ""
    return found[0] if len(found[0]) <= LONGEST_NAME + MAX_ENDINGS else ""


def _endings(name: str) -> int:
    """Return the number of characters at the end of a name that may not belong to it."""
    return min(len(name) - len(name.rstrip(ENDINGS)), MAX_ENDINGS)


def _is_letter(character: str) -> bool:
    """Return whether a character continues a word; scripts without spaces between words do not."""
    return character.isalnum() and east_asian_width(character) not in "WF"
