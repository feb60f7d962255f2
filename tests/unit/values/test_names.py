"""Valid names, and the chat of two names."""

from __future__ import annotations

import pytest

from chalicelib.errors import BadRequest
from chalicelib.services.values.names import RESERVED, Names

OPEN, CLOSED = Names(open_names=True), Names(open_names=False)


@pytest.mark.parametrize(
    ("names", "name", "folded"),
    [
        (OPEN, "alice", "alice"),
        (OPEN, "Alice B. Toklas", "alice b. toklas"),
        (OPEN, "a", "a"),
        (OPEN, "x" * 64, "x" * 64),
        (OPEN, "\u00c9VA", "\u00e9va"),
        (OPEN, "Stra\u00dfe", "strasse"),
        (OPEN, "\U0001f600" * 64, "\U0001f600" * 64),
        (OPEN, "me", "me"),
        (OPEN, "E\u0301va", "\u00e9va"),
        (OPEN, "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"),
        (OPEN, "\U0001fa77 Ela", "\U0001fa77 ela"),
        (OPEN, "\u5c71\u7530\u3000\u592a\u90ce", "\u5c71\u7530\u3000\u592a\u90ce"),
        (OPEN, "Jean\u00a0Luc", "jean\u00a0luc"),
        (OPEN, "{tag}", "{tag}"),
        (OPEN, "a/b%2F?", "a/b%2f?"),
        (CLOSED, "alice", "alice"),
        (CLOSED, "ALICE", "alice"),
        (CLOSED, "7of9", "7of9"),
        (CLOSED, "a_.-", "a_.-"),
        (CLOSED, "x" * 32, "x" * 32),
    ],
)
def test_name_is_case_folded_once(names: Names, name: str, folded: str) -> None:
    """A name is case-folded, and folding it again changes nothing."""
    assert names.user(name, "sender") == folded
    assert names.user(folded, "sender") == folded


@pytest.mark.parametrize(
    ("names", "name"),
    [
        (OPEN, ""),
        (OPEN, " "),
        (OPEN, "   "),
        (OPEN, "a:b"),
        (OPEN, "x" * 65),
        (OPEN, "\u00df" * 33),
        (OPEN, "a\nb"),
        (OPEN, "a\0b"),
        (OPEN, "a\u2028b"),
        (OPEN, "a\u200bb"),
        (OPEN, "a\ud800"),
        (OPEN, "\u3164"),
        (OPEN, "\u2800"),
        (OPEN, "\u200d"),
        (OPEN, "a\u202eb"),
        (OPEN, "a\uffff"),
        (OPEN, "e\u0301" * 65),
        (OPEN, "x" * 200_000),
        (CLOSED, ""),
        (CLOSED, "x" * 33),
        (CLOSED, "_alice"),
        (CLOSED, ".alice"),
        (CLOSED, "al ice"),
        (CLOSED, "al:ice"),
        (CLOSED, "alice\n"),
        (CLOSED, "\u00e9va"),
        (CLOSED, "\u0430lice"),
        *((CLOSED, word.upper()) for word in sorted(RESERVED)),
    ],
)
def test_invalid_name_is_refused_by_its_field(names: Names, name: str) -> None:
    """An invalid name is a BadRequest that names the field."""
    with pytest.raises(BadRequest) as raised:
        names.user(name, "sender")

    assert [error.field for error in raised.value.errors] == ["sender"]


@pytest.mark.parametrize("names", [OPEN, CLOSED])
@pytest.mark.parametrize("chat", ["alice:bob", "bob:alice", "Alice:BOB", "BOB:alice"])
def test_one_chat_of_two(names: Names, chat: str) -> None:
    """A direct chat is one chat in any order and case."""
    assert names.direct_chat(chat, "chat") == ("alice:bob", ("alice", "bob"))


def test_notes_to_oneself() -> None:
    """A chat with oneself is one chat."""
    assert OPEN.direct_chat("Ann:ANN", "chat") == ("ann:ann", ("ann", "ann"))


def test_spellings_of_a_chat() -> None:
    """A direct chat is one chat in every composition of its names."""
    assert OPEN.direct_chat("Zoe\u0308:E\u0301va", "chat") == OPEN.direct_chat("\u00e9va:ZO\u00cb", "chat")


@pytest.mark.parametrize(
    "chat", ["", ":", "alice", "alice:", ":bob", "a:b:c", "a::b", " :b", "alice:" + "x" * 65, "a:b\n"]
)
def test_invalid_direct_chat_is_refused_by_its_field(chat: str) -> None:
    """Anything but two names is a BadRequest that names the field."""
    with pytest.raises(BadRequest) as raised:
        OPEN.direct_chat(chat, "chat")

    assert [error.field for error in raised.value.errors] == ["chat"]
