"""Passwords and their hashes."""

from __future__ import annotations

import argon2
import pytest

from chalicelib.config import Settings
from chalicelib.errors import BadRequest
from chalicelib.services.accounts.passwords import Passwords, checked_password

CHEAP = "m=8,t=1,p=1"
WORD = "correct horse"


@pytest.fixture
def passwords() -> Passwords:
    """Hashes with minimal cost."""
    return Passwords(CHEAP)


@pytest.mark.parametrize(
    "password", ["12345678", " " * 8, "\u00e5" * 8, "x" * 1024, "\U0001f600" * 1024, "a\0" * 4]
)
def test_what_may_be_a_password(passwords: Passwords, password: str) -> None:
    """Any text of 8-1024 characters can be a password, and verifies against its hash."""
    assert checked_password(password) == password
    held = passwords.hash(password)
    assert passwords.verify(held, password)
    assert not passwords.verify(held, password[:-1])
    assert not passwords.verify(held, password + " ")


@pytest.mark.parametrize(
    "password",
    [
        *("", "1234567", "x" * 1025, "1234567\ud800"),
        *("e\u0301" * 7, "e\u0301" * 1025, "\ufdfa" * 60, "a" + "\u0327\u0301" * 200_000),
    ],
)
def test_what_may_not(password: str) -> None:
    """A value that is too short, too long or no text is refused by its field, and not shown."""
    with pytest.raises(BadRequest) as raised:
        checked_password(password, "new_password")

    assert [error.field for error in raised.value.errors] == ["new_password"]
    assert not password or password not in raised.value.detail


@pytest.mark.parametrize("password", ["e\u0301" * 8, "e\u0301" * 1024, "\uff11" * 8, "\ufdfa"])
def test_length_is_counted_in_the_one_form(password: str) -> None:
    """A character counts once in every spelling; one that expands to several counts as those."""
    form = checked_password(password)

    assert 8 <= len(form) <= 1024
    assert checked_password(form) == form


def test_work_does_not_depend_on_whose_hash_it_is(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown user costs as many hashes as a known one, for text in one form and in another."""
    held = passwords.hash(WORD)
    passwords.verify(None, WORD)
    seen: list[str] = []
    real = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, hash: str, password: str) -> bool:  # noqa: A002
        seen.append(password)
        return bool(real(self, hash, password))

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    for whose in (held, None):
        for typed, tries in (
            ("wrong horse", 1),
            ("wrong hor\u017fe", 2),
            ("a" + "\u0327\u0301" * 200_000, 1),
        ):
            seen.clear()
            assert not passwords.verify(whose, typed)
            assert len(seen) == tries


def test_the_cost_is_the_settings() -> None:
    """A hash has the settings' memory, passes and lanes, is argon2id, and has a salt of its own."""
    passwords = Passwords("m=64,t=3,p=2")
    one, other = passwords.hash(WORD), passwords.hash(WORD)

    assert one.startswith("$argon2id$v=19$m=64,t=3,p=2$")
    assert one.split("$")[-2] != other.split("$")[-2]
    assert WORD not in one


def test_the_default_cost_is_enough() -> None:
    """By default a hash costs at least what OWASP asks of argon2id: 19 MiB and two passes."""
    held = argon2.extract_parameters(Passwords(Settings().argon2).hash(WORD))

    assert (held.type, held.memory_cost >= 19 * 1024, held.time_cost >= 2) == (argon2.Type.ID, True, True)


@pytest.mark.parametrize("others", ["m=16,t=1,p=1", "m=8,t=2,p=1", "m=16,t=1,p=2"])
def test_a_hash_of_other_days(passwords: Passwords, others: str) -> None:
    """A hash with other parameters still verifies, and counts as outdated; a current one does not."""
    old = Passwords(others).hash(WORD)

    assert passwords.verify(old, WORD)
    assert passwords.needs_rehash(old)
    assert not passwords.needs_rehash(passwords.hash(WORD))


def test_nobodys_password_is_verified_too(passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown user costs one verification at today's cost, like a known one, and no new hash."""
    held = passwords.hash(WORD)
    passwords.verify(None, WORD)
    seen: list[str] = []
    real = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, hash: str, password: str) -> bool:  # noqa: A002
        seen.append(hash)
        return bool(real(self, hash, password))

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    monkeypatch.setattr(argon2.PasswordHasher, "hash", None)
    assert not passwords.verify(None, WORD)
    assert not passwords.verify(held, "wrong horse")

    nobody, somebody = map(argon2.extract_parameters, seen)
    assert nobody == somebody


@pytest.mark.parametrize("held", [None, ""])
@pytest.mark.parametrize("password", ["nobody", "", "x" * 1024])
def test_nobody_has_no_password(passwords: Passwords, held: str | None, password: str) -> None:
    """No text is the password of an account without one."""
    assert not passwords.verify(held, password)


@pytest.mark.parametrize(
    "held", ["x", "$argon2id$", "$2b$12$abc", "$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA", "\u00e5"]
)
def test_a_hash_that_is_none(passwords: Passwords, held: str) -> None:
    """An invalid hash verifies no password, and is no failure of the server."""
    assert not passwords.verify(held, WORD)


def test_a_password_that_is_no_text(passwords: Passwords) -> None:
    """Half of a surrogate pair is a wrong password."""
    assert not passwords.verify(passwords.hash(WORD), "1234567\ud800")
