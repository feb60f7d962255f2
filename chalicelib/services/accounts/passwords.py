"""Checking new passwords, and hashing them by argon2id."""

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

MIN_CHARACTERS, MAX_CHARACTERS = 8, 1024
MAX_TYPED_CHARACTERS = 2 * MAX_CHARACTERS
"""Maximum number of characters as typed: normalising more takes long, since it sorts accents."""


class Match(IntEnum):
    """Whether a hash is of a password; OLD: of the password as typed, before passwords were normalised."""

    NONE = 0
    RIGHT = 1
    OLD = 2


def normalised(password: str) -> str:
    """Return the form in which a password is hashed, the same for every way of typing it.

    The form is RFC 8265's OpaqueString (all blanks become spaces), by NFKC instead of NFC, so that full-width
    letters and digits equal those of other keyboards. A password over MAX_TYPED_CHARACTERS is not changed.
    """
    if password.isascii() or len(password) > MAX_TYPED_CHARACTERS:
        return password
    spaced = "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in password)
    return unicodedata.normalize("NFKC", spaced)


def checked_password(password: str, field: str = "password") -> str:
    """Return a new password, normalised; raises BadRequest naming the field.

    The only requirement is 8-1024 characters (NIST SP 800-63B, 3.1.1.2).
    """
    form = normalised(password)
    if len(password) > MAX_TYPED_CHARACTERS or not MIN_CHARACTERS <= len(form) <= MAX_CHARACTERS:
        raise bad_field(field, f"a password has {MIN_CHARACTERS}-{MAX_CHARACTERS} characters")
    try:
        form.encode()
    except UnicodeEncodeError:
        raise bad_field(field, "a password cannot contain half of a surrogate pair") from None
    return form


class Passwords:
    """Hashes and verifies passwords by argon2id (RFC 9106).

    parameters: `m=<KiB>,t=<passes>,p=<lanes>`.
    """

    def __init__(self, parameters: str) -> None:
        self._parameters = dict(part.split("=") for part in parameters.split(","))
        self._queue = HashQueue()

    def hash(self, password: str) -> str:
        """Return a new hash of a password, with its salt and parameters."""
        with self._queue.turn():
            return self._hasher.hash(normalised(password))

    def verify(self, stored_hash: str | None, password: str, doubt: int = 0) -> Match:
        """Return whether a hash is of a password, normalised or else as typed.

        Whether both forms are tried depends on the typed password alone: the time reveals nothing about it.

        stored_hash: None for no account; the check then takes as long, and never matches.
        doubt: See HashQueue. Raises TooManyRequests, for a doubt above 0 only.
        """
        with self._queue.turn(doubt):
            form = normalised(password)
            if self._matches(stored_hash, form):
                return Match.RIGHT
            return Match.OLD if form != password and self._matches(stored_hash, password) else Match.NONE

    def _matches(self, stored_hash: str | None, password: str) -> bool:
        from argon2.exceptions import Argon2Error, InvalidHashError

        nobody = self._nobody  # made at the first login of any user
        try:
            self._hasher.verify(stored_hash or nobody, password)
            return bool(stored_hash)
        except (Argon2Error, InvalidHashError, UnicodeEncodeError):
            return False

    def needs_rehash(self, stored_hash: str) -> bool:
        """Return whether a hash was made with other parameters than the current ones."""
        return self._hasher.check_needs_rehash(stored_hash)

    @cached_property
    def _hasher(self) -> PasswordHasher:
        from argon2 import PasswordHasher  # takes 12 ms; a send does not wait for it

        cost = {name: int(value) for name, value in self._parameters.items()}
        return PasswordHasher(time_cost=cost["t"], memory_cost=cost["m"], parallelism=cost["p"])

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash(secrets.token_hex())
