"""A store that lost its last writes: clients are still right, or they get a reset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib import services
from tests.servers.engines import Engine
from tests.servers.gateway import PATIENCE
from tests.store.app_requests import Answer
from tests.store.log_records import RawClient
from tests.store.lost_writes import UNTOLD, Holder, Moment, ReplicatedEngine, ask_as_a_cluster, sweep
from tests.store.syncing_client import asked, inbox_of

USERS = ("ann", "bob", "cid", "dan", "eve")
LARGE = 3
ALL, CHATS, PEOPLE = b"", b"{c", b"{u"


class World:
    """Chats of all kinds, with actions that the store will have lost."""

    def __init__(self) -> None:
        self.small = self._made("ann", "bob", "cid")
        self.large = self._made("ann", "bob", "cid", "dan")
        self.open = self._made("eve", "ann", join="open")
        for chat in ("ann:bob", "bob:cid", "ann:dan", self.small, self.large):
            self.send("bob" if "bob" in chat else "ann", chat, "before")
        self._chats = [self.small, self.large, self.open, "ann:bob", "bob:cid", "ann:dan", "cid:dan"]

    def _made(self, maker: str, *members: str, **fields: Any) -> str:
        body = {"kind": "group", "name": "tea", "members": list(members), **fields}
        return str(self.done(asked("POST", "/v1/chats", maker, body)).body["chat"])

    def send(self, user: str, chat: str, text: str) -> None:
        """Send a message."""
        self.done(asked("POST", f"/v1/chats/{chat}/messages", user, {"text": text}))

    @staticmethod
    def done(answer: Answer) -> Answer:
        """Make a call that must succeed."""
        assert answer.status < 300, answer
        return answer

    def lose(self) -> None:
        """Make the changes that are lost later."""
        for number in range(3):
            self.send("ann", self.small, f"lost {number}")
            self.send("bob", self.large, f"lost {number}")
            self.send("bob", "ann:bob", f"lost {number}")
        self.send("cid", "cid:dan", "the first")
        for user, chat, seq in (("ann", "ann:bob", 3), ("cid", self.small, 4), ("dan", self.large, 4)):
            self.done(asked("PUT", f"/v1/chats/{chat}/read", user, {"seq": seq}))
        self.done(asked("PATCH", "/v1/chats/bob:cid/flags", "cid", {"pinned": True}))
        self.done(asked("PATCH", f"/v1/chats/{self.large}/flags", "cid", {"muted": True}))
        self.done(asked("PATCH", f"/v1/chats/{self.small}", "ann", {"name": "coffee"}))
        self.done(asked("PATCH", f"/v1/chats/{self.small}/members/bob", "ann", {"role": "admin"}))
        self.done(asked("POST", f"/v1/chats/{self.small}/leave", "cid"))
        self.done(asked("POST", f"/v1/chats/{self.large}/leave", "dan"))
        self.done(asked("PUT", f"/v1/chats/{self.large}/members/eve", "ann"))
        self.done(asked("POST", f"/v1/chats/{self.open}/join", "bob"))
        self.done(asked("PUT", f"/v1/chats/{self.small}/invitations/dan", "ann"))
        self.done(asked("POST", "/v1/chats/ann:dan/leave", "ann"))
        self._made("eve", "dan", "cid")
        self._made("dan", "ann", "bob", "cid")

    def again(self) -> None:
        """Send new messages with the lost numbers, in every chat."""
        for chat in self._chats:
            for user in chat.split(":") if ":" in chat else USERS:
                for number in range(2):
                    asked("POST", f"/v1/chats/{chat}/messages", user, {"text": f"new {number} of {user}"})

    def check(self, holders: list[Holder]) -> None:
        """Compare the clients after a sync with a new client."""
        for holder in holders:
            holder.catch_up()
        for user in USERS:
            fresh = Holder(user)
            fresh.catch_up()
            for holder in holders:
                assert holder.user != user or holder.held == fresh.held
            inbox = {row["chat"]: {**row, **dict.fromkeys(UNTOLD)} for row in inbox_of(user, 2)}
            assert sorted(inbox) == sorted(fresh.held)
            for chat, (row, messages, members) in fresh.held.items():
                self._check_chat(user, chat, row, messages, members)

    def _check_chat(
        self, user: str, chat: str, row: dict[str, Any], messages: list[Any], members: dict[str, str]
    ) -> None:
        whole = self.done(asked("GET", f"/v1/chats/{chat}", user)).body
        assert {**row, "received": 0} == {**{name: whole[name] for name in row}, "received": 0}
        if row["state"] == "member":
            page = self.done(asked("GET", f"/v1/chats/{chat}/messages", user, query="after=0")).body
            assert messages == [(one["seq"], one["text"], one["sent_at"]) for one in page["messages"]]
        if row["role"]:
            listed = self.done(asked("GET", f"/v1/chats/{chat}/members", user)).body["members"]
            assert members == {one["handle"]: one["role"] for one in listed}


@pytest.fixture
def engine(valkey: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """One store, asked as a cluster; a subset of its keys is set back, as nodes would lose writes."""
    valkey.start()
    valkey.flush()
    ask_as_a_cluster(monkeypatch)
    return valkey


@pytest.fixture
def small_chats(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chat of four is large."""
    monkeypatch.setenv("PARLEY_LARGE_CHAT", str(LARGE))


def holders() -> list[Holder]:
    """One client of each user, all up to date."""
    made = [Holder(user) for user in USERS]
    for one in made:
        one.catch_up()
    return made


@pytest.mark.long
@pytest.mark.usefixtures("small_chats", "app_on_engine")
@pytest.mark.parametrize("again", [False, True], ids=["", "numbers taken again"])
@pytest.mark.parametrize("prefix", [ALL, CHATS, PEOPLE], ids=["all", "chats", "users"])
@pytest.mark.parametrize("swept", [False, True], ids=["", "swept before the sync"])
def test_nodes_that_lost_their_last_writes(raw: RawClient, prefix: bytes, again: bool, swept: bool) -> None:
    """Whatever nodes are set back, clients with and without the lost writes come to the same state."""
    world = World()
    unaware = holders()
    moment = Moment(raw)
    world.lose()
    aware = holders()
    for one in unaware[::2]:
        one.catch_up()
    moment.set_back(prefix)
    if again:
        world.again()
    if swept:
        sweep()
    else:
        for one in [*unaware, *aware]:
            one.catch_up()
        sweep()

    world.check([*unaware, *aware])


@pytest.fixture
def replicated() -> Iterator[ReplicatedEngine]:
    """A primary and its replica."""
    with ReplicatedEngine() as engine:
        yield engine


@pytest.mark.long
@pytest.mark.usefixtures("small_chats")
@pytest.mark.parametrize("again", [False, True], ids=["", "numbers taken again"])
def test_a_replica_promoted_behind(
    replicated: ReplicatedEngine, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """After a failover to a replica that lacks the last writes, clients come to the stored state."""
    monkeypatch.setenv("PARLEY_STAGE", "local")
    monkeypatch.setenv("PARLEY_AUTH", "open")
    try:
        _serve(monkeypatch, replicated)
        world = World()
        unaware = holders()
        replicated.cut()
        world.lose()
        aware = holders()
        replicated.promote()
        _serve(monkeypatch, replicated)
        if again:
            world.again()
        world.check([*unaware, *aware])
        assert all(one.resets for one in aware if one.rows)
    finally:
        services.current.cache_clear()


@pytest.mark.usefixtures("small_chats")
def test_a_pushed_message_after_a_failover(
    replicated: ReplicatedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sync with a check reports a pushed message that the promoted replica lacks."""
    monkeypatch.setenv("PARLEY_STAGE", "local")
    monkeypatch.setenv("PARLEY_AUTH", "open")
    try:
        _serve(monkeypatch, replicated)
        world = World()
        token = asked("GET", "/v1/sync", "ann").body["next"]
        replicated.cut()
        world.lose()
        check = [_held("ann", chat) for chat in ("ann:bob", world.small, world.large)]
        replicated.promote()
        _serve(monkeypatch, replicated)
        unasked = asked("GET", "/v1/sync", "ann", query=f"since={token}").body
        body = world.done(asked("POST", "/v1/sync", "ann", {"since": token, "check": check})).body

        assert (unasked["chats"], unasked["reset"]) == ([], False)
        now = [_held("ann", one["chat"]) for one in check]
        lost = [{"chat": one["chat"], "cursor": one["cursor"]} for one in body["history_changed"]]
        assert lost == now
        assert all(one not in now for one in check)
    finally:
        services.current.cache_clear()


def _held(user: str, chat: str) -> dict[str, str]:
    """Return a client that has all messages of a user's chat."""
    return {"chat": chat, "cursor": asked("GET", f"/v1/chats/{chat}/messages", user).body["next"]}


def _serve(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    for name, value in (PATIENCE | engine.env).items():
        monkeypatch.setenv(name, value)
    services.current.cache_clear()


@pytest.mark.usefixtures("app_on_engine")
@pytest.mark.parametrize("what", ["read", "received"])
def test_a_mark_by_a_lost_cursor(raw: RawClient, what: str) -> None:
    """A mark by the cursor of a lost message is refused, also once another message has its number."""
    world = World()
    moment = Moment(raw)
    world.send("bob", "ann:bob", "lost")
    page = asked("GET", "/v1/chats/ann:bob/messages", "ann").body
    moment.set_back(ALL)
    path = f"/v1/chats/ann:bob/{what}"

    assert asked("PUT", path, "ann", {"cursor": page["next"]}).status == 409
    assert asked("PUT", path, "ann", {"seq": 2}).status == 400
    world.send("bob", "ann:bob", "another")
    assert asked("PUT", path, "ann", {"cursor": page["next"]}).status == 409
    assert asked("PUT", path, "ann", {"cursor": page["previous"] or "1"}).status == 204


@pytest.mark.usefixtures("small_chats", "app_on_engine")
@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_another_message_of_the_same_number(raw: RawClient, large: bool) -> None:
    """A lost message replaced by another one is reported, though the chat is as long as before."""
    world = World()
    chat = world.large if large else world.small
    moment = Moment(raw)
    world.send("bob", chat, "lost")
    aware = holders()
    before = {one.user: one.rows[chat] for one in aware if chat in one.rows}
    moment.set_back(CHATS)
    world.send("bob", chat, "new")

    world.check(aware)
    for one in aware:
        if one.user in before:
            assert one.rows[chat]["seq"] == before[one.user]["seq"]
            assert one.rows[chat]["cursor"] != before[one.user]["cursor"]


@pytest.mark.usefixtures("small_chats", "app_on_engine")
def test_marks_of_a_large_chat_are_lost(raw: RawClient) -> None:
    """The clients of a user whose read mark of a large chat fell back get the chat again."""
    world = World()
    moment = Moment(raw)
    world.done(asked("PUT", f"/v1/chats/{world.large}/read", "cid", {"seq": 2}))
    aware = Holder("cid")
    aware.catch_up()
    moment.set_back(CHATS)

    assert aware.rows[world.large]["read"] == 2
    world.check([aware])
    assert aware.rows[world.large]["read"] == 0
