"""Typing notices."""

from __future__ import annotations

import pytest

from chalicelib.services.chats.rules import moderation
from tests.realtime.recorded_connections import LARGE_CHAT, Stage

MUTED_UNTIL = 7_000_000_000_000_000
"""A time in 2191, in µs since 1970."""


def test_typing_is_pushed_to_the_others_connections(stage: Stage) -> None:
    """Each connection of the other user gets it; nobody else does; the answer is `ok` with a `ref`."""
    stage.write("ann", "ann:bob")
    ann, desk = stage.connect("ann"), stage.connect("ann")
    phone, laptop, cid = stage.connect("bob"), stage.connect("bob"), stage.connect("cid")

    assert ann.send(type="typing", chat="BOB:ann", on=True, ref="1") == [{"type": "ok", "ref": "1"}]
    assert ann.send(type="typing", chat="ann:bob", on=False) == []

    expected = [{"type": "typing", "chat": "ann:bob", "user": "ann", "on": on} for on in (True, False)]
    assert (phone.frames, laptop.frames) == (expected, expected)
    assert (desk.frames, cid.frames) == ([], [])


def test_typing_is_pushed_to_all_other_members(stage: Stage) -> None:
    """All members except the sender get the notice."""
    group = stage.group("ann", "bob", "cid")
    ann, bob, cid = (stage.connect(user) for user in ("ann", "bob", "cid"))

    assert bob.send(type="typing", chat=group, on=True) == []

    expected = {"type": "typing", "chat": group, "user": "bob", "on": True}
    assert (ann.frames, cid.frames, bob.frames) == ([expected], [expected], [])


@pytest.mark.parametrize("extra", [0, 1])
def test_it_is_dropped_in_large_chats(stage: Stage, extra: int) -> None:
    """With one more member than a small chat may have, nobody gets a notice."""
    members = [f"user{number}" for number in range(LARGE_CHAT - 1 + extra)]
    group = stage.group("ann", *members)
    ann, other = stage.connect("ann"), stage.connect("user0")

    assert ann.send(type="typing", chat=group, on=True) == []

    assert bool(other.frames) == (extra == 0)


def test_typing_is_not_pushed_to_strangers(stage: Stage) -> None:
    """Typing of strangers and of users who are not members arrives nowhere."""
    group = stage.group("ann", "bob")
    bob, cid = stage.connect("bob"), stage.connect("cid")

    assert cid.send(type="typing", chat="bob:cid", on=True) == []
    assert cid.send(type="typing", chat=group, on=True) == []
    assert cid.ask(type="typing", chat="ann:bob", on=True)["code"] == "not_a_member"
    assert cid.ask(type="typing", chat="g-nonsense", on=True)["code"] == "chat_not_found"

    assert bob.frames == []


def test_the_blocked_and_the_muted_are_not_heard(stage: Stage) -> None:
    """A user who may not write cannot send typing notices either."""
    bobs, cids = stage.register("bob"), stage.register("cid")
    stage.write("cid", "bob:cid")
    group = stage.group("bob", "cid")
    bob, cid = stage.connect("bob", token=bobs), stage.connect("cid", token=cids)
    stage.services.blocks.block("bob", "cid")
    stage.services.membership.apply(
        stage.caller("bob"), group, "cid", lambda case: moderation.mute(case, MUTED_UNTIL)
    )
    bob.frames.clear()

    assert cid.send(type="typing", chat="bob:cid", on=True) == []
    assert cid.send(type="typing", chat=group, on=True) == []

    assert bob.frames == []
