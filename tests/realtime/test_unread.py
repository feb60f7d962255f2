"""The unread messages of all chats: their number, in `ready` too, and marking all of them as read."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.errors import BadRequest
from chalicelib.schemas.inbox import Flags
from chalicelib.schemas.messages import SendRequest
from chalicelib.services.inbox import read_all, unread
from tests.realtime.recorded_connections import Stage

OTHERS = ("bob", "cid", "dan", "eve")


@pytest.fixture
def group(stage: Stage) -> str:
    """A group of ann's and bob's with a message of bob's; each other has written to ann, too."""
    for other in OTHERS:
        stage.write(other, f"ann:{other}")
    group = stage.group("ann", "bob")
    stage.write("bob", group)
    return group


def total(stage: Stage, cursor: str | None = None) -> dict[str, Any]:
    """Return ann's unread messages."""
    found: dict[str, Any] = msgspec.to_builtins(stage.services.unread.total(stage.caller("ann"), cursor))
    return found


def flag(stage: Stage, chat: str, **flags: bool) -> None:
    """Set flags of ann's."""
    stage.services.read_states.flag(stage.caller("ann"), chat, Flags(**flags))


def test_unread_messages_of_muted_and_archived_chats_are_apart(stage: Stage, group: str) -> None:
    """Muted and archived chats count as quiet; a chat that is marked as unread counts as a chat."""
    assert total(stage) == {"unread": 5, "chats": 5, "quiet": 0, "next": None}
    flag(stage, group, muted=True)
    flag(stage, "ann:bob", archived=True)
    stage.write("ann", "ann:cid")
    flag(stage, "ann:cid", unread=True)

    assert total(stage) == {"unread": 2, "chats": 3, "quiet": 2, "next": None}


def test_ready_has_the_number_of_unread_messages(stage: Stage, group: str) -> None:
    """The answer to a hello ends with what `GET /v1/unread` says."""
    answers = stage.connect("ann", hello=False).send(type="hello")

    assert answers[-1]["unread"] == {"unread": 5, "chats": 5, "quiet": 0, "next": None}


def test_pages_add_up_to_all_chats(stage: Stage, group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With more chats than one call counts, pages count each of them once."""
    monkeypatch.setattr(unread, "COUNTED_CHATS", 2)
    found = [total(stage)]
    while found[-1]["next"] is not None:
        found.append(total(stage, found[-1]["next"]))

    assert [one["chats"] for one in found] == [2, 2, 1]
    with pytest.raises(BadRequest):
        total(stage, "nonsense")


def test_all_chats_are_marked_as_read(stage: Stage, group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls go on until all chats are read; others get receipts, and own devices the rows."""
    for module in (unread, read_all):
        monkeypatch.setattr(module, "COUNTED_CHATS", 3)
    ann, bob = stage.connect("ann"), stage.connect("bob")

    first = stage.services.read_all.read(stage.caller("ann"), None)
    second = stage.services.read_all.read(stage.caller("ann"), first.next)

    assert {*first.chats, *second.chats} == {group, *(f"ann:{other}" for other in OTHERS)}
    assert (len(first.chats), second.next) == (3, None)
    assert total(stage)["unread"] == 0
    rows = ann.of_type("chat")
    assert {row["chat"] for row in rows} == {*first.chats, *second.chats}
    assert {row["unread"] for row in rows} == {0}
    receipts = {frame["chat"]: frame["read"] for frame in bob.of_type("receipt")}
    assert receipts == {group: 2, "ann:bob": 1}
    again = stage.services.read_all.read(stage.caller("ann"), None)
    assert again.chats == []


def test_chat_without_messages_is_no_longer_marked_as_unread(stage: Stage) -> None:
    """Marking all chats as read clears the mark as unread, also of a chat without messages."""
    group = stage.group("ann", "bob")
    flag(stage, group, unread=True)
    assert total(stage)["chats"] == 1

    assert stage.services.read_all.read(stage.caller("ann"), None).chats == [group]
    assert total(stage)["chats"] == 0


def test_a_name_is_no_mention_of_all(stage: Stage) -> None:
    """On a server with open names, a mention of a user named `*` or `!cid` concerns nobody else."""
    chat = stage.group("ann", "bob", "cid", "*", "!cid")
    for user, text in (("bob", "@* @!cid"), ("ann", "@all")):
        stage.services.messages.send(stage.caller(user), chat, SendRequest(text))
    mentions = {
        user: stage.services.chat_details.read(stage.caller(user), chat).mentions
        for user in ("bob", "cid", "*", "!cid")
    }
    assert mentions == {"bob": 1, "cid": 1, "*": 2, "!cid": 2}
