"""Signals of calls."""

from __future__ import annotations

import functools
from typing import Any
from unicodedata import normalize

import pytest

from chalicelib.schemas.realtime import MAX_SIGNAL_BYTES
from chalicelib.services.chats.rules import inviting, moderation
from tests.realtime.recorded_connections import LARGE_CHAT, Socket, Stage

MUTED_UNTIL = 7_000_000_000_000_000
"""A time in 2191, in µs since 1970."""


@pytest.fixture
def pair(stage: Stage) -> tuple[Socket, Socket]:
    """Connections of ann and bob, who have written with each other."""
    for user in ("ann", "bob"):
        stage.write(user, "ann:bob")
    return stage.connect("ann"), stage.connect("bob")


def signal(**fields: Any) -> dict[str, Any]:
    """Return a signal's fields."""
    return {"type": "signal", "call": "c1", "kind": "offer", "data": {"sdp": "v=0\r\n"}, **fields}


def refused(socket: Socket, **fields: Any) -> tuple[int, str]:
    """Send a signal that gets an error; return its status and code."""
    error = socket.ask(**signal(**fields, ref="3"))
    assert (error["type"], error["ref"]) == ("error", "3")
    return error["status"], error["code"]


def test_a_signal_reaches_every_connection_of_the_other(stage: Stage, pair: tuple[Socket, Socket]) -> None:
    """A signal arrives as sent, with its sender; there is no answer."""
    ann, bob = pair
    laptop, cid = stage.connect("bob"), stage.connect("cid")

    assert ann.send(**signal(to="BOB")) == []

    expected = {"type": "signal", "from": "ann", "to": "bob", "call": "c1", "kind": "offer"}
    assert bob.frames == laptop.frames == [{**expected, "data": {"sdp": "v=0\r\n"}}]
    assert (ann.frames, cid.frames) == ([], [])


@pytest.mark.parametrize(
    "kind", ["offer", "answer", "candidate", "ring", "accept", "reject", "hangup", "screen"]
)
def test_every_kind_passes(pair: tuple[Socket, Socket], kind: str) -> None:
    """A signal arrives with data or without."""
    ann, bob = pair
    ann.send(**signal(to="bob", kind=kind, data=None))
    assert [frame["kind"] for frame in bob.frames] == [kind]


@pytest.mark.parametrize("call", ["\u3164", " ", "a\u202eb", "a\n"], ids=ascii)
def test_a_call_has_a_name_that_can_be_shown(pair: tuple[Socket, Socket], call: str) -> None:
    """A call with an invalid id is refused: ids are shown to the recipients."""
    ann, bob = pair
    error = ann.ask(**signal(to="bob", call=call))

    assert (error["status"], [one["field"] for one in error["errors"]]) == (400, ["call"])
    assert bob.frames == []


def test_a_name_may_come_decomposed(stage: Stage) -> None:
    """A chat of the longest names is the same chat in every spelling, however many characters it has."""
    first, second = "\u1ebf" * 63 + "a", "\u1ebf" * 63 + "b"
    other = stage.connect(second)
    chat = normalize("NFD", f"{second}:{first}")

    stage.connect(first).send(type="send", chat=chat, id="1", text="hi")

    assert [(frame["chat"], frame["text"]) for frame in other.frames] == [(f"{first}:{second}", "hi")]


def test_a_direct_chat_is_its_other(pair: tuple[Socket, Socket]) -> None:
    """A signal to a direct chat goes to the other user, and names the chat."""
    ann, bob = pair
    assert bob.send(**signal(chat="bob:ann")) == []
    assert [(frame["from"], frame["chat"]) for frame in ann.frames] == [("bob", "ann:bob")]
    assert "to" not in ann.frames[0]


def test_one_can_signal_to_ones_other_connections(pair: tuple[Socket, Socket], stage: Stage) -> None:
    """A call answered on one device stops ringing on the others."""
    ann, desk = pair[0], stage.connect("ann")
    assert ann.send(**signal(to="ann", kind="accept")) == []
    assert ([frame["kind"] for frame in desk.frames], ann.frames) == (["accept"], [])
    desk.close()
    assert refused(ann, to="ann") == (404, "nobody_there")


def test_a_group_is_its_other_members(stage: Stage) -> None:
    """Every connection of the user gets the signal."""
    group = stage.group("ann", "bob", "cid")
    stage.write("cid", group)
    ann, bob, cid, dan = (stage.connect(user) for user in ("ann", "bob", "cid", "dan"))

    assert bob.send(**signal(chat=group, kind="ring")) == []

    for socket in (ann, cid):
        assert [(frame["from"], frame["chat"]) for frame in socket.frames] == [("bob", group)]
    assert (bob.frames, dan.frames) == ([], [])
    assert refused(dan, chat=group) == (403, "not_a_member")


def test_nobody_is_there(stage: Stage) -> None:
    """Users without a ready connection cannot be called; the caller's own connections do not count."""
    group = stage.group("ann", "bob")
    for chat in ("ann:bob", group):
        stage.write("bob", chat)
    ann, _ = stage.connect("ann"), stage.connect("ann")
    stage.connect("bob", hello=False)

    assert refused(ann, to="bob") == (404, "nobody_there")
    assert refused(ann, chat=group) == (404, "nobody_there")


def test_strangers_cannot_be_called(pair: tuple[Socket, Socket], stage: Stage) -> None:
    """Strangers cannot be called, connected or not, nor the users of another direct chat."""
    cid = stage.connect("cid")

    assert refused(cid, to="bob") == (403, "not_a_member")
    assert refused(cid, to="nobody") == (403, "not_a_member")
    assert refused(cid, chat="bob:cid") == (403, "not_a_member")
    assert refused(cid, chat="ann:bob") == (403, "not_a_member")
    assert refused(cid, chat="r-nowhere") == (404, "chat_not_found")
    assert [socket.frames for socket in pair] == [[], []]


def test_the_blocked_cannot_call_nor_be_called(stage: Stage) -> None:
    """A block ends calls both ways."""
    bobs, cids = stage.register("bob"), stage.register("cid")
    for user in ("bob", "cid"):
        stage.write(user, "bob:cid")
    bob, cid = stage.connect("bob", token=bobs), stage.connect("cid", token=cids)
    stage.services.blocks.block("bob", "cid")

    assert refused(cid, to="bob") == refused(bob, to="cid") == (403, "blocked")
    assert refused(cid, chat="bob:cid") == (403, "blocked")
    stage.services.blocks.unblock("bob", "cid")
    assert cid.send(**signal(to="bob")) == []


def test_the_muted_cannot_call_a_group(stage: Stage) -> None:
    """A user who may not write cannot signal, as a signal carries any data; later they can."""
    group = stage.group("ann", "bob")
    ann, bob = stage.connect("ann"), stage.connect("bob")
    for until, code in ((MUTED_UNTIL, "muted"), (0, None)):
        rule = functools.partial(moderation.mute, until=until)
        stage.services.membership.apply(stage.caller("ann"), group, "bob", rule)
        ann.frames.clear()
        answer = bob.send(**signal(chat=group))
        codes = [frame["code"] for frame in answer if frame["type"] == "error"]
        assert (codes or [None]) == [code]
        assert len(ann.frames) == int(code is None)


def test_a_large_group_cannot_be_called(stage: Stage) -> None:
    """A signal to a large group is refused, and nobody receives it."""
    group = stage.group("ann", *(f"user{number}" for number in range(LARGE_CHAT)))
    ann, other = stage.connect("ann"), stage.connect("user0")
    assert refused(ann, chat=group) == (403, "forbidden")
    assert other.frames == []


def test_data_has_a_limit(pair: tuple[Socket, Socket]) -> None:
    """Data of the maximum size arrives whole; one byte more is refused."""
    ann, bob = pair
    most = "x" * (MAX_SIGNAL_BYTES - 2)
    assert ann.send(**signal(to="bob", data=most)) == []
    assert bob.frames[0]["data"] == most
    assert refused(ann, to="bob", data=most + "x") == (413, "payload_too_large")


@pytest.mark.parametrize("fields", [{}, {"to": "bob", "chat": "ann:bob"}, {"to": ""}, {"to": "a:b"}])
def test_signal_names_either_a_user_or_a_chat(pair: tuple[Socket, Socket], fields: dict[str, str]) -> None:
    """A signal names a user or a chat: neither, both, or an invalid name are errors."""
    assert refused(pair[0], **fields) == (400, "bad_request")


# --- who may ring whom --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ring", "offer", "screen"])
def test_only_a_user_who_wrote_back_can_be_called(stage: Stage, kind: str) -> None:
    """A user who has not answered a message can't be called; after an answer they can."""
    stage.write("cid", "bob:cid")
    bob, cid = stage.connect("bob"), stage.connect("cid")

    assert refused(cid, to="bob", kind=kind) == (403, "call_not_accepted")
    assert refused(cid, chat="bob:cid", kind=kind) == (403, "call_not_accepted")
    assert bob.frames == []
    stage.write("bob", "bob:cid")
    bob.frames.clear()
    assert cid.send(**signal(to="bob", kind=kind)) == []
    assert [frame["kind"] for frame in bob.frames] == [kind]


def test_user_who_left_a_chat_cannot_be_called_there(stage: Stage) -> None:
    """Leaving a direct chat withdraws its acceptance."""
    for user in ("bob", "cid"):
        stage.write(user, "bob:cid")
    stage.connect("bob")
    cid = stage.connect("cid")
    stage.services.chats.leave(stage.caller("bob"), "bob:cid")

    assert refused(cid, to="bob", kind="ring") == (403, "call_not_accepted")


def test_follower_of_the_caller_can_be_called(stage: Stage) -> None:
    """A follower can be called without a chat, too; a caller accepts calls that the other begins."""
    tokens = {user: stage.register(user) for user in ("bob", "cid")}
    stage.services.follows.follow("bob", "cid")
    bob, cid = (stage.connect(user, token=tokens[user]) for user in ("bob", "cid"))

    assert refused(bob, to="cid", kind="ring") == (403, "call_not_accepted")
    assert cid.send(**signal(to="bob", kind="ring")) == []
    for kind in ("accept", "offer", "screen"):
        assert bob.send(**signal(to="cid", kind=kind)) == []
    assert [frame["kind"] for frame in cid.of_type("signal")] == ["accept", "offer", "screen"]


@pytest.mark.parametrize("kind", ["reject", "hangup"])
def test_declined_call_accepts_no_others(stage: Stage, kind: str) -> None:
    """A user who was added to a group and declines a call there can't be called by its members for that."""
    group = stage.group("ann", "bob")
    stage.write("ann", "ann:bob")
    ann, bob = stage.connect("ann"), stage.connect("bob")

    assert bob.send(**signal(chat=group, kind=kind)) == []
    assert bob.send(**signal(to="ann", kind=kind)) == []
    assert [frame["kind"] for frame in ann.of_type("signal")] == [kind, kind]
    assert refused(ann, to="bob", kind="ring") == (403, "call_not_accepted")
    bob.send(**signal(to="ann", kind="accept"))
    bob.send(**signal(to="ann", kind=kind))
    assert ann.send(**signal(to="bob", kind="ring")) == []


def test_group_call_reaches_only_accepting_members(stage: Stage) -> None:
    """The creator accepts calls, and those who joined or wrote; not members who were added."""
    group = stage.group("ann", "bob", "cid", "dan")
    stage.write("cid", group)
    ann, bob, cid, dan = (stage.connect(user) for user in ("ann", "bob", "cid", "dan"))

    assert bob.send(**signal(chat=group, kind="ring")) == []

    assert [len(socket.of_type("signal")) for socket in (ann, cid, dan)] == [1, 1, 0]
    bob.send(**signal(chat=group, kind="hangup"))
    assert [frame["kind"] for frame in dan.frames] == ["hangup"]


def test_joined_room_member_accepts_its_calls(stage: Stage) -> None:
    """Joining accepts calls until the membership ends; being added after that does not."""
    room = stage.room("ann", join="open")
    ann, bob = stage.connect("ann"), stage.connect("bob")
    bob.send(type="room.join", room="lobby")
    bob.frames.clear()

    assert ann.send(**signal(chat=room, kind="ring")) == []
    assert len(bob.of_type("signal")) == 1
    for rule in (moderation.remove, inviting.add):
        stage.services.membership.apply(stage.caller("ann"), room, "bob", rule)
    assert refused(ann, chat=room, kind="ring") == (404, "nobody_there")


@pytest.mark.parametrize("blocker", ["bob", "cid"])
def test_a_block_holds_in_a_group(stage: Stage, blocker: str) -> None:
    """After a block neither gets signals or typing of the other; other members get both."""
    tokens = {user: stage.register(user) for user in ("ann", "bob", "cid")}
    group = stage.group("ann", "bob", "cid")
    for user in tokens:
        stage.write(user, group)
    ann, bob, cid = (stage.connect(user, token=token) for user, token in tokens.items())
    stage.services.blocks.block(blocker, "cid" if blocker == "bob" else "bob")

    for sender, other in ((bob, cid), (cid, bob)):
        for socket in (ann, bob, cid):
            socket.frames.clear()
        sender.send(**signal(chat=group, kind="ring"))
        sender.send(type="typing", chat=group, on=True)
        assert [frame["type"] for frame in ann.frames] == ["signal", "typing"]
        assert other.frames == []


# --- how much ----------------------------------------------------------------------------------------------

MAX_BYTES = 256 * 1024
"""The limit of signals from one user to another in a minute."""


def test_one_user_sends_another_so_many_bytes(stage: Stage, pair: tuple[Socket, Socket]) -> None:
    """Signals over the limit are refused on every connection, and do not arrive."""
    (ann, bob), desk = pair, stage.connect("ann")
    data = "x" * 31_000
    answers = [
        frame
        for _ in range(20)
        for socket in (ann, desk)
        for frame in socket.send(**signal(to="bob", data=data))
    ]

    assert {answer["code"] for answer in answers} == {"too_many_requests"}
    assert all(0 < answer["retry_after"] <= 60 for answer in answers)
    assert len(bob.frames) == 40 - len(answers)
    assert MAX_BYTES // 2 < len(bob.frames) * len(data) < 2 * MAX_BYTES


def test_another_sender_and_another_recipient_have_their_own(stage: Stage) -> None:
    """In a group, members whose limit is used up are left out; the others get the signal."""
    group = stage.group("ann", "bob", "cid")
    for user, chat in (("ann", "ann:bob"), ("bob", "ann:bob"), ("bob", group), ("cid", group)):
        stage.write(user, chat)
    ann, bob, cid = (stage.connect(user) for user in ("ann", "bob", "cid"))
    while not ann.send(**signal(to="bob", data="x" * 60_000)):
        pass
    for socket in (bob, cid):
        socket.frames.clear()

    assert ann.send(**signal(chat=group, data="x" * 60_000)) == []
    assert (len(bob.frames), len(cid.frames)) == (0, 1)
    assert cid.send(**signal(chat=group, data="x" * 60_000)) == []
    assert len(bob.frames) == 1
