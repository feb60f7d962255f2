"""Processes that end between a chat's change and its delivery to inboxes; the sweep repairs them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from chalicelib import services
from chalicelib.store.redis import client
from chalicelib.store.redis.client import Store
from tests.servers.engines import Engine
from tests.store.account_services import ChangesCountingStore, Crash, CrashingStore
from tests.store.app_requests import Answer
from tests.store.syncing_client import Client, asked, inbox_of, row_of

pytestmark = pytest.mark.long

USERS = ("ann", "bob", "cid", "dan", "eve")
LARGE = 4
MAX_STEPS = 40
FEWEST_CHANGES = 5
"""A sweep makes more, or the store did not count them."""
LATER_SECONDS = 60.0

Act = Callable[[str], Answer]

ACTS: dict[str, Act] = {
    "send": lambda chat: asked("POST", f"/v1/chats/{chat}/messages", "bob", {"text": "a text", "id": "one"}),
    "send to one": lambda _: asked("POST", "/v1/chats/ann:bob/messages", "ann", {"text": "a text"}),
    "legacy send": lambda _: asked(
        "POST", "/api/send", "ann", {"chat": "ann:cid", "sender": "ann", "text": "x"}
    ),
    "make a group": lambda _: asked(
        "POST", "/v1/chats", "ann", {"kind": "group", "name": "other", "members": ["bob", "cid"]}
    ),
    "open a chat": lambda _: asked("POST", "/v1/chats", "ann", {"kind": "direct", "with": "dan"}),
    "invite": lambda chat: asked("PUT", f"/v1/chats/{chat}/invitations/dan", "ann"),
    "add": lambda chat: asked("PUT", f"/v1/chats/{chat}/members/dan", "ann"),
    "remove": lambda chat: asked("DELETE", f"/v1/chats/{chat}/members/cid", "ann"),
    "ban": lambda chat: asked("PUT", f"/v1/chats/{chat}/banned/cid", "ann"),
    "leave": lambda chat: asked("POST", f"/v1/chats/{chat}/leave", "cid"),
    "leave one": lambda _: asked("POST", "/v1/chats/ann:bob/leave", "bob"),
    "hand over": lambda chat: asked("POST", f"/v1/chats/{chat}/owner", "ann", {"handle": "bob"}),
    "rename": lambda chat: asked("PATCH", f"/v1/chats/{chat}", "ann", {"name": "new name"}),
    "delete": lambda chat: asked("DELETE", f"/v1/chats/{chat}", "ann"),
    "read": lambda chat: asked("PUT", f"/v1/chats/{chat}/read", "cid", {"seq": 2}),
    "pin": lambda chat: asked("PATCH", f"/v1/chats/{chat}/flags", "cid", {"pinned": True, "unread": True}),
}


class World:
    """The app on a store, and clients that synced earlier."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.alive()
        self.chat = self._begin()
        self.clients = [Client(user) for user in USERS]
        for one in self.clients:
            one.sync()

    def alive(self, store: Store | None = None, *, ahead: float = 0.0) -> None:
        """Begin a new process.

        store: Its store, if it is one that crashes. ahead: Seconds that its clock is ahead.
        """
        store = store or self._store
        services.current.cache_clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(client, "connect", lambda settings: store)
            current = services.current()
        current.outbox_sweep._clock = lambda: time.time() + ahead

    def _begin(self) -> str:
        made = asked("POST", "/v1/chats", "ann", {"kind": "group", "name": "one", "members": ["bob", "cid"]})
        assert made.status == 201, made
        chat = str(made.body["chat"])
        for user, where in (("ann", chat), ("bob", "ann:bob"), ("cid", chat)):
            assert asked("POST", f"/v1/chats/{where}/messages", user, {"text": "hello"}).status == 201
        return chat

    def act(self, what: str, left: int = MAX_STEPS) -> bool:
        """Run an action in a process that crashes after a query; return whether the action completed.

        left: The number of queries before that one.
        """
        self.alive(CrashingStore(self._store, left, done=True))
        try:
            answer = ACTS[what](self.chat)
        except Crash:
            return False
        assert answer.status < 300, answer
        return True

    def sweep_in_part(self, engine: Engine, changes: int) -> bool:
        """Sweep in a process that crashes after so many changes of the store; return whether it completed."""
        self.alive(ChangesCountingStore(self._store, changes, engine), ahead=LATER_SECONDS)
        try:
            services.current().outbox_sweep.sweep()
        except Crash:
            return False
        return True

    def sweep(self) -> None:
        """Sweep in a process that begins a minute later, then again: nothing stays pending."""
        self.alive(ahead=LATER_SECONDS)
        services.current().outbox_sweep.sweep()
        assert services.current().outbox_sweep.sweep() == 0
        self.alive()

    def check(self) -> None:
        """Compare what clients learn with the chats themselves."""
        for one in self.clients:
            one.sync()
            fresh = Client(one.user)
            fresh.sync()
            truth = {chat: row for chat in self._all() if (row := self._truth(chat, one.user)) is not None}
            assert one.known == truth, one.user
            assert fresh.known == truth, one.user
            assert {row["chat"]: row_of(row) for row in inbox_of(one.user, 3)} == truth

    def _all(self) -> set[str]:
        found = {self.chat, "ann:bob", "ann:cid", "ann:dan"}
        return found.union(*(one.rows for one in self.clients))

    def _truth(self, chat: str, user: str) -> object:
        if ":" in chat and user not in chat.split(":"):
            return None
        answer = asked("GET", f"/v1/chats/{chat}", user)
        if answer.status in (403, 404) or answer.body["state"] not in ("member", "invited"):
            return None
        untouched = ":" in chat and answer.body["seq"] == 0 and not (chat == "ann:dan" and self.opened(user))
        return None if untouched else row_of(answer.body)

    def opened(self, user: str) -> bool:
        """Return whether a user's inbox has the opened chat without messages."""
        return any("ann:dan" in one.rows for one in self.clients if one.user == user)


@pytest.fixture
def world(store: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world with a group of three and two chats of two; one member more makes the group large."""
    monkeypatch.setenv("PARLEY_STAGE", "local")
    monkeypatch.setenv("PARLEY_AUTH", "open")
    monkeypatch.setenv("PARLEY_LARGE_CHAT", "3")
    yield World(store)
    services.current.cache_clear()


@pytest.mark.parametrize("what", ACTS)
def test_a_process_that_ends(engine: Engine, store: Store, world: World, what: str) -> None:
    """After a process ends after any query, the next sweep makes the inboxes match the chats."""
    for left in range(MAX_STEPS):
        ended = world.act(what, left)
        world.sweep()
        world.check()
        if ended:
            return
        engine.flush()
        world = World(store)
    raise AssertionError(f"{what} takes more than {MAX_STEPS} queries")


def test_a_sweep_that_ends(engine: Engine, store: Store, world: World) -> None:
    """A sweep that ends after any change leaves the rest to the next sweep."""
    for changes in range(MAX_STEPS):
        assert world.act("add")
        assert world.act("send")
        if world.sweep_in_part(engine, changes):
            assert changes >= FEWEST_CHANGES
            return
        world.sweep()
        world.check()
        engine.flush()
        world = World(store)
    raise AssertionError("the sweep does not end")
