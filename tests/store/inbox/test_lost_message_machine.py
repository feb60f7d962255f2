"""A device that gets pushes, and a store that loses its last writes: they agree after a sync."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.servers.engines import Engine
from tests.store.log_records import RawClient
from tests.store.lost_writes import Moment, ask_as_a_cluster, sweep
from tests.store.syncing_client import MAX_PAGES, asked

pytestmark = pytest.mark.long

DIRECT, NOTES = "ann:bob", "bob:bob"
EXAMPLES, STEPS = 12, 25
ALL, CHATS, PEOPLE = b"", b"{c", b"{u"

Kept = dict[int, str]
"""Messages of a chat: seq -> its cursor and its text."""


def cursor_of(message: dict[str, Any], epoch: int) -> str:
    """Return the cursor of a message, as docs/realtime.md says how to make it."""
    return f"{message['seq']}.{time_of(message)}.{epoch}"


def time_of(message: dict[str, Any]) -> int:
    """Return the time of a message, in µs since 1970."""
    sent = datetime.fromisoformat(message["sent_at"]) - datetime(1970, 1, 1, tzinfo=UTC)
    return sent // timedelta(microseconds=1)


def identity_of(message: dict[str, Any], epoch: int) -> str:
    """Return what identifies a message to a reader: its cursor and text."""
    return f"{cursor_of(message, epoch)} {message['text']}"


class Device:
    """A device of bob's that believes every push, as docs/realtime.md and docs/api.md have it do.

    kept: its messages. cursors: of the newest one of each chat. unchecked: chats that got one since the last
    sync.
    """

    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}
        self.cursors: dict[str, str] = {}
        self.unchecked: set[str] = set()
        self._token: str | None = None

    def pushed(self, message: dict[str, Any]) -> None:
        """Take the next message, or pull; drop a known number unless it was given to another message."""
        chat, seq = message["chat"], message["seq"]
        newest, time, epoch = map(int, self.cursors.get(chat, "0.0.0").split("."))
        if newest and seq == newest + 1:
            self._keep(message, epoch)
        elif seq > newest or time_of(message) > time:
            self.pull(chat)

    def sync(self) -> None:
        """Sync: drop lost messages, and read the moved chats."""
        check = [{"chat": chat, "cursor": self.cursors[chat]} for chat in sorted(self.unchecked)]
        self.unchecked.clear()
        listed: set[str] | None = None
        for _ in range(MAX_PAGES):
            since = {"since": self._token} if self._token else {}
            page = asked("POST", "/v1/sync", "bob", {**since, "check": check, "limit": 3}).body
            self._take(page)
            if page["reset"]:
                listed = set()
            if listed is not None:
                listed |= {row["chat"] for row in page["chats"]}
            self._token, check = page["next"], []
            if not page["more"]:
                break
        for chat in self.kept.keys() - (self.kept.keys() if listed is None else listed):
            self._drop(chat)

    def _take(self, page: dict[str, Any]) -> None:
        for one in page["history_changed"]:
            self._cut(one)
            self.pull(one["chat"])
        for chat in page["unreadable"]:
            self._drop(chat)
        for row in page["chats"]:
            reads = row["state"] == "member" or (row["state"] == "left" and row["chat"] in self.kept)
            if reads and self.cursors.get(row["chat"], "0") != row["cursor"]:
                self.pull(row["chat"])

    def _cut(self, changed: dict[str, Any]) -> None:
        """Drop the messages above the server's newest one, or all of them."""
        chat, kept = changed["chat"], self.kept.get(changed["chat"], {})
        is_shorter = changed["seq"] < max(kept, default=0)
        if is_shorter and kept.get(changed["seq"], "").startswith(f"{changed['cursor']} "):
            self.kept[chat] = {seq: text for seq, text in kept.items() if seq <= changed["seq"]}
            self.cursors[chat] = changed["cursor"]
        else:
            self._drop(chat)

    def pull(self, chat: str) -> None:
        """Pull after the newest message, and from the start after a 409."""
        while True:
            after = self.cursors.get(chat, "0")
            path = f"/v1/chats/{quote(chat)}/messages"
            answer = asked("GET", path, "bob", query=f"after={after}&limit=1000")
            if answer.status == 409:
                self._drop(chat)
                continue
            for one in answer.body["messages"] if answer.status == 200 else ():
                self._keep(one, answer.body["epoch"])
            return

    def _keep(self, message: dict[str, Any], epoch: int) -> None:
        chat = message["chat"]
        self.cursors[chat] = cursor_of(message, epoch)
        self.kept.setdefault(chat, {})[message["seq"]] = identity_of(message, epoch)
        self.unchecked.add(chat)

    def _drop(self, chat: str) -> None:
        self.kept.pop(chat, None)
        self.cursors.pop(chat, None)
        self.unchecked.discard(chat)


class LossMachine(RuleBasedStateMachine):
    """Ann and bob write in chats of all kinds; now and then the store goes back to an earlier moment."""

    def __init__(self, engine: Engine, raw: RawClient) -> None:
        super().__init__()
        engine.flush()
        self._raw = raw
        self._device = Device()

    @initialize()
    def begin(self) -> None:
        """Make a small group and a large one; nothing is pushed to a device before its first sync."""
        self._chats = [self._made("bob"), self._made("bob", "cid", "dan"), DIRECT, NOTES]
        self._device.sync()
        self.look()

    def _made(self, *members: str) -> str:
        body = {"kind": "group", "name": "tea", "members": list(members), "join": "open"}
        return str(asked("POST", "/v1/chats", "ann", body).body["chat"])

    @rule(chat=st.integers(0, 3), user=st.sampled_from(["ann", "bob"]), text=st.sampled_from("xyz"))
    def send(self, chat: int, user: str, text: str) -> None:
        """Send a message, which is pushed to the device."""
        self._act(chat, user, "messages", {"text": text})

    def _act(self, chat: int, user: str, what: str, body: dict[str, str] | None = None) -> None:
        """Make a change; its system message is pushed to the device if bob may read it."""
        path = f"/v1/chats/{quote(self._chats[chat])}"
        before = asked("GET", path, "bob").body["cursor"]
        asked("POST", f"{path}/{what}", user, body)
        row = asked("GET", path, "bob").body
        if row["cursor"] not in (before, "0"):
            page = asked("GET", f"{path}/messages", "bob", query="limit=1").body
            for message in page["messages"]:
                self._device.pushed(message)

    @rule()
    def look(self) -> None:
        """Keep the store as it is now, for a failover to come back to."""
        self._moment = Moment(self._raw)

    @rule(prefix=st.sampled_from([ALL, ALL, CHATS, PEOPLE]))
    def lose(self, prefix: bytes) -> None:
        """Lose the writes since then; a minute later the sweep repairs what only some nodes lost."""
        self._moment.set_back(prefix)
        sweep()
        self.look()

    @rule(chat=st.integers(0, 3))
    def leave(self, chat: int) -> None:
        """Leave a group, or clear a chat of two."""
        self._act(chat, "bob", "leave")

    @rule(chat=st.integers(0, 1))
    def join(self, chat: int) -> None:
        """Join a group again."""
        self._act(chat, "bob", "join")

    @rule()
    def sync(self) -> None:
        """Sync: the device holds what bob may read, above what he left or cleared."""
        self._device.sync()
        for chat in self._chats:
            row = asked("GET", f"/v1/chats/{quote(chat)}", "bob").body
            there = asked("GET", f"/v1/chats/{quote(chat)}/messages", "bob", query="after=0&limit=1000")
            kept = self._device.kept.get(chat, {})
            if there.status != 200 or (row["state"] != "member" and not kept):
                continue
            messages, epoch = there.body["messages"], there.body["epoch"]
            truth = {one["seq"]: identity_of(one, epoch) for one in messages}
            base = min(truth, default=there.body["head"] + 1) - 1
            assert {seq: text for seq, text in kept.items() if seq > base} == truth


@pytest.fixture
def engine(valkey: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """One store, asked as a cluster; a subset of its keys is set back, as nodes would lose writes."""
    valkey.start()
    valkey.flush()
    ask_as_a_cluster(monkeypatch)
    return valkey


@pytest.mark.usefixtures("app_on_engine")
def test_device_agrees_with_a_store_that_loses_writes(
    engine: Engine, raw: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After any losses between two syncs, a device that checks its pushed messages holds the stored ones."""
    monkeypatch.setenv("PARLEY_LARGE_CHAT", "3")

    class MachineOnEngine(LossMachine):
        def __init__(self) -> None:
            super().__init__(engine, raw)

    run_state_machine_as_test(
        MachineOnEngine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
