"""Two devices that sync page by page while chats move: in the end both hold the stored state."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from chalicelib import services
from chalicelib.services.inbox import inbox, sync
from tests.servers.engines import Engine, ValkeyEngine
from tests.store.syncing_client import MAX_PAGES, Client, asked, inbox_of

pytestmark = pytest.mark.long

MEMBERS = ("ann", "bob")
LARGE, SMALL, DIRECT = 5, 1, "ann:bob"
EXAMPLES, FEWER_EXAMPLES, STEPS = 40, 15, 40
"""Fewer are for the stores other than the first: the scripts' own tests compare what each store does."""
LONGEST_TOKEN = 1024
UNTOLD = ("received",)
"""Changes that raise no stamp, so that no sync returns them."""

chats = st.integers(0, LARGE + SMALL)
devices = st.integers(0, 1)
limits = st.integers(1, 4)


class SyncMachine(RuleBasedStateMachine):
    """Bob has two devices; he and ann do things in large chats, a small one and a direct one.

    checks: maximum number of large chats that a page checks; if all, the end of a sync is exact.
    """

    def __init__(self, engine: Engine, checks: int) -> None:
        super().__init__()
        engine.flush()
        self._exact = checks >= LARGE
        self._devices = [Client("bob"), Client("bob")]
        self._begun = [False, False]

    @initialize()
    def begin(self) -> None:
        """Make the chats; of two members is large, and of bob alone is not."""
        self._chats = [self._made("ann", "bob") for _ in range(LARGE)]
        self._chats += [self._made("bob") for _ in range(SMALL)]
        self._chats.append(DIRECT)
        self._send("ann", DIRECT)

    def _made(self, maker: str, *members: str) -> str:
        body = {"kind": "group", "name": "tea", "members": list(members), "join": "open"}
        return str(asked("POST", "/v1/chats", maker, body).body["chat"])

    def _send(self, user: str, chat: str) -> None:
        asked("POST", f"/v1/chats/{chat}/messages", user, {"text": "hello"})

    @rule(chat=chats, user=st.sampled_from(MEMBERS))
    def send(self, chat: int, user: str) -> None:
        """Send a message; a user who is not a member is refused."""
        self._send(user, self._chats[chat])

    @rule(chat=chats)
    def read(self, chat: int) -> None:
        """Read all messages."""
        row = asked("GET", f"/v1/chats/{self._chats[chat]}", "bob").body
        if row["seq"]:
            asked("PUT", f"/v1/chats/{self._chats[chat]}/read", "bob", {"seq": row["seq"]})

    @rule(chat=chats, value=st.booleans())
    def flag(self, chat: int, value: bool) -> None:
        """Pin or unpin a chat."""
        asked("PATCH", f"/v1/chats/{self._chats[chat]}/flags", "bob", {"pinned": value})

    @rule(chat=chats, name=st.sampled_from(["tea", "coffee"]))
    def rename(self, chat: int, name: str) -> None:
        """Change the name of a group."""
        asked("PATCH", f"/v1/chats/{self._chats[chat]}", "ann", {"name": name})

    @rule(chat=chats)
    def leave(self, chat: int) -> None:
        """Leave a chat."""
        asked("POST", f"/v1/chats/{self._chats[chat]}/leave", "bob")

    @rule(chat=chats)
    def join(self, chat: int) -> None:
        """Join a group."""
        asked("POST", f"/v1/chats/{self._chats[chat]}/join", "bob")

    @rule(chat=chats)
    def grow(self, chat: int) -> None:
        """Add a third member: the small group is large from then on."""
        asked("POST", f"/v1/chats/{self._chats[chat]}/join", "cid")

    @rule(limit=limits)
    def look(self, limit: int) -> None:
        """Read the inbox: each chat is there once."""
        found = [row["chat"] for row in inbox_of("bob", limit)]
        assert sorted(found) == sorted(self._truth())

    @rule(number=devices, limit=limits)
    def page(self, number: int, limit: int) -> None:
        """Read one page of a sync."""
        self._page(number, limit)

    @rule(number=devices, limit=limits)
    def finish(self, number: int, limit: int) -> None:
        """Sync to the end; once more after interleaved pages, unless a page checks all large chats."""
        if self._begun[number] and not self._exact:
            self._end(number, limit)
        self._end(number, limit)
        device = self._devices[number]
        assert {chat: _shared_fields(row) for chat, row in device.rows.items()} == self._truth()
        assert self._page(number, limit) == []

    def _end(self, number: int, limit: int) -> None:
        self._page(number, limit)
        for _ in range(MAX_PAGES):
            if not self._begun[number]:
                return
            self._page(number, limit)
        raise AssertionError("the sync does not end")

    def _page(self, number: int, limit: int) -> list[str]:
        device = self._devices[number]
        since = "" if device.token is None else f"&since={quote(device.token)}"
        body = asked("GET", "/v1/sync", "bob", query=f"limit={limit}{since}").body
        assert not body["reset"]
        assert len(body["next"]) < LONGEST_TOKEN
        for row in body["chats"]:
            device._take(row)
        device.token, self._begun[number] = body["next"], body["more"]
        return [row["chat"] for row in body["chats"]]

    def _truth(self) -> dict[str, Any]:
        rows = [asked("GET", f"/v1/chats/{chat}", "bob") for chat in self._chats]
        shown = [row.body for row in rows if row.status == 200 and row.body["state"] == "member"]
        return {row["chat"]: _shared_fields(row) for row in shown}


def _shared_fields(row: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that both a sync row and a chat have."""
    of_chats = ("notice", "join", "history", "slow", "keep", "keep_days", "maker", "made_at")
    extra = (*of_chats, *UNTOLD)
    return {name: value for name, value in row.items() if name not in extra}


def machine_on(engine: Engine, checks: int) -> type[SyncMachine]:
    """Return the machine for an engine, as Hypothesis wants it: a class without arguments."""

    class MachineOnEngine(SyncMachine):
        def __init__(self) -> None:
            super().__init__(engine, checks)

    return MachineOnEngine


@pytest.mark.usefixtures("app_on_engine")
@pytest.mark.parametrize("checks", [2, 100])
def test_a_sync_in_pages_leads_to_what_there_is(
    engine: Engine, checks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever moves between pages, a device that has synced holds each chat in its current state."""
    monkeypatch.setenv("PARLEY_LARGE_CHAT", "1")
    for module in (inbox, sync):
        monkeypatch.setattr(module, "MAX_CHECKED", checks)
    services.current.cache_clear()
    run_state_machine_as_test(
        machine_on(engine, checks),
        settings=settings(
            max_examples=EXAMPLES if isinstance(engine, ValkeyEngine) else FEWER_EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
