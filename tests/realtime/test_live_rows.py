"""Whoever a change of a chat concerns gets its row at once, as their next sync has it."""

from __future__ import annotations

import contextlib
import functools
import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chalicelib.errors import ParleyError, StoreUnavailable
from chalicelib.schemas.chats import ChatChanges, NewChat
from chalicelib.schemas.inbox import Flags, ReadUpTo
from chalicelib.schemas.messages import SendRequest
from chalicelib.schemas.users import ProfileChanges
from chalicelib.services.chats.decisions import Rule
from chalicelib.services.chats.rules import inviting, moderation, roles
from chalicelib.services.views.inbox_row import synced_row
from chalicelib.store.chats.summary import Summaries
from tests.realtime.recorded_connections import LARGE_CHAT, Socket, Stage

Row = dict[str, Any]
Act = Callable[[Stage, str], object]
FOR_EVER = 2**50


class Desk:
    """A user's device that has synced: the rows pushed to it since, and those that a sync has since."""

    def __init__(self, stage: Stage, user: str) -> None:
        self._stage, self._user = stage, user
        self.socket: Socket = stage.connect(user)
        self._version: str | None = None
        self.synced()

    def pushed(self) -> dict[str, Row]:
        """Return the pushed rows by chat, of which none may come twice."""
        rows = self.socket.of_type("chat")
        self.socket.frames.clear()
        for row in rows:
            del row["type"]
        by_chat = {row["chat"]: row for row in rows}
        assert len(by_chat) == len(rows)
        return by_chat

    def synced(self) -> dict[str, Row]:
        """Return the rows that have moved since the last call, by chat."""
        page = self._stage.services.sync.page(self._stage.caller(self._user), self._version, 100)
        self._version = page.next
        return {row["chat"]: row for row in msgspec.json.decode(msgspec.json.encode(page.chats))}


def on(user: str, rule: Rule) -> Act:
    """Return what ann does to a user in a chat by a rule."""
    return lambda stage, chat: stage.services.membership.apply(stage.caller("ann"), chat, user, rule)


def change(stage: Stage, chat: str, **changes: Any) -> object:
    """Change fields of a chat as ann."""
    return stage.services.chats.change(stage.caller("ann"), chat, ChatChanges(**changes))


def join(stage: Stage, chat: str) -> object:
    """Join a chat as dan, or ask to."""
    return stage.services.membership.join(stage.caller("dan"), chat)


ACTS: dict[str, tuple[Act, set[str]]] = {
    "rename": (functools.partial(change, name="Coffee"), {"ann", "bob", "cid"}),
    "add": (on("dan", inviting.add), {"ann", "bob", "cid", "dan"}),
    "invite": (on("dan", inviting.invite), {"dan"}),
    "remove": (on("bob", moderation.remove), {"ann", "bob", "cid"}),
    "ban": (on("bob", moderation.ban), {"ann", "bob", "cid"}),
    "ban of a stranger": (on("dan", moderation.ban), {"dan"}),
    "role": (on("bob", lambda action: roles.change_role(action, "admin")), {"bob"}),
    "mute": (on("bob", lambda action: moderation.mute(action, FOR_EVER)), {"bob"}),
    "handover": (on("bob", roles.transfer_ownership), {"ann", "bob"}),
    "leave": (
        lambda stage, chat: stage.services.chats.leave(stage.caller("cid"), chat),
        {"ann", "bob", "cid"},
    ),
    "delete": (
        lambda stage, chat: stage.services.chats.delete(stage.caller("ann"), chat),
        {"ann", "bob", "cid"},
    ),
    "flags": (
        lambda stage, chat: stage.services.read_states.flag(stage.caller("bob"), chat, Flags(pinned=True)),
        {"bob"},
    ),
    "read": (
        lambda stage, chat: stage.services.read_states.read(stage.caller("bob"), chat, ReadUpTo()),
        {"bob"},
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_those_concerned_get_the_row_that_their_sync_has(stage: Stage, act: str) -> None:
    """Each user whom a change concerns gets one frame on each connection, and nobody else gets any."""
    run, concerned = ACTS[act]
    chat = stage.group("ann", "bob", "cid")
    stage.write("ann", chat)
    desks = {user: Desk(stage, user) for user in ("ann", "bob", "cid", "dan")}
    second = stage.connect("bob")

    run(stage, chat)

    for user, desk in desks.items():
        rows, moved = desk.pushed(), desk.synced()
        assert rows == ({chat: moved[chat]} if user in concerned else {}), user
    assert len(second.of_type("chat")) == ("bob" in concerned)


def test_answer_to_an_invitation_and_to_a_request_is_pushed(stage: Stage) -> None:
    """An invited user and one who asks to join get the row when that ends, too."""
    chat = stage.group("ann", "bob")
    change(stage, chat, join="request")
    dan = Desk(stage, "dan")

    join(stage, chat)
    assert dan.pushed()[chat]["state"] == "requested"
    on("dan", inviting.end_join_request)(stage, chat)
    assert dan.pushed()[chat]["state"] == "left"
    on("dan", inviting.invite)(stage, chat)
    assert dan.pushed()[chat]["state"] == "invited"
    on("dan", inviting.end_invitation)(stage, chat)
    assert dan.pushed()[chat]["state"] == "left"


def test_row_of_a_direct_chat_is_pushed_to_its_user_alone(stage: Stage) -> None:
    """Opening, reading and leaving a direct chat on one device shows on the others of its user."""
    ann, bob = Desk(stage, "ann"), Desk(stage, "bob")
    phone = stage.connect("ann")
    stage.services.chats.create(stage.caller("ann"), NewChat(kind="direct", with_="bob"))
    row = ann.pushed()["ann:bob"]
    assert row == ann.synced()["ann:bob"]
    assert row["users"] == [{"handle": user, "name": "", "avatar": None} for user in ("ann", "bob")]
    stage.write("bob", "ann:bob")
    assert ann.pushed() == {}
    assert phone.send(type="read", chat="ann:bob", ref="7")[-1] == {"type": "ok", "ref": "7"}
    assert phone.of_type("receipt") == []
    assert ann.pushed()["ann:bob"]["unread"] == 0
    stage.services.chats.leave(stage.caller("ann"), "ann:bob")
    assert ann.pushed()["ann:bob"]["state"] == "left"
    assert [frame["read"] for frame in bob.socket.of_type("receipt")] == [1]
    assert bob.pushed() == {}


def test_banned_user_learns_nothing_from_the_row(stage: Stage) -> None:
    """The row of a banned user has no name, no number of members and no message."""
    chat = stage.group("ann", "bob")
    stage.write("ann", chat)
    bob = Desk(stage, "bob")
    on("bob", moderation.ban)(stage, chat)

    row = bob.pushed()[chat]

    assert (row["state"], row["name"], row["members"], row["last"]) == ("banned", None, None, None)
    stage.write("ann", chat)
    change(stage, chat, name="Secret")
    assert bob.pushed() == {}


def test_others_in_a_large_chat_get_no_row(stage: Stage) -> None:
    """In a large chat a change of a member is pushed to that member alone."""
    chat = stage.group("ann", "bob", *(f"user{number}" for number in range(LARGE_CHAT)))
    ann, bob = Desk(stage, "ann"), Desk(stage, "bob")
    on("bob", moderation.remove)(stage, chat)

    assert bob.pushed()[chat]["state"] == "left"
    assert ann.pushed() == {}
    change(stage, chat, name="Coffee")
    assert ann.pushed() == {}


def test_failed_push_of_rows_fails_no_request(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change succeeds if its rows cannot be read; the next sync has them."""
    chat = stage.group("ann", "bob")
    ann = Desk(stage, "ann")

    def fail(*_: Any) -> Any:
        raise StoreUnavailable

    monkeypatch.setattr(stage.services.row_push, "_addressed", fail)
    change(stage, chat, name="Coffee")

    assert ann.pushed() == {}
    assert ann.synced()[chat]["name"] == "Coffee"


def test_new_name_shows_in_the_rows_of_direct_chats(stage: Stage) -> None:
    """A user's new name and picture reach both sides of their direct chats, at once and by the next sync."""
    stage.register("ann")
    for other in ("bob", "cid", "dan"):
        stage.write("ann", f"ann:{other}")
    stage.services.chats.leave(stage.caller("cid"), "ann:cid")
    bob, cid, dan = (Desk(stage, user) for user in ("bob", "cid", "dan"))
    stage.services.profiles.change("ann", ProfileChanges(name="Ann", avatar="pic"))

    for desk, chat in ((bob, "ann:bob"), (dan, "ann:dan")):
        row = desk.pushed()[chat]
        assert row == desk.synced()[chat]
        assert row["users"][0] == {"handle": "ann", "name": "Ann", "avatar": "pic"}
    assert (cid.pushed(), cid.synced()) == ({}, {})
    stage.services.profiles.change("ann", ProfileChanges(name="Ann", bio="Queen"))
    assert bob.pushed() == {}

    stage.services.deletion.delete("ann")
    row = bob.pushed()["ann:bob"]
    assert row == bob.synced()["ann:bob"]
    assert row["users"][0] == {"handle": "ann", "name": "", "avatar": None}


def test_new_name_is_not_pushed_to_users_who_block_its_user(stage: Stage) -> None:
    """A name is no text for whoever blocks the user; the next sync has it."""
    tokens = {user: stage.register(user) for user in ("ann", "bob", "cid")}
    for chat in ("ann:bob", "ann:cid"):
        stage.write("ann", chat)
    stage.services.blocks.block("bob", "ann")
    bob, cid = (stage.connect(user, token=tokens[user]) for user in ("bob", "cid"))
    stage.services.profiles.change("ann", ProfileChanges(name="Ann"))

    assert bob.of_type("chat") == []
    assert [row["users"][0]["name"] for row in cid.of_type("chat")] == ["Ann"]


def test_own_devices_get_the_rows_with_the_new_name(stage: Stage) -> None:
    """A user's own other devices get the rows of their direct chats, of the last active ones."""
    token = stage.register("ann")
    for number in range(3):
        stage.write("ann", f"ann:user{number}")
    phone = stage.connect("ann", token=token)

    stage.services.profiles.change("ann", ProfileChanges(name="Ann"))

    assert {frame["chat"] for frame in phone.of_type("chat")} == {f"ann:user{number}" for number in range(3)}


def test_those_who_decide_see_the_number_of_requests_to_join(stage: Stage) -> None:
    """Admins and owners get the row when somebody asks to join, and when that ends; members do not."""
    chat = stage.group("ann", "bob", "cid")
    change(stage, chat, join="request")
    on("bob", lambda action: roles.change_role(action, "admin"))(stage, chat)
    ann, bob, cid = (Desk(stage, user) for user in ("ann", "bob", "cid"))

    for act, requests in ((join, 1), (on("dan", inviting.end_join_request), 0), (join, 1)):
        act(stage, chat)
        for desk in (ann, bob):
            row = desk.pushed()[chat]
            assert row == desk.synced()[chat]
            assert row["requests"] == requests
        assert (cid.pushed(), cid.synced()) == ({}, {})

    on("dan", inviting.add)(stage, chat)
    assert [desk.pushed()[chat]["requests"] for desk in (ann, bob, cid)] == [0, 0, None]


USERS = ("ann", "bob", "cid", "dan")
SHOWN = ("state", "role", "muted_until", "name", "avatar", "members", "requests", "users", "pinned", "muted")
"""What a message does not change in a row."""
RULES: tuple[Rule, ...] = (
    inviting.add,
    inviting.invite,
    inviting.end_invitation,
    inviting.end_join_request,
    moderation.remove,
    moderation.ban,
    moderation.unban,
    lambda action: moderation.mute(action, FOR_EVER),
    lambda action: moderation.mute(action, 0),
    lambda action: roles.change_role(action, "admin"),
    lambda action: roles.change_role(action, "member"),
    roles.transfer_ownership,
)


def act_somehow(stage: Stage, chat: str, choice: random.Random) -> None:
    """Do something to a chat, or in vain, as one of the users."""
    user, other = choice.choice(USERS), choice.choice(USERS)
    caller, services = stage.caller(user), stage.services
    changes = ChatChanges(name=choice.choice("abc"), join=choice.choice(("open", "request", "invite")))
    acts: list[Callable[[], object]] = [
        lambda: services.membership.join(caller, chat),
        lambda: services.chats.leave(caller, chat),
        lambda: services.chats.change(caller, chat, changes),
        lambda: services.read_states.flag(caller, chat, Flags(pinned=choice.random() < 0.5, muted=True)),
        lambda: services.read_states.read(caller, chat, ReadUpTo()),
        lambda: services.messages.send(caller, chat, SendRequest("hi")),
        *(functools.partial(services.membership.apply, caller, chat, other, rule) for rule in RULES * 2),
    ]
    with contextlib.suppress(ParleyError):
        choice.choice(acts)()


@pytest.mark.parametrize("seed", range(4))
def test_no_row_is_stale_after_any_change(stage: Stage, seed: int) -> None:
    """Whatever happens to a chat, each device that takes the pushed rows shows what the chat is."""
    choice = random.Random(seed)
    chat = stage.group("ann", "bob")
    desks = {user: Desk(stage, user) for user in USERS}
    rows = {user: page_of(stage, user).get(chat) for user in USERS}

    for _ in range(60):
        act_somehow(stage, chat, choice)
        for user, desk in desks.items():
            rows[user] = desk.pushed().get(chat, rows[user])
            summary = stage.store.run(Summaries.of(chat, user))
            now = msgspec.to_builtins(synced_row(summary, {}))
            held = rows[user] or {"state": "left"}
            fields = SHOWN if now["state"] == "member" else ("state",)
            assert [held[name] for name in fields] == [now[name] for name in fields], (user, held, now)


def page_of(stage: Stage, user: str) -> dict[str, Row]:
    """Return a user's rows by chat, as a client that holds nothing gets them."""
    page = stage.services.sync.page(stage.caller(user), None, 100)
    return {row["chat"]: row for row in msgspec.json.decode(msgspec.json.encode(page.chats))}
