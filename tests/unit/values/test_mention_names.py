"""The names after `@` in a text."""

from __future__ import annotations

import pytest

from chalicelib.services.values.mention_names import MAX_NAMES, names_in


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@bob", ["bob"]),
        ("hi @Bob, and (@CID)!", ["bob", "cid"]),
        ("@bob.smith.", ["bob.smith.", "bob.smith"]),
        ("你好@bob你好", ["bob"]),
        ("@bob: tea", ["bob"]),
        ("@bob\n@bob", ["bob"]),
        ("@bob's", ["bob"]),
    ],
)
def test_name_after_an_at_sign_is_found(text: str, names: list[str]) -> None:
    """A name after an `@` that begins a word is found in lower case, with and without marks at its end."""
    assert [name for name in names_in(text).names if name in names] == names


@pytest.mark.parametrize(
    "text",
    ["ann@bob.org", "x_@bob", "https://x.org/@bob", "@bob@x.org", "@@bob", "@ bob", "@", "a@b", "@bobé"],
)
def test_address_is_no_mention(text: str) -> None:
    """An address of an email, a URL or another server, and a longer word, name nobody here."""
    assert "bob" not in names_in(text).names


def test_mention_of_all_is_no_name() -> None:
    """`@all` is no name, in any case."""
    found = names_in("@All, @bob")

    assert (found.all, "bob" in found.names, "all" in found.names) == (True, True, False)
    assert not names_in("@allan").all


def test_names_of_an_open_server_are_found_as_words() -> None:
    """A name of other characters is the whole word."""
    assert "張三" in names_in("@張三 hi").names
    assert "müller" in names_in("hi @Müller!").names


def test_hostile_text_has_bounded_names() -> None:
    """A text full of `@` has a bounded number of names."""
    assert len(names_in("@a" * 8000).names) == 0
    assert len(names_in(" ".join(f"@{number}" for number in range(4000))).names) == MAX_NAMES
    assert names_in("@" + "x" * 16_000).names == []
