"""Blocks hide presence and membership on connections and in lists, and notify watchers."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.services.delivery.room_notices import ENTERED, GONE
from tests.realtime.recorded_connections import Socket, Stage

USERS = ("ann", "bob", "cid")
PAIRS = [("ann", "bob"), ("bob", "ann")]
"""The blocker and the blocked user: both see the same."""


@pytest.fixture
def tokens(stage: Stage) -> dict[str, str]:
    """The tokens of three accounts."""
    return {user: stage.register(user) for user in USERS}


@pytest.fixture
def sockets(stage: Stage, tokens: dict[str, str]) -> dict[str, Socket]:
    """A connection of each."""
    return {user: stage.connect(user, token=token) for user, token in tokens.items()}


def presences(socket: Socket) -> list[dict[str, Any]]:
    """Return the users and presences that were pushed to a connection."""
    return [row for frame in socket.of_type("presence") for row in frame["users"]]


# --- presence -----------------------------------------------------------------------------------------------


def test_block_and_unblock_change_what_a_watcher_sees(
    stage: Stage, tokens: dict[str, str], sockets: dict[str, Socket]
) -> None:
    """Each watching connection sees the user go offline, and return after the block; others get nothing."""
    watching = [sockets["ann"], stage.connect("ann", token=tokens["ann"])]
    for socket in (*watching, sockets["cid"]):
        socket.send(type="watch", users=["bob"])
        socket.frames.clear()

    stage.services.blocks.block("bob", "ann")
    for socket in watching:
        assert presences(socket) == [{"user": "bob", "online": False, "last_seen_at": None}]
        socket.frames.clear()
    stage.services.blocks.unblock("bob", "ann")
    for socket in watching:
        assert presences(socket) == [{"user": "bob", "online": True, "last_seen_at": None}]
    assert sockets["cid"].frames == []


def test_unblocked_watcher_gets_changes_again(
    stage: Stage, tokens: dict[str, str], sockets: dict[str, Socket]
) -> None:
    """A user who went offline meanwhile is shown so after the block; later changes follow."""
    ann = sockets["ann"]
    ann.send(type="watch", users=["bob"])
    stage.services.blocks.block("bob", "ann")
    ann.frames.clear()
    sockets["bob"].close()
    assert ann.frames == []

    stage.services.blocks.unblock("bob", "ann")
    (row,) = presences(ann)
    assert (row["online"], bool(row["last_seen_at"])) == (False, True)
    stage.connect("bob", token=tokens["bob"])
    assert [one["online"] for one in presences(ann)][1:] == [True]


def test_user_who_does_not_watch_gets_nothing_at_a_block(stage: Stage, sockets: dict[str, Socket]) -> None:
    """A block by itself shows nobody that the user is online."""
    stage.services.blocks.block("bob", "ann")
    stage.services.blocks.unblock("bob", "ann")

    assert [socket.frames for socket in sockets.values()] == [[], [], []]


# --- rooms --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("blocker", "blocked"), PAIRS)
def test_neither_is_in_the_room_for_the_other(
    stage: Stage, sockets: dict[str, Socket], blocker: str, blocked: str
) -> None:
    """A room hides each from the other in answers, the REST list and notices; others see both."""
    stage.room("cid")
    stage.services.blocks.block(blocker, blocked)
    for user in ("cid", "ann", "bob"):
        sockets[user].send(type="room.join", room="lobby")

    for user in ("ann", "bob"):
        assert sockets[user].ask(type="room.clients", room="lobby")["clients"] == sorted({user, "cid"})
        listed = stage.services.go_chat.clients(stage.caller(user), "lobby")
        assert [one.id for one in listed] == sorted({user, "cid"})
    assert sockets["cid"].ask(type="room.clients", room="lobby")["clients"] == list(USERS)
    sockets["bob"].close()
    seen = {user: _notices(sockets[user]) for user in ("ann", "cid")}
    assert seen == {"ann": [], "cid": [("ann", ENTERED), ("bob", ENTERED), ("bob", GONE)]}


def _notices(socket: Socket) -> list[tuple[str, str]]:
    return [(frame["user"], frame["notice"]) for frame in socket.of_type("room") if "user" in frame]


def test_leaving_a_room_hides_blocked_users(stage: Stage, sockets: dict[str, Socket]) -> None:
    """The answer to a leave does not name blocked users either."""
    stage.room("cid")
    for user in USERS:
        sockets[user].send(type="room.join", room="lobby")
    stage.services.blocks.block("bob", "ann")
    for socket in sockets.values():
        socket.frames.clear()

    assert sockets["bob"].ask(type="room.leave", room="lobby")["clients"] == ["cid"]
    assert (_notices(sockets["ann"]), _notices(sockets["cid"])) == ([], [("bob", GONE)])


# --- receipts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("blocker", "blocked"), PAIRS)
@pytest.mark.parametrize("kind", ["direct", "group"])
def test_neither_sees_how_far_the_other_has_read(
    stage: Stage, sockets: dict[str, Socket], kind: str, blocker: str, blocked: str
) -> None:
    """A group hides each from the other in the REST list and in frames; other members see both."""
    chat = "ann:bob" if kind == "direct" else stage.group("cid", "ann", "bob")
    others = [] if kind == "direct" else ["cid"]
    for user in ("ann", "bob"):
        stage.write(user, chat)
    stage.services.blocks.block(blocker, blocked)
    for socket in sockets.values():
        socket.frames.clear()
    sockets["ann"].send(type="read", chat=chat, seq=_head(stage, chat))

    assert sockets["bob"].of_type("receipt") == []
    assert [frame["user"] for frame in sockets["cid"].of_type("receipt")] == ["ann"] * len(others)
    for user in ("ann", "bob"):
        assert _read_by(stage, user, chat) == sorted([user, *others])
    stage.services.blocks.unblock(blocker, blocked)
    assert _read_by(stage, "bob", chat) == sorted(["ann", "bob", *others])


def test_a_page_of_receipts_goes_on_after_somebody_hidden(stage: Stage, sockets: dict[str, Socket]) -> None:
    """A page may have fewer rows than its limit, or none, and still a `next`."""
    group = stage.group("cid", "ann", "bob")
    stage.services.blocks.block("bob", "cid")
    pages, cursor = [], None
    for _ in range(3):
        page = stage.services.read_states.page(stage.caller("cid"), group, cursor, 1)
        pages.append([receipt.handle for receipt in page.receipts])
        cursor = page.next

    assert (pages, cursor) == ([["ann"], [], ["cid"]], None)


def _read_by(stage: Stage, user: str, chat: str) -> list[str]:
    page = stage.services.read_states.page(stage.caller(user), chat, None, 10)
    return [receipt.handle for receipt in page.receipts]


def _head(stage: Stage, chat: str) -> int:
    return stage.services.messages.page(stage.caller("ann"), chat, after=None, before=None, limit=1).head
