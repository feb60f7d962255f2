"""Passwords: what may be one, and argon2id's hash of it."""

from __future__ import annotations

import secrets
import unicodedata
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.errors import bad_field
from chalicelib.services.accounts.hash_queue import HashQueue

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LEAST, MOST = 8, 1024
MOST_RAW = 2 * MOST
"""Characters as they were typed: to bring more into one form would take long, since accents are sorted."""


class Match(IntEnum):
    """Whether a hash is a password's; OLD: of the password as it was typed, from before they had one form."""

    NONE = 0
    RIGHT = 1
    OLD = 2


def normalised(password: str) -> str:
    """Return the one form in which a password is hashed, however it was typed.

    That of RFC 8265's OpaqueString (blanks are spaces), but by NFKC and not NFC, so that full-width letters
    and digits are those of other keyboards. What is longer than MOST_RAW stays as it is.
    """
    if password.isascii() or len(password) > MOST_RAW:
        return password
    spaced = "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in password)
    return unicodedata.normalize("NFKC", spaced)


def checked_password(password: str, field: str = "password") -> str:
    """Return a new password in its one form; raises BadRequest naming the field.

    That has 8-1024 characters, and nothing else is asked of it (NIST SP 800-63B, 3.1.1.2).
    """
    form = normalised(password)
    if len(password) > MOST_RAW or not LEAST <= len(form) <= MOST:
        raise bad_field(field, f"a password has {LEAST}-{MOST} characters")
    try:
        form.encode()
    except UnicodeEncodeError:
        raise bad_field(field, "a password cannot contain half of a surrogate pair") from None
    return form


class Passwords:
    """Hashes by argon2id (RFC 9106); parameters: `m=<KiB>,t=<passes>,p=<lanes>`."""

    def __init__(self, parameters: str) -> None:
        self._parameters = dict(part.split("=") for part in parameters.split(","))
        self._queue = HashQueue()

    def hashed(self, password: str) -> str:
        """Return a new hash of a password in its one form, salt and parameters in it."""
        with self._queue.turn():
            return self._hasher.hash(normalised(password))

    def verify(self, held: str | None, password: str, doubt: int = 0) -> Match:
        """Return whether a hash is the password's, in its one form or else as it was typed.

        Whether both are tried depends on what was typed alone, and not on whose hash it is.

        held: None is the hash of nobody, which takes as long and never is. doubt: see HashQueue.
        Raises TooManyRequests, of a doubt above 0 alone.
        """
        with self._queue.turn(doubt):
            form = normalised(password)
            if self._matches(held, form):
                return Match.RIGHT
            return Match.OLD if form != password and self._matches(held, password) else Match.NONE

    def _matches(self, held: str | None, password: str) -> bool:
        from argon2.exceptions import Argon2Error, InvalidHashError

        nobody = self._nobody  # made at the first login of all, whoever's that is
        try:
            self._hasher.verify(held or nobody, password)
            return bool(held)
        except (Argon2Error, InvalidHashError, UnicodeEncodeError):
            return False

    def outdated(self, held: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(held)

    @cached_property
    def _hasher(self) -> PasswordHasher:
        from argon2 import PasswordHasher  # 12 ms, which a send need not wait for

        cost = {name: int(value) for name, value in self._parameters.items()}
        return PasswordHasher(time_cost=cost["t"], memory_cost=cost["m"], parallelism=cost["p"])

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash(secrets.token_hex())
