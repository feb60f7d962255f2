"""Ids of chats of every kind."""

from __future__ import annotations

import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import BadRequest, ChatNotFound
from chalicelib.services.values.chat_id import (
    ChatId,
    ChatIds,
    group_id,
    is_group,
    kind_of,
    new_group_id,
    room_id,
)
from chalicelib.services.values.names import Names

GROUP = "g-0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a10"
OPEN, CLOSED = ChatIds(Names(open_names=True)), ChatIds(Names(open_names=False))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Bob:ann", ChatId("ann:bob", "direct", ("ann", "bob"))),
        ("ann:ann", ChatId("ann:ann", "direct", ("ann", "ann"))),
        ("g-1:r-1", ChatId("g-1:r-1", "direct", ("g-1", "r-1"))),
        (GROUP.upper(), ChatId(GROUP, "group")),
        ("R-Lobby", ChatId("r-lobby", "room")),
        ("r-" + "a" * 64, ChatId("r-" + "a" * 64, "room")),
    ],
)
def test_a_chat_in_any_spelling(given: str, expected: ChatId) -> None:
    """A chat is found in any case and order."""
    for ids in (OPEN, CLOSED):
        found = ids.parse(given)
        assert found == expected
        assert found.kind == kind_of(found.text)
        assert is_group(found.text) == (found.kind != "direct")


@pytest.mark.parametrize(
    "given", ["g-", "g-1", GROUP + "0", GROUP[:-1], "r-", "r--a", "r-" + "a" * 65, "r-\u00e9", "r-a b", "G-x"]
)
def test_an_id_that_nothing_can_have(given: str) -> None:
    """An invalid group or room id is not found."""
    with pytest.raises(ChatNotFound):
        CLOSED.parse(given)


@pytest.mark.parametrize("given", ["", "ann", "ann:", ":", "a:b:c", "me:ann", "\u00e9:ann", "rlobby"])
def test_what_is_no_chat(given: str) -> None:
    """A value that is neither a pair nor like a group or room is a bad request that names the field."""
    with pytest.raises(BadRequest) as caught:
        CLOSED.parse(given, "where")
    assert [error.field for error in caught.value.errors] == ["where"]


@given(st.text(max_size=80))
def test_any_text_is_a_chat_or_refused(text: str) -> None:
    """Any text is a chat that is read the same again, or refused as the caller's fault."""
    for ids in (OPEN, CLOSED):
        try:
            found = ids.parse(text)
        except (BadRequest, ChatNotFound):
            continue
        assert ids.parse(found.text) == found


def test_a_pair_is_no_group() -> None:
    """Operations for groups and rooms refuse a direct chat."""
    assert CLOSED.group(GROUP) == GROUP
    with pytest.raises(BadRequest):
        CLOSED.group("ann:bob")


@pytest.mark.parametrize(("handle", "other"), [("ann", "bob"), ("bob", "ann")])
def test_the_other_of_two(handle: str, other: str) -> None:
    """Each user of a direct chat has the other; in notes to oneself it is the same user."""
    assert CLOSED.parse("ann:bob").other(handle) == other
    assert CLOSED.parse("ann:ann").other("ann") == "ann"


def test_new_ids_are_uuids_of_version_7() -> None:
    """A new id has the time in milliseconds and random bits, as RFC 9562 defines."""
    before = time.time_ns() // 1_000_000
    made = {new_group_id() for _ in range(1000)}
    after = time.time_ns() // 1_000_000

    assert len(made) == 1000
    for chat in made:
        assert CLOSED.parse(chat) == ChatId(chat, "group")
        found = uuid.UUID(chat.removeprefix("g-"))
        assert (found.version, found.variant) == (7, uuid.RFC_4122)
        assert before <= found.int >> 80 <= after


def test_clients_choose_a_uuid_or_a_short_room_name() -> None:
    """A client chooses a UUID for a group, and a short name for a room."""
    assert group_id(GROUP[2:].upper(), "id") == group_id(GROUP, "id") == GROUP
    assert room_id("Lobby.1", "id") == "r-lobby.1"
    for refused in ("", "x", GROUP[2:].replace("-", "")):
        with pytest.raises(BadRequest):
            group_id(refused, "id")
    for refused in ("", ".a", "a" * 65, "a:b", "\u00e9", "a/b"):
        with pytest.raises(BadRequest):
            room_id(refused, "id")
