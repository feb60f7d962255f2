"""Names of people and of the chats between two of them."""

from __future__ import annotations

import re

from chalicelib.errors import bad_field
from chalicelib.texts import MAX_NAME_CHARACTERS, checked_line, folded

HANDLE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")
RESERVED = frozenset({"me", "admin", "parley", "root", "support", "system"})


class Names:
    """What may be a name here.

    open_names: any line of 1-64 characters but `:`, counted case-folded; otherwise a handle,
    1-32 of `a-z 0-9 _ . -` beginning with a letter or digit, in any case, and not a reserved word.
    """

    def __init__(self, *, open_names: bool) -> None:
        self._open = open_names

    def user(self, name: str, field: str) -> str:
        """Return the name of a user as it is compared, case-folded; raises BadRequest naming the field."""
        return _open_name(name, field) if self._open else _handle(name.casefold(), field)

    def account(self, name: str, field: str) -> str:
        """Return the case-folded handle of an account, whatever else is a name here; raises BadRequest."""
        return _handle(name.casefold(), field)

    def direct_chat(self, chat: str, field: str) -> tuple[str, tuple[str, str]]:
        """Return a direct chat's canonical id and its two members, case-folded and sorted.

        chat: two names joined by one `:`, in any order and case.
        Raises BadRequest naming the field.
        """
        halves = chat.split(":")
        if len(halves) != 2:
            raise bad_field(field, "a chat is two names joined by one `:`, such as alice:bob")
        first, second = sorted(self.user(half, field) for half in halves)
        return f"{first}:{second}", (first, second)


def _handle(name: str, field: str) -> str:
    if name in RESERVED:
        raise bad_field(field, f"{name} is reserved: nobody has it as a handle")
    if not HANDLE.fullmatch(name):
        raise bad_field(field, "a handle is 1-32 of a-z 0-9 _ . - and begins with a letter or digit")
    return name


def _open_name(name: str, field: str) -> str:
    same = folded(checked_line(name, field, "a name", MAX_NAME_CHARACTERS))
    if len(same) > MAX_NAME_CHARACTERS:
        detail = f"a name has at most {MAX_NAME_CHARACTERS} characters in lower case; this has {len(same)}"
        raise bad_field(field, detail)
    if ":" in same:
        raise bad_field(field, "a name has no `:`, which joins the two names of a chat")
    return same
