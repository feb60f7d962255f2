"""Names of people and of the chats between two of them."""

from __future__ import annotations

import re

from chalicelib.errors import bad_field

HANDLE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")
MAX_OPEN_CHARACTERS = 64
RESERVED = frozenset({"me", "admin", "parley", "root", "support", "system"})


class Names:
    """What may be a name here.

    open_names: any 1-64 printable characters but `:`, counted case-folded; otherwise a handle,
    1-32 of `a-z 0-9 _ . -` beginning with a letter or digit, in any case, and not a reserved word.
    """

    def __init__(self, *, open_names: bool) -> None:
        self._open = open_names

    def user(self, name: str, field: str) -> str:
        """Return the case-folded name of a user; raises BadRequest naming the field."""
        folded = name.casefold()
        if self._open:
            if not _printable_name(folded):
                raise bad_field(field, "a name is 1-64 printable characters, not only blanks and without `:`")
            return folded
        return _handle(folded, field)

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


def _handle(folded: str, field: str) -> str:
    if folded in RESERVED:
        raise bad_field(field, f"{folded} is reserved: nobody has it as a handle")
    if not HANDLE.fullmatch(folded):
        raise bad_field(field, "a handle is 1-32 of a-z 0-9 _ . - and begins with a letter or digit")
    return folded


def _printable_name(name: str) -> bool:
    return (
        name.isprintable() and not name.isspace() and 0 < len(name) <= MAX_OPEN_CHARACTERS and ":" not in name
    )
