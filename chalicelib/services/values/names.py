"""Names of users and of direct chats."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

from chalicelib.errors import bad_field
from chalicelib.texts import MAX_NAME_CHARACTERS, checked_line, folded

HANDLE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")
KEPT_NAMES = 8192
"""Number of valid names, and of chats, that are not checked again."""
RESERVED = frozenset({"me", "admin", "parley", "root", "support", "system"})


class Names:
    """The rules for names of this server.

    open_names: Whether a name may be any line of 1-64 characters, case-folded, without `:`. Otherwise it is a
        handle: 1-32 of `a-z 0-9 _ . -` in any case, first a letter or digit, and no reserved word.
    """

    def __init__(self, *, open_names: bool) -> None:
        self.user: Callable[[str, str], str] = _open_name if open_names else _folded_handle
        """Returns a user's name case-folded, as names compare; raises BadRequest naming the field."""
        self._halves = functools.lru_cache(KEPT_NAMES)(self._unkept_halves)

    def account(self, name: str, field: str) -> str:
        """Return a handle case-folded, also on a server with open names; raises BadRequest."""
        return _folded_handle(name, field)

    def direct_chat(self, chat: str, field: str) -> tuple[str, tuple[str, str]]:
        """Return the canonical id of a direct chat, and its two members, case-folded and sorted.

        chat: Two names joined by one `:`, in any order and case.
        Raises BadRequest naming the field.
        """
        return self._halves(chat, field)

    def _unkept_halves(self, chat: str, field: str) -> tuple[str, tuple[str, str]]:
        halves = chat.split(":")
        if len(halves) != 2:
            raise bad_field(field, "a chat is two names joined by one `:`, such as alice:bob")
        first, second = sorted(self.user(half, field) for half in halves)
        return f"{first}:{second}", (first, second)


@functools.lru_cache(KEPT_NAMES)
def _folded_handle(name: str, field: str) -> str:
    return _handle(name.casefold(), field)


def _handle(name: str, field: str) -> str:
    if name in RESERVED:
        raise bad_field(field, f"{name} is reserved and cannot be a handle")
    if not HANDLE.fullmatch(name):
        raise bad_field(field, "a handle is 1-32 of a-z 0-9 _ . - and begins with a letter or digit")
    return name


@functools.lru_cache(KEPT_NAMES)
def _open_name(name: str, field: str) -> str:
    same = folded(checked_line(name, field, "a name", MAX_NAME_CHARACTERS))
    if len(same) > MAX_NAME_CHARACTERS:
        detail = f"a name has at most {MAX_NAME_CHARACTERS} characters in lower case; this has {len(same)}"
        raise bad_field(field, detail)
    if ":" in same:
        raise bad_field(field, "a name cannot contain `:`, which joins the two names of a chat")
    return same
